"""A bank of comfortable postures of one arm: where IK starts from, and how far a pose is from comfort.

Random postures well inside the limits are drawn once (seeded), stiff ones (low manipulability) dropped. The
posture whose wrist pose is nearest to a wanted pose starts the solver; its distance is a cheap measure of
reachability that needs no solve. Nearest neighbours in pose space are one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from reenact.retarget.chains import WristChain, manipulability


@dataclass(frozen=True)
class BankConfig:
    """How the postures are drawn."""

    size: int = 2048
    """Postures kept."""
    limit_share: float = 0.12
    """Share of each joint's range kept clear at both ends."""
    stiff_share: float = 0.35
    """Share of draws dropped for low manipulability."""
    home_pull: float = 0.25
    """Postures are moved this far toward home, so that natural ones are denser."""
    rotation_length: float = 0.25
    """Distance (m) that counts as much as one radian when nearness is judged."""
    seed: int = 7
    """Seed of the draws."""


@dataclass(frozen=True)
class PostureBank:
    """Postures of one chain with their wrist poses, ready for nearest-neighbour look-up."""

    q: Float64[np.ndarray, "k n"]
    T_base_wrist: Float64[np.ndarray, "k 4 4"]
    features: Float64[np.ndarray, "k 12"]
    """Position and scaled rotation columns; squared differences approximate squared pose distance."""
    rotation_length: float

    def nearest(
        self, T_base_target: Float64[np.ndarray, "b 4 4"], count: int = 1
    ) -> Int64[np.ndarray, "b count"]:
        """Indices of the postures nearest in wrist pose, nearest first."""
        wanted = _features(T_base_target, self.rotation_length).astype(np.float32)
        stored = self.features.astype(np.float32)
        penalty = 0.5 * np.einsum("kf,kf->k", stored, stored)
        out = np.empty((len(wanted), count), np.int64)
        for low in range(0, len(wanted), 4096):
            score = penalty - wanted[low : low + 4096] @ stored.T
            if count == 1:
                out[low : low + 4096, 0] = score.argmin(axis=1)
                continue
            part = np.argpartition(score, count - 1, axis=1)[:, :count]
            order = np.argsort(np.take_along_axis(score, part, 1), axis=1, kind="stable")
            out[low : low + 4096] = np.take_along_axis(part, order, 1)
        return out

    def squared_distance(self, T_base_target: Float64[np.ndarray, "b 4 4"]) -> Float64[np.ndarray, " b"]:
        """Squared pose distance (m^2, a radian counts as `rotation_length`) to the nearest posture of the bank."""
        wanted = _features(T_base_target, self.rotation_length).astype(np.float32)
        stored = self.features.astype(np.float32)
        penalty = np.einsum("kf,kf->k", stored, stored)
        out = np.empty(len(wanted))
        for low in range(0, len(wanted), 4096):
            block = wanted[low : low + 4096]
            out[low : low + 4096] = (penalty - 2.0 * (block @ stored.T)).min(axis=1)
        return np.maximum(out + np.einsum("bf,bf->b", wanted, wanted), 0.0)


def _features(T: np.ndarray, rotation_length: float) -> np.ndarray:
    rotation = T[..., :3, :3].reshape(*T.shape[:-2], 9) * (rotation_length / np.sqrt(2.0))
    return np.concatenate([T[..., :3, 3], rotation], axis=-1)


def draw_bank(chain: WristChain, config: BankConfig | None = None) -> PostureBank:
    """Draws the bank of a chain; the same chain and config give the same bank."""
    config = config or BankConfig()
    rng = np.random.default_rng(config.seed)
    inset = config.limit_share * (chain.upper - chain.lower)
    low, high = chain.lower + inset, chain.upper - inset
    draws = int(config.size / (1.0 - config.stiff_share)) + 1
    q = rng.uniform(low, high, (draws, len(low)))
    q += config.home_pull * rng.uniform(0, 1, (draws, 1)) * (np.clip(chain.home, low, high) - q)
    _, jacobian = chain.fk_jacobian(q)
    ease = manipulability(jacobian)
    q = q[np.sort(np.argsort(-ease, kind="stable")[: config.size])]
    T = chain.fk(q)
    return PostureBank(q, T, _features(T, config.rotation_length), config.rotation_length)

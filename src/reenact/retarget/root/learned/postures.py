"""Where natural motions of an arm start: comfortable postures with the hand in front and facing forward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.retarget.chains import WristChain, manipulability
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.config import MotionConfig
from reenact.retarget.root.learned.errors import NothingToTrain
from reenact.retarget.root.learned.windows import DISTAL

DAMPING = 1e-3
"""Of the pseudo-inverse that turns small wrist moves into joint moves (squared singular values, m or rad)."""
JACOBIAN_LENGTH = 0.3
"""Length (m) that counts as much as one radian in that pseudo-inverse."""


@dataclass(frozen=True)
class PosturePool:
    """Start postures of one arm, with what is needed to walk from them."""

    q: Float64[np.ndarray, "k n"]
    T_base_wrist: Float64[np.ndarray, "k 4 4"]
    inverse: Float64[np.ndarray, "k n 6"]
    """Damped pseudo-inverse of the wrist Jacobian: joint move per wrist move (linear first, base axes)."""


def draw_pools(
    arms: RobotArms, config: MotionConfig, seed: int
) -> tuple[PosturePool | None, PosturePool | None]:
    """A pool per side; None where the robot has no arm.

    Raises:
        NothingToTrain: no side has an arm.
    """
    pools: list[PosturePool | None] = [None, None]
    for side, chain in enumerate(arms.chains):
        if chain is not None:
            pools[side] = _draw_pool(chain, arms, side, config, np.random.default_rng([seed, side]))
    if pools == [None, None]:
        raise NothingToTrain(
            "this robot has no arm with a wrist frame, so there is no root to estimate",
            hint="give a robot with arms; floating hands follow the wrist directly",
        )
    return pools[0], pools[1]


def _draw_pool(
    chain: WristChain, arms: RobotArms, side: int, config: MotionConfig, rng: np.random.Generator
) -> PosturePool:
    inset = config.limit_share * (chain.upper - chain.lower)
    low, high = chain.lower + inset, chain.upper - inset
    home = np.clip(chain.home, low, high)
    q = rng.uniform(low, high, (config.draws, len(low)))
    reach = _reach(chain.fk(q)[:, :3, 3])
    q += rng.uniform(0, 1, (config.draws, 1)) * (home - q)
    T, jacobian = chain.fk_jacobian(q)
    worth = _log_naturalness(q, T, chain, side, reach, config) - np.log(-np.log(rng.uniform(size=len(q))))
    ease = manipulability(jacobian) if jacobian.shape[-1] >= 6 else np.ones(len(q))
    worth[ease < np.quantile(ease, config.stiff_share)] = -np.inf
    order = np.argsort(-worth, kind="stable")[: 2 * config.pool]
    if arms.clearance is not None:
        free = arms.clearance.depth(q[order], side) <= 0.0
        order = order[free]
    order = order[: config.pool]
    return PosturePool(q[order], T[order], _damped_inverse(jacobian[order]))


def _reach(places: np.ndarray) -> float:
    """How far the wrist gets from the middle of its places (m, 95 of 100 postures)."""
    return float(np.percentile(np.linalg.norm(places - places.mean(axis=0), axis=1), 95))


def _log_naturalness(
    q: np.ndarray, T: np.ndarray, chain: WristChain, side: int, reach: float, config: MotionConfig
) -> np.ndarray:
    """Log-weight of postures: near home in joints and (further inward) place, fingers forward rather than back."""
    away = ((q - chain.home) ** 2).mean(axis=1) / config.home_sigma**2
    home = chain.fk(chain.home)[:3, 3] * np.array([1.0, config.inward, 1.0])
    lengths = config.place_share * reach
    scale = np.array([lengths, min(lengths, config.lateral_sigma), lengths])
    moved = (((T[:, :3, 3] - home) / scale) ** 2).sum(axis=1)
    forward = T[:, 0, 0] * DISTAL[side]
    facing = -np.log1p(np.exp(-config.facing_sharpness * (forward + 0.2)))
    return -0.5 * away - 0.5 * moved + facing


def _damped_inverse(jacobian: np.ndarray) -> np.ndarray:
    scale = np.repeat([1.0 / JACOBIAN_LENGTH, 1.0], 3)
    J = jacobian * scale[:, None]
    square = J @ np.swapaxes(J, -1, -2) + DAMPING * np.eye(6)
    return np.swapaxes(J, -1, -2) @ np.linalg.inv(square) * scale

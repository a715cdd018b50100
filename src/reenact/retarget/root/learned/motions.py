"""Simulated motions of a robot's own arms: wrist poses in its base, smooth, inside its limits, both hands at once.

Task-space walks as in EgoInfinity (Ornstein-Uhlenbeck knots, cubic spline), but the walk is turned into joints by the
Jacobian at the start and the wrist poses then come from exact forward kinematics: no IK, and every pose is reachable
by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.interpolate import CubicSpline

from reenact.retarget.chains import WristChain
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.config import MotionConfig, WindowConfig
from reenact.retarget.root.learned.errors import NothingToTrain
from reenact.retarget.root.learned.postures import draw_pools


@dataclass(frozen=True)
class Motions:
    """Wrist poses in the base; a side without an arm is never valid."""

    T_base_wrist: Float64[np.ndarray, "b n 2 4 4"]
    has_arm: Bool[np.ndarray, "2"]
    q: tuple[Float64[np.ndarray, "b n _"] | None, Float64[np.ndarray, "b n _"] | None]


class MotionSource:
    """Draws motions of one robot."""

    def __init__(
        self,
        arms: RobotArms,
        config: MotionConfig,
        window: WindowConfig,
        seed: int,
        seconds: float | None = None,
    ) -> None:
        """Args: `seconds` makes longer clips than one window (for benchmarks), with as many knots per second."""
        self.arms, self.config = arms, config
        self.pools = draw_pools(arms, config, seed)
        length = window.length_s if seconds is None else seconds
        self.tokens = round(length / window.step_s)
        self.knots = max(config.knots, round(config.knots * length / window.length_s))
        at = np.linspace(0.0, 1.0, self.knots)
        self._spline = CubicSpline(at, np.eye(self.knots))(np.linspace(0.0, 1.0, self.tokens))

    def draw(self, count: int, rng: np.random.Generator) -> Motions:
        """Fresh motions.

        Raises:
            NothingToTrain: hardly any draw keeps the wrists apart and uncrossed.
        """
        kept: list[Motions] = []
        have = 0
        for _ in range(30):
            part = self._propose(round(1.3 * (count - have)) + 8, rng)
            kept.append(part)
            have += len(part.T_base_wrist)
            if have >= count:
                return _joined(kept, count)
        raise NothingToTrain(
            f"only {have} of {count} motions keep the wrists {self.config.apart[0]} m apart and uncrossed",
            hint="loosen motion.apart or motion.crossed",
        )

    def _propose(self, count: int, rng: np.random.Generator) -> Motions:
        size = self._sizes(count, rng)
        walks = self._walks(count, size, rng)
        starts = self._starts(count, rng)
        T = np.broadcast_to(np.eye(4), (count, self.tokens, 2, 4, 4)).copy()
        q: list[np.ndarray | None] = [None, None]
        for side, (chain, pool) in enumerate(zip(self.arms.chains, self.pools, strict=True)):
            if chain is not None and pool is not None:
                joints = self._joints(
                    chain, pool.q[starts[side]], pool.inverse[starts[side]], walks[:, :, side]
                )
                joints = self._elbows(chain, joints, size[:, side], rng)
                T[:, :, side] = chain.fk(joints)
                q[side] = joints
        has_arm = np.array([c is not None for c in self.arms.chains])
        good = self._apart(T) if has_arm.all() else np.ones(count, bool)
        left, right = (None if x is None else x[good] for x in q)
        return Motions(T[good], has_arm, (left, right))

    def _sizes(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """How brisk each arm is, 0..1 on the log scale of the step ranges; below 0 for arms that hardly move."""
        size = rng.uniform(0, 1, (count, 2))
        return np.where(rng.uniform(size=(count, 2)) < self.config.still, -1.0, size)

    def _walks(self, count: int, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Ornstein-Uhlenbeck wrist moves at the knots [b k 2 6], starting at zero."""
        config = self.config
        steps = np.empty((count, 2, 6))
        for part, (low, high) in ((slice(0, 3), config.position_step), (slice(3, 6), config.rotation_step)):
            steps[..., part] = (low * (high / low) ** size)[..., None]
        noise = rng.normal(size=(count, self.knots, 2, 6)) * steps[:, None]
        both = rng.uniform(size=count) < config.together
        noise[both, :, 1, :3] = 0.3 * noise[both, :, 1, :3] + 0.95 * noise[both, :, 0, :3]
        walk = np.zeros_like(noise)
        for k in range(1, self.knots):
            walk[:, k] = (1.0 - config.spring) * walk[:, k - 1] + noise[:, k]
        return walk - walk.mean(axis=1, keepdims=True) * rng.uniform(0, 1, (count, 1, 1, 1))

    def _starts(self, count: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Start postures per side, paired so that the wrists are as far apart as hands at work are."""
        tries = self.config.pair_tries
        drawn = [rng.integers(len(p.q) if p else 1, size=(count, tries)) for p in self.pools]
        wanted = rng.uniform(*self.config.start_apart, (count, 1))
        left, right = self.pools
        if left is None or right is None:
            return [x[:, 0] for x in drawn]
        apart = left.T_base_wrist[drawn[0], :3, 3] - right.T_base_wrist[drawn[1], :3, 3]
        best = np.abs(np.linalg.norm(apart, axis=2) - wanted).argmin(axis=1)[:, None]
        return [np.take_along_axis(x, best, axis=1)[:, 0] for x in drawn]

    def _joints(
        self,
        chain: WristChain,
        start: Float64[np.ndarray, "b n"],
        inverse: Float64[np.ndarray, "b n 6"],
        walk: Float64[np.ndarray, "b k 6"],
    ) -> Float64[np.ndarray, "b k n"]:
        """Joints at the knots."""
        moved = np.einsum("bni,bki->bkn", inverse, walk)
        return np.clip(start[:, None] + np.clip(moved, -1.2, 1.2), chain.lower, chain.upper)

    def _elbows(
        self, chain: WristChain, knots: np.ndarray, size: np.ndarray, rng: np.random.Generator
    ) -> Float64[np.ndarray, "b n _"]:
        """A small joint walk on top, then the spline through the knots, held inside the limits."""
        amount = self.config.joint_step * np.clip(size + 0.5, 0.1, 1.5)
        knots = knots + np.cumsum(rng.normal(size=knots.shape), axis=1) * amount[:, None, None]
        q = np.einsum("tk,bkn->btn", self._spline, np.clip(knots, chain.lower, chain.upper))
        return np.clip(q, chain.lower, chain.upper)

    def _apart(self, T: np.ndarray) -> np.ndarray:
        """Motions whose wrists keep their distance and do not cross."""
        left, right = T[:, :, 0, :3, 3], T[:, :, 1, :3, 3]
        distance = np.linalg.norm(left - right, axis=2)
        near, far = self.config.apart
        crossed = (right - left)[..., 1].max(axis=1) > self.config.crossed
        return (distance.min(axis=1) >= near) & (distance.max(axis=1) <= far) & ~crossed


def _joined(parts: list[Motions], count: int) -> Motions:
    def some(side: int) -> np.ndarray | None:
        found = [p.q[side] for p in parts]
        return None if found[0] is None else np.concatenate([x for x in found if x is not None])[:count]

    T = np.concatenate([p.T_base_wrist for p in parts])[:count]
    return Motions(T, parts[0].has_arm, (some(0), some(1)))

"""Keeping the arms clear of the body, of themselves and of each other, for thousands of postures at once.

MuJoCo says exactly whether two shapes touch, one configuration at a time; here every collision shape is a few
spheres (`spheres`), and distances and their slopes are numpy. An arm's own links move with its joints; everything
beyond the wrist (palm and fingers) moves with the wrist frame, in a posture that may change from frame to frame.
Pairs with fewer than `joints_apart` joints between them, or already near each other at home, are left out: shapes
that meet around a joint say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int

from reenact.hands.joints import SIDES
from reenact.retarget.spheres import SphereConfig, Spheres, body_spheres
from reenact.robots.model import Robot


@dataclass(frozen=True)
class ClearanceConfig:
    """What counts as near."""

    margin: float = 0.008
    """Distance between surfaces that is kept (m)."""
    joints_apart: int = 3
    """Bodies with fewer joints between them are never tested against each other."""
    spheres: SphereConfig = field(default_factory=SphereConfig)


@dataclass(frozen=True)
class _Arm:
    """Spheres of one arm: those on its links, then those of its hand."""

    spheres: Spheres
    frames: tuple[str, ...]
    """Link bodies, then the wrist frame."""
    which: Int[np.ndarray, " k"]
    """Frame that carries each sphere."""
    local: Float64[np.ndarray, "k 3"]
    """Centre in that frame, the hand in its home posture (m)."""
    hand: Bool[np.ndarray, " k"]
    """Spheres beyond the wrist."""
    joints: list[int]
    """Columns of q of the arm's joints."""


class Clearance:
    """Distances of the two arms to the body and to each other; sides are 0 left, 1 right."""

    def __init__(self, robot: Robot, config: ClearanceConfig | None = None) -> None:
        self.robot, self.config = robot, config or ClearanceConfig()
        self.margin = self.config.margin
        spheres = body_spheres(robot.model, self.config.spheres)
        self._paths = {b: frozenset(self._path(b)) for b in set(spheres.body.tolist())}
        owner = np.array([self._owner(b) for b in spheres.body.tolist()], int)
        self._arms = tuple(self._make_arm(spheres.subset(owner == s), s) for s in (0, 1))
        rest = spheres.subset(owner < 0)
        self._rest_centre = self._at_home(rest)
        self._rest_radius = rest.radius
        self._rest_pairs = tuple(self._tested(a.spheres, rest, self._rest_centre) for a in self._arms)
        homes = [self._at_home(a.spheres) for a in self._arms]
        self._own_pairs = tuple(
            self._tested(a.spheres, a.spheres, h) for a, h in zip(self._arms, homes, strict=True)
        )
        across = self._tested(self._arms[0].spheres, self._arms[1].spheres, homes[1])
        self._across_pairs = (across, across.T)

    # --- which sphere belongs where ---

    def _arm_joints(self, side: int) -> list[int]:
        arm = self.robot.arms.get(SIDES[side])  # type: ignore[call-overload]
        return [] if arm is None else [int(j) for j in arm.joint_idx]

    def _path(self, body: int) -> list[int]:
        """Joints from a body up to the base."""
        model, joints = self.robot.model, []
        while body > 0:
            first = int(model.body_jntadr[body])
            joints += list(range(first, first + int(model.body_jntnum[body])))
            body = int(model.body_parentid[body])
        return joints

    def _owner(self, body: int) -> int:
        """Side of the arm that carries a body; -1 for the rest of the robot."""
        return next((s for s in (0, 1) if self._paths[body] & set(self._arm_joints(s))), -1)

    def _make_arm(self, spheres: Spheres, side: int) -> _Arm:
        joints = self._arm_joints(side)
        full = [len(self._paths[b] & set(joints)) == len(joints) for b in spheres.body.tolist()]
        hand = np.array(full, bool) if SIDES[side] in self.robot.wrist_sides else np.zeros(len(full), bool)
        bodies = sorted({int(b) for b in spheres.body[~hand]})
        names = [self.robot.model.body(b).name for b in bodies]
        which = np.array(
            [len(bodies) if h else bodies.index(int(b)) for b, h in zip(spheres.body, hand, strict=True)], int
        )
        local = spheres.centre.copy()
        if hand.any():
            names.append(f"wrist_{SIDES[side]}")
            local[hand] = self._in_wrist(spheres.subset(hand), side, self.robot.home_q[None])[0]
        return _Arm(spheres, tuple(names), which, local, hand, joints)

    def _at_home(self, spheres: Spheres) -> np.ndarray:
        return self._in_base(spheres, self.robot.home_q[None])[0]

    def _in_base(self, spheres: Spheres, q: np.ndarray) -> np.ndarray:
        """Centres in the base frame for whole-robot postures [b n_q], [b k 3]."""
        if len(spheres.body) == 0:
            return np.zeros((len(q), 0, 3))
        bodies, which = np.unique(spheres.body, return_inverse=True)
        T = self.robot.frames(q, [self.robot.model.body(int(b)).name for b in bodies])[:, which]
        return (T[..., :3, :3] @ spheres.centre[..., None])[..., 0] + T[..., :3, 3]

    def _in_wrist(self, spheres: Spheres, side: int, q: np.ndarray) -> np.ndarray:
        T = self.robot.T_base_wrist(q, SIDES[side])  # type: ignore[arg-type]
        return (self._in_base(spheres, q) - T[:, None, :3, 3]) @ T[:, :3, :3]

    def _tested(self, arm: Spheres, other: Spheres, other_centre: np.ndarray) -> Bool[np.ndarray, "k m"]:
        """Pairs worth testing: enough joints between them, one of an arm, and clear of each other at home."""
        moving = set(self._arm_joints(0)) | set(self._arm_joints(1))
        far = np.zeros((len(arm.body), len(other.body)), bool)
        for i, a in enumerate(arm.body.tolist()):
            for j, b in enumerate(other.body.tolist()):
                between = self._paths[a] ^ self._paths[b]
                far[i, j] = len(between) >= self.config.joints_apart and bool(between & moving)
        gap = np.linalg.norm(self._at_home(arm)[:, None] - other_centre[None], axis=-1)
        return far & (gap - arm.radius[:, None] - other.radius > self.config.margin)

    # --- distances ---

    def hand_centres(self, q: Float64[np.ndarray, "t q"], side: int) -> Float64[np.ndarray, "t k 3"]:
        """Sphere centres in the arm's carrying frames with the hand as whole-robot postures `q` hold it."""
        arm = self._arms[side]
        local = np.broadcast_to(arm.local, (len(q), *arm.local.shape)).copy()
        if arm.hand.any():
            local[:, arm.hand] = self._in_wrist(arm.spheres.subset(arm.hand), side, q)
        return local

    def _full(self, q: np.ndarray, side: int) -> np.ndarray:
        full = np.empty((len(q), self.robot.n_q))
        full[...] = self.robot.home_q
        full[:, self._arms[side].joints] = q
        return full

    def centres(
        self, q: Float64[np.ndarray, "b n"], side: int, hand: Float64[np.ndarray, "b k 3"] | None = None
    ) -> Float64[np.ndarray, "b k 3"]:
        """Sphere centres of one arm (base frame, m); `hand` from `hand_centres`, else the hand is at home."""
        arm = self._arms[side]
        if len(arm.which) == 0:
            return np.zeros((len(q), 0, 3))
        T = self.robot.frames(self._full(q, side), arm.frames)[:, arm.which]
        local = arm.local if hand is None else hand
        return (T[..., :3, :3] @ local[..., None])[..., 0] + T[..., :3, 3]

    def depth(
        self,
        q: Float64[np.ndarray, "b n"],
        side: int,
        hand: Float64[np.ndarray, "b k 3"] | None = None,
        other: Float64[np.ndarray, "b m 3"] | None = None,
    ) -> Float64[np.ndarray, " b"]:
        """How far (m) an arm intrudes into the margin around body, itself and the other's spheres; 0 when clear."""
        centre = self.centres(q, side, hand)
        out = np.zeros(len(q))
        for near, gap, _, _ in self._near(centre, side, other):
            out[near] = np.maximum(self.margin - gap, 0.0).max(axis=1)
        return out

    def rows(
        self,
        q: Float64[np.ndarray, "b n"],
        side: int,
        hand: Float64[np.ndarray, "b k 3"] | None = None,
        other: Float64[np.ndarray, "b m 3"] | None = None,
    ) -> tuple[Float64[np.ndarray, "b k"], Float64[np.ndarray, "b k n"]]:
        """Intrusion of each sphere into the margin (m) and its slope by the arm's joints."""
        arm = self._arms[side]
        centre = self.centres(q, side, hand)
        inside = np.zeros(centre.shape[:2])
        slope = np.zeros((*centre.shape[:2], q.shape[1]))
        for near, gap, away, own in self._near(centre, side, other):
            T, J = self.robot.kinematics.jacobians(self._full(q[near], side), arm.frames, arm.joints)
            T, J = T[:, arm.which], J[:, arm.which]
            speed = J[:, :, :3] - _hat(centre[near] - T[..., :3, 3]) @ J[:, :, 3:]
            partner = np.take_along_axis(speed, np.maximum(own, 0)[..., None, None], axis=1)
            speed = speed - np.where((own >= 0)[..., None, None], partner, 0.0)
            inside[near] = np.maximum(self.margin - gap, 0.0)
            slope[near] = -np.einsum("bki,bkin->bkn", away, speed) * (inside[near] > 0)[..., None]
        return inside, slope

    def _near(
        self, centre: np.ndarray, side: int, other: np.ndarray | None
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """For frames with an intrusion: which, each sphere's gap, direction away from its nearest, own partner."""
        rest = np.broadcast_to(self._rest_centre, (len(centre), *self._rest_centre.shape))
        parts, allowed = [rest, centre], [self._rest_pairs[side], self._own_pairs[side]]
        radii = [self._rest_radius, self._arms[side].spheres.radius]
        if other is not None:
            parts.append(other)
            allowed.append(self._across_pairs[side])
            radii.append(self._arms[1 - side].spheres.radius)
        tested = np.concatenate(allowed, axis=1)
        obstacle = np.concatenate(parts, axis=1)
        touch = self._arms[side].spheres.radius[:, None] + np.concatenate(radii)
        limit = np.where(tested, touch + self.margin, 0.0) ** 2
        squared = np.einsum("bki,bki->bk", centre, centre)[:, :, None] - 2.0 * centre @ np.swapaxes(
            obstacle, 1, 2
        )
        squared += np.einsum("bmi,bmi->bm", obstacle, obstacle)[:, None]
        near = np.flatnonzero((squared < limit).any(axis=(1, 2)))
        if len(near) == 0:
            return []
        gap = np.where(tested, np.sqrt(np.maximum(squared[near], 1e-12)) - touch, 1e3)
        nearest = gap.argmin(axis=2)
        away = centre[near] - np.take_along_axis(obstacle[near], nearest[..., None], axis=1)
        away /= np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-9)
        own = nearest - len(self._rest_radius)
        own = np.where(own < centre.shape[1], own, -1)
        return [(near, np.take_along_axis(gap, nearest[..., None], axis=2)[..., 0], away, own)]


def _hat(v: np.ndarray) -> np.ndarray:
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return out - np.swapaxes(out, -1, -2)

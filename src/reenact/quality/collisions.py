"""Frames in which a robot touches itself along a trajectory, and what counts as touching."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.robots.model import Robot
from reenact.robots.trajectory import JointTrajectory

CONTACT_DEPTH = 1e-3
"""Shapes overlapping by more than this collide (m)."""
JOINTS_APART = 3
"""Bodies with fewer joints between them meet around a joint by construction and are not counted as colliding."""


def collisions(trajectory: JointTrajectory, robot: Robot) -> tuple[int, tuple[str, ...]]:
    """Frames in which the robot touches itself, and the pairs of bodies with their counts."""
    contacts = SelfContacts(robot)
    counts: dict[tuple[str, str], int] = {}
    frames = 0
    for q in trajectory.q:
        touching = contacts.pairs(q)
        frames += bool(touching)
        for pair in touching:
            counts[pair] = counts.get(pair, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return frames, tuple(f"{a} - {b}: {n}" for (a, b), n in ranked[:5])


class SelfContacts:
    """Which contacts of a robot with itself count as collisions.

    Left out: overlaps up to 1 mm, bodies with fewer than three joints between them (they meet around a joint by
    construction), and the fingers of one hand among themselves and against their palm (a closed hand is no fault).
    """

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        model = robot.model
        self._paths = {model.body(b).name: self._path(b) for b in range(model.nbody)}
        self._hands = [{int(j) for j in hand.joint_idx} for hand in robot.hands.values()]

    def _path(self, body: int) -> frozenset[int]:
        """Joints between the base and a body."""
        model, joints = self._robot.model, []
        while body > 0:
            first = int(model.body_jntadr[body])
            joints += list(range(first, first + int(model.body_jntnum[body])))
            body = int(model.body_parentid[body])
        return frozenset(joints)

    def pairs(self, q: Float64[np.ndarray, " q"]) -> list[tuple[str, str]]:
        """Names of the bodies that collide in one configuration."""
        return [
            (a, b)
            for a, b, distance in self._robot.self_collisions(q)
            if distance < -CONTACT_DEPTH and self._counts(self._paths[a] ^ self._paths[b])
        ]

    def _counts(self, between: frozenset[int]) -> bool:
        return len(between) >= JOINTS_APART and not any(between <= hand for hand in self._hands)

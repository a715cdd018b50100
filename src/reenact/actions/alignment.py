"""Wrist frames of people and robots, brought to mean the same place on the hand.

METIS (3.3, appendix A) applies a fixed transform between wrist and hand base. Our robot sheets already carry a wrist
frame of the human meaning (CONVENTIONS.md), so the identity is a fair default; what is here measures and refines it:
from the shapes of the two hands, or from poses recorded in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from reenact.actions.errors import BadActions
from reenact.geometry.alignment import kabsch
from reenact.geometry.rotations import rotation_angle, rotation_mean
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import FINGERS, SIDES, TIPS, finger_joints
from reenact.hands.skeleton import HandSkeleton
from reenact.robots.model import Robot, Side


@dataclass(frozen=True)
class WristAlignment:
    """`T_sheet_aligned` per side: the wrist frame the space speaks of, in the wrist frame of the robot's sheet."""

    left: Float64[np.ndarray, "4 4"] = field(default_factory=lambda: np.eye(4))
    right: Float64[np.ndarray, "4 4"] = field(default_factory=lambda: np.eye(4))

    def of(self, side: str) -> Float64[np.ndarray, "4 4"]:
        """The transform of one side."""
        return self.left if side == "left" else self.right

    def angle(self, side: str) -> float:
        """How far it turns the sheet's frame (rad)."""
        return float(rotation_angle(np.eye(3), self.of(side)[:3, :3]))

    def distance(self, side: str) -> float:
        """How far it moves the sheet's frame (m)."""
        return float(np.linalg.norm(self.of(side)[:3, 3]))


def calibrate_by_shape(robot: Robot) -> WristAlignment:
    """Lays a flat adult hand into the robot's flat hand: knuckles and fingertips of the fingers that both have.

    The thumb is left out: where a robot's thumb points when its joints are at zero says nothing. The answer does not
    depend on which wrist frame the sheet declares, and a left hand's is the mirror of a right's where the robot's hands
    mirror each other. Sizes are left as they are: the space is metric.

    Raises:
        BadActions: a hand with fewer than two fingers beside its thumb (nothing to lay in).
    """
    found: dict[str, np.ndarray] = {}
    for side, hand in robot.hands.items():
        human = HandSkeleton.adult(SIDES.index(side)).rest_joints_wrist
        fingers = [FINGERS.index(name) for name in hand.finger_names if name != "thumb"]
        if len(fingers) < 2:
            raise BadActions(f"the {side} hand of {robot.name!r} has {len(fingers)} finger beside the thumb",
                             hint="two or more are needed to lay a hand in")  # fmt: skip
        points = human[[finger_joints(f)[0] for f in fingers] + [TIPS[f] for f in fingers]]
        found[side] = kabsch(points, flat_hand(robot, side))
    return _both(found)


def flat_hand(robot: Robot, side: Side) -> Float64[np.ndarray, "p 3"]:
    """First joints, then tips, of a robot's straight fingers (no thumb), in its sheet's wrist frame (m)."""
    hand, model = robot.hands[side], robot.model
    fingers = [finger for finger in hand.fingers if finger.name != "thumb"]
    q = robot.home_q.copy()
    q[hand.joint_idx] = np.clip(0.0, robot.lower[hand.joint_idx], robot.upper[hand.joint_idx])
    knuckles = [model.body(model.joint(f.joint_names[0]).bodyid[0]).name for f in fingers]
    T = robot.frames(q, [*knuckles, *(f.tip_frame for f in fingers)])
    return apply(inverse(robot.T_base_wrist(q, side)), T[:, :3, 3])


def calibrate_by_pairs(
    pairs: Mapping[str, tuple[Float64[np.ndarray, "n 4 4"], Float64[np.ndarray, "m 4 4"]]],
) -> tuple[WristAlignment, dict[str, tuple[float, float]]]:
    """From wrist poses recorded together: a person's hand and the robot's, laid the same way, in one frame.

    Args:
        pairs: per side, `T_any_human` and `T_any_robot` (the sheet's wrist frame) of n instants.

    Returns:
        The alignment and, per side, what it leaves: rms position (m) and rms rotation (rad).

    Raises:
        BadActions: no instants, or numbers of poses that differ.
    """
    found, left = {}, {}
    for side, (T_human, T_robot) in pairs.items():
        if len(T_human) != len(T_robot) or len(T_human) == 0:
            raise BadActions(f"{len(T_human)} human and {len(T_robot)} robot poses of the {side} wrist")
        T = inverse(T_robot) @ T_human
        R, p = rotation_mean(T[:, :3, :3]), T[:, :3, 3].mean(axis=0)
        found[side] = make_T(R, p)
        spread = (
            ((T[:, :3, 3] - p) ** 2).sum(1),
            rotation_angle(np.broadcast_to(R, T[:, :3, :3].shape), T[:, :3, :3]) ** 2,
        )
        left[side] = (float(np.sqrt(spread[0].mean())), float(np.sqrt(spread[1].mean())))
    return _both(found), left


def _both(found: Mapping[str, np.ndarray]) -> WristAlignment:
    return WristAlignment(found.get("left", np.eye(4)), found.get("right", np.eye(4)))

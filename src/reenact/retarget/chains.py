"""What the arm solvers need to know of an arm, and the pose error they all share.

`WristChain` is a protocol, so the solvers can be tested on a planar toy arm and never learn where a robot's
kinematics come from. Frames: everything is in the robot's `base`; wrist frames follow the METIS convention of
`reenact.hands.joints.wrist_frame`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_log


@runtime_checkable
class WristChain(Protocol):
    """The joints between the base and one wrist, batched over leading axes."""

    @property
    def lower(self) -> Float64[np.ndarray, " n"]:
        """Lower joint limits (rad)."""

    @property
    def upper(self) -> Float64[np.ndarray, " n"]:
        """Upper joint limits (rad)."""

    @property
    def velocity(self) -> Float64[np.ndarray, " n"]:
        """Velocity limits (rad/s), infinity where unknown."""

    @property
    def home(self) -> Float64[np.ndarray, " n"]:
        """A comfortable posture (rad)."""

    @property
    def free_turn(self) -> Float64[np.ndarray, "3"] | None:
        """Axis (base frame) about which an arm of five joints cannot choose the wrist's turn; None for others."""

    def fk(self, q: Float64[np.ndarray, "*b n"]) -> Float64[np.ndarray, "*b 4 4"]:
        """`T_base_wrist`."""

    def fk_jacobian(
        self, q: Float64[np.ndarray, "*b n"]
    ) -> tuple[Float64[np.ndarray, "*b 4 4"], Float64[np.ndarray, "*b 6 n"]]:
        """`T_base_wrist` and its Jacobian: velocity of the wrist origin, then angular velocity, base axes."""


@runtime_checkable
class ArmClearance(Protocol):
    """Distances of the arms to the body, to themselves and to each other."""

    margin: float
    """Distance between surfaces that is to be kept (m)."""

    def hand_centres(self, q: Float64[np.ndarray, "t q"], side: int) -> Float64[np.ndarray, "t k 3"]:
        """Sphere centres in their carrying frames with the hand as whole-robot postures hold it."""

    def centres(
        self, q: Float64[np.ndarray, "b n"], side: int, hand: Float64[np.ndarray, "b k 3"] | None = None
    ) -> Float64[np.ndarray, "b k 3"]:
        """Sphere centres of one arm (base frame, m), its hand in a given posture or at home."""

    def depth(
        self,
        q: Float64[np.ndarray, "b n"],
        side: int,
        hand: Float64[np.ndarray, "b k 3"] | None = None,
        other: Float64[np.ndarray, "b m 3"] | None = None,
    ) -> Float64[np.ndarray, " b"]:
        """Intrusion into the margin around body, self and the other arm's centres (m); beyond the margin: contact."""

    def rows(
        self,
        q: Float64[np.ndarray, "b n"],
        side: int,
        hand: Float64[np.ndarray, "b k 3"] | None = None,
        other: Float64[np.ndarray, "b m 3"] | None = None,
    ) -> tuple[Float64[np.ndarray, "b k"], Float64[np.ndarray, "b k n"]]:
        """Intrusion of each of the arm's spheres (m) and its slope by the arm's joints."""


def pose_error(
    T_base_target: Float64[np.ndarray, "*#b 4 4"], T_base_wrist: Float64[np.ndarray, "*#b 4 4"]
) -> Float64[np.ndarray, "*#b 6"]:
    """Position difference (m) and rotation vector (rad) from wrist to target, base axes."""
    R = T_base_target[..., :3, :3] @ np.swapaxes(T_base_wrist[..., :3, :3], -1, -2)
    return np.concatenate([T_base_target[..., :3, 3] - T_base_wrist[..., :3, 3], so3_log(R)], axis=-1)


FREE_TURN_WEIGHT = 0.06
"""What a turn about an arm's free axis weighs beside any other: enough to choose among equals, too little to cost."""


def turn_weights(chain: WristChain) -> Float64[np.ndarray, "6 6"]:
    """Matrix by which a pose error is weighed (base axes): identity, but small along the arm's free turn."""
    weights, axis = np.eye(6), chain.free_turn
    if axis is not None:
        weights[3:, 3:] -= (1.0 - FREE_TURN_WEIGHT) * np.outer(axis, axis)
    return weights


def counted_turn(chain: WristChain, error: Float64[np.ndarray, "*b 6"]) -> Float64[np.ndarray, "*b"]:
    """Angle (rad) of pose errors without the arm's free turn: what a tolerance is held against."""
    turn, axis = error[..., 3:], chain.free_turn
    if axis is not None:
        turn = turn - (turn @ axis)[..., None] * axis
    return np.linalg.norm(turn, axis=-1)


def manipulability(jacobian: Float64[np.ndarray, "*b 6 n"]) -> Float64[np.ndarray, "*b"]:
    """Yoshikawa's index sqrt(det(J J^T)) (mixed units, as in the seed); of J^T J for arms of fewer than six joints."""
    across = np.swapaxes(jacobian, -1, -2)
    square = jacobian @ across if jacobian.shape[-1] >= 6 else across @ jacobian
    return np.sqrt(np.maximum(np.linalg.det(square), 0.0))


def limit_margin(
    q: Float64[np.ndarray, "*b n"], lower: Float64[np.ndarray, " n"], upper: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, "*b"]:
    """Distance of the joint nearest to one of its limits (rad); negative beyond it."""
    return np.minimum(q - lower, upper - q).min(axis=-1)

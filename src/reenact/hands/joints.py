"""Joint names and order (OpenPose-21 = MediaPipe-21), bones, and the one function that builds the wrist frame."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

SIDES = ("left", "right")
"""Axis s everywhere: 0 left, 1 right."""
LEFT, RIGHT = 0, 1

FINGERS = ("thumb", "index", "middle", "ring", "pinky")

JOINT_NAMES_21 = (
    "wrist",
    "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    "index_mcp", "index_pip", "index_dip", "index_tip",
    "middle_mcp", "middle_pip", "middle_dip", "middle_tip",
    "ring_mcp", "ring_pip", "ring_dip", "ring_tip",
    "pinky_mcp", "pinky_pip", "pinky_dip", "pinky_tip",
)  # fmt: skip

WRIST = 0
TIPS = (4, 8, 12, 16, 20)
"""Fingertips, thumb to pinky."""
MCPS = (5, 9, 13, 17)
"""Finger knuckles, index to pinky."""
PARENTS_21 = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""Parent of each joint; the wrist has none (-1 as an index that is never read)."""
BONES_21 = tuple((PARENTS_21[j], j) for j in range(1, 21))
"""(parent, child) of the 20 bones; bone i ends at joint i + 1."""


def finger_joints(finger: int) -> tuple[int, int, int, int]:
    """The four joint indices of a finger (0 thumb .. 4 pinky), base to tip."""
    first = 1 + 4 * finger
    return first, first + 1, first + 2, first + 3


def bone_lengths(joints: Float[np.ndarray, "*b j=21 3"]) -> Float[np.ndarray, "*b 20"]:
    """Length of each bone (m); bone i ends at joint i + 1."""
    parents = np.array(PARENTS_21[1:])
    return np.linalg.norm(joints[..., 1:, :] - joints[..., parents, :], axis=-1)


def hand_length(joints: Float[np.ndarray, "*b j=21 3"]) -> Float[np.ndarray, "*b"]:
    """Wrist to middle fingertip along the bones (m): 0.189 for the adult of the metric prior."""
    lengths = bone_lengths(joints)
    return np.asarray(lengths[..., 8] + lengths[..., 9] + lengths[..., 10] + lengths[..., 11])


def wrist_frame(joints: Float[np.ndarray, "*b j=21 3"], side: int) -> Float64[np.ndarray, "*b 3 3"]:
    """Rotation `R_frame_wrist` of a hand, columns x, y, z in the frame of the joints.

    METIS (appendix A): y from the palm to the back of the hand, z from the little finger to the thumb, on both sides;
    then x = y x z points to the fingertips on a left hand and back along the forearm on a right one. Here x is exactly
    along wrist - middle knuckle and z is the pinky-to-index knuckle direction made orthogonal to it.

    Args:
        joints: any frame, metres (or any unit: only directions count).
        side: 0 left, 1 right. A left hand given as right yields a frame with its palm inside out; sides matter.
    """
    joints = np.asarray(joints, dtype=np.float64)
    distal = _unit(joints[..., 9, :] - joints[..., WRIST, :])
    radial = joints[..., 5, :] - joints[..., 17, :]
    radial = _unit(radial - (radial * distal).sum(-1, keepdims=True) * distal)
    x = distal if side == LEFT else -distal
    return np.stack([x, np.cross(radial, x), radial], axis=-1)


def wrist_transform(joints: Float[np.ndarray, "*b j=21 3"], side: int) -> Float64[np.ndarray, "*b 4 4"]:
    """`T_frame_wrist`: the wrist frame with its origin at the wrist joint."""
    joints = np.asarray(joints, dtype=np.float64)
    T = np.zeros((*joints.shape[:-2], 4, 4))
    T[..., :3, :3] = wrist_frame(joints, side)
    T[..., :3, 3] = joints[..., WRIST, :]
    T[..., 3, 3] = 1.0
    return T


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)

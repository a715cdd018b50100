"""`HandSkeleton`: a hand of fixed bone lengths moved by 20 joint angles.

In: angles [*b 20] (see `ANGLE_NAMES`). Out: 21 joints and the 16 bone frames that carry the skin, in the wrist frame.
Left and right share angles: a left hand is the right one with the wrist frame's x negated, which keeps y (to the back
of the hand) and z (to the thumb) on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import FINGERS, LEFT, finger_joints

ANGLE_NAMES = tuple(
    name
    for finger in FINGERS
    for name in (
        (f"{finger}_cmc_flexion", f"{finger}_cmc_abduction", f"{finger}_mcp_flexion", f"{finger}_ip_flexion")
        if finger == "thumb"
        else (
            f"{finger}_mcp_flexion",
            f"{finger}_mcp_abduction",
            f"{finger}_pip_flexion",
            f"{finger}_dip_flexion",
        )
    )
)
"""Flexion > 0 bends toward the palm; abduction > 0 moves toward the thumb side. Zero is a flat hand."""

ADULT_HAND_LENGTH = 0.189
"""Wrist to middle fingertip of the default adult (m); population spread about 6 % (research: perception 2.3)."""

# Right hand of length 0.189 m in its wrist frame, fingers straight. Wrist-to-knuckle 0.094 m and finger bones after
# Buryanov & Kotiuk 2010 (Morphologia) with the soft tissue of the fingertip added to the last bone.
_BASES = np.array([  # thumb CMC, then index..pinky MCP; x is toward the forearm
    [-0.0240, -0.0100, 0.0260],
    [-0.0920, -0.0040, 0.0225],
    [-0.0940, 0.0000, 0.0000],
    [-0.0865, -0.0015, -0.0205],
    [-0.0785, -0.0040, -0.0390],
])  # fmt: skip
_LENGTHS = np.array([
    [0.0460, 0.0335, 0.0280],
    [0.0425, 0.0255, 0.0205],
    [0.0455, 0.0285, 0.0210],
    [0.0420, 0.0270, 0.0210],
    [0.0335, 0.0195, 0.0185],
])  # fmt: skip
_FAN_DEG = np.array([0.0, 5.0, 0.0, -5.0, -11.0])  # straight fingers fan out; the thumb has its own direction
_THUMB_DISTAL = np.array([-0.66, -0.30, 0.69])
_THUMB_DORSAL = np.array([0.0, 0.55, 0.83])  # the nail looks back and to the radial side


def _right_frames() -> np.ndarray:
    """`R_wrist_finger` [5 3 3] of the straight right hand: columns distal, dorsal, distal x dorsal."""
    frames = []
    for i, fan in enumerate(np.deg2rad(_FAN_DEG)):
        distal, dorsal = np.array([-np.cos(fan), 0.0, np.sin(fan)]), np.array([0.0, 1.0, 0.0])
        if i == 0:
            distal, dorsal = _THUMB_DISTAL / np.linalg.norm(_THUMB_DISTAL), _THUMB_DORSAL
        dorsal = dorsal - (dorsal @ distal) * distal
        dorsal = dorsal / np.linalg.norm(dorsal)
        frames.append(np.stack([distal, dorsal, np.cross(distal, dorsal)], axis=-1))
    return np.stack(frames)


@dataclass(frozen=True)
class HandSkeleton:
    """Bone lengths and rest directions of one hand; build with `HandSkeleton.adult`."""

    side: int
    """0 left, 1 right."""
    hand_length: float
    """Wrist to middle fingertip along the bones (m); everything scales with it."""

    @staticmethod
    def adult(side: int, hand_length: float = ADULT_HAND_LENGTH) -> HandSkeleton:
        """The fixed adult proportions at a given hand length (m)."""
        return HandSkeleton(side=side, hand_length=hand_length)

    @property
    def scale(self) -> float:
        """Size relative to the default adult."""
        return self.hand_length / ADULT_HAND_LENGTH

    @cached_property
    def bases_wrist(self) -> Float64[np.ndarray, "f=5 3"]:
        """First joint of each finger in the wrist frame (m)."""
        return _BASES * self.scale * self._mirror

    @cached_property
    def lengths(self) -> Float64[np.ndarray, "f=5 3"]:
        """The three bone lengths of each finger (m)."""
        return _LENGTHS * self.scale

    @cached_property
    def rest_joints_wrist(self) -> Float64[np.ndarray, "j=21 3"]:
        """The flat hand."""
        return self.joints_wrist(np.zeros(20))

    @cached_property
    def _mirror(self) -> np.ndarray:
        return np.array([-1.0, 1.0, 1.0]) if self.side == LEFT else np.ones(3)

    def joints_wrist(self, angles: Float64[np.ndarray, "*b 20"]) -> Float64[np.ndarray, "*b j=21 3"]:
        """The 21 joints in the wrist frame (m)."""
        T = self.bone_transforms(angles)
        joints = np.zeros((*T.shape[:-3], 21, 3))
        for finger in range(5):
            *inner, tip = finger_joints(finger)
            for k, joint in enumerate(inner):
                joints[..., joint, :] = T[..., 1 + 3 * finger + k, :3, 3]
            last = T[..., 3 + 3 * finger, :, :]
            joints[..., tip, :] = last[..., :3, 3] + last[..., :3, 0] * self.lengths[finger, 2]
        return joints

    def bone_transforms(self, angles: Float64[np.ndarray, "*b 20"]) -> Float64[np.ndarray, "*b 16 4 4"]:
        """`T_wrist_bone` of the wrist (identity) and 15 finger bones, finger-major, base to tip.

        A bone's frame sits at its near joint: x along the bone to the tip, y to the back of the finger, z completing
        a right-handed frame (so z looks to the thumb side on a left hand and away from it on a right one).
        """
        angles = np.asarray(angles, dtype=np.float64)
        T = np.zeros((*angles.shape[:-1], 16, 4, 4))
        T[..., np.arange(4), np.arange(4)] = 1.0
        sign = -1.0 if self.side == LEFT else 1.0
        fingers = T[..., 1:, :, :].reshape(*angles.shape[:-1], 5, 3, 4, 4)  # a view: writes go to T
        a = angles.reshape(*angles.shape[:-1], 5, 4)
        R, origin = self.rest_frames @ so3_exp(_axis(a[..., 1] * sign, 1)), self.bases_wrist
        for k, flexion in enumerate((0, 2, 3)):
            R = R @ so3_exp(_axis(-a[..., flexion], 2))
            fingers[..., k, :3, :3] = R
            fingers[..., k, :3, 3] = origin
            origin = origin + R[..., :, 0] * self.lengths[:, k, None]
        return T

    @cached_property
    def rest_frames(self) -> Float64[np.ndarray, "f=5 3 3"]:
        """`R_wrist_finger` of the flat hand: distal, dorsal, distal x dorsal."""
        frames = _right_frames()
        if self.side != LEFT:
            return frames
        distal, dorsal = frames[..., 0] * self._mirror, frames[..., 1] * self._mirror
        return np.stack([distal, dorsal, np.cross(distal, dorsal)], axis=-1)

    def fit_angles(self, joints_wrist: Float64[np.ndarray, "*b j=21 3"]) -> Float64[np.ndarray, "*b 20"]:
        """Angles whose bone directions come nearest to those of given joints (wrist frame, any bone lengths).

        Exact for joints made by `joints_wrist` with |flexion at the base| < 90 deg beyond the hinge plane; twist and
        sideways bends that hinges do not have are dropped. Inverse of `joints_wrist` on its own range.
        """
        joints = np.asarray(joints_wrist, dtype=np.float64)
        angles = np.zeros((*joints.shape[:-2], 20))
        sign = -1.0 if self.side == LEFT else 1.0
        for finger in range(5):
            chain = joints[..., list(finger_joints(finger)), :]
            bones = np.diff(chain, axis=-2)
            local = bones @ self.rest_frames[finger]  # components along distal, dorsal, third
            abduction, flexion = _base_angles(local)
            angles[..., 4 * finger] = flexion
            angles[..., 4 * finger + 1] = abduction * sign
            R = so3_exp(_axis(abduction, 1)) @ so3_exp(_axis(-flexion, 2))
            for k in (1, 2):
                here = np.einsum("...ji,...j->...i", R, local[..., k, :])
                bend = np.arctan2(-here[..., 1], here[..., 0])
                angles[..., 4 * finger + 1 + k] = bend
                R = R @ so3_exp(_axis(-bend, 2))
        return angles


def _base_angles(local: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Abduction about dorsal, then flexion, of the first bone; uses the whole finger's plane when it stands upright.

    With the first bone near 90 deg its own abduction is ill-defined; the sum of the bones then names the plane.
    """
    first = local[..., 0, :] / np.maximum(np.linalg.norm(local[..., 0, :], axis=-1, keepdims=True), 1e-12)
    flat = np.hypot(first[..., 0], first[..., 2])
    abduction = np.where(flat > 1e-6, np.arctan2(-first[..., 2], first[..., 0]), 0.0)
    over = (
        np.abs(abduction) > np.pi / 2
    )  # bent past upright: the plane is the same, the distal part looks back
    abduction = np.where(over, np.arctan2(first[..., 2], -first[..., 0]), abduction)
    flexion = np.arctan2(-first[..., 1], np.where(over, -flat, flat))
    return abduction, flexion


def _axis(angle: np.ndarray | np.floating, axis: int) -> np.ndarray:
    """Rotation vector of an angle about a coordinate axis, [*b 3]."""
    vector = np.zeros((*np.shape(angle), 3))
    vector[..., axis] = angle
    return vector

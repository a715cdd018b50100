"""The 21 joints of posed hands and their derivatives, vectorised over frames.

State of one hand: `t_wrist` (m) and `R_wrist`, the wrist in some outer frame, and the 20 angles of `HandSkeleton`.
A step has 26 numbers: 3 of translation (outer frame), 3 of rotation (rotation vector, outer frame, applied on the
left), 20 of angles. Same joints as `HandSkeleton.joints_wrist`, but without 4x4 matrices: the hinges of a finger are
parallel, so each bone's direction is a turn by the summed flexion inside the finger's plane.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import LEFT
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands.offsets import LandmarkOffsets

STEP_SIZE = 26
"""Translation 0:3, rotation 3:6, angles 6:26."""


class FingerPlanes:
    """Finger bones of one skeleton as functions of the angles; wrist frame, metres."""

    def __init__(self, skeleton: HandSkeleton) -> None:
        self.skeleton = skeleton
        frames = skeleton.rest_frames
        self.distal, self.dorsal, self.third = frames[..., 0], frames[..., 1], frames[..., 2]
        self.sign = -1.0 if skeleton.side == LEFT else 1.0

    def joints(self, angles: Float64[np.ndarray, "n 20"]) -> Float64[np.ndarray, "n j=21 3"]:
        """The 21 joints in the wrist frame."""
        bones, _, _ = self._bones(angles)
        return self._assemble(bones)

    def joints_and_derivatives(
        self, angles: Float64[np.ndarray, "n 20"]
    ) -> tuple[Float64[np.ndarray, "n j=21 3"], Float64[np.ndarray, "n f=5 k=4 3 a=4"]]:
        """Joints, and d(joint k of finger f) / d(angle a of finger f); the first joint of a finger does not move."""
        bones, by_bend, by_spread = self._bones(angles)
        slope = np.zeros((len(angles), 5, 4, 3, 4))
        for first_bone, angle in ((0, 0), (1, 2), (2, 3)):
            slope[:, :, first_bone + 1 :, :, angle] = np.cumsum(by_bend[:, :, first_bone:], axis=2)
        slope[:, :, 1:, :, 1] = np.cumsum(by_spread, axis=2)
        return self._assemble(bones), slope

    def _bones(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Bone vectors [n 5 3 3] and their derivatives by summed flexion and by abduction."""
        a = angles.reshape(len(angles), 5, 4)
        bend = np.stack([a[..., 0], a[..., 0] + a[..., 2], a[..., 0] + a[..., 2] + a[..., 3]], axis=-1)
        spread = self.sign * a[..., 1, None]
        forward = np.cos(spread) * self.distal - np.sin(spread) * self.third
        sideways = -self.sign * (np.sin(spread) * self.distal + np.cos(spread) * self.third)
        cos, sin = np.cos(bend)[..., None], np.sin(bend)[..., None]
        length = self.skeleton.lengths[..., None]
        forward, sideways, dorsal = forward[:, :, None], sideways[:, :, None], self.dorsal[:, None]
        bones = length * (cos * forward - sin * dorsal)
        return bones, length * (-sin * forward - cos * dorsal), length * cos * sideways

    def _assemble(self, bones: np.ndarray) -> np.ndarray:
        joints = np.zeros((len(bones), 21, 3))
        chains = joints[:, 1:].reshape(len(bones), 5, 4, 3)
        chains[:, :, 0] = self.skeleton.bases_wrist
        chains[:, :, 1:] = self.skeleton.bases_wrist[:, None] + np.cumsum(bones, axis=2)
        joints[:, 1:] = chains.reshape(len(bones), 20, 3)
        return joints


def posed_joints(
    skeleton: HandSkeleton,
    R_wrist: Float64[np.ndarray, "n 3 3"],
    t_wrist: Float64[np.ndarray, "n 3"],
    angles: Float64[np.ndarray, "n 20"],
) -> Float64[np.ndarray, "n j=21 3"]:
    """Joints in the frame that `R_wrist`, `t_wrist` lead to; bone lengths are the skeleton's, exactly."""
    return FingerPlanes(skeleton).joints(angles) @ np.swapaxes(R_wrist, -1, -2) + t_wrist[:, None]


def posed_joints_and_jacobian(
    planes: FingerPlanes,
    R_wrist: Float64[np.ndarray, "n 3 3"],
    t_wrist: Float64[np.ndarray, "n 3"],
    angles: Float64[np.ndarray, "n 20"],
    offsets: LandmarkOffsets | None = None,
) -> tuple[Float64[np.ndarray, "n j=21 3"], Float64[np.ndarray, "n j=21 3 26"]]:
    """Joints, or with `offsets` the landmarks, and their derivative by the 26 numbers of a step."""
    local, slope = planes.joints_and_derivatives(angles)
    if offsets is not None:
        off, turning = offsets.with_derivatives(angles, offsets.toward(R_wrist, t_wrist))
        local, slope = local + off, slope + turning
    turned = local @ np.swapaxes(R_wrist, -1, -2)
    n = len(turned)
    jacobian = np.zeros((n, 21, 3, STEP_SIZE))
    jacobian[:, :, [0, 1, 2], [0, 1, 2]] = 1.0
    x, y, z = turned[..., 0], turned[..., 1], turned[..., 2]
    jacobian[:, :, 0, 4], jacobian[:, :, 0, 5] = z, -y
    jacobian[:, :, 1, 3], jacobian[:, :, 1, 5] = -z, x
    jacobian[:, :, 2, 3], jacobian[:, :, 2, 4] = y, -x
    by_angle = R_wrist[:, None, None] @ slope
    for finger in range(5):
        rows, columns = slice(1 + 4 * finger, 5 + 4 * finger), slice(6 + 4 * finger, 10 + 4 * finger)
        jacobian[:, rows, :, columns] = by_angle[:, finger]
    return turned + t_wrist[:, None], jacobian

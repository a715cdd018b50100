"""Rotated square regions: from a palm or from landmarks, cut out of the image, and back again.

Constants are those of MediaPipe's published graphs ``palm_detection_detection_to_roi`` and
``hand_landmark_landmarks_to_roi`` (Apache-2.0): the code is our own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

BOX_JOINTS = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Joints that span the tracking region: no distal joints and tips, whose motion is fastest."""

_PALM_SCALE, _PALM_SHIFT = 2.6, -0.5
_TRACK_SCALE, _TRACK_SHIFT = 2.0, -0.1


@dataclass(frozen=True)
class Roi:
    """A square of ``size_px`` about (x_px, y_px), turned so that the fingers point to its upper edge."""

    x_px: float
    y_px: float
    size_px: float
    rotation: float
    """Radians, positive turns the image x axis towards the image y axis (clockwise on the screen)."""

    def moved(self, dx_px: float, dy_px: float) -> Roi:
        """The same square somewhere else."""
        return Roi(self.x_px + dx_px, self.y_px + dy_px, self.size_px, self.rotation)

    def enlarged(self, factor: float) -> Roi:
        """A larger square about the same centre."""
        return Roi(self.x_px, self.y_px, self.size_px * factor, self.rotation)


def A_image_crop(roi: Roi, crop_px: int) -> Float[np.ndarray, "2 3"]:
    """Affine map from crop pixels (0..crop_px) to image pixels."""
    scale = roi.size_px / crop_px
    cos, sin = math.cos(roi.rotation) * scale, math.sin(roi.rotation) * scale
    half = crop_px / 2
    return np.array([[cos, -sin, roi.x_px - (cos - sin) * half], [sin, cos, roi.y_px - (sin + cos) * half]])


def A_crop_image(roi: Roi, crop_px: int) -> Float[np.ndarray, "2 3"]:
    """Affine map from image pixels to crop pixels; the inverse of :func:`A_image_crop`."""
    scale = crop_px / roi.size_px
    cos, sin = math.cos(roi.rotation) * scale, math.sin(roi.rotation) * scale
    half = crop_px / 2
    return np.array(
        [
            [cos, sin, half - cos * roi.x_px - sin * roi.y_px],
            [-sin, cos, half + sin * roi.x_px - cos * roi.y_px],
        ]
    )


def apply_affine(A: Float[np.ndarray, "2 3"], points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Points through a 2x3 affine map."""
    return points @ A[:, :2].T + A[:, 2]


def cut_out(image: UInt8[np.ndarray, "h w 3"], roi: Roi, crop_px: int) -> UInt8[np.ndarray, "c c 3"]:
    """The region, resampled to ``crop_px`` squared; outside the image the border pixels go on."""
    A = A_image_crop(roi, crop_px)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, A, (crop_px, crop_px), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def upright_rotation(tail_px: Float[np.ndarray, "2"], head_px: Float[np.ndarray, "2"]) -> float:
    """The turn that makes the arrow tail -> head point up in the crop, in (-pi, pi]."""
    dx, dy = float(head_px[0] - tail_px[0]), float(head_px[1] - tail_px[1])
    angle = math.pi / 2 - math.atan2(-dy, dx)
    return math.atan2(math.sin(angle), math.cos(angle))


def roi_from_palm(box_px: Float[np.ndarray, "4"], keypoints_px: Float[np.ndarray, "7 2"]) -> Roi:
    """Region of the whole hand from a palm box x0, y0, x1, y1 and its 7 keypoints (0 wrist, 2 middle knuckle)."""
    rotation = upright_rotation(keypoints_px[0], keypoints_px[2])
    centre = (box_px[:2] + box_px[2:]) / 2
    width, height = (box_px[2:] - box_px[:2]).tolist()
    return _grown(centre, width, height, rotation, _PALM_SCALE, _PALM_SHIFT)


def roi_from_landmarks(landmarks_px: Float[np.ndarray, "21 2"]) -> Roi:
    """Region for the next look at the same hand: turned by wrist -> knuckles, twice the size of the palm part."""
    knuckles = landmarks_px[9] / 2 + (landmarks_px[5] + landmarks_px[13]) / 4
    rotation = upright_rotation(landmarks_px[0], knuckles)
    cos, sin = math.cos(rotation), math.sin(rotation)
    R_crop_image = np.array([[cos, sin], [-sin, cos]])
    turned = landmarks_px[list(BOX_JOINTS)] @ R_crop_image.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    centre = R_crop_image.T @ ((low + high) / 2)
    width, height = (high - low).tolist()
    return _grown(centre, width, height, rotation, _TRACK_SCALE, _TRACK_SHIFT)


def _grown(
    centre: Float[np.ndarray, "2"], width: float, height: float, rotation: float, scale: float, shift: float
) -> Roi:
    """Shift along the fingers by a part of the height, square up by the longer side, scale."""
    x = float(centre[0]) - height * shift * math.sin(rotation)
    y = float(centre[1]) + height * shift * math.cos(rotation)
    return Roi(x, y, max(width, height, 1.0) * scale, rotation)

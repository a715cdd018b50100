"""A hand as seen in an image: the size of its box and how far a 3D hand is from its 2D landmarks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera


def box_side_px(landmarks_px: Float[np.ndarray, "*b j=21 2"]) -> Float64[np.ndarray, "*b"]:
    """Longer side of the upright box around the 21 landmarks (pixels): the unit of all reprojection errors."""
    landmarks_px = np.asarray(landmarks_px, dtype=np.float64)
    return np.asarray(np.ptp(landmarks_px, axis=-2).max(axis=-1))


def reprojection_fraction(
    joints_camera: Float[np.ndarray, "*b j=21 3"],
    landmarks_px: Float[np.ndarray, "*b j=21 2"],
    camera: PinholeCamera | FisheyeCamera,
) -> Float64[np.ndarray, "*b"]:
    """RMS distance in the image between projected joints and landmarks, over the longer side of the hand's box.

    0.03 on a hand of 200 px means 6 px. Joints behind the camera give a finite, meaningless number.
    """
    error = camera.project(np.asarray(joints_camera, dtype=np.float64)) - landmarks_px
    rms = np.sqrt((error**2).sum(axis=-1).mean(axis=-1))
    return np.asarray(rms / np.maximum(box_side_px(landmarks_px), 1e-9))

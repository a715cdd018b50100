"""From an image and a region to one :class:`HandDetection`: crop, net, and back into the image."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from reenact.perception.hands.detection import HandDetection
from reenact.perception.hands.nets import LANDMARK_INPUT_PX, LandmarkNet, RawHand
from reenact.perception.hands.roi import A_image_crop, Roi, apply_affine, cut_out


@runtime_checkable
class HandReader(Protocol):
    """Reads the hand in a region of an image, and counts how often it was asked."""

    runs: int

    def read(self, image: UInt8[np.ndarray, "h w 3"], roi: Roi) -> HandDetection:
        """The hand in the region, whatever its presence score."""


class LandmarkReader:
    """Runs the landmark net on regions of images and counts how often."""

    def __init__(self, net: LandmarkNet, *, mirrored: bool) -> None:
        self._net, self._mirrored = net, mirrored
        self.runs = 0

    def read(self, image: UInt8[np.ndarray, "h w 3"], roi: Roi) -> HandDetection:
        """The hand in the region, whatever its presence score."""
        self.runs += 1
        return placed(self._net(cut_out(image, roi, LANDMARK_INPUT_PX)), roi, mirrored=self._mirrored)


def placed(raw: RawHand, roi: Roi, *, mirrored: bool) -> HandDetection:
    """Crop coordinates to image pixels, crop axes to camera axes, raw handedness to p(right).

    The net was trained on mirrored pictures: its "Left" is the person's right hand in an ordinary video
    (checked on clips of people facing the camera). ``mirrored`` says that the video itself is a selfie view.
    """
    landmarks_px = apply_affine(A_image_crop(roi, LANDMARK_INPUT_PX), raw.points[:, :2])
    p_right = 1.0 - raw.raw_handedness if mirrored else raw.raw_handedness
    return HandDetection(landmarks_px, _turned(raw.world, roi.rotation), raw.presence, p_right, roi)


def _turned(points: Float[np.ndarray, "21 3"], angle: float) -> Float[np.ndarray, "21 3"]:
    """Points turned about the camera's z axis, undoing the crop's rotation."""
    cos, sin = math.cos(angle), math.sin(angle)
    return points @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])

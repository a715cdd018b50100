"""Hands over a clip: what the net saw (`HandLandmarks`) and the metric tracks made of it (`HandTracks`).

Axis s is the side: 0 left, 1 right (a person's own left and right). Axis j is OpenPose-21. Left hands are real left
hands, never mirrored right ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class HandLandmarks(Record):
    """What a hand net gives per frame: pixels that can be trusted and a relative shape whose scale cannot."""

    SCHEMA = "reenact.hand_landmarks"
    VERSION = 1

    landmarks_px: Float64[np.ndarray, "t s=2 j=21 2"]
    """Pixels of the clip's upright full-size frame, integer pixel centres."""
    landmarks_rel: Float64[np.ndarray, "t s=2 j=21 3"]
    """Metres by the net's own size prior, axes of the camera (x right, y down, z forward), origin free."""
    valid: Bool[np.ndarray, "t s=2"]
    confidence: Float64[np.ndarray, "t s=2"]
    source: UInt8[np.ndarray, "t s=2"]
    backend: str
    """Name of the backend that made it."""
    licence: str
    """SPDX id or name of the licence of the model behind it; travels into the provenance."""

    def check(self) -> None:
        self.require_fraction("confidence")


@dataclass(frozen=True, kw_only=True)
class HandTracks(Record):
    """Metric 21-joint hands in the scene's frame, with one-sigma in the camera's axes."""

    SCHEMA = "reenact.hand_tracks"
    VERSION = 1

    joints_world: Float64[np.ndarray, "t s=2 j=21 3"]
    """Metres, in the frame named by `world_frame`."""
    valid: Bool[np.ndarray, "t s=2"]
    confidence: Float64[np.ndarray, "t s=2"]
    source: UInt8[np.ndarray, "t s=2"]
    sigma_camera: Float64[np.ndarray, "t s=2 3"]
    """One-sigma of the wrist position along the camera's x, y, z (m), random and scale error together."""
    reprojection: Float64[np.ndarray, "t s=2"]
    """RMS distance of projected joints to the landmarks, as a fraction of the hand's box; 0 where not observed."""
    hand_length: Float64[np.ndarray, "s=2"]
    """Wrist to middle fingertip along the bones (m)."""
    hand_length_source: str
    """"adult_prior", "user", "measured" or "truth"."""
    world_frame: str
    """"world" or "camera0", as in the camera track."""
    joint_names: tuple[str, ...]
    """Names of axis j, so that the file explains itself."""

    def check(self) -> None:
        self.require_fraction("confidence")
        self.require(bool((self.sigma_camera >= 0).all()), "sigma_camera", "has negative entries")
        self.require(bool((self.reprojection >= 0).all()), "reprojection", "has negative entries")
        self.require_choice("hand_length_source", ("adult_prior", "user", "measured", "truth"))
        self.require_choice("world_frame", ("world", "camera0"))
        self.require(len(self.joint_names) == 21, "joint_names", f"has {len(self.joint_names)} names", "21")

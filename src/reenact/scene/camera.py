"""`CameraTrack`: lens, place and up-direction of the camera over a clip, each with where it came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera
from reenact.records import Record

_PARAMETERS = {"pinhole": 4, "fisheye_kb4": 8}


@dataclass(frozen=True, kw_only=True)
class CameraTrack(Record):
    """One camera over t frames. OpenCV axes (x right, y down, z forward), integer pixel centres."""

    SCHEMA = "reenact.camera"
    VERSION = 1

    model: str
    """"pinhole" or "fisheye_kb4"."""
    params: Float64[np.ndarray, " p"]
    """pinhole: fx fy cx cy; fisheye_kb4: fx fy cx cy k1 k2 k3 k4; pixels of width_px x height_px."""
    width_px: int
    height_px: int
    intrinsics_source: str
    """"user", "lines", "motion" (found with the path of a moving camera), "prior", "truth", or "virtual" for a camera
    that nobody held (the ego camera)."""
    focal_sigma: float
    """Relative one-sigma of the focal length (0.05 = 5 %)."""
    T_world_camera: Float64[np.ndarray, "t 4 4"]
    valid: Bool[np.ndarray, " t"]
    """False where the camera's place is unknown; the matrix is then not to be read."""
    confidence: Float64[np.ndarray, " t"]
    source: UInt8[np.ndarray, " t"]
    motion: str
    """"still", "moving" or "unknown"."""
    motion_heights_per_s: float
    """Median motion of the background, in image heights per second."""
    world_frame: str
    """"world" (metres, +Z up, gravity-aligned) or "camera0" (the first camera's own axes)."""
    gravity_source: str
    """"lines", "user", "prior", "truth" or "unknown"."""
    gravity_sigma: float
    """One-sigma of the up-direction, radians."""

    def check(self) -> None:
        self.require_choice("model", tuple(_PARAMETERS))
        want = _PARAMETERS[self.model]
        self.require(
            len(self.params) == want, "params", f"has {len(self.params)} numbers", f"{self.model}: {want}"
        )
        self.require(
            bool((self.params[:2] > 0).all()), "params", f"has focal {self.params[:2]}", "positive pixels"
        )
        self.require_choice("intrinsics_source", ("user", "lines", "motion", "prior", "truth", "virtual"))
        self.require_choice("motion", ("still", "moving", "unknown"))
        self.require_choice("world_frame", ("world", "camera0"))
        self.require_choice("gravity_source", ("lines", "user", "prior", "truth", "unknown"))
        self.require(self.focal_sigma >= 0, "focal_sigma", f"is {self.focal_sigma}", "not negative")
        self.require(self.gravity_sigma >= 0, "gravity_sigma", f"is {self.gravity_sigma}", "not negative")
        self.require_fraction("confidence")
        self.require_transforms("T_world_camera")

    def camera(self) -> PinholeCamera | FisheyeCamera:
        """The lens as a geometry camera."""
        fx, fy, cx, cy, *k = (float(v) for v in self.params)
        if self.model == "pinhole":
            return PinholeCamera(fx, fy, cx, cy, self.width_px, self.height_px)
        return FisheyeCamera(fx, fy, cx, cy, self.width_px, self.height_px, *k)

    def scene_T_camera(self) -> Float64[np.ndarray, "t 4 4"]:
        """Camera poses for placing things in the scene's frame; a frame without one takes that of the nearest known.

        Where no frame is known the scene's frame *is* the camera's (world_frame "camera0" or a still camera assumed) and
        all take frame 0's; this keeps that one rule in one place.
        """
        known = np.flatnonzero(self.valid)
        if len(known) == 0:
            return np.repeat(self.T_world_camera[:1], len(self.valid), axis=0)
        frame = np.arange(len(self.valid))
        return self.T_world_camera[known[np.abs(known[None] - frame[:, None]).argmin(axis=1)]]

    @property
    def path_known(self) -> bool:
        """Whether what rests in the room rests in the scene's frame: the camera does not move, or its path is known."""
        return self.motion != "moving" or bool(self.valid.any())

    @property
    def view_known(self) -> Bool[np.ndarray, " t"]:
        """Frames in which what the camera sees has a place in the scene's frame: all, unless only some poses are known."""
        return self.valid | ~self.valid.any()

"""The truth backend: a known camera with stated errors, so that later stages can be measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from reenact.errors import InputError
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T, rotation_of, translation_of
from reenact.perception.camera.contract import Frame
from reenact.scene import CameraTrack, Clip


class TruthDoesNotFit(InputError):
    """The true camera belongs to another clip: other number of frames or other picture size."""


@dataclass(frozen=True)
class CameraNoiseConfig:
    """Errors added to the truth; all zero returns it unchanged."""

    focal_bias: float = 0.0
    """Relative error of the focal length, the same in every frame (0.03 = 3 % too long)."""
    gravity_tilt_deg: float = 0.0
    """Angle by which the world is tilted about a level axis (drawn by the seed) through the first camera."""
    position_jitter: float = 0.0
    """One-sigma of white noise on each coordinate of the camera's place, metres."""
    rotation_jitter_deg: float = 0.0
    """One-sigma of white noise on each axis of the camera's rotation, degrees."""


class TruthCamera:
    """A true `CameraTrack` with noise; does not look at the frames."""

    name = "truth-1"

    def __init__(self, truth: CameraTrack, noise: CameraNoiseConfig | None = None, seed: int = 0) -> None:
        self.truth = truth
        self.noise = noise or CameraNoiseConfig()
        self.seed = seed

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """The noise that was added."""
        return {"noise": asdict(self.noise), "seed": self.seed}

    def estimate(self, frames: Iterable[Frame], clip: Clip) -> CameraTrack:
        """The truth of that clip with the noise; raises ``TruthDoesNotFit`` for another clip."""
        truth, noise = self.truth, self.noise
        have = (len(truth.valid), truth.width_px, truth.height_px)
        want = (len(clip.t_ns), clip.width_px, clip.height_px)
        if have != want:
            raise TruthDoesNotFit(f"truth has (frames, width, height) {have}, the clip {want}")
        rng = np.random.default_rng(self.seed)
        tilt = np.deg2rad(noise.gravity_tilt_deg)
        params = truth.params.copy()
        params[:2] *= 1 + noise.focal_bias
        return CameraTrack(
            **{f: getattr(truth, f) for f in _KEPT},
            params=params,
            focal_sigma=max(truth.focal_sigma, abs(noise.focal_bias)),
            T_world_camera=_disturbed(truth.T_world_camera, tilt, noise, rng),
            gravity_sigma=max(truth.gravity_sigma, abs(tilt)),
        )


_KEPT = (
    "model",
    "width_px",
    "height_px",
    "intrinsics_source",
    "valid",
    "confidence",
    "source",
    "motion",
    "motion_heights_per_s",
    "world_frame",
    "gravity_source",
)


def _disturbed(
    T_world_camera: np.ndarray, tilt: float, noise: CameraNoiseConfig, rng: np.random.Generator
) -> np.ndarray:
    """World tilted about the first camera's place, then each pose jittered on its own."""
    count = len(T_world_camera)
    heading = rng.uniform(0, 2 * np.pi)
    R_tilt = so3_exp(tilt * np.array([np.cos(heading), np.sin(heading), 0.0]))
    place = translation_of(T_world_camera)
    place = place[:1] + (place - place[:1]) @ R_tilt.T + noise.position_jitter * rng.normal(size=(count, 3))
    turn = so3_exp(np.deg2rad(noise.rotation_jitter_deg) * rng.normal(size=(count, 3)))
    return make_T(R_tilt @ rotation_of(T_world_camera) @ turn, place)

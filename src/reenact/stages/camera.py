"""Stage `camera`: lens, still or moving, and which way is up. In: clip and video (or truth). Out: the `camera` record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reenact.perception.camera.classical import ClassicalCamera, ClassicalCameraConfig
from reenact.perception.camera.truth import CameraNoiseConfig, TruthCamera
from reenact.pipeline.stage import StageCall
from reenact.records import save_record
from reenact.scene import Scene
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.notes import write_notes


@dataclass(frozen=True)
class CameraConfig:
    """Which backend, and its settings."""

    backend: Literal["classical", "truth"] = "classical"
    """classical: lines, corners and priors; truth: a toy clip's own camera with stated noise."""
    classical: ClassicalCameraConfig = field(default_factory=ClassicalCameraConfig)
    """Lens, motion and gravity from the picture; what the user knows wins."""
    truth: CameraNoiseConfig = field(default_factory=CameraNoiseConfig)
    """Noise of the truth backend."""
    max_height_px: int = 540
    """Frames are looked at no larger than this."""


@dataclass(frozen=True)
class CameraStageConfig:
    """The backend and how frames reach it."""

    camera: CameraConfig = field(default_factory=CameraConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)


def run(call: StageCall[CameraStageConfig]) -> None:
    """See the module's docstring."""
    clip, config = load_clip(call.inputs["clip"]), call.config.camera
    backend: ClassicalCamera | TruthCamera
    if config.backend == "truth":
        backend = TruthCamera(Scene.load(call.inputs["truth"]).camera, config.truth)
    else:
        backend = ClassicalCamera(config.classical)
    frames = clip_frames(clip, call.inputs["video"], call.config.clip, config.max_height_px)
    save_record(backend.estimate(frames, clip), call.out, "camera")
    write_notes(call.out, {"backend": backend.name, "licence": "Apache-2.0", **backend.diagnostics})

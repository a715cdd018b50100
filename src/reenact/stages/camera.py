"""Stage `camera`: lens, still or moving, and which way is up. In: clip and video. Out: the `camera` record."""

from __future__ import annotations

from dataclasses import dataclass, field

from reenact.perception.camera.classical import ClassicalCamera, ClassicalCameraConfig
from reenact.pipeline.stage import StageCall
from reenact.records import save_record
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.notes import write_notes


@dataclass(frozen=True)
class CameraStageConfig:
    """The backend's settings and how frames reach it."""

    backend: ClassicalCameraConfig = field(default_factory=ClassicalCameraConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)
    max_height_px: int = 540
    """Frames are looked at no larger than this."""


def run(call: StageCall[CameraStageConfig]) -> None:
    """See the module's docstring."""
    clip = load_clip(call.inputs["clip"])
    backend = ClassicalCamera(call.config.backend)
    frames = clip_frames(clip, call.inputs["video"], call.config.clip, call.config.max_height_px)
    save_record(backend.estimate(frames, clip), call.out, "camera")
    write_notes(call.out, {"backend": backend.name, "licence": "Apache-2.0", **backend.diagnostics})

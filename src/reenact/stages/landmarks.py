"""Stage `landmarks`: where the hands are in the picture. In: clip and video (or truth). Out: the `landmarks` record.

Raises `NoHandsFound` when no frame of the clip shows a hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from reenact.errors import NoResultError
from reenact.perception.hands.mediapipe_litert import MediaPipeHands, MediaPipeHandsConfig
from reenact.perception.hands.truth import TruthHands, TruthHandsConfig
from reenact.pipeline.stage import StageCall
from reenact.records import save_record
from reenact.scene import Clip, HandLandmarks, Scene
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.notes import write_notes


class NoHandsFound(NoResultError):
    """The hand nets saw no hand in any frame."""


@dataclass(frozen=True)
class LandmarksConfig:
    """Which backend, and its settings."""

    backend: Literal["mediapipe", "truth"] = "mediapipe"
    """mediapipe: the MediaPipe nets on the CPU; truth: a toy clip's own hands with stated noise."""
    mediapipe: MediaPipeHandsConfig = field(default_factory=MediaPipeHandsConfig)
    """Finding hands in the picture."""
    truth: TruthHandsConfig = field(default_factory=TruthHandsConfig)
    """Noise of the truth backend."""
    max_height_px: int = 1080
    """Frames are looked at no larger than this; small hands need pixels."""


@dataclass(frozen=True)
class LandmarksStageConfig:
    """The backend and how frames reach it."""

    landmarks: LandmarksConfig = field(default_factory=LandmarksConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)


def run(call: StageCall[LandmarksStageConfig]) -> None:
    """See the module's docstring."""
    clip = load_clip(call.inputs["clip"])
    landmarks, notes = (
        _from_truth(call) if call.config.landmarks.backend == "truth" else _from_video(call, clip)
    )
    if not landmarks.valid.any():
        raise NoHandsFound(
            f"no hands found in the {len(clip.t_ns)} frames of {clip.clip_id}",
            hint="hands must be at least 1/30 of the frame and in view; is this the right clip?",
        )
    save_record(landmarks, call.out, "landmarks")
    write_notes(call.out, {"backend": landmarks.backend, "licence": landmarks.licence, **notes})


def _from_truth(call: StageCall[LandmarksStageConfig]) -> tuple[HandLandmarks, Mapping[str, Any]]:
    truth = Scene.load(call.inputs["truth"])
    if truth.hands is None:
        raise NoHandsFound(f"the truth of {truth.clip.clip_id} has no hands", hint="use a toy clip")
    backend = TruthHands(truth.hands, truth.camera, call.config.landmarks.truth)
    return backend.landmarks(), backend.diagnostics


def _from_video(call: StageCall[LandmarksStageConfig], clip: Clip) -> tuple[HandLandmarks, Mapping[str, Any]]:
    config = call.config.landmarks
    backend = MediaPipeHands(config.mediapipe)
    frames = clip_frames(clip, call.inputs["video"], call.config.clip, config.max_height_px)
    counted = _Counted(frames, call, len(clip.t_ns))
    landmarks = backend.detect(iter(counted))
    return full_size(landmarks, clip, counted.width_px), backend.diagnostics


def full_size(landmarks: HandLandmarks, clip: Clip, width_px: int) -> HandLandmarks:
    """Pixels of a shrunk frame to those of the clip's full size; integer pixel centres."""
    scale = clip.width_px / width_px
    return replace(landmarks, landmarks_px=(landmarks.landmarks_px + 0.5) * scale - 0.5)


class _Counted:
    """Frames passed on, with progress reported and the width remembered."""

    def __init__(
        self, frames: Iterator[tuple[int, np.ndarray]], call: StageCall[LandmarksStageConfig], total: int
    ) -> None:
        self._frames, self._call, self._total = frames, call, total
        self.width_px = 1

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        for i, (t_ns, rgb) in enumerate(self._frames):
            self.width_px = rgb.shape[1]
            self._call.report(i + 1, self._total)
            yield t_ns, rgb

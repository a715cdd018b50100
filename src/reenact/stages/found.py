"""Stage `found`: which things are worth following. In: clip, video, camera, landmarks (or truth). Out: the `found` record.

No object is no failure: the record is then empty and `notes.json` says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reenact.perception.discover.automatic import AutomaticFinder, AutomaticFinderConfig
from reenact.perception.discover.truth import TruthFinder, TruthFinderConfig
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.records.volumes import VolumeReader
from reenact.scene import CameraTrack, FoundObjects, HandLandmarks, Scene
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.notes import write_notes


@dataclass(frozen=True)
class FoundConfig:
    """Which backend, and its settings."""

    backend: Literal["automatic", "truth"] = "automatic"
    """automatic: the user's boxes and clicks, else motion, hands and colour; truth: a toy clip's own objects."""
    automatic: AutomaticFinderConfig = field(default_factory=AutomaticFinderConfig)
    """Hints and thresholds."""
    truth: TruthFinderConfig = field(default_factory=TruthFinderConfig)
    """Which true objects are given."""
    max_height_px: int = 540
    """Frames are decoded no larger than this."""


@dataclass(frozen=True)
class FoundStageConfig:
    """The backend and how frames reach it."""

    found: FoundConfig = field(default_factory=FoundConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)


def run(call: StageCall[FoundStageConfig]) -> None:
    """See the module's docstring."""
    config = call.config.found
    if config.backend == "truth":
        with VolumeReader(call.inputs["truth"] / "masks.h5") as labels:
            finder = TruthFinder(Scene.load(call.inputs["truth"]), lambda frame: labels[frame], config.truth)
            found = finder.objects()
        notes = dict(finder.diagnostics)
    else:
        found, notes = _from_video(call)
    save_record(found, call.out, "found")
    write_notes(call.out, {"backend": found.backend, "licence": found.licence, **notes})


def _from_video(call: StageCall[FoundStageConfig]) -> tuple[FoundObjects, dict[str, object]]:
    clip = load_clip(call.inputs["clip"])
    finder = AutomaticFinder(call.config.found.automatic)
    frames = clip_frames(clip, call.inputs["video"], call.config.clip, call.config.found.max_height_px)
    found = finder.find(
        frames,
        clip,
        load_record(HandLandmarks, call.inputs["landmarks"], "landmarks"),
        load_record(CameraTrack, call.inputs["camera"], "camera"),
    )
    return found, dict(finder.diagnostics)

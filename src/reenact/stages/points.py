"""Stage `points`: points followed on objects and background. In: clip, video, camera, hands, masks (or truth).

Out: the `points` record, lifted to metres by the hands that hold the objects; denser depth may lift it again later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from reenact.errors import InputError
from reenact.perception.points.lift import LiftConfig, lift_points
from reenact.perception.points.lucas_kanade import LucasKanade, LucasKanadeConfig
from reenact.perception.points.truth import TruthPoints, TruthPointsConfig
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.records.volumes import VolumeReader
from reenact.scene import CameraTrack, HandTracks, PointTracks, Scene
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.masks import load_masks
from reenact.stages.notes import write_notes

DEPTH_UNITS = {"0.1 mm": 1e-4, "mm": 1e-3, "m": 1.0}
"""Metres per stored step, by the unit that a depth volume names."""


class UnknownDepthUnit(InputError):
    """A depth volume in a unit that is not known."""


@dataclass(frozen=True)
class PointsConfig:
    """Which backend, and its settings."""

    backend: Literal["lucas_kanade", "truth"] = "lucas_kanade"
    """lucas_kanade: corners followed on the CPU; truth: points of a toy clip's meshes."""
    lucas_kanade: LucasKanadeConfig = field(default_factory=LucasKanadeConfig)
    """Following points."""
    truth: TruthPointsConfig = field(default_factory=TruthPointsConfig)
    """Which true points."""
    lift: LiftConfig = field(default_factory=LiftConfig)
    """From pixels to metres."""
    max_height_px: int = 540
    """Frames are decoded no larger than this."""


@dataclass(frozen=True)
class PointsStageConfig:
    """The backend and how frames reach it."""

    points: PointsConfig = field(default_factory=PointsConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)


def run(call: StageCall[PointsStageConfig]) -> None:
    """See the module's docstring."""
    masks = load_masks(call.inputs["masks"])
    notes: dict[str, object]
    if call.config.points.backend == "truth":
        tracks, notes = _from_truth(call, masks.tracks.object_ids)
    else:
        clip = load_clip(call.inputs["clip"])
        backend = LucasKanade(call.config.points.lucas_kanade)
        frames = clip_frames(clip, call.inputs["video"], call.config.clip, call.config.points.max_height_px)
        pixels = backend.track(frames, clip, masks)
        tracks = lift_points(
            pixels,
            load_record(CameraTrack, call.inputs["camera"], "camera"),
            hands=load_record(HandTracks, call.inputs["hands"], "hands"),
            config=call.config.points.lift,
        )
        notes = dict(backend.diagnostics)
    save_record(tracks, call.out, "points")
    lifted = int((tracks.valid & tracks.valid_world).sum())
    write_notes(
        call.out,
        {
            "backend": tracks.backend,
            "licence": tracks.licence,
            "lifted_share": lifted / max(int(tracks.valid.sum()), 1),
            "depth_source": tracks.depth_source,
            **notes,
        },
    )


def _from_truth(
    call: StageCall[PointsStageConfig], object_ids: tuple[str, ...]
) -> tuple[PointTracks, dict[str, object]]:
    folder = call.inputs["truth"]
    with VolumeReader(folder / "depth.h5") as depth:
        if depth.unit not in DEPTH_UNITS:
            raise UnknownDepthUnit(
                f"{folder / 'depth.h5'} is in {depth.unit!r}", hint=f"known: {list(DEPTH_UNITS)}"
            )
        unit = np.float32(DEPTH_UNITS[depth.unit])
        backend = TruthPoints(
            Scene.load(folder), lambda frame: depth[frame].astype(np.float32) * unit, call.config.points.truth
        )
        return backend.tracks(object_ids), dict(backend.diagnostics)

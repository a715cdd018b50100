"""Stage `masks`: the outlines of found objects, hands and arms. In: clip, video, landmarks, found (or truth).

Out: the `masks` record and the label volume `masks.h5`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reenact.perception.masks.classical import ClassicalMasks, ClassicalMasksConfig
from reenact.perception.masks.contract import ObjectMasks
from reenact.perception.masks.truth import TruthMasks, TruthMasksConfig
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.records.volumes import VolumeReader, VolumeWriter
from reenact.scene import FoundObjects, HandLandmarks, MaskTracks, Scene
from reenact.stages.clip import ClipConfig, clip_frames, load_clip
from reenact.stages.notes import write_notes

VOLUME = "masks.h5"


@dataclass(frozen=True)
class MasksConfig:
    """Which backend, and its settings."""

    backend: Literal["classical", "truth"] = "classical"
    """classical: flow and colour on the CPU; truth: a toy clip's own labels."""
    classical: ClassicalMasksConfig = field(default_factory=ClassicalMasksConfig)
    """Following outlines."""
    truth: TruthMasksConfig = field(default_factory=TruthMasksConfig)
    """Losses put on the truth."""
    max_height_px: int = 540
    """Frames are decoded no larger than this."""


@dataclass(frozen=True)
class MasksStageConfig:
    """The backend and how frames reach it."""

    masks: MasksConfig = field(default_factory=MasksConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)


def run(call: StageCall[MasksStageConfig]) -> None:
    """See the module's docstring."""
    found = load_record(FoundObjects, call.inputs["found"], "found")
    made, notes = (
        _from_truth(call, found) if call.config.masks.backend == "truth" else _from_video(call, found)
    )
    with VolumeWriter(
        call.out / VOLUME, unit="label", meaning="MaskLabel codes of reenact.scene.masks"
    ) as volume:
        for labels in made.labels:
            volume.append(labels)
    save_record(made.tracks, call.out, "masks")
    write_notes(call.out, {"backend": made.tracks.backend, "licence": made.tracks.licence, **notes})


def load_masks(folder: Path) -> ObjectMasks:
    """What the stage saved."""
    with VolumeReader(folder / VOLUME) as volume:
        labels = volume[:]
    return ObjectMasks(labels, load_record(MaskTracks, folder, "masks"))


def _from_truth(
    call: StageCall[MasksStageConfig], found: FoundObjects
) -> tuple[ObjectMasks, dict[str, object]]:
    with VolumeReader(call.inputs["truth"] / VOLUME) as labels:
        backend = TruthMasks(
            Scene.load(call.inputs["truth"]), lambda frame: labels[frame], call.config.masks.truth
        )
        return backend.masks(found.object_ids), {"frames_seen": dict(backend.diagnostics)}


def _from_video(
    call: StageCall[MasksStageConfig], found: FoundObjects
) -> tuple[ObjectMasks, dict[str, object]]:
    clip = load_clip(call.inputs["clip"])
    backend = ClassicalMasks(call.config.masks.classical)
    landmarks = load_record(HandLandmarks, call.inputs["landmarks"], "landmarks")
    frames = clip_frames(clip, call.inputs["video"], call.config.clip, call.config.masks.max_height_px)
    return backend.segment(frames, clip, landmarks, found), dict(backend.diagnostics)

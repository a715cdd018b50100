"""The scene of a clip, put together from the artefacts of its stages (nothing is stored twice in the store)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from reenact.records import Record, load_record, record_exists
from reenact.scene import CameraPath, HandTracks, Scene

SCENE_STAGES = ("clip", "camera", "landmarks", "hands")
"""Stages whose artefacts make a scene."""
RECORD_STAGES = {
    "clip": "clip",
    "camera": "camera",
    "camera_path": "camera",
    "landmarks": "landmarks",
    "hands_raw": "hands",
    "hands": "hands",
    "found": "found",
    "masks": "masks",
    "points": "points",
    "depth": "depth",
    "scales": "depth",
    "hands_depth": "depth",
    "support": "support",
    "shapes": "objects",
    "objects_raw": "objects",
    "pose_covariance": "objects",
    "objects": "interaction",
    "refined_covariance": "interaction",
    "hands_interaction": "interaction",
    "contacts": "interaction",
    "contact_places": "interaction",
    "states": "interaction",
    "ego": "ego",
}
"""Record name -> the stage that made it; optional stages are not in every run."""
OPTIONAL_RECORDS = ("camera_path",)
"""Records that a stage of every run makes only for some clips."""


def load_scene(inputs: Mapping[str, Path]) -> Scene:
    """From folders by stage name, as a stage call has them: every record whose stage is among them."""
    kinds = get_type_hints(Scene)
    parts: dict[str, Any] = {
        name: load_record(_record_class(kinds[name]), inputs[stage], name)
        for name, stage in RECORD_STAGES.items()
        if stage in inputs and was_made(name, inputs[stage])
    }
    return Scene(**parts)


def was_made(name: str, folder: Path) -> bool:
    """Whether a finished stage's folder holds that record; those of a stage of every run are taken to be there, so
    that one which is not is an error and no silent gap."""
    always = RECORD_STAGES[name] in SCENE_STAGES and name not in OPTIONAL_RECORDS
    return always or record_exists(folder, name)


def _record_class(hint: Any) -> type[Record]:
    """The record of a field typed `R` or `R | None`."""
    kinds = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
    found: type[Record] = kinds[0]
    return found


def as_shown(scene: Scene) -> Scene:
    """For looking: the last word on hands and objects."""
    objects = scene.objects if scene.objects is not None else scene.objects_raw
    return replace(scene, hands=scene.last_hands, objects=objects)


def load_camera_path(inputs: Mapping[str, Path]) -> CameraPath | None:
    """How the path of a moving camera was found, from a stage's inputs; None where there is none."""
    known = record_exists(inputs["camera"], "camera_path")
    return load_record(CameraPath, inputs["camera"], "camera_path") if known else None


def load_hands(inputs: Mapping[str, Path]) -> HandTracks:
    """`Scene.last_hands` of a stage's inputs: from the stages `interaction`, `depth` and `hands`, whichever it reads."""
    for stage, name in (("interaction", "hands_interaction"), ("depth", "hands_depth")):
        if stage in inputs and record_exists(inputs[stage], name):
            return load_record(HandTracks, inputs[stage], name)
    return load_record(HandTracks, inputs["hands"], "hands")

"""The scene of a clip, put together from the artefacts of its stages (nothing is stored twice in the store)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reenact.records import load_record
from reenact.scene import CameraTrack, HandLandmarks, HandTracks, Scene
from reenact.stages.clip import load_clip

SCENE_STAGES = ("clip", "camera", "landmarks", "hands")
"""Stages whose artefacts make a scene."""
RECORD_STAGES = {
    "clip": "clip",
    "camera": "camera",
    "landmarks": "landmarks",
    "hands_raw": "hands",
    "hands": "hands",
    "found": "found",
    "masks": "masks",
    "points": "points",
    "depth": "depth",
    "support": "support",
    "shapes": "objects",
    "objects_raw": "objects",
    "pose_covariance": "objects",
    "ego": "ego",
}
"""Record name -> the stage that made it; optional stages are not in every run."""


def load_scene(inputs: Mapping[str, Path]) -> Scene:
    """From folders by stage name, as a stage call has them."""
    return Scene(
        clip=load_clip(inputs["clip"]),
        camera=load_record(CameraTrack, inputs["camera"], "camera"),
        landmarks=load_record(HandLandmarks, inputs["landmarks"], "landmarks"),
        hands_raw=load_record(HandTracks, inputs["hands"], "hands_raw"),
        hands=load_record(HandTracks, inputs["hands"], "hands"),
        ego=load_record(CameraTrack, inputs["ego"], "ego") if "ego" in inputs else None,
    )

"""People filmed from outside, told from a virtual camera at their eyes: only where asked, and only where it differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from reenact.actions.slots import UNIFIED
from reenact.datasets.lerobot.from_reader import ImportConfig, episode_from_reader
from reenact.datasets.readers.registry import open_dataset
from reenact.geometry.transforms import inverse
from reenact.hands.joints import RIGHT, wrist_transform
from reenact.reframe.eyes import place_ego_camera
from tests import scenes


def read(folder: Path):
    (episode,) = open_dataset(folder, None)
    return episode


def place_of_right_wrist(columns) -> np.ndarray:
    return columns["observation.state"][:, UNIFIED.columns("wrist_right_position")]


def test_wrists_are_told_from_the_virtual_camera(tmp_path: Path) -> None:
    scene = scenes.waving_scene(12)
    scene.save(tmp_path)
    made = episode_from_reader(read(tmp_path), tmp_path, ImportConfig(ego="virtual"))
    ego = place_ego_camera(scene).camera
    assert scene.hands is not None
    want = inverse(ego.T_world_camera) @ wrist_transform(scene.hands.joints_world[:, RIGHT], RIGHT)
    assert np.abs(place_of_right_wrist(made.columns) - want[:, :3, 3]).max() < 1e-9
    assert np.abs(made.columns["human.ego.pose"][:, :3] - ego.T_world_camera[:, :3, 3]).max() < 1e-9
    source = episode_from_reader(read(tmp_path), tmp_path, ImportConfig())
    assert np.abs(place_of_right_wrist(source.columns) - want[:, :3, 3]).max() > 0.1
    assert "human.ego.pose" not in source.columns


def test_auto_leaves_a_head_camera_alone(tmp_path: Path) -> None:
    scene = scenes.waving_scene(12)
    worn = replace(scene.camera, T_world_camera=place_ego_camera(scene).camera.T_world_camera)
    for name, camera, virtual in (("outside", scene.camera, True), ("worn", worn, False)):
        replace(scene, camera=camera, landmarks=None).save(tmp_path / name)
        made = episode_from_reader(read(tmp_path / name), tmp_path, ImportConfig(ego="auto"))
        assert ("human.ego.pose" in made.columns) == virtual

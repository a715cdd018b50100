"""Objects as dataset columns: the same columns for clips with one object or two, poses that agree between frames."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.datasets.lerobot import EpisodeConfig, episode_from_scene
from reenact.geometry.rotations import matrix_from_quat
from reenact.geometry.transforms import apply, make_T
from reenact.scene import InteractionStates, Scene
from tests import scenes
from tests.datasets.test_lerobot_v3 import trajectory
from tests.refine.interaction.played import play

ROWS = 12


def pose(values: np.ndarray) -> np.ndarray:
    return np.asarray(make_T(matrix_from_quat(values[:, 3:]), values[:, :3]))


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A carried block, unseen in two frames; a virtual camera that moves."""
    made, block = scenes.waving_scene(ROWS), play(10.0).objects
    rows = slice(8, 8 + ROWS)
    valid = block.valid[rows].copy()
    valid[[0, 5]] = False
    objects = dataclasses.replace(
        block, T_world_object=block.T_world_object[rows], valid=valid, confidence=block.confidence[rows] * valid,
        source=block.source[rows],
    )  # fmt: skip
    states = InteractionStates(
        state=np.full((ROWS, 1), 4, np.uint8),
        confidence=np.ones((ROWS, 1)),
        valid=valid,
        source=objects.source,
    )
    T = made.camera.T_world_camera.copy()
    T[:, 0, 3] += 0.02 * np.arange(ROWS)
    ego = dataclasses.replace(made.camera, T_world_camera=T, intrinsics_source="virtual")
    return dataclasses.replace(made, objects=objects, states=states, ego=ego)


def columns(scene: Scene, slots: int | None) -> dict[str, np.ndarray]:
    made = episode_from_scene(scene, trajectory(scene), lambda _: iter(()), EpisodeConfig(object_slots=slots))
    return made.columns


def test_ego_poses_are_the_scenes_poses_seen_from_there(scene: Scene) -> None:
    made = columns(scene, None)
    assert "object.1.pose" not in made
    ego, world, seen = (pose(made[n]) for n in ("human.ego.pose", "object.0.pose", "object.0.ego_pose"))
    points = np.random.default_rng(0).normal(size=(5, 3))
    assert np.allclose(apply(ego, apply(seen, points)), apply(world, points), atol=1e-9)
    assert made["object.0.valid"].tolist() == scene.objects.valid[:, 0].tolist()
    assert made["object.0.state"].tolist() == np.where(scene.states.valid[:, 0], 4, 0).tolist()
    assert (world[5] == world[4]).all(), "rows without a pose hold the last one"
    assert np.allclose(world[0], np.eye(4))


def test_clips_with_fewer_objects_have_the_same_columns(scene: Scene) -> None:
    two = columns(scene, 2)
    bare = columns(dataclasses.replace(scene, objects=None, states=None), 2)
    assert two.keys() == bare.keys()
    assert not two["object.1.valid"].any()
    assert not bare["object.0.valid"].any()
    assert "object.0.ego_pose" not in columns(dataclasses.replace(scene, ego=None), 1)

"""Format-true files written from a known world come back as that world."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from reenact.datasets.readers import HumanEpisode, RobotEpisode, open_dataset, recognise
from reenact.datasets.readers.episode import FRAME_INDEX_ONLY
from reenact.datasets.readers.errors import NeedsHandModel
from reenact.datasets.readers.hoi4d import Hoi4dConfig
from reenact.datasets.readers.rot6d import rot6d_from_matrix
from reenact.datasets.readers.vitra import VitraConfig
from reenact.geometry.rotations import quat_from_matrix
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import TIPS
from reenact.scene import Scene
from tests.datasets.readers import writers
from tests.datasets.readers.truth import K, World, error, world

FLOAT32 = 2e-6
"""Files in float32 at sizes below 1 m."""


@pytest.fixture(scope="module")
def w() -> World:
    return world()


def only(path: Path, config: object = None) -> HumanEpisode:
    (episode,) = open_dataset(path, recognise(path).name, config)
    assert isinstance(episode, HumanEpisode)
    return episode


def assert_hands(
    e: HumanEpisode, w: World, T_ours: np.ndarray, tolerance: float, sides: tuple[int, ...] = (0, 1)
) -> None:
    hands = e.joints()
    for s in sides:
        assert (hands.valid[:, s] == w.valid[:, s]).all()
        at = w.valid[:, s]
        assert error(hands.joints_world[at, s], apply(T_ours, w.joints[at, s])) < tolerance


def assert_camera(e: HumanEpisode, w: World, T_ours: np.ndarray, tolerance: float) -> None:
    assert e.camera is not None
    assert error(e.camera.T_world_camera, T_ours @ w.T_world_camera) < tolerance
    assert error(e.camera.params, [K[0, 0], K[1, 1], K[0, 2], K[1, 2]]) < 1e-3
    assert isinstance(e.scene(), Scene)


def test_egodex(tmp_path: Path, w: World) -> None:
    e = only(writers.egodex(tmp_path, w))
    assert e.world_frame == "world"
    assert e.task == "Fold the towel."
    assert_hands(e, w, np.eye(4), FLOAT32)
    assert_camera(e, w, np.eye(4), FLOAT32)
    assert e.partial is not None
    assert error(e.partial.T_world_wrist[:, 1], w.T_world_wrist[:, 1]) < FLOAT32
    assert not e.partial.joint_valid[~w.valid].any()


def test_h2o(tmp_path: Path, w: World) -> None:
    e = only(writers.h2o(tmp_path, w))
    assert e.world_frame == "camera0"
    assert_hands(e, w, w.to_camera0, 1e-7)
    assert_camera(e, w, w.to_camera0, 1e-7)
    assert e.objects is not None
    assert e.objects.names == ("lotion",)
    assert error(e.objects.T_world_object[:, 0], w.to_camera0 @ w.T_world_object) < 1e-7
    assert [(i.text, i.first, i.end) for i in e.instructions] == [("grab", 0, 8), ("pour", 8, 20)]


def test_holoassist(tmp_path: Path, w: World) -> None:
    e = only(writers.holoassist(tmp_path, w))
    assert e.world_frame == "world"
    assert e.fps_hz == pytest.approx(30.0, rel=1e-6)
    assert_hands(e, w, np.eye(4), 1e-9)
    assert_camera(e, w, np.eye(4), 1e-9)


def test_arctic_with_processed_joints(tmp_path: Path, w: World) -> None:
    e = only(writers.arctic(tmp_path, w))
    w_all = World(w.joints, np.ones_like(w.valid), w.T_world_camera, w.T_world_object)
    assert_hands(e, w_all, w.to_camera0, FLOAT32)
    assert_camera(e, w, w.to_camera0, 1e-9)
    assert e.objects is not None
    assert error(e.objects.T_world_object[:, 0], w.to_camera0 @ w.T_world_object) < 1e-9
    assert e.extras["articulation_rad"][-1] == pytest.approx(0.5)


def test_arctic_parameters_alone_ask_for_the_model(tmp_path: Path, w: World) -> None:
    e = only(writers.arctic(tmp_path, w, processed=False))
    assert e.hands is None
    assert e.mano is not None
    with pytest.raises(NeedsHandModel, match="licensed MANO model"):
        e.joints()


@pytest.mark.parametrize("with_torch", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_oakink2(tmp_path: Path, w: World, with_torch: bool) -> None:
    make = pytest.importorskip("torch").from_numpy if with_torch else np.asarray
    e = only(writers.oakink2(tmp_path, w, make))
    assert e.fps_hz == pytest.approx(30.0)
    assert_camera(e, w, w.to_camera0, 1e-9)
    assert e.objects is not None
    assert error(e.objects.T_world_object[:, 0], w.to_camera0 @ w.T_world_object) < FLOAT32
    assert e.mano is not None
    assert error(e.mano.R_source_root, w.T_world_wrist[:, :, :3, :3]) < FLOAT32
    assert error(e.mano.translation, w.joints[:, :, 0]) < FLOAT32
    with pytest.raises(NeedsHandModel):
        e.joints()


def test_ho3d(tmp_path: Path, w: World) -> None:
    e = only(writers.ho3d(tmp_path, w))
    hands = e.joints()
    seen = np.ones(20, bool)
    seen[[4, 5]] = False  # frame 4 has no annotation, frame 5 the wrist alone
    assert (hands.valid[:, 1] == seen).all()
    assert not hands.valid[:, 0].any()
    truth = apply(w.to_camera0, w.joints[:, 1])
    assert error(hands.joints_world[seen, 1], truth[seen]) < 1e-9
    assert e.partial is not None
    assert e.partial.joint_valid[5, 1].sum() == 1
    assert error(e.partial.joints_world[5, 1, 0], truth[5, 0]) < 1e-9
    assert e.objects is not None
    assert (e.objects.valid[:, 0] == (np.arange(20) != 4)).all()
    at = e.objects.valid[:, 0]
    assert error(e.objects.T_world_object[at, 0], (w.to_camera0 @ w.T_world_object)[at]) < 1e-9


@pytest.mark.parametrize(("mirrored", "mano"), [(True, False), (False, True)])
def test_vitra(tmp_path: Path, w: World, mirrored: bool, mano: bool) -> None:
    path = writers.vitra(tmp_path, w, mirrored_left=mirrored, mano_order=mano)
    e = only(path, VitraConfig(fps_hz=30.0, size_px=(1280, 720)))
    assert_hands(e, w, w.to_camera0, 1e-9)
    assert_camera(e, w, w.to_camera0, 1e-9)
    assert e.instructions[0].text == "Pick up the cup."
    assert e.instructions[0].side == "right"


def test_vitra_without_rate_and_size_says_so(tmp_path: Path, w: World) -> None:
    e = only(writers.vitra(tmp_path, w))
    assert e.camera is None
    assert e.time_source == FRAME_INDEX_ONLY
    assert {"rate", "picture size"} <= set(e.provenance.unknown)


def test_hoi4d(tmp_path: Path, w: World) -> None:
    clip, intrinsics, hands = writers.hoi4d(tmp_path, w)
    e = only(clip, Hoi4dConfig(intrinsics=intrinsics, hands=hands))
    assert_camera(e, w, w.to_camera0, 1e-9)
    assert e.objects is not None
    assert error(e.objects.T_world_object[:, 0], w.to_camera0 @ w.T_world_object) < 1e-9
    assert e.mano is not None
    assert (e.mano.valid[:, 1] == (np.arange(20) % 2 == 0)).all()


def test_ph2d(tmp_path: Path, w: World) -> None:
    e = only(writers.ph2d(tmp_path, w, lambda R: rot6d_from_matrix(R, "rows")))
    assert e.world_frame == "head_level"
    assert e.hands is None
    assert e.partial is not None
    head = w.T_world_camera[:, None, None, :3, 3]
    at = [0, *TIPS]
    assert error(e.partial.joints_world[:, :, at], (w.joints - head)[:, :, at]) < FLOAT32
    assert e.partial.joint_valid.sum() == 20 * 2 * 6


def test_actionnet(tmp_path: Path, w: World) -> None:
    (e,) = open_dataset(writers.actionnet(tmp_path, w, lambda R: rot6d_from_matrix(R, "cols")))
    assert isinstance(e, RobotEpisode)
    assert e.task == "Pick the lemon."
    assert e.state.shape == (20, 44)
    assert e.state[3, 1] == pytest.approx((20 + 3) * 1e-3)
    assert e.fps_hz == pytest.approx(30.0, rel=1e-4)
    assert error(e.columns["state.T_base_left_arm"], w.T_world_wrist[:, 0]) < 1e-9


def test_actionnet_poses_of_another_width_stay_raw(tmp_path: Path, w: World) -> None:
    path = writers.actionnet(tmp_path, w, lambda R: rot6d_from_matrix(R, "cols"))
    with h5py.File(path, "r+") as file:
        raw = file["action/pose"][:24]
        del file["action/pose"]
        file["action/pose"] = raw
    (e,) = open_dataset(path)
    assert isinstance(e, RobotEpisode)
    assert e.columns["action.pose_raw"].shape == (20, 24)
    assert "action.T_base_head" not in e.columns
    assert any("24 numbers" in note for note in e.provenance.unknown)


def test_egoverse(tmp_path: Path, w: World) -> None:
    e = only(writers.egoverse(tmp_path, w))
    assert_hands(e, w, w.to_camera0, 1e-9)
    assert e.head is not None
    assert error(e.head.T_world_frame, w.to_camera0 @ w.T_world_camera) < 1e-9
    assert e.instructions[0].text == "grab"
    assert e.camera is None  # where it sits in the head is not written


def test_egoverse_as_zarr_writes_it(tmp_path: Path, w: World) -> None:
    zarr = pytest.importorskip("zarr")
    root = zarr.open_group(str(tmp_path / "1749000000_abc.zarr"), mode="w", zarr_format=3)
    root.attrs.update(fps=30, embodiment="aria_bimanual")
    for name, values in (
        ("obs_head_pose", writers.quat_pose(w.T_world_camera)),
        ("left.obs_keypoints", w.joints[:, 0].reshape(-1, 63)),
        ("right.obs_keypoints", w.joints[:, 1].reshape(-1, 63)),
    ):
        root.create_array(name, data=values, chunks=(7, values.shape[1]))
    e = only(tmp_path / "1749000000_abc.zarr")
    assert error(e.joints().joints_world, apply(w.to_camera0, w.joints)) < 1e-9


def test_quaternions_of_the_writers_are_wxyz() -> None:
    """The check that the other tests lean on: identity is (1, 0, 0, 0)."""
    assert quat_from_matrix(np.eye(3)).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert error(inverse(np.eye(4)), np.eye(4)) == 0.0

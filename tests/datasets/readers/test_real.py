"""Real published files, read whole; they skip where the shared data are absent."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from reenact.datasets.readers import HumanEpisode, RobotEpisode, open_dataset, recognise
from reenact.datasets.readers.dexycb import DexYcbConfig
from reenact.datasets.readers.episode import FRAME_INDEX_ONLY
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.lerobot import LeRobotConfig
from reenact.datasets.readers.mano_vertices import joints_from_vertices
from reenact.datasets.readers.orders import MANOPTH_TIP_VERTICES
from reenact.datasets.readers.umetrack import UmeTrackProfile, wrist_matrix
from reenact.hands.joints import PARENTS_21, wrist_frame
from tests.datasets.readers.truth import error


def test_g1_inspire_v21(shared_dir: Path) -> None:
    folder = shared_dir / "data/robot/g1_inspire_dev"
    episodes = list(open_dataset(folder))
    assert len(episodes) == 80
    first = episodes[0]
    assert isinstance(first, RobotEpisode)
    assert first.state.shape == (479, 26)
    assert first.state_names[:2] == (
        "kLeftShoulderPitch",
        "kLeftShoulderRoll",
    )  # flat, though nested in the file
    assert first.task == "Pick up the yellow bottle on the table."
    assert np.abs(np.diff(first.t_ns) - 1e9 / 30).max() < 1e5
    assert sum(bool(e.cameras) for e in episodes if isinstance(e, RobotEpisode)) == 8
    assert "units, frames and zero positions of the joints" in first.provenance.unknown


def test_an_absent_episode_is_refused_unless_asked(shared_dir: Path, tmp_path: Path) -> None:
    folder = shared_dir / "data/robot/g1_inspire_dev"
    (tmp_path / "meta").mkdir()
    for name in ("info.json", "tasks.jsonl"):
        (tmp_path / "meta" / name).write_bytes((folder / "meta" / name).read_bytes())
    rows = (folder / "meta/episodes.jsonl").read_text().splitlines()[:3]
    (tmp_path / "meta/episodes.jsonl").write_text("\n".join(rows))
    (tmp_path / "data/chunk-000").mkdir(parents=True)
    name = "data/chunk-000/episode_000002.parquet"
    (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(DamagedSource, match="episode 0 has no data file"):
        list(open_dataset(tmp_path))
    (only,) = open_dataset(tmp_path, "lerobot_v21", LeRobotConfig(missing="skip"))
    assert only.episode_id.endswith("000002")


def test_hot3d_palm_rests_on_the_mouse(shared_dir: Path) -> None:
    """The right hand's skin stays within 2 mm of where it grasps: the mouse moves 5 cm and the hand with it."""
    folder = shared_dir / "data/gt/hot3d_quest3"
    (e,) = open_dataset(folder)
    assert isinstance(e, HumanEpisode)
    assert e.objects is not None
    assert e.fps_hz == pytest.approx(30, rel=1e-3)
    k = e.objects.object_ids.index("265826671143948")
    mouse = e.objects.T_world_object[:, k, :3, 3]
    assert 0.02 < np.linalg.norm(mouse - mouse[0], axis=1).max() < 0.10
    lines = (folder / "umetrack_hand_pose_trajectory.jsonl").read_text().splitlines()
    angles = np.array([json.loads(s)["hand_poses"]["1"]["joint_angles"] for s in lines])
    profile = UmeTrackProfile.from_json(json.loads((folder / "umetrack_hand_user_profile.json").read_text()))
    assert e.partial is not None
    M = wrist_matrix(e.partial.T_world_wrist[:, 1], 1)
    skin = profile.vertices_wrist(angles) @ np.swapaxes(M[:, :3, :3], 1, 2) + M[:, None, :3, 3]
    nearest = np.linalg.norm(skin - mouse[:, None], axis=-1).min(1)
    assert nearest.max() < 0.04  # the centre of a mouse is 2-3 cm under the palm
    assert nearest.std() < 0.002
    assert e.extras["lens_error_px"][0] < 1.0


def test_hot3d_clip_form_reads_like_the_sequence(shared_dir: Path, tmp_path: Path) -> None:
    """The same numbers in the clips' layout (a tar of one JSON per frame and kind) give the same hands and objects."""
    folder = shared_dir / "data/gt/hot3d_quest3"
    (want,) = open_dataset(folder)
    assert isinstance(want, HumanEpisode)
    path = tmp_path / "clip-001849.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in hot3d_clip(folder).items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (got,) = open_dataset(path)
    assert isinstance(got, HumanEpisode)
    assert got.objects is not None
    assert want.objects is not None
    assert error(got.joints().joints_world, want.joints().joints_world) < 1e-9
    order = [got.objects.object_ids.index(i) for i in want.objects.object_ids]
    assert error(got.objects.T_world_object[:, order], want.objects.T_world_object) < 1e-9


def hot3d_clip(folder: Path) -> dict[str, object]:
    """The real sequence in the layout of HOT3D-Clips."""
    from reenact.datasets.readers.hot3d_files import read_sequence
    from reenact.geometry.rotations import quat_from_matrix

    raw = read_sequence(folder, "")

    def pose(T: np.ndarray) -> dict[str, list[float]]:
        return {"quaternion_wxyz": quat_from_matrix(T[:3, :3]).tolist(), "translation_xyz": T[:3, 3].tolist()}

    lens = {"projection_model_type": "CameraModelType.FISHEYE624", "projection_params": raw.lens["params"],
            "image_width": raw.lens["width"], "image_height": raw.lens["height"]}  # fmt: skip
    profile = json.loads((folder / "umetrack_hand_user_profile.json").read_text())
    files: dict[str, object] = {
        "__hand_shapes.json__": {"mano": [0.0] * 10, "umetrack": profile["hand_model"]}
    }
    for i, t in enumerate(raw.t_ns):
        stem = f"{i:06d}"
        files[f"{stem}.info.json"] = {"device": "Quest3", "image_timestamps_ns": {"1201-1": int(t)}}
        files[f"{stem}.cameras.json"] = {
            "1201-1": {"T_world_from_camera": pose(raw.T_camera[i]), "calibration": lens}
        }
        files[f"{stem}.objects.json"] = {
            uid: [{"T_world_from_object": pose(raw.T_object[i, k])}] for k, uid in enumerate(raw.objects)
        }
        files[f"{stem}.hands.json"] = {
            side: {
                "umetrack_pose": {
                    "T_world_from_wrist": pose(raw.T_wrist[i, s]),
                    "joint_angles": raw.angles[i, s].tolist(),
                }
            }
            for s, side in enumerate(("left", "right"))
        }
    return files


def test_dexycb_crackerbox(shared_dir: Path) -> None:
    path = shared_dir / "data/mocap/dexycb_crackerbox/dexycb_motion.npz"
    (e,) = open_dataset(path)
    assert isinstance(e, HumanEpisode)
    with pytest.raises(DamagedSource, match="shape of a right one"):
        list(open_dataset(path, "dexycb", DexYcbConfig(side="left")))
    hands = e.joints()
    assert not hands.valid[:, 0].any()
    assert hands.hand_length[1] == pytest.approx(0.188, abs=0.001)
    with np.load(path) as data:
        T, joints = data["world2wrist"].astype(float), data["contact_joint_indices"]
    wrists = np.einsum("tij,tj->ti", T[:, :3, :3], hands.joints_world[:, 1, 0]) + T[:, :3, 3]
    assert np.abs(wrists).max() < 1e-5  # the set's own wrist frame puts our joint 0 at its origin
    turn = T[:, :3, :3] @ wrist_frame(hands.joints_world[:, 1], 1)
    assert np.abs(turn - turn.mean(0)).max() < 0.15  # and the two wrist frames stay together
    assert joints.max() <= 20


def test_taco_vertices_give_tips_and_joints_near_enough(shared_dir: Path) -> None:
    (e,) = open_dataset(shared_dir / "data/mocap/taco_010/20231104_010.npz")
    assert isinstance(e, HumanEpisode)
    assert e.partial is not None
    assert e.objects is not None
    assert e.partial.joint_valid.sum() == 135 * 5
    joints = e.joints().joints_world[:, 1]
    np.testing.assert_array_equal(joints[:, 4::4], e.partial.joints_world[:, 1, 4::4])
    bones = np.linalg.norm(joints[:, 1:] - joints[:, list(PARENTS_21[1:])], axis=-1)
    assert bones.std(axis=0).max() < 0.004  # bones do not stretch


def test_vertices_around_a_joint_follow_it(shared_dir: Path) -> None:
    with np.load(shared_dir / "data/mocap/dexycb_crackerbox/dexycb_motion.npz") as data:
        made = joints_from_vertices(data["world_hand_vertices"], MANOPTH_TIP_VERTICES)
        off = np.linalg.norm(made - data["world_hand_joints"], axis=-1)
    assert np.median(off) < 0.0015
    assert off.max() < 0.007


def test_taco_object_mesh_lies_where_the_file_says(shared_dir: Path) -> None:
    (e,) = open_dataset(shared_dir / "data/mocap/taco_010/20231104_010.npz")
    assert isinstance(e, HumanEpisode)
    assert e.objects is not None
    with np.load(shared_dir / "data/mocap/taco_010/20231104_010.npz") as data:
        truth = data["obj_verts"]
    vertices, faces = e.objects.mesh(0)
    T = e.objects.T_world_object[:, 0]
    assert error(vertices @ np.swapaxes(T[:, :3, :3], 1, 2) + T[:, None, :3, 3], truth) < 1e-6
    assert len(faces) == 2000
    lift = T[:, 2, 3].max() - T[0, 2, 3]
    assert 0.15 < lift < 0.30  # z is up


def test_tcdm_all_files(shared_dir: Path) -> None:
    files = sorted((shared_dir / "data/mocap/tcdm").glob("*.npz"))
    assert len(files) == 51
    for file in files:
        (e,) = open_dataset(file)
        assert isinstance(e, HumanEpisode)
        assert e.time_source == FRAME_INDEX_ONLY
        assert e.fps_hz is None
        assert e.objects is not None
        assert e.hands is None


def test_every_real_item_is_recognised_by_one_reader(shared_dir: Path) -> None:
    data = shared_dir / "data"
    known = {
        "robot/g1_inspire_dev": "lerobot_v21", "gt/hot3d_quest3": "hot3d", "gt/v2d_bundlesdf_stage1": "bundlesdf",
        "mocap/dexycb_crackerbox/dexycb_motion.npz": "dexycb", "mocap/taco_010/20231104_010.npz": "taco",
        "mocap/tcdm/duck_lift.npz": "tcdm",
    }  # fmt: skip
    for place, name in known.items():
        assert recognise(data / place).name == name

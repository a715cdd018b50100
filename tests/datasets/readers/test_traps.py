"""Each trap of the published sets: the naive reading is measurably wrong, the reader's is right or refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from reenact.datasets.readers import HumanEpisode, open_dataset
from reenact.datasets.readers.arctic import to_metres
from reenact.datasets.readers.bundlesdf import BundleSdfConfig, depth_from_png
from reenact.datasets.readers.errors import DamagedSource, LensUnsure, UnitUnsure
from reenact.datasets.readers.frames import rigid, transform_from_quat
from reenact.datasets.readers.hand_shape import openpose_or_mano, side_by_shape
from reenact.datasets.readers.hot3d import Hot3dConfig
from reenact.datasets.readers.orders import (
    MANO_TO_OPENPOSE,
    MANOPTH_TIP_VERTICES,
    SMPLX_TIP_VERTICES,
    reorder,
)
from reenact.datasets.readers.rot6d import FLATTENINGS, matrix_from_rot6d, rot6d_from_matrix
from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix, random_rotation, rotation_angle
from reenact.geometry.transforms import inverse
from reenact.hands.joints import bone_lengths
from tests.datasets.readers import writers
from tests.datasets.readers.truth import World, error, world


@pytest.fixture(scope="module")
def w() -> World:
    return world()


def test_pinky_comes_before_ring_in_mano(w: World) -> None:
    foreign = writers.into_order(w.joints[:, 1], MANO_TO_OPENPOSE, 21)
    naive = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 7, 8, 9, 19, 10, 11, 12, 20)  # ring first
    right, _ = reorder(foreign, MANO_TO_OPENPOSE, 21)
    wrong, _ = reorder(foreign, naive, 21)
    assert error(right, w.joints[:, 1]) == 0.0
    assert error(wrong, w.joints[:, 1]) > 0.015  # a finger's width, and the tips now sit on the wrong fingers
    last = (15, 19)  # ring and pinky tip bones: each finger now ends in its neighbour's tip
    assert (bone_lengths(wrong)[:, last] > 1.4 * bone_lengths(right)[:, last]).all()


def test_foreign_counts_and_orders_are_refused(w: World) -> None:
    with pytest.raises(DamagedSource, match="16 hand joints"):
        reorder(w.joints[:, 1, :16], MANO_TO_OPENPOSE, 21)
    assert openpose_or_mano(w.joints[:, 1]) == "openpose"
    assert openpose_or_mano(writers.into_order(w.joints[:, 1], MANO_TO_OPENPOSE, 21)) == "mano"


def test_a_mirrored_left_hand_is_seen_and_undone(tmp_path: Path, w: World) -> None:
    path = writers.vitra(tmp_path, w, mirrored_left=True)
    (e,) = open_dataset(path)
    assert isinstance(e, HumanEpisode)
    at = e.joints().valid[:, 0]
    assert side_by_shape(w.joints[:, 0]) == 0
    assert side_by_shape(w.joints[:, 0] * [-1.0, 1, 1]) == 1  # what a naive reader would pass on
    assert side_by_shape(e.joints().joints_world[at, 0]) == 0
    assert any("mirrored back" in note for note in e.provenance.translated)


def test_quaternion_order_is_named_never_guessed(w: World) -> None:
    R = w.T_world_object[:, :3, :3]
    q = quat_from_matrix(R)
    naive = matrix_from_quat(q[:, [1, 2, 3, 0]])  # wxyz taken for xyzw
    assert rotation_angle(naive, R).min() > 0.3
    t = np.zeros((len(q), 3))
    assert error(transform_from_quat(t, q, "wxyz")[:, :3, :3], R) < 1e-12
    assert error(transform_from_quat(t, q[:, [1, 2, 3, 0]], "xyzw")[:, :3, :3], R) < 1e-12
    with pytest.raises(DamagedSource, match="quaternion order"):
        transform_from_quat(t, q, "hamilton")


def test_millimetres_do_not_pass_for_metres(tmp_path: Path, w: World) -> None:
    path = writers.egodex(tmp_path, w)
    with h5py.File(path, "r+") as file:
        for name in file["transforms"]:
            file[f"transforms/{name}"][:, :3, 3] *= 1000
    with pytest.raises(UnitUnsure, match="millimetres"):
        list(open_dataset(path))


def test_arctic_objects_come_in_millimetres(tmp_path: Path, w: World) -> None:
    (mm,) = open_dataset(writers.arctic(tmp_path / "mm", w, processed=False))
    (m,) = open_dataset(writers.arctic(tmp_path / "m", w, processed=False, scale=1.0))
    assert isinstance(mm, HumanEpisode)
    assert isinstance(m, HumanEpisode)
    assert mm.objects is not None
    assert m.objects is not None
    assert error(mm.objects.T_world_object, m.objects.T_world_object) < 1e-9
    with pytest.raises(UnitUnsure):
        to_metres(np.full((4, 3), 10.0))


def test_egodex_camera_is_camera_to_world(tmp_path: Path, w: World) -> None:
    (e,) = open_dataset(writers.egodex(tmp_path, w))
    assert isinstance(e, HumanEpisode)
    assert e.camera is not None
    centre = e.camera.T_world_camera[:, :3, 3]
    naive = inverse(e.camera.T_world_camera)[:, :3, 3]
    assert error(centre, w.T_world_camera[:, :3, 3]) < 1e-5
    assert error(naive, w.T_world_camera[:, :3, 3]) > 0.03
    hands = e.joints()
    T = inverse(e.camera.T_world_camera)
    z = (np.einsum("tij,tskj->tski", T[:, :3, :3], hands.joints_world) + T[:, None, None, :3, 3])[..., 2]
    assert (z[hands.valid] > 0.2).all()  # hands lie before the camera, only this way round


def test_inverted_camera_poses_are_refused(tmp_path: Path, w: World) -> None:
    """Hands would lie behind the camera that filmed them."""
    path = writers.holoassist(tmp_path, w) / "Export_py" / "Video" / "Pose_sync.txt"
    rows = np.loadtxt(path)
    rows[:, 2:] = (rows[:, 2:].reshape(-1, 4, 4) @ np.diag([-1.0, -1, 1, 1])).reshape(-1, 16)
    writers.write_table(path, rows)
    with pytest.raises(DamagedSource, match="behind the camera"):
        list(open_dataset(path.parents[2]))


def test_low_confidence_is_missing_not_weak(tmp_path: Path, w: World) -> None:
    (e,) = open_dataset(writers.egodex(tmp_path, w))
    assert isinstance(e, HumanEpisode)
    assert not e.joints().valid[~w.valid].any()
    assert (e.joints().confidence[~w.valid] == 0).all()


def test_six_numbers_mean_three_rotations() -> None:
    R = random_rotation(np.random.default_rng(3), 50)
    for flattening in FLATTENINGS:
        assert error(matrix_from_rot6d(rot6d_from_matrix(R, flattening), flattening), R) < 1e-12
    six = rot6d_from_matrix(R, "cols")
    assert six[0].tolist() == [*R[0, :, 0], *R[0, :, 1]]
    assert np.median(rotation_angle(matrix_from_rot6d(six, "rows"), R)) > 0.5  # silently the transpose
    with pytest.raises(DamagedSource, match="not orthonormal"):
        matrix_from_rot6d(six, "interleaved")


def test_ph2d_stores_rows(tmp_path: Path, w: World) -> None:
    """A file written with columns reads as other fingertips: the flattening is a fact of the set, not of the numbers."""
    (right,) = open_dataset(writers.ph2d(tmp_path, w, lambda R: rot6d_from_matrix(R, "rows")))
    (tmp_path / "c").mkdir()
    (naive,) = open_dataset(writers.ph2d(tmp_path / "c", w, lambda R: rot6d_from_matrix(R, "cols")))
    assert isinstance(right, HumanEpisode)
    assert isinstance(naive, HumanEpisode)
    assert right.partial is not None
    assert naive.partial is not None
    assert error(right.partial.joints_world, naive.partial.joints_world) > 0.05


def test_ph2d_origin_moves_with_the_head(tmp_path: Path, w: World) -> None:
    (e,) = open_dataset(writers.ph2d(tmp_path, w, lambda R: rot6d_from_matrix(R, "rows")))
    assert isinstance(e, HumanEpisode)
    assert e.partial is not None
    assert e.world_frame not in ("world", "camera0")
    assert error(e.partial.joints_world[:, 1, 0], w.joints[:, 1, 0]) > 0.05


def test_opengl_axes_are_turned(tmp_path: Path, w: World) -> None:
    (e,) = open_dataset(writers.ho3d(tmp_path, w))
    assert isinstance(e, HumanEpisode)
    hands = e.joints()
    assert (hands.joints_world[hands.valid][..., 2] > 0.2).all()  # OpenGL's z is negative before the camera


def test_a_reflection_or_a_scale_is_no_pose() -> None:
    with pytest.raises(DamagedSource, match="not rigid"):
        rigid(np.diag([1.0, 1, -1, 1])[None])
    with pytest.raises(DamagedSource, match="not rigid"):
        rigid(np.diag([1000.0, 1000, 1000, 1])[None])


def test_holoassist_of_another_export_is_refused(tmp_path: Path, w: World) -> None:
    session = writers.holoassist(tmp_path, w)
    file = session / "Export_py" / "Hands" / "Left_sync.txt"
    file.write_text("\n".join("0\t0\t" + line for line in file.read_text().splitlines()))
    with pytest.raises(DamagedSource, match="473 columns"):
        list(open_dataset(session))


def test_fingertip_vertex_sets_differ(shared_dir: Path) -> None:
    (e,) = open_dataset(shared_dir / "data/mocap/taco_010/20231104_010.npz")
    assert isinstance(e, HumanEpisode)
    assert e.partial is not None
    with np.load(shared_dir / "data/mocap/taco_010/20231104_010.npz") as data:
        vertices = data["hand_verts"]
    apart = np.linalg.norm(
        vertices[:, list(SMPLX_TIP_VERTICES)] - vertices[:, list(MANOPTH_TIP_VERTICES)], axis=-1
    )
    assert 0.001 < apart.mean() < 0.010
    assert "745" in e.provenance.fingertips


def test_config_yaml_holds_the_wrong_focal(shared_dir: Path) -> None:
    """The ball is 0.23-0.24 m across with the rectified lens; config.yaml's 482 px makes it 0.19 m."""
    cv2 = pytest.importorskip("cv2")
    folder = shared_dir / "data/gt/v2d_bundlesdf_stage1"
    with pytest.raises(LensUnsure, match=r"config\.yaml"):
        list(open_dataset(folder))
    config = BundleSdfConfig(shared_dir / "data/gt/v2d_basketball/stereo.edex")
    (e,) = open_dataset(folder, "bundlesdf", config)
    assert isinstance(e, HumanEpisode)
    assert e.camera is not None
    fx, _, cx, cy = e.camera.params
    depth_file, mask_file = (sorted((folder / kind).glob("*.png"))[0] for kind in ("depth", "masks"))
    depth = depth_from_png(cv2.imread(str(depth_file), cv2.IMREAD_UNCHANGED))
    mask = cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE) > 0
    inner = cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0
    rows, cols = np.nonzero(inner & (depth > 0.2) & (depth < 3.0))
    z = depth[rows, cols]

    def diameter(f: float) -> float:
        points = np.stack([(cols - cx) / f * z, (rows - cy) / f * z, z], 1)
        keep = np.abs(z - np.median(z)) < 0.12
        A = np.c_[2 * points[keep], np.ones(keep.sum())]
        a, b, c, d = np.linalg.lstsq(A, (points[keep] ** 2).sum(1), rcond=None)[0]
        return float(2 * np.sqrt(d + a * a + b * b + c * c))

    assert 0.228 < diameter(fx) < 0.241
    assert diameter(481.98) < 0.210


def test_quest_world_is_not_guessed(shared_dir: Path) -> None:
    folder = shared_dir / "data/gt/hot3d_quest3"
    (unsure,) = open_dataset(folder)
    (told,) = open_dataset(folder, "hot3d", Hot3dConfig(quest_up="y"))
    assert isinstance(unsure, HumanEpisode)
    assert isinstance(told, HumanEpisode)
    assert unsure.world_frame == "camera0"
    assert told.world_frame == "world"
    assert told.objects is not None
    heights = told.objects.T_world_object[:, :, 2, 3]
    assert heights.max() - heights.min() < 0.1  # all on one table: z is up after the turn


def test_umetrack_right_hands_need_the_mirror(shared_dir: Path) -> None:
    """Without the mirrored column the right hand is a left one and leaves its published box."""
    folder = shared_dir / "data/gt/hot3d_quest3"
    (e,) = open_dataset(folder)
    assert isinstance(e, HumanEpisode)
    for side in (0, 1):
        assert side_by_shape(e.joints().joints_world[:, side]) == side
    boxes = [r for r in csv.DictReader((folder / "box2d_hands.csv").open()) if r["stream_id"] == "1201-1"]
    assert e.camera is not None
    T = inverse(e.camera.T_world_camera)
    stamps = [
        json.loads(s)["timestamp_ns"]
        for s in (folder / "umetrack_hand_pose_trajectory.jsonl").read_text().split("\n")
        if s
    ]
    for row in boxes:
        i, side = stamps.index(int(row["timestamp[ns]"])), int(row["hand_index"])
        px = e.camera.camera().project(e.joints().joints_world[i, side] @ T[i, :3, :3].T + T[i, :3, 3])
        low = np.array([float(row["x_min[pixel]"]), float(row["y_min[pixel]"])])
        high = np.array([float(row["x_max[pixel]"]), float(row["y_max[pixel]"])])
        assert (px > low - 4).all()
        assert (px < high + 4).all()

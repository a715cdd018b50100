"""Glove + tracker recordings: mounts are recovered from calibration motions, hands and camera from both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reenact.datasets.readers import HumanEpisode, open_dataset
from reenact.datasets.readers.errors import UnitUnsure
from reenact.datasets.readers.glove_calibration import CalibrationUnsure, solve_hand_mount, solve_head_camera
from reenact.geometry.rotations import random_rotation, so3_exp
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import TIPS
from tests.datasets.readers.truth import HEIGHT, WIDTH, K, World, error, world
from tests.datasets.readers.writers import glove_points, quat_pose

FPS = 30.0
CALIBRATION = 30
"""Frames before the task in which mounts are calibrated: one second."""
T_HEAD_CAMERA = make_T(so3_exp(np.array([0.2, -0.1, 1.4])), np.array([0.03, -0.06, 0.08]))
T_TRACKER_WRIST = (
    make_T(so3_exp(np.array([0.3, 0.9, -0.4])), np.array([0.01, 0.02, -0.05])),
    make_T(so3_exp(np.array([-0.5, 0.2, 1.1])), np.array([-0.02, 0.01, -0.06])),
)


def record(folder: Path, w: World, *, unit: str = "m", noise: float = 0.0, given: bool = False) -> Path:
    """A session: first the board is looked at and one point touched, then the task of the known world."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    t = np.arange(CALIBRATION + len(w.joints)) / FPS + 100.0
    head_cal = make_T(
        so3_exp(rng.uniform(-0.5, 0.5, (CALIBRATION, 3))), rng.uniform(-0.2, 0.2, (CALIBRATION, 3))
    )
    T_head = np.concatenate([head_cal, w.T_world_camera @ inverse(T_HEAD_CAMERA)])
    T_board = make_T(so3_exp(np.array([2.5, 0.1, 0.2])), np.array([0.8, 0.1, -0.3]))
    T_camera_board = inverse(head_cal @ T_HEAD_CAMERA) @ T_board
    poses(folder / "head_tracker.csv", t, T_head)
    T_camera_board[:, :3, 3] += rng.normal(scale=noise, size=(CALIBRATION, 3)) if noise else 0.0
    session = {
        "format": "reenact_gloves", "version": 1, "up": "z", "task": "Stack the cups.",
        "task_start_s": t[CALIBRATION], "video": "ego.mp4",
        "camera": {"fx": K[0, 0], "fy": K[1, 1], "cx": K[0, 2], "cy": K[1, 2], "width_px": WIDTH, "height_px": HEIGHT},
        "spans": [{"text": "grasp", "first": 0, "end": 5}],
    }  # fmt: skip
    if given:
        session["T_tracker_camera"] = T_HEAD_CAMERA.tolist()
    else:
        poses(folder / "calibration_board.csv", t[:CALIBRATION], T_camera_board)
    for s, side in enumerate(("left", "right")):
        hand(folder, w, s, side, t, rng, unit, noise)
        if given:
            session[f"T_tracker_wrist_{side}"] = T_TRACKER_WRIST[s].tolist()
            (folder / f"calibration_touch_{side}.csv").unlink()
    (folder / "session.json").write_text(json.dumps(session))
    return folder


def hand(
    folder: Path,
    w: World,
    s: int,
    side: str,
    t: np.ndarray,
    rng: np.random.Generator,
    unit: str,
    noise: float,
) -> None:
    local = glove_points(w, s)
    frames = rng.integers(0, len(local), CALIBRATION)
    fingers = np.arange(CALIBRATION) % 5
    points = np.concatenate([local[frames], local])
    from reenact.datasets.readers.orders import MANUS_TO_OPENPOSE

    tips = np.array(MANUS_TO_OPENPOSE)[np.array(TIPS)[fingers]]
    touching = points[np.arange(CALIBRATION), tips]
    R = random_rotation(rng, CALIBRATION)
    spot = np.array([0.5, 0.0, -0.4])
    x = spot - np.einsum("nij,nj->ni", R, apply(T_TRACKER_WRIST[s], touching[:, None])[:, 0])
    x += rng.normal(scale=noise, size=x.shape) if noise else 0.0
    T_task = w.T_world_wrist[:, s] @ inverse(T_TRACKER_WRIST[s])
    poses(folder / f"{side}_tracker.csv", t, np.concatenate([make_T(R, x), T_task]))
    names = [f"k{i:02d}_{a}_{unit}" for i in range(25) for a in "xyz"]
    scale = 1000.0 if unit == "mm" else 1.0
    rows = np.c_[t, points.reshape(len(t), 75) * scale]
    table(folder / f"{side}_glove.csv", ["t_s", *names], rows)
    table(folder / f"calibration_touch_{side}.csv", ["t_s", "finger"], np.c_[t[:CALIBRATION], fingers])


def poses(path: Path, t: np.ndarray, T: np.ndarray) -> None:
    table(path, ["t_s", "x_m", "y_m", "z_m", "qw", "qx", "qy", "qz"], np.c_[t, quat_pose(T)])


def table(path: Path, names: list[str], rows: np.ndarray) -> None:
    path.write_text(
        ",".join(names) + "\n" + "\n".join(",".join(repr(float(v)) for v in row) for row in rows) + "\n"
    )


def check(folder: Path, w: World, tolerance: float) -> HumanEpisode:
    (e,) = open_dataset(folder)
    assert isinstance(e, HumanEpisode)
    assert e.fps_hz == 20.0
    assert e.camera is not None
    grid = np.arange(0, len(e.t_ns), 2)  # frames on both grids: every 0.1 s
    truth = np.arange(0, len(w.joints), 3)[: len(grid)]
    grid = grid[: len(truth)]
    hands = e.joints()
    assert hands.valid[grid].all()
    assert error(hands.joints_world[grid], w.joints[truth]) < tolerance
    assert error(e.camera.T_world_camera[grid], w.T_world_camera[truth]) < tolerance
    return e


@pytest.mark.parametrize("unit", ["m", "mm"])
def test_exact_recordings_come_back_exactly(tmp_path: Path, unit: str) -> None:
    w = world()
    e = check(record(tmp_path / "s", w, unit=unit), w, 1e-5)
    assert e.extras["mount_error_m"].max() < 1e-6
    assert e.task == "Stack the cups."


def test_noise_of_two_millimetres_costs_two(tmp_path: Path) -> None:
    w = world()
    e = check(record(tmp_path / "s", w, noise=0.002), w, 0.006)
    assert 0.001 < e.extras["mount_error_m"].max() < 0.006


def test_given_mounts_are_taken(tmp_path: Path) -> None:
    w = world()
    check(record(tmp_path / "s", w, given=True), w, 1e-6)


def test_a_slipped_mount_is_not_believed(tmp_path: Path) -> None:
    w = world()
    with pytest.raises(CalibrationUnsure, match="disagrees"):
        list(open_dataset(record(tmp_path / "s", w, noise=0.03)))


def test_poor_calibrations_are_refused() -> None:
    rng = np.random.default_rng(0)
    one_axis = make_T(so3_exp(np.linspace(0, 1, 10)[:, None] * [0, 0, 1.0]), rng.normal(size=(10, 3)))
    with pytest.raises(CalibrationUnsure, match="one axis"):
        solve_head_camera(one_axis, inverse(one_axis))
    still = np.tile(np.eye(4), (12, 1, 1))
    with pytest.raises(CalibrationUnsure, match="free"):
        solve_hand_mount(still, np.zeros((12, 3)))
    with pytest.raises(CalibrationUnsure, match="touches"):
        solve_hand_mount(still[:3], np.zeros((3, 3)))


def test_a_glove_without_a_unit_is_refused(tmp_path: Path) -> None:
    folder = record(tmp_path / "s", world())
    file = folder / "left_glove.csv"
    head, rest = file.read_text().split("\n", 1)
    file.write_text(head.replace("_m", "") + "\n" + rest)
    with pytest.raises(UnitUnsure, match="name its unit"):
        list(open_dataset(folder))

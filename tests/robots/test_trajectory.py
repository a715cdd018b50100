"""A motion comes back from disk as it was; limits are reported and never quietly mended."""

from __future__ import annotations

import dataclasses
import zipfile

import numpy as np
import pytest

from reenact.errors import RecordError
from reenact.geometry.rotations import random_rotation
from reenact.geometry.transforms import make_T
from reenact.records import load_record, save_record
from reenact.robots.trajectory import (
    JointTrajectory,
    check_limits,
    read_csv_q,
    read_npz,
    write_csv,
    write_npz,
)


@pytest.fixture
def motion(make_robot):
    """A slow swing of every joint about home, with the base moving (t poses)."""
    robot = make_robot("dual_fr3_leap")
    rng, t = np.random.default_rng(0), 40
    room = np.minimum(robot.home_q - robot.lower, robot.upper - robot.home_q)
    phase = np.linspace(0, 2 * np.pi, t)[:, None]
    T = make_T(random_rotation(rng, t), rng.normal(size=(t, 3)))
    return robot, JointTrajectory(
        robot=robot.name,
        sheet_hash=robot.sheet_hash,
        joint_names=robot.joint_names,
        t_ns=(np.arange(t) * 33_366_667).astype(np.int64),
        q=robot.home_q + 0.15 * room * np.sin(phase + rng.uniform(0, 6, robot.n_q)),
        T_world_base=T,
        world_frame="world",
        T_world_wrist_target=make_T(random_rotation(rng, (t, 2)), rng.normal(size=(t, 2, 3))),
        valid=rng.uniform(size=(t, 2)) > 0.3,
        confidence=rng.uniform(size=(t, 2)),
        source=rng.integers(0, 6, (t, 2)).astype(np.uint8),
    )


def same(one, other):
    for name in (field.name for field in dataclasses.fields(one)):
        a, b = getattr(one, name), getattr(other, name)
        assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b, name
        assert type(a) is type(b)


def test_npz_and_record_files_come_back_identical(motion, tmp_path):
    _, trajectory = motion
    write_npz(trajectory, tmp_path / "motion.npz")
    same(trajectory, read_npz(tmp_path / "motion.npz"))
    save_record(trajectory, tmp_path, "motion")
    same(trajectory, load_record(JointTrajectory, tmp_path, "motion"))


def test_npz_holds_no_object_arrays(motion, tmp_path):
    _, trajectory = motion
    write_npz(trajectory, tmp_path / "motion.npz")
    with np.load(tmp_path / "motion.npz", allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file.files} <= set("iufbU")
    with zipfile.ZipFile(tmp_path / "motion.npz") as file:
        assert all(b"|O" not in file.read(name)[:200] for name in file.namelist())


def test_csv_keeps_every_digit_and_names_every_column(motion, tmp_path):
    robot, trajectory = motion
    write_csv(trajectory, tmp_path / "motion.csv")
    t_ns, names, q = read_csv_q(tmp_path / "motion.csv")
    assert names == robot.joint_names
    assert np.array_equal(t_ns, trajectory.t_ns)
    assert np.array_equal(q, trajectory.q)
    header = (tmp_path / "motion.csv").read_text().splitlines()[0].split(",")
    assert header[:8] == ["t_ns", "base_x", "base_y", "base_z", "base_qw", "base_qx", "base_qy", "base_qz"]


def test_a_motion_within_the_limits_is_ok(motion):
    robot, trajectory = motion
    report = check_limits(trajectory, robot)
    assert report.ok
    assert report.worst_excess == 0
    assert 0 < report.worst_speed_ratio < 1


def test_leaving_a_limit_is_flagged_and_kept(motion):
    robot, trajectory = motion
    q = trajectory.q.copy()
    q[7, 3] = robot.upper[3] + 0.05
    out = dataclasses.replace(trajectory, q=q)
    report = check_limits(out, robot)
    assert out.q[7, 3] == robot.upper[3] + 0.05
    assert np.argwhere(report.outside).tolist() == [[7, 3]]
    assert report.worst_excess == pytest.approx(0.05)
    assert not report.ok


def test_speed_is_measured_against_the_time_stamps(motion):
    robot, trajectory = motion
    q = np.tile(robot.home_q, (3, 1))
    q[1:, 0] += 0.99 * robot.velocity_limits[0] * 0.1
    q[2:, 0] += 1.01 * robot.velocity_limits[0] * 0.2
    t_ns = np.array([0, 100_000_000, 300_000_000], np.int64)
    short = {name: getattr(trajectory, name)[:3] for name in
             ("T_world_base", "T_world_wrist_target", "valid", "confidence", "source")}  # fmt: skip
    report = check_limits(dataclasses.replace(trajectory, t_ns=t_ns, q=q, **short), robot)
    assert np.argwhere(report.too_fast).tolist() == [[1, 0]]
    assert report.worst_speed_ratio == pytest.approx(1.01)


BROKEN = {
    "names": ({"joint_names": ("a",)}, "joint_names has 1 names"),
    "time": ({"t_ns": np.zeros(40, np.int64)}, "t_ns does not rise strictly"),
    "base": ({"T_world_base": np.tile(np.eye(4), (7, 1, 1))}, "T_world_base has 7 poses"),
    "rigid": ({"T_world_base": 2 * np.eye(4)[None]}, "T_world_base is not orthonormal"),
    "sure": ({"confidence": np.full((40, 2), 1.5)}, "confidence leaves 0..1"),
    "shape": ({"valid": np.ones((40, 3), bool)}, "valid has dtype bool and shape"),
    "nan": ({"q": np.full((40, 46), np.nan)}, "q is nan at index"),
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.usefixtures("unchecked")
def test_a_trajectory_that_may_not_exist_is_refused(motion, case):
    _, trajectory = motion
    change, message = BROKEN[case]
    with pytest.raises(RecordError, match=message):
        dataclasses.replace(trajectory, **change)


def test_one_base_pose_stands_for_the_clip(motion):
    _, trajectory = motion
    assert trajectory.base_moves
    assert not dataclasses.replace(trajectory, T_world_base=np.eye(4)[None]).base_moves


def test_another_robot_or_a_changed_sheet_is_noticed(motion, make_robot):
    _, trajectory = motion
    with pytest.raises(RecordError, match="is for 'dual_fr3_leap' and does not fit 'unitree_g1_dex3'"):
        trajectory.for_robot(make_robot("unitree_g1_dex3"))
    with pytest.raises(RecordError, match="has changed since"):
        dataclasses.replace(trajectory, sheet_hash="0").for_robot(make_robot("dual_fr3_leap"))


def test_a_strange_file_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(RecordError, match="holds no record version -1"):
        read_npz(tmp_path / "other.npz")
    with pytest.raises(RecordError, match="is not a trajectory file"):
        read_npz(tmp_path / "text.npz")

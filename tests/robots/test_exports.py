"""Files for other programs: read back by their own readers, with the limits told in every one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reenact.robots.accelerations import acceleration_limits
from reenact.robots.limit_facts import joint_velocities, limit_facts
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from reenact.robots.ros2 import write_ros2_yaml
from reenact.robots.trajectory import JointTrajectory, read_npz, write_npz


@pytest.fixture(scope="module")
def fr3() -> Robot:
    return load_robot("dual_fr3_gripper")


def wave(robot: Robot, hz: float, frames: int = 40, fps_hz: float = 20.0) -> JointTrajectory:
    """One arm joint swings by 0.3 rad; time does not begin at zero."""
    t_ns = 5_000_000_123 + np.rint(np.arange(frames) * 1e9 / fps_hz).astype(np.int64)
    q = np.tile(robot.home_q, (frames, 1))
    q[:, robot.arms["left"].joint_idx[0]] += 0.3 * np.sin(2 * np.pi * hz * np.arange(frames) / fps_hz)
    eye = np.tile(np.eye(4), (frames, 2, 1, 1))
    none = np.zeros((frames, 2))
    return JointTrajectory(
        robot=robot.name, sheet_hash=robot.sheet_hash, joint_names=robot.joint_names, t_ns=t_ns, q=q,
        T_world_base=np.eye(4)[None], world_frame="world", T_world_wrist_target=eye, valid=none > 0,
        confidence=none, source=none.astype(np.uint8),
    )  # fmt: skip


def test_yaml_comes_back_number_by_number(fr3: Robot, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    motion = wave(fr3, 0.4)
    write_ros2_yaml(motion, tmp_path / "motion.yaml", limit_facts(motion, fr3))
    message = yaml.safe_load((tmp_path / "motion.yaml").read_text())
    assert tuple(message["joint_names"]) == fr3.joint_names
    np.testing.assert_array_equal([p["positions"] for p in message["points"]], motion.q)
    np.testing.assert_array_equal([p["velocities"] for p in message["points"]], joint_velocities(motion))
    since = [p["time_from_start"]["sec"] * 10**9 + p["time_from_start"]["nanosec"] for p in message["points"]]
    np.testing.assert_array_equal(since, motion.t_ns - motion.t_ns[0])
    assert all(isinstance(v, float) for p in message["points"] for v in p["accelerations"])


@pytest.mark.parametrize(("hz", "kept"), [(0.4, True), (2.0, False)])
def test_limits_are_told_with_the_joint_and_by_how_much(
    fr3: Robot, tmp_path: Path, hz: float, kept: bool
) -> None:
    motion = wave(fr3, hz)
    facts = limit_facts(motion, fr3)
    assert facts.kept is kept
    j = fr3.arms["left"].joint_idx[0]
    speed = np.abs(np.diff(motion.q[:, j])).max() * 20
    assert facts.velocity_ratio == pytest.approx(speed / fr3.velocity_limits[j])
    bend = np.abs(np.diff(motion.q[:, j], 2)).max() * 400
    assert facts.acceleration_ratio == pytest.approx(bend / acceleration_limits(fr3)[j], rel=1e-6)
    assert facts.acceleration_joint == fr3.joint_names[j]
    write_ros2_yaml(motion, tmp_path / "motion.yaml", facts)
    head = (tmp_path / "motion.yaml").read_text()[:1500]
    assert ("acceleration limit exceeded" in head) is not kept
    write_npz(motion, tmp_path / "motion.npz", {"acceleration_ratio": facts.acceleration_ratio})
    with np.load(tmp_path / "motion.npz", allow_pickle=False) as file:
        assert float(file["note_acceleration_ratio"]) == facts.acceleration_ratio
    np.testing.assert_array_equal(read_npz(tmp_path / "motion.npz").q, motion.q)


def test_what_no_maker_states_is_unknown_not_kept(tmp_path: Path) -> None:
    g1 = load_robot("unitree_g1_dex3")
    facts = limit_facts(wave(g1, 0.4), g1)
    assert facts.acceleration_ratio is None
    assert any("acceleration limits unknown" in s for s in facts.sentences())


def test_mcap_is_read_back_by_its_own_reader(fr3: Robot, tmp_path: Path) -> None:
    reader = pytest.importorskip("mcap_ros2.reader")
    from reenact.robots.mcap_file import write_mcap

    motion = wave(fr3, 2.0)
    write_mcap(motion, tmp_path / "motion.mcap", limit_facts(motion, fr3))
    seen = list(reader.read_ros2_messages(tmp_path / "motion.mcap"))
    states = [m for m in seen if m.channel.topic == "/joint_states"]
    np.testing.assert_array_equal([m.ros_msg.position for m in states], motion.q)
    np.testing.assert_array_equal([m.log_time_ns for m in states], motion.t_ns)
    (whole,) = [m.ros_msg for m in seen if m.channel.topic == "/joint_trajectory"]
    np.testing.assert_array_equal([p.positions for p in whole.points], motion.q)
    assert tuple(whole.joint_names) == fr3.joint_names
    (notes,) = [m.ros_msg.data for m in seen if m.channel.topic == "/notes"]
    assert "acceleration limit exceeded" in notes

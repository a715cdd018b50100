"""From hand tracks to a joint trajectory: reach, limits, gaps, time, honesty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.hands.joints import SIDES
from reenact.quality.retarget import measure_retarget
from reenact.retarget.arms import ArmConfig
from reenact.retarget.retarget import BadRoot, RetargetConfig, RetargetResult, retarget
from reenact.retarget.root.contract import NoHandToFollow
from reenact.retarget.root.search import SearchConfig
from reenact.retarget.targets import BadTargets
from reenact.robots.model import Robot
from reenact.robots.trajectory import check_limits
from reenact.scene import Source
from tests.retarget.motions import hands_at, own_motion, times, yaw

PLACE = yaw(0.8, 1.0, 2.0, 0.5)
"""Where the robots stand in these clips."""


def follow(robot: Robot, clip_fps_hz: float = 30.0, seconds: float = 3.0, **changes) -> RetargetResult:
    """A motion of the robot's own, followed from the place where it was made."""
    t_ns = times(round(seconds * clip_fps_hz), clip_fps_hz)
    tracks = hands_at(PLACE @ own_motion(robot, t_ns, seed=3))
    return retarget(tracks, t_ns, robot, RetargetConfig(**changes), T_world_base=PLACE)


@pytest.fixture(scope="module", params=["g1", "fr3"])
def robot(request: pytest.FixtureRequest) -> Robot:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def followed(robot: Robot) -> RetargetResult:
    return follow(robot)


def test_a_motion_of_the_robot_itself_is_repeated(robot: Robot, followed: RetargetResult) -> None:
    quality = measure_retarget(followed.trajectory, robot)
    assert quality.ik_rate is not None
    assert quality.ik_rate >= 0.98
    assert quality.position_error_cm is not None
    assert quality.position_error_cm < 0.5
    assert quality.collision_frames == 0
    assert sum(sum(m.values()) for m in followed.report.misses.values()) <= 0.02 * quality.frames * 2


def test_joint_and_speed_limits_hold(robot: Robot, followed: RetargetResult) -> None:
    q = followed.trajectory.q
    assert (q >= robot.lower).all()
    assert (q <= robot.upper).all()
    limits = check_limits(followed.trajectory, robot)
    assert limits.ok
    assert followed.report.peak_speed_ratio == limits.worst_speed_ratio <= 1.0 + 1e-6


def test_speed_limits_may_be_waived_and_the_report_then_says_by_how_much(fr3: Robot) -> None:
    t_ns = times(30, 60.0)  # the same motion four times as fast
    tracks = hands_at(PLACE @ own_motion(fr3, times(30, 15.0), seed=3))
    kept = retarget(tracks, t_ns, fr3, T_world_base=PLACE)
    waived = retarget(
        tracks, t_ns, fr3, RetargetConfig(arms=ArmConfig(keep_speed_limits=False)), T_world_base=PLACE
    )
    assert check_limits(kept.trajectory, fr3).ok
    assert sum(m.get("speed limit", 0) for m in kept.report.misses.values()) > 5
    assert waived.root.score.ik_rate > kept.root.score.ik_rate + 0.1
    assert waived.report.peak_speed_ratio > 1.2
    assert any("times its speed limit" in note for note in waived.report.notes)


def test_score_and_measures_agree_on_the_final_trajectory(robot: Robot, followed: RetargetResult) -> None:
    quality, score = measure_retarget(followed.trajectory, robot), followed.root.score
    assert score.ik_rate == pytest.approx(quality.ik_rate, abs=1e-9)
    assert 100 * score.position_error == pytest.approx(quality.position_error_cm, abs=1e-6)
    assert np.degrees(score.rotation_error) == pytest.approx(quality.orientation_error_deg, abs=1e-6)
    assert score.limit_margin == pytest.approx(quality.joint_limit_margin_rad, abs=1e-9)
    assert score.manipulability == pytest.approx(quality.manipulability, rel=1e-6)
    assert score.roughness == pytest.approx(quality.roughness_rad2, rel=1e-9)


@pytest.mark.parametrize("fps_hz", [15, 20, 30, 60])
def test_nothing_is_shifted_in_time(g1: Robot, fps_hz: int) -> None:
    trajectory = follow(g1, float(fps_hz), 2.0).trajectory
    T = trajectory.T_world_base @ np.stack([g1.T_base_wrist(trajectory.q, s) for s in SIDES], axis=1)
    shift = time_shift(
        trajectory.T_world_wrist_target[:, :, :3, 3], T[:, :, :3, 3], trajectory.t_ns * 1e-9, max_shift_s=0.3
    )
    assert abs(shift) * fps_hz < 0.1


def test_the_robot_may_have_its_own_time_grid(g1: Robot) -> None:
    slow, fast = follow(g1, 20.0, 1.5, fps_hz=50.0).trajectory, follow(g1, 50.0, 1.5).trajectory
    assert np.allclose(np.diff(slow.t_ns), 20_000_000)
    both = min(len(slow.t_ns), len(fast.t_ns))
    wrist = [g1.T_base_wrist(t.q[:both], "left")[:, :3, 3] for t in (slow, fast)]
    assert np.linalg.norm(wrist[0] - wrist[1], axis=1).mean() < 0.004


def test_the_whole_way_with_a_searched_root(g1: Robot) -> None:
    t_ns = times(30, 15.0)
    tracks = hands_at(yaw(-1.9, 5.0, -3.0, 1.0) @ own_motion(g1, t_ns, seed=8))
    coarse = RetargetConfig(
        search=SearchConfig(places=100, keep_grid=75, keep_ik=8, keep_second=4, keep_polished=1)
    )
    result = retarget(tracks, t_ns, g1, coarse)
    assert result.root.score.ik_rate >= 0.98
    assert result.root.score.collision_rate == 0.0
    assert result.trajectory.valid.all()
    again = retarget(tracks, t_ns, g1, coarse)  # the same request gives the same root and the same motion
    np.testing.assert_array_equal(result.root.T_world_base, again.root.T_world_base)
    assert result.root.score == again.root.score
    np.testing.assert_array_equal(result.trajectory.q, again.trajectory.q)
    assert result.report == again.report


def test_a_one_handed_clip_leaves_the_other_arm_at_home(g1: Robot) -> None:
    t_ns = times(60)
    valid = np.zeros((60, 2), bool)
    valid[:, 1] = True
    motion = own_motion(g1, t_ns, seed=5, sides=("right",))
    result = retarget(hands_at(PLACE @ motion, valid), t_ns, g1, T_world_base=PLACE)
    trajectory = result.trajectory
    assert not trajectory.valid[:, 0].any()
    assert (trajectory.source[:, 0] == Source.UNKNOWN).all()
    left = [*g1.arms["left"].joint_idx, *g1.hands["left"].joint_idx]
    np.testing.assert_array_equal(trajectory.q[:, left], np.tile(g1.home_q[left], (60, 1)))
    assert result.report.sides == ("right",)
    assert any("left hand: never followed" in note for note in result.report.notes)
    assert measure_retarget(trajectory, g1).ik_rate == pytest.approx(1.0, abs=0.02)


def test_frames_without_a_hand_are_flagged_and_the_arm_does_not_flail(g1: Robot) -> None:
    t_ns = times(120)
    motion = own_motion(g1, t_ns, seed=3)
    valid = np.ones((120, 2), bool)
    valid[:15, 0] = False
    valid[50:80, 0] = False
    valid[100:, 1] = False
    result = retarget(hands_at(PLACE @ motion, valid), t_ns, g1, T_world_base=PLACE)
    trajectory = result.trajectory
    np.testing.assert_array_equal(trajectory.valid, valid)
    assert (trajectory.source[~valid] == Source.UNKNOWN).all()
    assert (trajectory.confidence[~valid] == 0).all()
    speed = np.abs(np.diff(trajectory.q, axis=0)) * 30
    left, right = g1.arms["left"].joint_idx, g1.arms["right"].joint_idx
    quick = np.quantile(speed[80:, left], 0.99)
    assert speed[50:80][:, left].max() < 1.5 * quick + 0.5  # bridged, no faster than it moves anyway
    assert speed[:8][:, left].max() < 0.2  # waits before the first sight
    assert speed[112:][:, right].max() < 0.2  # and after the last
    assert any("no target in 45 of 120 frames" in note for note in result.report.notes)


def test_noise_is_smoothed_away_rather_than_copied(g1: Robot) -> None:
    t_ns = times(90)
    clean = PLACE @ own_motion(g1, t_ns, seed=3)
    noisy = clean.copy()
    noisy[..., :3, 3] += np.random.default_rng(0).normal(size=(90, 2, 3)) * 0.005
    result = retarget(hands_at(noisy), t_ns, g1, T_world_base=PLACE)
    T = result.trajectory.T_world_base @ np.stack(
        [g1.T_base_wrist(result.trajectory.q, s) for s in SIDES], axis=1
    )
    error = np.linalg.norm(T[..., :3, 3] - clean[..., :3, 3], axis=-1).mean()
    added = np.linalg.norm(noisy[..., :3, 3] - clean[..., :3, 3], axis=-1).mean()
    assert error < 0.65 * added


def test_mink_follows_too_and_is_the_reference(g1: Robot) -> None:
    reference = measure_retarget(follow(g1, method="mink").trajectory, g1)
    assert reference.ik_rate is not None
    assert reference.ik_rate > 0.8
    assert reference.limit_violation_rad == 0.0


def test_filled_frames_stay_marked(g1: Robot) -> None:
    t_ns = times(45)
    tracks = hands_at(PLACE @ own_motion(g1, t_ns, seed=3))
    source = tracks.source.copy()
    source[20:25, 1] = Source.FILLED
    result = retarget(replace(tracks, source=source), t_ns, g1, T_world_base=PLACE)
    assert (result.trajectory.source[20:25, 1] == Source.FILLED).all()
    assert result.trajectory.valid.all()
    assert result.report.filled_frames == (0, 5)


def test_wrong_input_gets_a_named_error(g1: Robot) -> None:
    t_ns = times(10)
    tracks = hands_at(np.broadcast_to(np.eye(4), (10, 2, 4, 4)))
    with pytest.raises(BadTargets, match="9 instants for 10 frames"):
        retarget(tracks, t_ns[:-1], g1)
    with pytest.raises(BadRoot, match="no rigid transform"):
        retarget(tracks, t_ns, g1, T_world_base=2 * np.eye(4))
    valid = np.zeros((10, 2), bool)
    valid[:2] = True  # two frames are too few to follow
    with pytest.raises(NoHandToFollow):
        retarget(hands_at(np.broadcast_to(np.eye(4), (10, 2, 4, 4)), valid), t_ns, g1)


def test_a_hand_seen_in_three_frames_is_followed_there(g1: Robot) -> None:
    t_ns = times(30)
    valid = np.zeros((30, 2), bool)
    valid[10:13, 0] = True
    motion = own_motion(g1, t_ns, seed=3)
    small = RetargetConfig(
        search=SearchConfig(places=100, keep_grid=75, keep_ik=8, keep_second=4, keep_polished=1)
    )
    result = retarget(hands_at(PLACE @ motion, valid), t_ns, g1, small)
    assert result.report.target_frames == (3, 0)
    assert result.root.score.ik_rate == 1.0

from __future__ import annotations

import numpy as np
import pytest

from reenact.hands.joints import wrist_frame
from reenact.hands.skeleton import HandSkeleton
from reenact.toy.activities.catalogue import ACTIVITIES, write_script
from reenact.toy.arms import FOREARM, UPPER_ARM, solve_arms
from reenact.toy.config import ToyConfig, ToyConfigError
from reenact.toy.person import CHEST, forearm_turns
from reenact.toy.rehearse import collisions, penetrations
from reenact.toy.script import perform
from reenact.toy.wrists import wrist_rotation


def test_wrist_rotation_is_the_frame_of_such_a_hand():
    for side in (0, 1):
        R = wrist_rotation(side, (0.3, 1.0, -0.2), (0.1, 0.2, 1.0))
        joints = HandSkeleton.adult(side).rest_joints_wrist @ R.T
        np.testing.assert_allclose(wrist_frame(joints, side), R, atol=1e-9)


def test_arms_keep_their_lengths_and_hands_their_wrists():
    rng = np.random.default_rng(0)
    wrists = CHEST + np.array([[[-0.2, 0.3, -0.3], [0.2, 0.3, -0.3]]]) + rng.uniform(-0.08, 0.08, (50, 2, 3))
    arms = solve_arms(wrists, CHEST)
    np.testing.assert_allclose(np.linalg.norm(arms.elbows - arms.shoulders, axis=-1), UPPER_ARM, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(arms.wrists - arms.elbows, axis=-1), FOREARM, atol=1e-9)
    assert (arms.elbows[..., 2] < arms.shoulders[..., 2]).all()
    T = np.tile(np.eye(4), (50, 2, 1, 1))
    T[..., :3, 3] = wrists
    turn = forearm_turns(arms, T)
    ahead = np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    forearm = np.einsum("tsij,sj->tsi", turn, ahead)
    np.testing.assert_allclose(forearm * FOREARM, arms.wrists - arms.elbows, atol=1e-9)


def test_a_script_is_plausible_with_all_skin_and_at_frame_rate():
    script = write_script(ToyConfig(activity="wipe", seed=1))
    t = np.arange(0, script.duration, 1 / 30)
    played = perform(script, t)
    speed = np.linalg.norm(np.diff(played.T_world_wrist[..., :3, 3], axis=0), axis=-1).max() * 30
    assert 0.3 < speed < 0.85
    for side in (0, 1):
        for thing, depth in penetrations(script, played, side, 0.189, cell=0.0).items():
            assert depth.max() < 0.003, thing
    assert collisions(script, played, t) == []


def test_wrong_configs_say_what_would_be_right():
    with pytest.raises(ToyConfigError, match=r"view is 'side'.*exo, shoulder, ego"):
        ToyConfig(view="side")
    with pytest.raises(ToyConfigError, match="width_px is 161"):
        ToyConfig(width_px=161)
    with pytest.raises(ToyConfigError, match=r"unknown toy activity 'juggle'.*pick_place"):
        write_script(ToyConfig(activity="juggle"))
    with pytest.raises(ToyConfigError, match="needs both"):
        write_script(ToyConfig(activity="handover", hands="right"))


def test_the_activities_issue_four_asks_for_are_there():
    wanted = {"pick_place", "pour", "push", "two_hand_lift", "handover", "cut", "wipe", "strike"}
    assert wanted <= set(ACTIVITIES)


@pytest.mark.parametrize(("activity", "clip"), [("pick_place", 3), ("two_hand_lift", 100)])
def test_held_means_the_same_for_one_hand_and_for_two(activity, clip):
    """From the last part's arrival to the first one's leaving: hands rest just inside a hold, not just outside."""
    script = write_script(ToyConfig(activity=activity, seed=clip))
    sides = [hold.side for hold in script.holds]
    assert len({(hold.begin, hold.end) for hold in script.holds}) == 1
    begin, end = script.holds[0].begin, script.holds[0].end

    def motion(a: float, b: float) -> float:
        played = perform(script, np.array([a, b]))
        T, angles = played.T_world_wrist[:, sides], played.angles[:, sides]
        return max(np.abs(np.diff(T, axis=0)).max(), np.abs(np.diff(angles, axis=0)).max())

    inside = max(motion(begin + 0.002, begin + 0.03), motion(end - 0.03, end - 0.002))
    outside = min(motion(begin - 0.15, begin), motion(end, end + 0.15))
    assert inside < 1e-6
    assert outside > 0.002

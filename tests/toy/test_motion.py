from __future__ import annotations

import numpy as np

from reenact.geometry.transforms import inverse, is_transform, make_T
from reenact.toy.hand_plan import HandPlan
from reenact.toy.motion import Bend, HandPart, Phase, min_jerk, play_fingers, play_wrist
from reenact.toy.postures import FLAT, WRAP
from reenact.toy.props import MAKERS
from reenact.toy.script import Hold, Script, perform
from reenact.toy.wrists import wrist_rotation

START = make_T(np.eye(3), np.array([0.2, -0.2, 0.8]))
GOAL = make_T(wrist_rotation(1, (0.2, 1, 0), (0, 0, 1)), np.array([0.0, 0.0, 0.9]))


def test_min_jerk_is_smooth_at_both_ends_and_monotone():
    u = np.linspace(-0.2, 1.2, 2001)
    s = min_jerk(u)
    assert s[0] == 0
    assert s[-1] == 1
    assert (np.diff(s) >= 0).all()
    np.testing.assert_allclose(np.gradient(s, u).max(), 1.875, atol=1e-3)


def test_a_move_starts_and_ends_exactly_and_at_rest():
    part = HandPart(1, START, FLAT, (Phase("go", 1.0, GOAL, leave=np.array([0, 0, 0.1])),))
    t = np.linspace(0, 1.2, 1201)
    T = play_wrist(part, t)
    assert is_transform(T, 1e-9).all()
    np.testing.assert_array_equal(T[0], START)
    np.testing.assert_array_equal(T[-1], GOAL)
    speed = np.linalg.norm(np.gradient(T[:, :3, 3], t, axis=0), axis=1)
    assert speed[0] < 1e-3
    assert speed[1000:].max() < 1e-3


def test_a_planned_move_has_the_speed_asked_for():
    plan = HandPlan(1, START.copy(), FLAT.copy())
    plan.move("go", GOAL, 0.5, leave=(0, 0, 0.1), arrive=(0.05, 0, 0.02))
    t = np.linspace(0, plan.now, 2000)
    path = play_wrist(plan.part(), t)[:, :3, 3]
    top = np.linalg.norm(np.gradient(path, t, axis=0), axis=1).max()
    np.testing.assert_allclose(top, 0.5, rtol=0.02)


def test_fingers_follow_their_keys():
    part = HandPart(
        1, START, FLAT, (Phase("a", 1.0, bends=(Bend(WRAP, 0.0, 0.5),)), Phase("b", 1.0, bends=(Bend(FLAT),)))
    )
    angles = play_fingers(part, np.array([0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(angles, [FLAT, WRAP, WRAP, FLAT], atol=1e-12)


def test_a_held_object_is_rigid_in_the_hand_and_stays_where_it_was_left():
    prop = MAKERS["can"](np.random.default_rng(0))
    part = HandPart(
        1,
        START,
        FLAT,
        (Phase("wait", 0.5), Phase("go", 1.0, GOAL), Phase("wait", 0.5), Phase("home", 1.0, START)),
    )
    there = make_T(np.eye(3), np.array([0.25, -0.1, 0.8]))
    script = Script("test", (prop,), there[None], (None, part), (Hold(0, 1, 0.5, 1.75),), 3)
    t = np.linspace(0, 2.9, 300)
    played = perform(script, t)
    held = (t >= 0.5) & (t < 1.75)
    relative = inverse(played.T_world_wrist[held, 1]) @ played.T_world_object[held, 0]
    assert np.abs(relative - relative[0]).max() < 1e-9
    assert np.ptp(played.T_world_object[t >= 1.75, 0], axis=0).max() == 0
    assert np.linalg.norm(np.diff(played.T_world_object[:, 0, :3, 3], axis=0), axis=-1).max() < 0.01

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import random_rotation, so3_exp
from reenact.geometry.transforms import make_T
from reenact.quality.objects.labels import confusion, f1_per_state, precision_recall, ratios, state_f1
from reenact.quality.objects.pictures import score_pictures, surface_points
from reenact.quality.objects.poses import (
    add_s,
    add_s_auc,
    aligned_at_start,
    jumps,
    stability,
    turn_errors,
)
from reenact.scene import InteractionState
from tests.refine.interaction.played import FACES, corners

EVERY = np.ones(6, bool)


def track() -> np.ndarray:
    rng = np.random.default_rng(0)
    return make_T(random_rotation(rng, 6), rng.uniform(-0.2, 0.2, (6, 3)))


def test_a_track_that_is_moved_as_a_whole_scores_full_marks_after_alignment():
    true = track()
    turn = so3_exp(np.array([0.4, -0.2, 0.1]))
    moved = true.copy()
    moved[:, :3, :3] = turn @ true[:, :3, :3]
    moved[:, :3, 3] = true[:, :3, 3] @ turn.T + [0.3, 0.1, -0.2]
    back = aligned_at_start(moved, true, EVERY)
    np.testing.assert_allclose(back, true, atol=1e-12)
    assert stability(back, true, EVERY).mean() == pytest.approx(1.0, abs=1e-5)
    assert add_s_auc(add_s(back, true, corners()), EVERY) == pytest.approx(1.0)


def test_stability_follows_the_published_exponentials():
    true = np.tile(np.eye(4), (2, 1, 1))
    T = true.copy()
    T[1, 0, 3] = 0.01
    T[1, :3, :3] = so3_exp(np.array([0.0, 0.1, 0.0]))
    assert stability(T, true, np.ones(2, bool))[0] == pytest.approx(np.exp(-1))


def test_add_s_of_a_shift_and_its_area():
    true = np.tile(np.eye(4), (3, 1, 1))
    T = true.copy()
    T[:, 0, 3] = 0.004  # less than half the distance of neighbouring corners: each stays nearest to itself
    distance = add_s(T, true, corners())
    np.testing.assert_allclose(distance, 0.004)
    assert add_s_auc(distance, np.ones(3, bool)) == pytest.approx(0.96)
    assert add_s_auc(distance, np.array([True, False, False])) == pytest.approx(0.32)


def test_turns_about_a_symmetry_axis_are_no_errors():
    true = track()
    T = true.copy()
    T[:, :3, :3] = true[:, :3, :3] @ so3_exp(np.array([0, 0, 1.0]))
    np.testing.assert_allclose(turn_errors(T, true), 1.0, atol=1e-9)
    np.testing.assert_allclose(turn_errors(T, true, np.array([0, 0, 1.0])), 0.0, atol=1e-7)


def test_pictures_fail_where_the_pose_is_elsewhere_or_absent():
    camera = PinholeCamera(100.0, 100.0, 79.5, 59.5, 160, 120)
    true = np.tile(np.eye(4), (4, 1, 1))
    true[:, 2, 3] = 0.5
    T = true.copy()
    T[1, 0, 3] += 0.2  # beside
    T[2, 2, 3] += 0.05  # behind: overlaps, depth disagrees
    valid = np.array([True, True, True, False])
    eye = np.tile(np.eye(4), (4, 1, 1))
    scores = score_pictures(T, true, valid, surface_points(corners(), FACES, 3000), camera, eye)
    assert scores.shown.all()
    assert scores.overlap[0] == 1.0
    assert scores.overlap[1] == 0.0
    assert scores.overlap[2] > 0.5
    np.testing.assert_allclose(scores.agreement[[0, 1, 3]], [1.0, 0.0, 0.0])
    assert scores.agreement[2] < 0.2
    assert scores.failure_rate() == 0.5


def test_what_stands_before_the_object_hides_it():
    camera = PinholeCamera(100.0, 100.0, 79.5, 59.5, 160, 120)
    true = np.tile(np.eye(4), (3, 1, 1))
    true[:, 2, 3] = 0.5
    points, eye, valid = (
        surface_points(corners(), FACES, 3000),
        np.tile(np.eye(4), (3, 1, 1)),
        np.ones(3, bool),
    )
    u, v = np.meshgrid(np.linspace(-0.04, 0.0, 60), np.linspace(-0.04, 0.04, 60))
    left_half = np.stack([u.ravel(), v.ravel(), np.full(u.size, 0.3)], axis=1)
    behind, nothing = left_half + [0, 0, 0.4], np.zeros((0, 3))
    everything = np.concatenate([left_half, left_half * [-1, 1, 1]])
    T = true.copy()
    T[:, 2, 3] += np.array([0.0, 0.0, 0.05])
    scores = score_pictures(T, true, valid, points, camera, eye, [left_half, behind, nothing])
    assert scores.shown.all()
    np.testing.assert_allclose(scores.agreement[:2], 1.0)
    np.testing.assert_allclose(scores.overlap[:2], 1.0)
    assert scores.agreement[2] < 0.2
    hidden = score_pictures(T, true, valid, points, camera, eye, [everything, nothing, nothing])
    assert hidden.shown.tolist() == [False, True, True]
    beside = true.copy()
    beside[:, 0, 3] = -0.12  # in the open, far from the hidden half
    off = score_pictures(beside, true, valid, points, camera, eye, [left_half, nothing, nothing])
    assert off.overlap[0] == 0.0


def test_unknown_is_a_miss_and_never_a_hit():
    true = np.array([1, 1, 4, 4, 4, 4], np.uint8)
    said = np.array([1, 0, 4, 4, 0, 1], np.uint8)
    counts = confusion(said, true)
    f1 = f1_per_state(counts)
    assert f1[InteractionState.STATIC] == pytest.approx(2 * 1 / (2 + 2))
    assert f1[InteractionState.GRASPED_RIGHT] == pytest.approx(2 * 2 / (4 + 2))
    assert state_f1(counts) == pytest.approx(np.mean([0.5, 2 / 3]))


def test_precision_and_recall_count_only_what_is_known():
    said, true = np.array([1, 1, 0, 1], bool), np.array([1, 0, 1, 1], bool)
    valid = np.array([1, 1, 1, 0], bool)
    assert ratios([precision_recall(said, true, valid)]) == (0.5, 0.5)


def test_a_jump_is_what_the_step_has_too_much_near_a_change():
    true = np.tile(np.eye(4), (6, 1, 1))
    true[:, 0, 3] = 0.1 * np.arange(6)
    T = true.copy()
    T[3:, 1, 3] += 0.02
    changes = np.array([False, False, True, False, False])
    assert jumps(T, true, EVERY, changes).max() == pytest.approx(0.02)
    assert jumps(T, true, EVERY, np.array([True, False, False, False, False])).max() == pytest.approx(0.0)

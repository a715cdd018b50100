"""Several fits per frame: flips of the net are undone, true turns are left alone, the path is the cheapest."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from reenact.geometry.rotations import rotation_angle, so3_exp
from reenact.hands.joints import wrist_frame
from reenact.refine.hands import reconstruct_hands
from reenact.refine.hands.path import Moves, PathConfig, cheapest_path
from reenact.refine.hands.pose import REVERSED
from reenact.scene import HandLandmarks, Source

from .synthetic_hands import camera_track, landmarks_of, moving_hand, times_ns

SIDE = 1


def edited(marks: HandLandmarks, px: np.ndarray, rel: np.ndarray) -> HandLandmarks:
    """The same landmarks with the right hand's replaced."""
    slots_px, slots_rel = marks.landmarks_px.copy(), marks.landmarks_rel.copy()
    slots_px[:, SIDE], slots_rel[:, SIDE] = px, rel
    return dataclasses.replace(marks, landmarks_px=slots_px, landmarks_rel=slots_rel)


def wrist_error_deg(tracks, truth: np.ndarray) -> np.ndarray:
    found, true = wrist_frame(tracks.joints_world[:, SIDE], SIDE), wrist_frame(truth, SIDE)
    return np.rad2deg(rotation_angle(found, true))


def misread(truth: np.ndarray, wrong: slice, seed: int = 0) -> HandLandmarks:
    """The net takes the hand for the other one: fingers named from the wrong edge, thumb anywhere near them."""
    marks = landmarks_of(truth, noise_box=0.008, turn_rad=0.25, seed=seed)
    px, rel = marks.landmarks_px[:, SIDE].copy(), marks.landmarks_rel[:, SIDE].copy()
    rng = np.random.default_rng(seed)
    px[wrong], rel[wrong] = px[wrong][:, REVERSED], rel[wrong][:, REVERSED]
    fingers = px[wrong][:, [20, 19, 18, 17]]
    px[wrong, 1:5] = fingers + 0.1 * np.ptp(fingers, axis=(1, 2))[:, None, None] * rng.normal(
        size=fingers.shape
    )
    return edited(marks, px, rel)


def turned_over(t_ns: np.ndarray, start_s: float, seconds: float) -> np.ndarray:
    """A hand that turns over by 170 degrees about its own length, fast, then stays so."""
    joints = moving_hand(np.zeros_like(t_ns))
    u = np.clip((t_ns * 1e-9 - start_s) / seconds, 0, 1)
    u = u**3 * (10 - 15 * u + 6 * u * u)
    axis = wrist_frame(joints[:1], SIDE)[0, :, 0]
    turn = so3_exp(np.deg2rad(170) * u[:, None] * axis)
    wrist = joints[:, :1]
    return (joints - wrist) @ np.swapaxes(turn, 1, 2) + wrist


@pytest.mark.parametrize("wrong", [slice(20, 28), slice(40, 60), slice(75, 90)])
def test_fingers_named_from_the_wrong_edge_are_read_the_other_way_round(wrong):
    t_ns = times_ns(3.0, 30)
    truth = moving_hand(t_ns, seed=3)
    result = reconstruct_hands(misread(truth, wrong), camera_track(len(t_ns)), t_ns)
    error = wrist_error_deg(result.refined, truth)
    valid = result.refined.valid[:, SIDE]
    assert valid.sum() >= 85
    assert error[valid].max() < 35
    assert np.median(error[valid]) < 8
    raw = wrist_error_deg(result.raw, truth)
    assert np.median(raw[wrong]) > 90  # the raw track stays what the net said
    assert result.diagnostics["fingers_reversed"]["right"] > 0.5 * (wrong.stop - wrong.start)


def test_single_frames_with_near_and_far_exchanged_do_not_turn_the_wrist():
    """The net's shape is mirrored in depth in every fifth frame; pixels are right."""
    t_ns = times_ns(3.0, 30)
    truth = moving_hand(t_ns, seed=4)
    marks = landmarks_of(truth, noise_box=0.008, turn_rad=0.25, seed=4)
    rel = marks.landmarks_rel[:, SIDE].copy()
    rel[::5, :, 2] *= -1
    result = reconstruct_hands(edited(marks, marks.landmarks_px[:, SIDE], rel), camera_track(len(t_ns)), t_ns)
    error = wrist_error_deg(result.refined, truth)
    assert result.refined.valid[:, SIDE].all()
    assert error.max() < 30
    assert (result.refined.source[:, SIDE] == Source.SMOOTHED).mean() > 0.85


@pytest.mark.parametrize("seconds", [0.35, 0.5])
def test_a_hand_that_really_turns_over_is_followed(seconds):
    """170 degrees in 0.35 s (peak 16 rad/s) is motion: nothing left out for long, no lag, no flattening."""
    t_ns = times_ns(2.0, 30)
    truth = turned_over(t_ns, 0.8, seconds)
    marks = landmarks_of(truth, noise_box=0.008, turn_rad=0.25, seed=5)
    result = reconstruct_hands(marks, camera_track(len(t_ns)), t_ns)
    valid = result.refined.valid[:, SIDE]
    error = wrist_error_deg(result.refined, truth)
    assert valid.mean() > 0.95
    assert np.median(error[valid]) < 8
    before, after = t_ns < 0.7e9, t_ns > (0.9 + seconds) * 1e9
    assert error[valid & before].max() < 25
    assert error[valid & after].max() < 25


def test_clean_clips_are_left_as_they_are():
    t_ns = times_ns(2.0, 30)
    truth = moving_hand(t_ns)
    result = reconstruct_hands(
        landmarks_of(truth, noise_box=0.01, turn_rad=0.3), camera_track(len(t_ns)), t_ns
    )
    assert result.diagnostics["fingers_reversed"] == {"left": 0, "right": 0}
    assert (result.reasons[:, SIDE] == 0).all()


def test_path_is_the_cheapest_of_all():
    """Against every choice of (fit or none) in a clip of four frames with three fits."""
    rng, config = np.random.default_rng(0), PathConfig(leave_out=3.0, break_motion=40.0)
    for _ in range(6):
        n, many = 4, 3
        moves = Moves(
            cost=rng.uniform(0, 30, (n, many)),
            R_scene=so3_exp(0.8 * rng.normal(size=(n, many, 3))),
            palm_scene=0.05 * rng.normal(size=(n, many, 3)) + [0, 0, 0.6],
            sight_scene=np.broadcast_to([0.0, 0.0, 1.0], (n, many, 3)),
            depth=np.full((n, many), 0.6),
            t_seconds=np.arange(n) / 30,
        )
        every = [list(c) for c in itertools.product(range(-1, many), repeat=n) if max(c) >= 0]
        prices = [_price(moves, c, config) for c in every]
        found = cheapest_path(moves, config)
        assert _price(moves, found.tolist(), config) == pytest.approx(min(prices))


def _price(moves: Moves, choice: list[int], c: PathConfig) -> float:
    kept = [(i, k) for i, k in enumerate(choice) if k >= 0]
    total = c.leave_out * (len(choice) - len(kept))
    total += sum(c.evidence * (moves.cost[i, k] - moves.cost[i].min()) for i, k in kept)
    for (i, a), (j, b) in itertools.pairwise(kept):
        dt = moves.t_seconds[j] - moves.t_seconds[i]
        angle = rotation_angle(moves.R_scene[i, a], moves.R_scene[j, b])
        off = moves.palm_scene[j, b] - moves.palm_scene[i, a]
        price = angle**2 / (c.turn_sigma**2 + (c.turn_speed * dt) ** 2)
        price += (off[0] ** 2 + off[1] ** 2) / (c.place_sigma**2 + (c.speed * dt) ** 2)
        price += off[2] ** 2 / ((c.depth_sigma * 0.6) ** 2 + (c.speed * dt) ** 2)
        total += min(price, c.break_motion)
    return total


def test_no_believable_fit_leaves_everything_out():
    moves = Moves(
        cost=np.full((4, 2), np.inf),
        R_scene=np.broadcast_to(np.eye(3), (4, 2, 3, 3)),
        palm_scene=np.zeros((4, 2, 3)),
        sight_scene=np.zeros((4, 2, 3)),
        depth=np.ones((4, 2)),
        t_seconds=np.arange(4.0),
    )
    assert cheapest_path(moves, PathConfig()).tolist() == [-1] * 4

"""Measures on hand tracks give the numbers that were put in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.hands.joints import JOINT_NAMES_21
from reenact.hands.skeleton import HandSkeleton
from reenact.quality.hands import (
    bone_length_spread,
    gap_lengths_s,
    measure_errors,
    measure_hands,
    wrist_jitter,
)
from reenact.scene import CameraTrack, HandTracks, Source

N = 90
T_NS = (np.arange(N) * 1e9 / 30).astype(np.int64)


def tracks(joints: np.ndarray, valid: np.ndarray | None = None, **changes) -> HandTracks:
    valid = np.ones((len(joints), 2), dtype=bool) if valid is None else valid
    fields = {
        "joints_world": joints,
        "valid": valid,
        "confidence": valid.astype(float),
        "source": np.where(valid, Source.SMOOTHED, Source.UNKNOWN).astype(np.uint8),
        "sigma_camera": np.full((len(joints), 2, 3), 0.01),
        "reprojection": np.full((len(joints), 2), 0.02),
        "hand_length": np.full(2, 0.189),
        "hand_length_source": "adult_prior",
        "world_frame": "world",
        "joint_names": JOINT_NAMES_21,
    }
    return HandTracks(**(fields | changes))


def still_hands() -> np.ndarray:
    rest = [HandSkeleton.adult(side).rest_joints_wrist + [0.2 * side - 0.1, 0.0, 0.8] for side in (0, 1)]
    return np.tile(np.stack(rest), (N, 1, 1, 1))


def camera(T_world_camera: np.ndarray | None = None) -> CameraTrack:
    poses = np.tile(np.eye(4), (N, 1, 1)) if T_world_camera is None else T_world_camera
    return CameraTrack(
        model="pinhole",
        params=np.array([600.0, 600.0, 319.5, 239.5]),
        width_px=640,
        height_px=480,
        intrinsics_source="truth",
        focal_sigma=0.0,
        T_world_camera=poses,
        valid=np.ones(N, dtype=bool),
        confidence=np.ones(N),
        source=np.full(N, Source.TRUTH, dtype=np.uint8),
        motion="still",
        motion_heights_per_s=0.0,
        world_frame="world",
        gravity_source="truth",
        gravity_sigma=0.0,
    )


def test_jitter_is_the_noise_that_was_added_and_nothing_of_smooth_motion():
    rng, joints = np.random.default_rng(0), still_hands()
    t = T_NS * 1e-9
    joints = joints + (0.1 * t + 0.05 * t**2)[:, None, None, None] * [1.0, 0.5, 0.2]
    assert np.all(wrist_jitter(tracks(joints), camera(), t, 0) < 1e-12)
    noisy = joints + rng.normal(size=(N, 1, 1, 3)) * [0.001, 0.002, 0.008]
    found = wrist_jitter(tracks(noisy), camera(), t, 1)
    np.testing.assert_allclose(found, [0.001, 0.002, 0.008], rtol=0.2)


def test_jitter_is_told_along_the_cameras_axes():
    """Noise along the view of a camera that looks along world x is depth noise."""
    rng, joints = np.random.default_rng(1), still_hands()
    joints = joints + rng.normal(size=(N, 1, 1, 1)) * np.array([0.01, 0.0, 0.0])
    looking_along_x = make_T(so3_exp(np.array([0.0, np.pi / 2, 0.0])), np.zeros(3))
    found = wrist_jitter(tracks(joints), camera(np.tile(looking_along_x, (N, 1, 1))), T_NS * 1e-9, 0)
    assert found[2] > 0.008
    assert np.all(found[:2] < 1e-9)


def test_counts_gaps_and_units():
    valid = np.ones((N, 2), dtype=bool)
    valid[10:16, 0] = False
    valid[:5] = False
    source = np.where(valid, Source.SMOOTHED, Source.UNKNOWN).astype(np.uint8)
    source[30:33, 1] = Source.FILLED
    q = measure_hands(tracks(still_hands(), valid, source=source), camera(), T_NS)
    assert (q.frames, q.frames_with_one, q.frames_with_two) == (N, 6, N - 11)
    assert q.left.gaps == 1
    assert q.left.longest_gap_s == pytest.approx(7 / 30, abs=1e-6)
    assert (q.right.gaps, q.right.filled_frames, q.right.observed_frames) == (0, 3, N - 8)
    assert q.left.reprojection_median_percent == pytest.approx(2.0)
    assert q.left.sigma_median_cm == pytest.approx((1.0, 1.0, 1.0))
    assert q.left.bone_length_spread_percent == pytest.approx(0.0, abs=1e-9)


def test_a_clip_without_hands_gives_no_numbers_instead_of_nan():
    q = measure_hands(tracks(still_hands(), np.zeros((N, 2), dtype=bool)), camera(), T_NS)
    assert q.frames_with_one == q.frames_with_two == 0
    assert q.left.jitter_cm is None
    assert q.left.reprojection_median_percent is None
    assert q.left.bone_length_spread_percent is None


def test_bone_length_spread_finds_the_one_bad_bone():
    joints = still_hands()[:, 1].copy()
    bone = joints[:, 8] - joints[:, 7]
    joints[:, 8] = joints[:, 7] + bone * (1 + 0.1 * np.where(np.arange(N) % 2, 1, -1))[:, None]
    assert bone_length_spread(joints) == pytest.approx(10.0, rel=1e-6)


def test_gap_lengths_ignore_the_ends():
    valid = np.array([0, 0, 1, 1, 0, 0, 1, 0], dtype=bool)
    assert gap_lengths_s(valid, np.arange(8.0)) == [3.0]


def test_errors_are_split_as_named():
    """1 cm to the side, 3 cm behind, 10 % too large: each shows up in its own number only."""
    true = still_hands()
    shifted = true + [0.006, 0.008, 0.03]
    e = measure_errors(tracks(shifted), tracks(true), camera())
    assert e.wrist_lateral_cm == pytest.approx(1.0)
    assert e.wrist_depth_cm == pytest.approx(3.0)
    assert e.wrist_depth_percent == pytest.approx(3.0 / 0.8, rel=1e-6)
    assert e.depth_ratio == pytest.approx(0.83 / 0.8)
    assert e.joints_absolute_mm == pytest.approx(np.sqrt(10**2 + 30**2))
    assert e.joints_root_aligned_mm == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(e.sigma_ratio, [0.6, 0.8, 3.0])
    grown = (true - true[:, :, :1]) * 1.1 + true[:, :, :1]
    e = measure_errors(tracks(grown), tracks(true), camera())
    assert e.wrist_depth_cm == pytest.approx(0.0, abs=1e-9)
    assert e.joints_root_aligned_mm > 5
    assert e.joints_procrustes_aligned_mm == pytest.approx(0.0, abs=1e-6)


def test_errors_follow_the_camera():
    """The same 3 cm along world x are depth for one camera and sideways for another."""
    true = still_hands()
    off = tracks(true + [0.03, 0.0, 0.0])
    looking_along_x = np.tile(
        make_T(so3_exp(np.array([0.0, np.pi / 2, 0.0])), np.array([-1.0, 0, 0])), (N, 1, 1)
    )
    assert measure_errors(off, tracks(true), camera()).wrist_lateral_cm == pytest.approx(3.0)
    assert measure_errors(off, tracks(true), camera(looking_along_x)).wrist_depth_cm == pytest.approx(3.0)


def test_nothing_to_compare_is_none():
    true, none = tracks(still_hands()), tracks(still_hands(), np.zeros((N, 2), dtype=bool))
    assert measure_errors(none, true, camera()) is None


def test_measures_are_plain_numbers():
    values = dataclasses.asdict(measure_hands(tracks(still_hands()), camera(), T_NS))
    assert all(isinstance(v, int | float | tuple | None) for v in values["left"].values())


def test_speeds_are_those_of_the_motion():
    """0.6 m/s sideways and 3 rad/s of turn on the right hand, nothing on the left."""
    joints, t = still_hands(), T_NS * 1e-9
    turn = so3_exp(3.0 * t[:, None] * np.array([0.0, 0.6, 0.8]))
    wrist = joints[:, 1, :1]
    joints[:, 1] = (joints[:, 1] - wrist) @ np.swapaxes(turn, 1, 2) + wrist
    joints[:, 1, :, 0] += 0.6 * t[:, None]
    quality = measure_hands(tracks(joints), camera(), T_NS)
    assert quality.right.peak_speed == pytest.approx(0.6, rel=1e-6)
    assert quality.right.peak_angular_speed == pytest.approx(3.0, rel=1e-6)
    assert quality.left.peak_speed == pytest.approx(0.0, abs=1e-12)


def test_gaps_are_not_jumps():
    joints, valid = still_hands(), np.ones((N, 2), dtype=bool)
    joints[50:, :, :, 0] += 0.3
    valid[40:50] = False
    assert measure_hands(tracks(joints, valid), camera(), T_NS).left.peak_speed == pytest.approx(
        0.0, abs=1e-12
    )


def test_wrist_rotation_errors_are_angles_between_wrist_frames():
    """All hands off by 10 degrees, a tenth of them by 170: median 10, share of flips 0.1."""
    truth = still_hands()
    angle = np.full(N, np.deg2rad(10.0))
    angle[::10] = np.deg2rad(170.0)
    turn = so3_exp(angle[:, None] * np.array([0.6, 0.0, 0.8]))[:, None]
    wrist = truth[:, :, :1]
    found = (truth - wrist) @ np.swapaxes(turn, -1, -2) + wrist
    errors = measure_errors(tracks(found), tracks(truth), camera())
    assert errors is not None
    assert errors.wrist_rotation_deg == pytest.approx(10.0, abs=1e-6)
    assert errors.wrist_rotation_p95_deg == pytest.approx(170.0, abs=1e-6)
    assert errors.wrist_flipped_share == pytest.approx(0.1)
    assert errors.wrist_lateral_cm == pytest.approx(0.0, abs=1e-9)

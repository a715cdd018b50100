"""Targets: same grid unchanged, other grids without shift, gaps and noise named for what they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.geometry.rotations import so3_exp
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.targets import BadTargets, TargetConfig, make_targets, resample_cubic
from reenact.scene import Source
from tests.retarget.motions import hands_at, times


def wave(t_ns: np.ndarray) -> np.ndarray:
    """Two wrists moving along smooth curves at up to 0.8 m/s, [t 2 4 4]."""
    t = t_ns * 1e-9
    T = np.broadcast_to(np.eye(4), (len(t), 2, 4, 4)).copy()
    for s, out in ((0, 1.0), (1, -1.0)):
        T[:, s, :3, 3] = np.stack(
            [0.4 + 0.15 * np.sin(4 * t), out * 0.2 + 0.1 * np.sin(3 * t + s), 1 + 0.1 * t], 1
        )
        T[:, s, :3, :3] = so3_exp(np.stack([0.5 * np.sin(2 * t), 0.3 * t, 0.4 * np.cos(3 * t)], axis=1))
    return T


def test_on_the_same_grid_wrists_and_fingers_pass_unchanged() -> None:
    t_ns = times(40)
    T = wave(t_ns)
    targets = make_targets(hands_at(T), t_ns, t_ns)
    np.testing.assert_allclose(targets.T_world_wrist, T, atol=1e-9)
    assert targets.valid.all()
    assert (targets.source == Source.OBSERVED).all()
    local = HandSkeleton.adult(0).joints_wrist(targets.angles[:, 0])
    np.testing.assert_allclose(local[:, [4, 8, 12, 16, 20]], targets.tips_wrist[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(15, 30), (20, 30), (30, 15), (60, 30), (30, 60), (29.97, 30)]
)
def test_other_grids_follow_the_curve_without_shift(from_hz: float, to_hz: float) -> None:
    t_from = times(round(4 * from_hz), from_hz)
    t_to = times(round(3.9 * to_hz), to_hz)
    targets = make_targets(hands_at(wave(t_from)), t_from, t_to)
    truth = wave(t_to)
    keep = targets.valid[:, 0]
    assert keep.mean() > 0.97
    got, want = targets.T_world_wrist[keep, 0, :3, 3], truth[keep, 0, :3, 3]
    assert np.abs(got - want).max() < 0.002
    assert abs(time_shift(want, got, t_to[keep] * 1e-9)) * to_hz < 0.02


def test_cubic_interpolation_is_exact_for_quadratic_motion_on_an_uneven_grid() -> None:
    t_from = np.array([0, 40, 70, 120, 150, 210], np.int64) * 1_000_000
    t_to = np.arange(0, 210, 7, dtype=np.int64) * 1_000_000
    f = lambda t: np.stack([3 + 2 * t, 1 - t + 5 * t**2], axis=1)  # noqa: E731
    got = resample_cubic(t_from, f(t_from * 1e-9), np.ones(6, bool), t_to)
    np.testing.assert_allclose(got, f(t_to * 1e-9), atol=1e-12)


def test_short_gaps_are_bridged_and_long_ones_have_no_target() -> None:
    t_ns = times(60)
    valid = np.ones((60, 2), bool)
    valid[10:12, 0] = False  # 0.1 s between the frames around it
    valid[30:45, 0] = False
    targets = make_targets(hands_at(wave(t_ns), valid), t_ns, t_ns)
    assert not targets.valid[30:45, 0].any()
    assert (targets.source[30:45, 0] == Source.UNKNOWN).all()
    assert targets.valid[:, 1].all()
    on_grid = make_targets(hands_at(wave(t_ns), valid), t_ns, times(59) + 5_000_000)
    assert not on_grid.valid[31:43, 0].any()


def test_a_side_with_too_few_frames_is_left_out() -> None:
    t_ns = times(40)
    valid = np.zeros((40, 2), bool)
    valid[:, 1] = True
    valid[5:7, 0] = True
    targets = make_targets(hands_at(wave(t_ns), valid), t_ns, t_ns)
    assert not targets.valid[:, 0].any()
    assert targets.valid[:, 1].all()


def test_noise_is_measured_and_filled_frames_count_less() -> None:
    t_ns = times(240)
    T = wave(t_ns)
    rng = np.random.default_rng(0)
    noisy = T.copy()
    noisy[..., :3, 3] += rng.normal(size=(240, 2, 3)) * 0.006
    noisy[..., :3, :3] = noisy[..., :3, :3] @ so3_exp(rng.normal(size=(240, 2, 3)) * 0.05)
    tracks = hands_at(noisy)
    source = tracks.source.copy()
    source[100:120, 1] = Source.FILLED
    targets = make_targets(replace(tracks, source=source), t_ns, t_ns)
    np.testing.assert_allclose(targets.sigma_position[0], 0.006, rtol=0.25)
    np.testing.assert_allclose(targets.sigma_rotation[0], 0.05, rtol=0.35)
    np.testing.assert_allclose(targets.sigma_position[110, 1] / targets.sigma_position[90, 1], 3.0)
    clean = make_targets(hands_at(T), t_ns, t_ns)
    assert (clean.sigma_position == TargetConfig().sigma_position_floor).all()


def test_scale_acts_about_the_middle_of_the_clip() -> None:
    t_ns = times(30)
    T = wave(t_ns)
    small = make_targets(hands_at(T), t_ns, t_ns, TargetConfig(scale=0.5))
    middle = T[..., :3, 3].mean(axis=(0, 1))
    np.testing.assert_allclose(
        small.T_world_wrist[..., :3, 3] - middle, 0.5 * (T[..., :3, 3] - middle), atol=1e-9
    )


def test_instants_that_do_not_fit_are_named() -> None:
    tracks = hands_at(wave(times(20)))
    with pytest.raises(BadTargets, match="21 instants for 20 frames"):
        make_targets(tracks, times(21), times(20))
    with pytest.raises(BadTargets, match="rise strictly"):
        make_targets(tracks, times(20), times(20)[::-1].copy())

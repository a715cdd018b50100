"""Slow errors of a hand's distance: stated by confidence, not smoothed away, settled by frames that are sure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.refine.hands import reconstruct_hands
from reenact.refine.hands.steady import SteadyConfig, follow, slow_sigma

from .synthetic_hands import camera_track, landmarks_of, moving_hand, times_ns

NET = "mediapipe-hands-full-0.10.21/litert"
T = np.arange(0.0, 6.0, 1 / 15)
ALL = np.ones(len(T), dtype=bool)


def slow_process(rng, config):
    keep = np.exp(-np.diff(T) / config.correlation_s)
    u = [rng.normal()]
    for k in keep:
        u.append(k * u[-1] + np.sqrt(1 - k**2) * rng.normal())
    return np.array(u)


def simulated(seed, error, config):
    """A motion and measurements of it as the filter assumes them."""
    rng = np.random.default_rng(seed)
    true = 0.3 * np.sin(2 * np.pi * 0.25 * T + rng.uniform(0, 6))
    return true, true + error * slow_process(rng, config) + config.white * rng.normal(size=len(T))


def test_sure_frames_settle_unsure_ones_and_what_is_stated_holds():
    config, runs = SteadyConfig(), 30
    error = np.where((T > 2.0) & (T < 3.0), 0.3, 0.03)
    doubtful, before, after, z = error > 0.1, [], [], []
    for seed in range(runs):
        true, measured = simulated(seed, error, config)
        value, sigma = follow(measured, error, ALL, T, config)
        before.append(measured[doubtful] - true[doubtful])
        after.append(value[doubtful] - true[doubtful])
        z.append((value - true) / sigma)
    assert np.std(after) < 0.4 * np.std(before)
    assert 0.7 < np.std(z) < 1.2
    assert np.mean(np.abs(z) < 2) > 0.93


def test_many_frames_of_the_same_mistake_are_not_many_witnesses():
    """White errors of this size would average out to a sixth; slow ones stay, and their sigma says so."""
    config = SteadyConfig()
    _, measured = simulated(0, np.full(len(T), 0.05), config)
    _, sigma = follow(measured, np.full(len(T), 0.05), ALL, T, config)
    assert sigma.min() > 0.03
    _, twice = follow(
        np.repeat(measured, 2)[:-1], np.full(2 * len(T) - 1, 0.05), np.ones(2 * len(T) - 1, bool),
        np.arange(2 * len(T) - 1) / 30, config,
    )  # fmt: skip
    np.testing.assert_allclose(twice[::2], sigma, rtol=0.1)


def test_what_is_sure_is_left_alone_and_time_runs_both_ways():
    config = SteadyConfig()
    true, _ = simulated(1, np.full(len(T), 0.02), config)
    value, _ = follow(true, np.full(len(T), 0.02), ALL, T, config)
    assert np.abs(value - true).max() < 0.005
    seen, error = ALL.copy(), np.linspace(0.02, 0.2, len(T))
    seen[20:25] = False
    value, sigma = follow(true, error, seen, T, config)
    back, sigma_back = follow(true[::-1].copy(), error[::-1].copy(), seen[::-1].copy(), T, config)
    inner = slice(15, -15)  # at the ends the two know different things about the speed
    np.testing.assert_allclose(value[inner], back[::-1][inner], atol=0.01)
    np.testing.assert_allclose(sigma[inner], sigma_back[::-1][inner], rtol=0.05)
    assert sigma[22] > sigma[19]


def test_doubt_grows_as_confidence_falls_and_outlasts_a_frame():
    config = SteadyConfig()
    steady = [slow_sigma(np.full(len(T), c), ALL, T, config)[40] for c in (1.0, 0.95, 0.8, 0.6, 0.3)]
    assert steady[0] == pytest.approx(config.least)
    assert np.all(np.diff(steady) > 0) or steady[-1] == config.most
    one = np.full(len(T), 0.97)
    one[40] = 0.5
    sigma = slow_sigma(one, ALL, T, config)
    assert sigma[43] > 1.05 * sigma[10]
    assert sigma[40] < slow_sigma(np.full(len(T), 0.5), ALL, T, config)[40]
    assert (slow_sigma(one, ~ALL, T, config) == config.most).all()


def test_only_nets_have_slow_errors_and_unsure_hands_are_stated_so():
    t_ns = times_ns(1.0, 30)
    marks = landmarks_of(moving_hand(t_ns), noise_box=0.005)
    unsure = dataclasses.replace(marks, confidence=0.6 * marks.confidence)
    sigma = {}
    for name, seen in (("truth", marks), (NET, marks), ("unsure", dataclasses.replace(unsure, backend=NET))):
        given = seen if name in ("truth", "unsure") else dataclasses.replace(seen, backend=name)
        made = reconstruct_hands(given, camera_track(len(t_ns)), t_ns).refined
        sigma[name] = np.median(made.sigma_camera[:, 1, 2] / made.joints_world[:, 1, 0, 2])
    assert 0.06 < sigma["truth"] < sigma[NET] < 0.09 < sigma["unsure"]
    plain = reconstruct_hands(
        dataclasses.replace(unsure, backend="truth"), camera_track(len(t_ns)), t_ns
    ).refined
    assert np.median(plain.sigma_camera[:, 1, 2] / plain.joints_world[:, 1, 0, 2]) == pytest.approx(
        sigma["truth"]
    )

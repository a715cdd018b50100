"""Filters: no shift in time at any frame rate, the same cut-off in seconds, polynomials kept, spikes found."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.filters import BadFilter, hampel, median_filter_time, savgol_time, time_shift, whittaker

FPS = [15.0, 20.0, 30.0, 60.0]


def _bump(t: np.ndarray, centre: float = 2.0, width: float = 0.25) -> np.ndarray:
    return np.exp(-0.5 * ((t - centre) / width) ** 2)


def _times(fps: float, seconds: float, uneven: bool) -> np.ndarray:
    """Uniform, or a variable-rate recording: jittered steps and every so often a dropped frame."""
    t = np.arange(0, seconds, 1 / fps)
    if uneven:
        rng = np.random.default_rng(5)
        t = t + rng.uniform(-0.3, 0.3, size=len(t)) / fps
        t = np.delete(t, np.arange(7, len(t) - 1, 11))
    return t


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("uneven", [False, True])
def test_whittaker_keeps_polynomials_below_its_order(order, uneven):
    t = _times(30, 3, uneven)
    for degree in range(order):
        y = (t - 1.1) ** degree
        np.testing.assert_allclose(whittaker(y, None, t, 0.5, order), y, atol=1e-7 * max(1, abs(y).max()))
    y = (t - 1.1) ** (order + 2)
    assert np.abs(whittaker(y, None, t, 2.0, order) - y).max() > 1e-3


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("uneven", [False, True])
def test_whittaker_does_not_shift_motion_in_time(fps, uneven):
    t = _times(fps, 6, uneven)
    y = _bump(t) - 0.7 * _bump(t, 3.5, 0.15)  # not symmetric in time
    smooth = whittaker(y, None, t, 0.4)
    assert abs(time_shift(y, smooth, t, 0.3)) < 1e-3  # seconds; a frame is 17 to 67 ms


@pytest.mark.parametrize("fps", FPS)
def test_whittaker_halves_a_sine_of_the_cutoff_period_at_any_rate(fps):
    t = np.arange(0, 12, 1 / fps)
    middle = (t > 4) & (t < 8)
    for period, expected in [(0.5, 0.5), (1.0, 1 / (1 + 0.5**6)), (0.3, 1 / (1 + (5 / 3) ** 6))]:
        y = np.stack([np.sin(2 * np.pi * t / period), np.cos(2 * np.pi * t / period)], axis=1)
        smooth = whittaker(y, None, t, cutoff_s=0.5)
        gain = np.sum(smooth[middle] * y[middle]) / np.sum(y[middle] ** 2)
        # at 15 Hz the discrete derivative differs from the continuous one near Nyquist
        assert gain == pytest.approx(expected, abs=0.002 if period == 0.5 else 0.02)


def test_whittaker_at_a_non_uniform_rate_has_the_same_cutoff():
    t = _times(60, 12, uneven=True)
    middle = (t > 4) & (t < 8)
    y = np.sin(2 * np.pi * t / 0.5)
    gain = np.sum(whittaker(y, None, t, 0.5)[middle] * y[middle]) / np.sum(y[middle] ** 2)
    assert gain == pytest.approx(0.5, abs=0.03)


def test_whittaker_gives_the_same_curve_for_one_motion_seen_at_two_rates():
    slow, fast = np.arange(0, 4, 1 / 15), np.arange(0, 4, 1 / 60)
    at_slow = whittaker(_bump(slow), None, slow, 0.4)
    at_fast = whittaker(_bump(fast), None, fast, 0.4)[::4]
    np.testing.assert_allclose(at_slow, at_fast, atol=0.006)


def test_whittaker_interpolates_what_has_no_weight():
    t = np.arange(0, 3, 1 / 30)
    y = np.stack([t**2, 1 + t], axis=1)
    weights = np.ones(len(t))
    weights[40:55] = 0
    broken = y.copy()
    broken[40:55] = np.nan
    np.testing.assert_allclose(whittaker(broken, weights, t, 0.4), y, atol=1e-6)


def test_whittaker_holds_the_ends_where_nothing_was_seen():
    t = np.arange(0, 2, 1 / 30)
    weights = np.ones(len(t))
    weights[:10] = weights[-5:] = 0
    smooth = whittaker(t**2, weights, t, 0.3)
    np.testing.assert_array_equal(smooth[:10], smooth[10])
    np.testing.assert_array_equal(smooth[-5:], smooth[-6])


def test_whittaker_takes_weights_per_leading_axes_and_any_trailing_axes():
    rng = np.random.default_rng(2)
    t = np.arange(0, 1, 1 / 30)
    values, weights = rng.normal(size=(30, 2, 21, 3)), rng.uniform(0, 1, size=(30, 2))
    out = whittaker(values, weights, t, 0.2)
    assert out.shape == values.shape
    np.testing.assert_allclose(
        out[:, 1, 4, 2], whittaker(values[:, 1, 4, 2], weights[:, 1], t, 0.2), atol=1e-12
    )


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
def test_whittaker_with_hardly_any_samples_stays_finite_and_passes_through_them(seen):
    t = np.arange(20) / 30
    weights = np.zeros(20)
    at = [5, 12, 17][:seen]
    weights[at] = 1
    y = np.sin(t * 9)
    smooth = whittaker(y, weights, t, 0.05)
    assert np.isfinite(smooth).all()
    np.testing.assert_allclose(smooth[at], y[at], atol=1e-6)


def test_whittaker_is_linear_and_a_weight_of_two_equals_measuring_twice():
    rng = np.random.default_rng(4)
    t, a, b = np.arange(50) / 25, rng.normal(size=50), rng.normal(size=50)
    w = rng.uniform(0.1, 1, size=50)
    together = whittaker(2 * a - b, w, t, 0.3)
    np.testing.assert_allclose(together, 2 * whittaker(a, w, t, 0.3) - whittaker(b, w, t, 0.3), atol=1e-9)
    np.testing.assert_allclose(
        whittaker((a + b) / 2, np.full(50, 2.0), t, 0.3),
        _dense_whittaker([a, b], t, 0.3),
        atol=1e-8,
    )


def _dense_whittaker(observations: list[np.ndarray], t: np.ndarray, cutoff_s: float) -> np.ndarray:
    """The normal equations written out with a plain difference matrix (uniform time only)."""
    dt, n = t[1] - t[0], len(t)
    D = np.diff(np.eye(n), 3, axis=0)
    penalty = (2 * np.sin(np.pi * dt / cutoff_s)) ** -6
    return np.linalg.solve(len(observations) * np.eye(n) + penalty * D.T @ D, sum(observations))


@pytest.mark.parametrize(
    ("values", "weights", "match"),
    [
        (np.zeros(4), np.array([1.0, -1, 1, 1]), "negative"),
        (np.zeros(4), np.ones(3), "do not lead"),
        (np.array([0, np.nan, 0, 0]), np.ones(4), "not finite"),
        (np.zeros(5), None, "at"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_whittaker_refuses_what_it_cannot_do(values, weights, match):
    with pytest.raises(BadFilter, match=match):
        whittaker(values, weights, np.arange(4) / 30, 0.2)


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("uneven", [False, True])
def test_hampel_finds_exactly_the_planted_spikes(fps, uneven):
    rng = np.random.default_rng(8)
    t = _times(fps, 10, uneven)
    y = 0.2 * np.sin(t)[:, None] + rng.normal(scale=0.002, size=(len(t), 3))
    spikes = np.zeros(y.shape, dtype=bool)
    spikes[rng.choice(np.arange(5, len(t) - 5), 6, replace=False), rng.integers(0, 3, 6)] = True
    y[spikes] += 0.5 * rng.choice([-1, 1], size=spikes.sum())
    flagged = hampel(y, t, window_s=0.5, n_sigma=6, floor=0.01)
    np.testing.assert_array_equal(flagged, spikes)


def test_hampel_does_not_flag_invalid_samples_nor_use_them():
    t = np.arange(60) / 30
    y = np.zeros(60)
    y[20:25] = 9.0
    valid = np.ones(60, dtype=bool)
    valid[20:25] = False
    assert not hampel(y, t, 0.2, floor=0.1, valid=valid).any()
    assert hampel(y, t, 1.0, floor=0.1).sum() == 5


@pytest.mark.parametrize("fps", FPS)
def test_median_window_is_in_seconds_and_removes_short_pulses_only(fps):
    t = np.arange(0, 4, 1 / fps)
    short, long = ((t > 1) & (t < 1.09)).astype(float), ((t > 2) & (t < 2.6)).astype(float)
    out = median_filter_time(short + long, t, 0.4)
    np.testing.assert_allclose(out, long, atol=0.51 * (np.abs(np.gradient(long)) > 0).max())
    assert out[(t > 0.9) & (t < 1.2)].max() == 0
    assert out[(t > 2.1) & (t < 2.5)].min() == 1


def test_median_skips_invalid_samples_and_keeps_what_has_no_neighbour():
    t = np.arange(9) / 30
    y = np.array([1.0, 1, 1, 50, 1, 1, 7, 8, 9])
    valid = y != 50
    valid[6:] = False
    out = median_filter_time(y, t, 0.07, valid)
    assert out[3] == 1.0
    assert out[8] == 9.0  # nothing valid within reach: the value stays


@pytest.mark.parametrize("uneven", [False, True])
def test_savgol_differentiates_polynomials_exactly_in_seconds(uneven):
    t = _times(30, 3, uneven)
    y = 2 + 3 * t - 0.5 * t**2
    np.testing.assert_allclose(savgol_time(y, t, 0.3, 2, 0), y, atol=1e-9)
    np.testing.assert_allclose(savgol_time(y, t, 0.3, 2, 1), 3 - t, atol=1e-8)
    np.testing.assert_allclose(savgol_time(y, t, 0.3, 2, 2), -1.0, atol=1e-6)
    np.testing.assert_allclose(savgol_time(y, t, 0.001, 2, 1), 3 - t, atol=1e-7)  # the window grows


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("shift", [-0.11, 0.0, 0.043, 0.2])
def test_time_shift_finds_a_known_shift_to_a_tenth_of_a_frame(fps, shift):
    t = np.arange(0, 6, 1 / fps)
    a = np.stack([_bump(t) - _bump(t, 3.0, 0.4), _bump(t, 4.2)], axis=1)
    moved = t - shift
    b = np.stack([_bump(moved) - _bump(moved, 3.0, 0.4), _bump(moved, 4.2)], axis=1)
    assert time_shift(a, b, t) == pytest.approx(shift, abs=0.1 / fps)


def test_a_one_sided_filter_would_be_caught():
    """The check above has teeth: a causal moving average of 0.1 s shows up as a shift of about 0.05 s."""
    t = np.arange(0, 6, 1 / 30)
    y = _bump(t) - 0.7 * _bump(t, 3.5, 0.15)
    causal = np.convolve(y, np.ones(3) / 3)[: len(t)]
    assert time_shift(y, causal, t) == pytest.approx(1 / 30, abs=0.003)

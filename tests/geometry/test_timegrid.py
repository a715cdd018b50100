"""Time grids: half-open, no drift, nearest instants; resampling values, rotations and validity."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.geometry.timegrid import BadTimes, TimeGrid, resample_linear, resample_rotations, resample_valid


def _ns(*seconds: float) -> np.ndarray:
    return np.array([round(s * 1e9) for s in seconds], dtype=np.int64)


def test_uniform_grid_is_half_open():
    grid = TimeGrid.uniform(0, 1_000_000_000, 4.0)
    np.testing.assert_array_equal(grid.t_ns, [0, 250_000_000, 500_000_000, 750_000_000])
    first, second = TimeGrid.uniform(0, 10**9, 30.0), TimeGrid.uniform(10**9, 2 * 10**9, 30.0)
    together = np.concatenate([first.t_ns, second.t_ns])
    np.testing.assert_array_equal(together, TimeGrid.uniform(0, 2 * 10**9, 30.0).t_ns)


def test_uniform_grid_does_not_drift_in_an_hour_of_ntsc():
    fps = 30000 / 1001
    grid = TimeGrid.uniform(0, 3600 * 10**9, fps)
    assert grid.t_ns[-1] == round((len(grid) - 1) * 1001 * 10**9 / 30000)
    assert grid.fps_hz == pytest.approx(fps, rel=1e-6)


def test_nearest_index_breaks_ties_to_the_earlier_and_clips():
    grid = TimeGrid(_ns(1.0, 2.0, 4.0))
    np.testing.assert_array_equal(
        grid.nearest_idx(_ns(0.0, 1.5, 1.500000001, 3.0, 3.1, 9.0)), [0, 0, 1, 1, 2, 2]
    )
    brute = np.abs(grid.t_ns[None] - grid.t_ns[:, None]).argmin(1)
    np.testing.assert_array_equal(grid.nearest_idx(grid.t_ns), brute)


def test_grid_is_read_only_and_leaves_the_callers_array_alone():
    t_ns = _ns(0.0, 0.1)
    grid = TimeGrid(t_ns)
    with pytest.raises(ValueError, match="read-only"):
        grid.t_ns[0] = 5
    t_ns[0] = -7
    assert grid.t_ns[0] == 0


@pytest.mark.parametrize(
    ("t_ns", "match"),
    [
        (np.array([0.0, 1.0]), "float64"),
        (np.array([0, 0], dtype=np.int64), "do not rise at index 1"),
        (np.array([0, 5, 3], dtype=np.int64), "do not rise at index 2: 5 then 3"),
        (np.zeros(0, dtype=np.int64), "shape"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_times_are_refused_with_the_reason(t_ns, match):
    with pytest.raises(BadTimes, match=match):
        TimeGrid(t_ns)


def test_a_single_instant_has_no_step():
    with pytest.raises(BadTimes, match="no step"):
        _ = TimeGrid(_ns(1.0)).median_dt


def test_linear_resampling_is_exact_for_lines_and_holds_the_ends():
    t_from = _ns(0.0, 0.1, 0.35, 0.6)
    line = np.stack([3 * t_from / 1e9, 1 - t_from / 1e9], axis=1)
    t_to = _ns(-1.0, 0.0, 0.05, 0.3, 0.6, 2.0)
    inside = np.clip(t_to / 1e9, 0, 0.6)
    out = resample_linear(t_from, line, t_to)
    np.testing.assert_allclose(out, np.stack([3 * inside, 1 - inside], axis=1), atol=1e-12)
    np.testing.assert_array_equal(resample_linear(t_from, line, t_from), line)


def test_resampling_a_single_sample_holds_it():
    out = resample_linear(_ns(1.0), np.array([[4.0, 5.0]]), _ns(0.0, 1.0, 2.0))
    np.testing.assert_array_equal(out, [[4.0, 5.0]] * 3)


def test_rotation_resampling_is_exact_for_a_steady_turn():
    t_from, t_to = _ns(0.0, 0.4, 1.0), _ns(0.0, 0.2, 0.5, 0.9, 1.0)
    axis = np.array([[0.3, -0.2, 1.1], [1.0, 0.1, 0.2]])
    R = so3_exp(t_from[:, None, None] / 1e9 * axis)
    np.testing.assert_allclose(
        resample_rotations(t_from, R, t_to), so3_exp(t_to[:, None, None] / 1e9 * axis), atol=1e-12
    )


def test_validity_needs_both_neighbours_or_the_sample_itself():
    t_from = _ns(0.0, 1.0, 2.0, 3.0)
    valid = np.array([[True, True], [True, False], [False, True], [True, True]])
    t_to = _ns(-0.1, 0.0, 0.5, 1.0, 1.5, 3.0, 3.1)
    out = resample_valid(t_from, valid, t_to)
    np.testing.assert_array_equal(out[:, 0], [False, True, True, True, False, True, False])
    np.testing.assert_array_equal(out[:, 1], [False, True, False, False, False, True, False])


def test_validity_across_a_long_gap_can_be_refused():
    t_from, valid = _ns(0.0, 0.1, 2.0), np.ones(3, dtype=bool)
    out = resample_valid(t_from, valid, _ns(0.05, 1.0, 2.0), max_gap_ns=200_000_000)
    np.testing.assert_array_equal(out, [True, False, True])


def test_torch_values_are_resampled_too():
    torch = pytest.importorskip("torch")
    t_from, t_to = _ns(0.0, 0.5, 1.0), _ns(0.2, 0.7)
    values = np.random.default_rng(0).normal(size=(3, 4))
    there = resample_linear(t_from, torch.tensor(values), t_to)
    np.testing.assert_allclose(there.numpy(), resample_linear(t_from, values, t_to), atol=1e-14)

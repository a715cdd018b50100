"""Tiles cover the frame, overlap, and never cost more than they may."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reenact.perception.hands.tiles import TileBudget, TileConfig, square_tiles


@pytest.mark.parametrize(
    ("width", "height"), [(1280, 720), (720, 1280), (516, 516), (2048, 1536), (641, 359)]
)
@pytest.mark.parametrize("fraction", [0.6, 0.35])
def test_tiles_are_equal_squares_that_cover_the_frame(width: int, height: int, fraction: float) -> None:
    tiles = square_tiles(width, height, fraction, 0.15)
    covered = np.zeros((height, width), bool)
    sides = set()
    for x0, y0, x1, y1 in tiles:
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        sides |= {x1 - x0, y1 - y0}
        covered[y0:y1, x0:x1] = True
    assert covered.all()
    assert len(sides) == 1
    columns = sorted({x0 for x0, *_ in tiles})
    side = sides.pop()
    assert all(b - a <= 0.85 * side + 1 for a, b in itertools.pairwise(columns))


def test_a_fraction_above_one_is_one_window_that_contains_the_frame() -> None:
    ((x0, y0, x1, y1),) = square_tiles(1280, 720, 1.45, 0.15)
    assert (x1 - x0, y1 - y0) == (1856, 1856)
    assert (x0 + x1, y0 + y1) == (1280, 720)


def test_the_budget_is_kept_over_any_time() -> None:
    budget = TileBudget(TileConfig(runs_per_frame=0.5))
    spent = 0
    for frame in range(1, 400):
        budget.tick()
        spent += len(budget.next_windows(1280, 720, anything_tracked=frame % 3 == 0))
        assert spent <= 0.5 * frame
    assert spent >= 0.45 * 400
    assert budget.runs == spent


def test_finer_tiles_wait_until_nothing_is_tracked() -> None:
    def sides(anything_tracked: bool) -> set[int]:
        budget = TileBudget(TileConfig(runs_per_frame=8.0))
        out = set()
        for _ in range(10):
            budget.tick()
            windows = budget.next_windows(1280, 720, anything_tracked=anything_tracked)
            out |= {x1 - x0 for x0, _, x1, _ in windows}
        return out

    assert sides(True) == {1856, 720}
    assert sides(False) == {1856, 720, 448}


def test_tiles_can_be_switched_off() -> None:
    budget = TileBudget(TileConfig(runs_per_frame=0.0))
    budget.tick()
    assert budget.next_windows(1280, 720, anything_tracked=False) == []

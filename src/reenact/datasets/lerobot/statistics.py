"""The ten statistics LeRobot stores per feature: per episode, per data set, merged over data sets, in one pass.

Count, mean, variance, minimum and maximum are exact (Chan, Golub and LeVeque's pairwise update). Quantiles are exact up
to `SKETCH_ROWS` rows; beyond that they come from a Munro-Paterson sketch: whenever a level holds `SKETCH_ROWS` rows,
each column is sorted and every other value moves up with twice the weight, odd and even in turns. That misplaces a
value by at most `levels / SKETCH_ROWS` of the rows (`QuantileSketch.rank_error`), in memory that grows with log(rows).
Pictures are counted in 256 bins per channel, which is exact for every figure of uint8.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
SKETCH_ROWS = 4096
IMAGE_SIDE_PX = 150
"""Pictures are thinned to about this many pixels on the short side before counting, as lerobot does."""

Statistics = dict[str, np.ndarray]


class RunningStatistics:
    """Statistics of rows [t n] that arrive in batches; two of them merge as if the rows had come in one stream."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = self._m2 = self._min = self._max = np.zeros(0)
        self.sketch = QuantileSketch()

    def add(self, values: np.ndarray) -> None:
        """Take rows [t n] or [t] (finite numbers or booleans)."""
        rows = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        if len(rows):
            mean = rows.mean(0)
            self._pool(len(rows), mean, np.square(rows - mean).sum(0), rows.min(0), rows.max(0))
            self.sketch.add(rows)

    def merge(self, other: RunningStatistics) -> None:
        """Take all that the other has seen."""
        if other.count:
            self._pool(other.count, other._mean, other._m2, other._min, other._max)
            self.sketch.merge(other.sketch)

    def _pool(self, count: int, mean: np.ndarray, m2: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        if not self.count:
            self._mean, self._m2, self._min, self._max = mean, m2, low, high
        else:
            total = self.count + count
            step = mean - self._mean
            self._mean = self._mean + step * (count / total)
            self._m2 = self._m2 + m2 + np.square(step) * (self.count * count / total)
            self._min, self._max = np.minimum(self._min, low), np.maximum(self._max, high)
        self.count += count

    def result(self) -> Statistics:
        """min, max, mean, std, count and five quantiles; nothing must be asked of no rows."""
        stats = {
            "min": self._min,
            "max": self._max,
            "mean": self._mean,
            "std": np.sqrt(self._m2 / self.count),
            "count": np.array([self.count]),
        }
        return stats | dict(zip(QUANTILES, self.sketch.quantiles(list(QUANTILES.values())), strict=True))


class QuantileSketch:
    """Weighted rows from which quantiles of every column are read; columns are sorted independently."""

    def __init__(self, rows: int = SKETCH_ROWS) -> None:
        self._rows = rows
        self._levels: list[list[np.ndarray]] = [[]]
        self._turns = [0]

    def add(self, rows: np.ndarray) -> None:
        """Take rows [t n]."""
        for start in range(0, len(rows), self._rows):
            self._put(0, np.array(rows[start : start + self._rows]))

    def merge(self, other: QuantileSketch) -> None:
        """Take another's rows at their weights."""
        for level, parts in enumerate(other._levels):
            for part in parts:
                self._put(level, part)

    def _put(self, level: int, rows: np.ndarray) -> None:
        while len(self._levels) <= level:
            self._levels.append([])
            self._turns.append(0)
        held = self._levels[level]
        held.append(rows)
        count = sum(map(len, held))
        if len(held) > 64:  # many tiny batches: keep one array
            held[:] = [np.concatenate(held)]
        if count > self._rows:
            pool = np.concatenate(held)
            full = count - count % 2
            pool[:full].sort(axis=0)
            held[:] = [pool[full:]] if count % 2 else []
            self._turns[level] += 1
            self._put(level + 1, pool[self._turns[level] % 2 : full : 2].copy())

    @property
    def rank_error(self) -> float:
        """Bound on how far a quantile's rank may be off, as a fraction of the rows; 0 while all rows are held."""
        error = sum(turns * 2.0**level for level, turns in enumerate(self._turns))
        total = sum(len(part) << level for level, parts in enumerate(self._levels) for part in parts)
        return error / max(total, 1)

    def quantiles(self, fractions: list[float]) -> list[np.ndarray]:
        """One row [n] per fraction; linear between neighbours as numpy's default while all rows are held."""
        parts = [(part, 2.0**k) for k, held in enumerate(self._levels) for part in held if len(part)]
        values = np.concatenate([part for part, _ in parts])
        if len(parts) and all(weight == 1 for _, weight in parts):
            return list(np.quantile(values, fractions, axis=0))
        weights = np.concatenate([np.full(len(part), weight) for part, weight in parts])
        order = np.argsort(values, axis=0, kind="stable")
        ordered, heavy = np.take_along_axis(values, order, axis=0), weights[order]
        place = (np.cumsum(heavy, axis=0) - heavy / 2) / weights.sum()
        columns = range(values.shape[1])
        return [np.array([np.interp(f, place[:, k], ordered[:, k]) for k in columns]) for f in fractions]


class ImageStatistics:
    """Per-channel statistics of RGB frames, from a histogram of 256 bins each: exact, mergeable, flat memory."""

    def __init__(self) -> None:
        self.frames = 0
        self._bins = np.zeros((3, 256), np.int64)

    def add(self, frame: np.ndarray) -> None:
        """Count one frame uint8 [h w 3]; every k-th pixel of large ones."""
        step = max(1, min(frame.shape[:2]) // IMAGE_SIDE_PX)
        small = frame[::step, ::step]
        for channel in range(3):
            self._bins[channel] += np.bincount(small[..., channel].reshape(-1), minlength=256)
        self.frames += 1

    def merge(self, other: ImageStatistics) -> None:
        """Take all that the other has counted."""
        self.frames += other.frames
        self._bins += other._bins

    def bins(self) -> list[list[int]]:
        """The histogram, for storing."""
        return [[int(n) for n in row] for row in self._bins]

    @classmethod
    def from_bins(cls, frames: int, bins: list[list[int]]) -> ImageStatistics:
        """Inverse of `bins`."""
        made = cls()
        made.frames, made._bins = frames, np.array(bins, np.int64).reshape(3, 256)
        return made

    def result(self) -> Statistics:
        """Statistics as 3x1x1 in 0..1; `count` is the number of frames."""
        level = np.arange(256) / 255.0
        count = self._bins.sum(1, keepdims=True)
        mean = (self._bins * level).sum(1, keepdims=True) / count
        seen = self._bins > 0
        stats = {
            "min": level[seen.argmax(1)],
            "max": level[255 - seen[:, ::-1].argmax(1)],
            "mean": mean,
            "std": np.sqrt((self._bins * np.square(level - mean)).sum(1) / count[:, 0]),
        }
        below = np.cumsum(self._bins, axis=1)
        for name, fraction in QUANTILES.items():
            stats[name] = level[(below > fraction * (count - 1)).argmax(1)]
        return {k: np.asarray(v).reshape(3, 1, 1) for k, v in stats.items()} | {
            "count": np.array([self.frames])
        }


def row_statistics(values: np.ndarray) -> Statistics:
    """min, max, mean, std, count and five quantiles over axis 0 of [t n] (or [t])."""
    running = RunningStatistics()
    running.add(values)
    return running.result()


def merged(parts: Iterable[RunningStatistics]) -> RunningStatistics:
    """All parts as one stream."""
    total = RunningStatistics()
    for part in parts:
        total.merge(part)
    return total


def sampled_indices(length: int, most: int = 100) -> np.ndarray:
    """Evenly spread frame indices, both ends included, at most `most` of them."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int))

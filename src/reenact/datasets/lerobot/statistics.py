"""The ten statistics LeRobot stores per feature, per episode and merged over episodes.

Mean and standard deviation merge exactly (parallel variance); quantiles of the whole set are computed from the pooled
rows, as lerobot does for v3.0, not averaged over episodes.
"""

from __future__ import annotations

import numpy as np

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}

Statistics = dict[str, np.ndarray]


def row_statistics(values: np.ndarray) -> Statistics:
    """min, max, mean, std, count and five quantiles over axis 0 of [t n] (or [t])."""
    rows = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    stats = {
        "min": rows.min(0),
        "max": rows.max(0),
        "mean": rows.mean(0),
        "std": rows.std(0),
        "count": np.array([len(rows)]),
    }
    stats.update({name: np.quantile(rows, q, axis=0) for name, q in QUANTILES.items()})
    return stats


def image_statistics(frames: np.ndarray) -> Statistics:
    """Per-channel statistics of sampled RGB frames uint8 [n h w 3], as 3x1x1 in 0..1; count is the frames used."""
    pixels = frames.reshape(-1, 3) / 255.0
    stats = row_statistics(pixels)
    count = np.array([len(frames)])
    return {name: count if name == "count" else value.reshape(3, 1, 1) for name, value in stats.items()}


def sampled_indices(length: int, most: int = 100) -> np.ndarray:
    """Evenly spread frame indices, both ends included, at most `most` of them."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int))

"""Which source frame stands for which instant."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from reenact.errors import InputError


class GridError(InputError):
    """The instants asked for are not one rising row of int64 nanoseconds."""


def checked_grid(grid_t_ns: Int64[np.ndarray, " g"]) -> Int64[np.ndarray, " g"]:
    """The same instants, if they are a non-empty, strictly rising int64 row."""
    grid_t_ns = np.asarray(grid_t_ns)
    if grid_t_ns.ndim != 1 or not len(grid_t_ns) or grid_t_ns.dtype != np.int64:
        raise GridError(
            f"a time grid of shape {grid_t_ns.shape} and dtype {grid_t_ns.dtype}",
            hint="int64 nanoseconds in one row",
        )
    if (np.diff(grid_t_ns) <= 0).any():
        raise GridError("the grid's instants do not rise strictly", hint="sort them and drop repetitions")
    return grid_t_ns


def nearest_frames(
    frame_t_ns: Int64[np.ndarray, " t"], grid_t_ns: Int64[np.ndarray, " g"]
) -> Int64[np.ndarray, " g"]:
    """Index of the frame nearest in time to each instant, the earlier on a tie; frames must rise strictly."""
    after = np.clip(np.searchsorted(frame_t_ns, grid_t_ns), 1, max(1, len(frame_t_ns) - 1))
    if len(frame_t_ns) == 1:
        return np.zeros(len(grid_t_ns), np.int64)
    before = after - 1
    is_after = frame_t_ns[after] - grid_t_ns < grid_t_ns - frame_t_ns[before]
    return np.where(is_after, after, before).astype(np.int64)

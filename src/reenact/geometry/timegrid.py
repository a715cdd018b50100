"""Instants in int64 nanoseconds, and values carried from one set of instants to another.

Intervals are half-open: ``start_ns`` belongs to a grid, ``end_ns`` does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from reenact.errors import InputError
from reenact.geometry.arrays import Array, as_array, namespace
from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix, slerp

NS_PER_S = 1_000_000_000


class BadTimes(InputError):
    """Instants that are not int64, not strictly rising, or none at all."""


@dataclass(frozen=True, eq=False)
class TimeGrid:
    """Strictly rising instants; the array is a read-only copy."""

    t_ns: Int64[np.ndarray, " t"]

    def __post_init__(self) -> None:
        t_ns = np.asarray(self.t_ns)
        if t_ns.dtype != np.int64 or t_ns.ndim != 1 or len(t_ns) == 0:
            raise BadTimes(
                f"times of dtype {t_ns.dtype} and shape {t_ns.shape}", hint="int64, shape (t,), t >= 1"
            )
        steps = np.diff(t_ns)
        if np.any(steps <= 0):
            i = int(np.argmax(steps <= 0))
            raise BadTimes(f"times do not rise at index {i + 1}: {t_ns[i]} then {t_ns[i + 1]} ns")
        t_ns = t_ns.copy()
        t_ns.flags.writeable = False
        object.__setattr__(self, "t_ns", t_ns)

    @classmethod
    def uniform(cls, start_ns: int, end_ns: int, fps_hz: float) -> TimeGrid:
        """Every instant ``start + k / fps`` before ``end_ns``, each rounded on its own (no drift)."""
        if not (fps_hz > 0 and end_ns > start_ns):
            raise BadTimes(f"no instants in [{start_ns}, {end_ns}) ns at {fps_hz} Hz")
        count = int(np.ceil((end_ns - start_ns) * fps_hz / NS_PER_S)) + 1
        t_ns = start_ns + np.rint(np.arange(count) * (NS_PER_S / fps_hz)).astype(np.int64)
        return cls(t_ns[t_ns < end_ns])

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def seconds(self) -> Float64[np.ndarray, " t"]:
        """Seconds since the first instant."""
        return (self.t_ns - self.t_ns[0]) / NS_PER_S

    @property
    def median_dt(self) -> float:
        """Median step in seconds; raises ``BadTimes`` for a single instant."""
        if len(self.t_ns) < 2:
            raise BadTimes("a single instant has no step", hint="use at least two")
        return float(np.median(np.diff(self.t_ns))) / NS_PER_S

    @property
    def fps_hz(self) -> float:
        """One over the median step."""
        return 1.0 / self.median_dt

    def nearest_idx(self, t_ns: Int64[np.ndarray, "*b"]) -> Int64[np.ndarray, "*b"]:
        """Index of the nearest instant; a tie goes to the earlier one."""
        t_ns = np.asarray(t_ns, dtype=np.int64)
        after = np.clip(np.searchsorted(self.t_ns, t_ns), 0, len(self.t_ns) - 1)
        before = np.maximum(after - 1, 0)
        nearer_before = np.abs(t_ns - self.t_ns[before]) <= np.abs(self.t_ns[after] - t_ns)
        return np.where(nearer_before, before, after).astype(np.int64)


def _bracket(t_from_ns: np.ndarray, t_to_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each target: the samples around it and the fraction of the way; ends are held."""
    t_from_ns, t_to_ns = np.asarray(t_from_ns), np.asarray(t_to_ns)
    high = np.clip(np.searchsorted(t_from_ns, t_to_ns, side="right"), 0, len(t_from_ns) - 1)
    low = np.maximum(high - 1, 0)
    span = np.maximum(t_from_ns[high] - t_from_ns[low], 1)
    return low, high, np.clip((t_to_ns - t_from_ns[low]) / span, 0.0, 1.0)


def resample_linear(
    t_from_ns: Int64[np.ndarray, " t"], values: Float[Array, "t ..."], t_to_ns: Int64[np.ndarray, " m"]
) -> Float[Array, "m ..."]:
    """Linear interpolation along the first axis; before the first and after the last sample it is held."""
    xp = namespace(values)
    low, high, u = _bracket(t_from_ns, t_to_ns)
    a, b = xp.take(values, xp.asarray(low), axis=0), xp.take(values, xp.asarray(high), axis=0)
    u = as_array(u, values).reshape((-1,) + (1,) * (values.ndim - 1))
    return a + (b - a) * u


def resample_rotations(
    t_from_ns: Int64[np.ndarray, " t"], R: Float[Array, "t *b 3 3"], t_to_ns: Int64[np.ndarray, " m"]
) -> Float[Array, "m *b 3 3"]:
    """Slerp between the neighbouring rotations along the first axis; the ends are held."""
    xp = namespace(R)
    low, high, u = _bracket(t_from_ns, t_to_ns)
    q = quat_from_matrix(R)
    u = as_array(u, R).reshape((-1,) + (1,) * (R.ndim - 3))
    return matrix_from_quat(
        slerp(xp.take(q, xp.asarray(low), axis=0), xp.take(q, xp.asarray(high), axis=0), u)
    )


def resample_valid(
    t_from_ns: Int64[np.ndarray, " t"],
    valid: Bool[np.ndarray, "t ..."],
    t_to_ns: Int64[np.ndarray, " m"],
    max_gap_ns: int | None = None,
) -> Bool[np.ndarray, "m ..."]:
    """True where the samples used by the two functions above are valid, inside the range and near enough.

    A target that falls on a sample needs only that one. ``max_gap_ns`` bounds the distance between the
    two samples used.
    """
    t_from_ns, t_to_ns = np.asarray(t_from_ns), np.asarray(t_to_ns)
    low, high, u = _bracket(t_from_ns, t_to_ns)
    inside = (t_to_ns >= t_from_ns[0]) & (t_to_ns <= t_from_ns[-1])
    if max_gap_ns is not None:
        inside &= (t_from_ns[high] - t_from_ns[low] <= max_gap_ns) | (u == 0) | (u == 1)
    column = (slice(None),) + (None,) * (valid.ndim - 1)
    return (valid[low] | (u == 1)[column]) & (valid[high] | (u == 0)[column]) & inside[column]

"""Filters over time that neither shift motion nor depend on the frame rate: all windows are in seconds.

Values are numpy arrays with time first and any trailing axes; ``t_seconds`` may be non-uniform.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.linalg import solveh_banded

from reenact.errors import InputError

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal variable over its median absolute deviation."""


class BadFilter(InputError):
    """A filter asked for on data that it cannot work on (lengths differ, times do not rise)."""


def whittaker(
    values: Float[np.ndarray, "t ..."],
    weights: Float[np.ndarray, "t ..."] | None,
    t_seconds: Float[np.ndarray, " t"],
    cutoff_s: float,
    order: int = 3,
) -> Float64[np.ndarray, "t ..."]:
    """Penalised least squares: minimise ``∫ w (y - x)² + λ (d^order x / dt^order)² dt``.

    The answer at frequency f is ``1 / (1 + (f cutoff_s)^(2 order))``: a sine of period ``cutoff_s`` comes
    out at half height, at any frame rate, with no shift in time; polynomials of degree < ``order`` pass
    unchanged (Whittaker 1923; Eilers, Anal. Chem. 2003; the derivative by divided differences, so that
    times may be non-uniform). ``weights`` (>= 0) has the shape of ``values`` or of its leading axes; a
    sample of weight 0 is ignored and interpolated. Before the first and after the last weighted sample
    the end value is held; a column without any weighted sample comes out as zeros.

    Raises:
        BadFilter: lengths differ, times do not rise, a weight is negative, a weighted value is not finite.
    """
    values, t = _checked(values, t_seconds)
    weights = np.ones(len(t)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weights.shape != values.shape[: weights.ndim]:
        raise BadFilter(f"weights {weights.shape} do not lead values {values.shape}")
    if np.any(weights < 0) or not np.all(np.isfinite(weights)):
        raise BadFilter("a weight is negative or not finite", hint="weights are >= 0; 0 means ignore")
    if cutoff_s <= 0 or len(t) == 1:
        return np.array(values, dtype=np.float64)
    w = weights.reshape(len(t), -1)
    y = values.reshape(len(t), w.shape[1], -1)
    out = np.zeros(y.shape)
    for column in range(w.shape[1]):
        out[:, column] = _smooth_column(y[:, column], w[:, column], t, cutoff_s, order)
    return out.reshape(values.shape)


def _smooth_column(y: np.ndarray, w: np.ndarray, t: np.ndarray, cutoff_s: float, order: int) -> np.ndarray:
    """One weight series, many value columns: one banded factorisation."""
    used = np.flatnonzero(w > 0)
    if len(used) == 0:
        return np.zeros(y.shape)
    first, last = int(used[0]), int(used[-1])
    span = slice(first, last + 1)
    y, out = np.where(w[:, None] > 0, y, 0.0), np.empty(y.shape)
    if not np.all(np.isfinite(y)):
        raise BadFilter("a value with weight > 0 is not finite", hint="give it weight 0")
    if len(used) == 1:
        out[span] = y[span]
    else:
        out[span] = _solve(y[span], w[span], t[span], cutoff_s, min(order, len(used)))
    out[:first], out[last + 1 :] = out[first], out[last]
    return out


def _solve(y: np.ndarray, w: np.ndarray, t: np.ndarray, cutoff_s: float, order: int) -> np.ndarray:
    bands, cell = whittaker_bands(t, cutoff_s, order)
    bands[-1] += w * cell
    return solveh_banded(bands, (w * cell)[:, None] * y, overwrite_ab=True, check_finite=False)


def whittaker_bands(
    t_seconds: Float[np.ndarray, " t"], cutoff_s: float, order: int
) -> tuple[Float64[np.ndarray, "order1 t"], Float64[np.ndarray, " t"]]:
    """The roughness term of ``whittaker`` in upper banded form, and the length of each sample's cell.

    For those who solve with weights of their own kind: a data term of weight ``w`` enters as ``w * cell``.
    """
    dt = float(np.median(np.diff(t_seconds)))
    tau = t_seconds / dt  # unit steps keep the bands well scaled
    x = math.pi * dt / cutoff_s
    half = (
        math.sin(x) if x < math.pi / 2 else x * 2 / math.pi
    )  # the discrete derivative's gain at the cut-off
    penalty = (2 * half) ** (-2 * order)
    steps = np.diff(tau)
    cell = np.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]])
    return penalty * _penalty_bands(tau, order), cell


def _penalty_bands(tau: np.ndarray, order: int) -> np.ndarray:
    """Upper banded form of ``∫ (d^order x)²`` with the derivative taken by divided differences."""
    n = len(tau)
    rows = n - order
    bands = np.zeros((order + 1, n))
    if rows <= 0:
        return bands
    nodes = np.stack([tau[a : a + rows] for a in range(order + 1)])
    coefs = np.stack(
        [
            math.factorial(order) / np.prod([nodes[a] - nodes[b] for b in range(order + 1) if b != a], axis=0)
            for a in range(order + 1)
        ]
    )
    length = (nodes[-1] - nodes[0]) / order
    for a in range(order + 1):
        for b in range(a, order + 1):
            bands[order - (b - a), b : b + rows] += length * coefs[a] * coefs[b]
    return bands


def median_filter_time(
    values: Float[np.ndarray, "t ..."],
    t_seconds: Float[np.ndarray, " t"],
    window_s: float,
    valid: Bool[np.ndarray, "t ..."] | None = None,
) -> Float64[np.ndarray, "t ..."]:
    """Median of the valid samples within ``window_s / 2`` on either side (shorter at the ends).

    ``valid`` has the shape of the values or of their leading axes. With none valid nearby the value stays.
    """
    values, t = _checked(values, t_seconds)
    masked = _masked(values, valid)
    return _window_median(masked, values, t, window_s)


def hampel(
    values: Float[np.ndarray, "t ..."],
    t_seconds: Float[np.ndarray, " t"],
    window_s: float,
    n_sigma: float = 3.0,
    floor: float = 0.0,
    valid: Bool[np.ndarray, "t ..."] | None = None,
) -> Bool[np.ndarray, "t ..."]:
    """True for valid samples further than ``n_sigma`` robust sigmas from the running median.

    Sigma is 1.4826 times the running median absolute deviation, never less than ``floor`` (in the units
    of the values; give the noise you accept, else constant data flags any ripple). Hampel 1974.
    """
    values, t = _checked(values, t_seconds)
    masked = _masked(values, valid)
    centre = _window_median(masked, values, t, window_s)
    spread = np.empty(values.shape)
    for i, (low, high) in enumerate(_windows(t, window_s)):
        spread[i] = _nanmedian(np.abs(masked[low:high] - centre[i]), np.zeros(values.shape[1:]))
    sigma = np.maximum(MAD_TO_SIGMA * spread, floor)
    return (np.abs(values - centre) > n_sigma * sigma) & np.isfinite(masked)


def savgol_time(
    values: Float[np.ndarray, "t ..."],
    t_seconds: Float[np.ndarray, " t"],
    window_s: float,
    order: int = 2,
    derivative: int = 0,
) -> Float64[np.ndarray, "t ..."]:
    """Local polynomial fit over ``window_s`` around each instant; the derivative is per second^derivative.

    Savitzky and Golay 1964, with the fit solved anew at each instant so that times may be non-uniform.
    At the ends the window is one-sided; where it holds too few samples it grows to the nearest ones.
    """
    values, t = _checked(values, t_seconds)
    if derivative > order or len(t) <= order:
        raise BadFilter(f"derivative {derivative} of order {order} from {len(t)} samples")
    flat = values.reshape(len(t), -1)
    out = np.empty(flat.shape)
    for i, (low, high) in enumerate(_windows(t, window_s)):
        while high - low <= order:
            grow_left = low > 0 and (high == len(t) or t[i] - t[low - 1] <= t[high] - t[i])
            low, high = (low - 1, high) if grow_left else (low, high + 1)
        local = t[low:high] - t[i]
        unit = max(float(np.abs(local).max()), 1e-12)
        fit = np.linalg.pinv(np.vander(local / unit, order + 1, increasing=True))
        out[i] = fit[derivative] @ flat[low:high] * (math.factorial(derivative) / unit**derivative)
    return out.reshape(values.shape)


def time_shift(
    a: Float[np.ndarray, "t ..."],
    b: Float[np.ndarray, "t ..."],
    t_seconds: Float[np.ndarray, " t"],
    max_shift_s: float = 0.5,
) -> float:
    """Seconds by which ``b`` comes after ``a`` (``b(t) = a(t - shift)``), to a fraction of a frame.

    Highest normalised correlation over the overlap, summed over trailing axes, then a parabola through
    the peak and its neighbours. Non-uniform times are resampled to the median step first.
    """
    a, t = _checked(a, t_seconds)
    b, _ = _checked(b, t_seconds)
    dt = float(np.median(np.diff(t)))
    grid = np.arange(t[0], t[-1] + dt * 1e-6, dt)
    columns = [np.interp(grid, t, c) for c in a.reshape(len(t), -1).T]
    a = np.stack(columns, axis=1)
    b = np.stack([np.interp(grid, t, c) for c in b.reshape(len(t), -1).T], axis=1)
    most = min(round(max_shift_s / dt), len(grid) - 3)
    lags = np.arange(-most, most + 1)
    score = np.array([_overlap_correlation(a, b, int(lag)) for lag in lags]) - 1e-9 * np.abs(lags)
    peak = int(np.argmax(score))
    if 0 < peak < len(lags) - 1:
        left, mid, right = score[peak - 1 : peak + 2]
        bend = left - 2 * mid + right
        return float((lags[peak] + (0.5 * (left - right) / bend if bend < 0 else 0.0)) * dt)
    return float(lags[peak] * dt)


def _overlap_correlation(a: np.ndarray, b: np.ndarray, lag: int) -> float:
    """Correlation of ``a[i]`` with ``b[i + lag]`` over the samples that both have."""
    n = len(a) - abs(lag)
    x, y = a[max(0, -lag) :][:n], b[max(0, lag) :][:n]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    scale = math.sqrt(float((x * x).sum() * (y * y).sum()))
    return float((x * y).sum() / scale) if scale > 0 else 0.0


def _checked(values: np.ndarray, t_seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, t = np.asarray(values, dtype=np.float64), np.asarray(t_seconds, dtype=np.float64)
    if t.ndim != 1 or len(t) == 0 or len(values) != len(t):
        raise BadFilter(f"{values.shape} values at {t.shape} times", hint="one time per first-axis entry")
    if np.any(np.diff(t) <= 0):
        raise BadFilter("times do not rise strictly")
    return values, t


def _masked(values: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """A copy with NaN where not valid (inside this file only)."""
    if valid is None:
        return values.astype(np.float64)
    valid = np.asarray(valid, dtype=bool)
    return np.where(valid.reshape(valid.shape + (1,) * (values.ndim - valid.ndim)), values, np.nan)


def _windows(t: np.ndarray, window_s: float) -> list[tuple[int, int]]:
    """Index range of the samples within half a window of each instant (a hair more, for rounding)."""
    reach = window_s / 2 * (1 + 1e-9) + 1e-12
    low = np.searchsorted(t, t - reach, side="left")
    high = np.searchsorted(t, t + reach, side="right")
    return [(int(a), int(b)) for a, b in zip(low, high, strict=True)]


def _window_median(masked: np.ndarray, spare: np.ndarray, t: np.ndarray, window_s: float) -> np.ndarray:
    out = np.empty(masked.shape)
    for i, (low, high) in enumerate(_windows(t, window_s)):
        out[i] = _nanmedian(masked[low:high], spare[i])
    return out


def _nanmedian(x: np.ndarray, spare: np.ndarray | float) -> np.ndarray:
    """Median over the first axis without NaN; ``spare`` where all are NaN."""
    count = np.isfinite(x).sum(axis=0)
    ordered = np.sort(x, axis=0)  # NaN goes last
    low = np.maximum((count - 1) // 2, 0)[None]
    high = np.minimum(count // 2, len(x) - 1)[None]
    middle = (np.take_along_axis(ordered, low, 0)[0] + np.take_along_axis(ordered, high, 0)[0]) / 2
    return np.where(count > 0, middle, spare)

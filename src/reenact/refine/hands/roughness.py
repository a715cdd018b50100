"""How uneven a hand's motion is, as a quadratic form over a whole stretch of frames, and its banded linear algebra.

A frame is described by 27 numbers: the middle of the palm (m), twice the wrist's quaternion (rad, nearly) and the 20
angles (rad). Roughness is the integral of the squared third derivative of each, weighed so that a frame known to the
reference sigma is smoothed with the configured cut-off.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.banded import solve_banded_spd
from reenact.geometry.filters import whittaker_bands
from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.refine.hands.kinematics import STEP_SIZE
from reenact.refine.hands.levenberg import State

ORDER = 3


class Roughness:
    """The quadratic form for fixed times; states are (R [n 3 3], t [n 3], angles [n 20])."""

    def __init__(
        self,
        t_seconds: Float64[np.ndarray, " n"],
        palm_wrist: Float64[np.ndarray, "3"],
        cutoffs_s: tuple[float, float, float],
        sigmas: tuple[float, float, float],
    ) -> None:
        """Cut-offs and reference sigmas are those of position (m), rotation (rad), angles (rad)."""
        self.n, self.palm = len(t_seconds), palm_wrist
        self.order = min(ORDER, self.n - 1)
        bands = [whittaker_bands(t_seconds, cutoff, self.order) for cutoff in cutoffs_s]
        self.cell = bands[0][1]
        self._bands = [b / sigma**2 for (b, _), sigma in zip(bands, sigmas, strict=True)]

    def evaluate(self, state: State) -> tuple[float, Float64[np.ndarray, "n 26"], np.ndarray]:
        """Roughness, half its gradient by the 26-number steps, and the 6x6 coupling of poses `[n 7 6]`."""
        R, t, angles = state
        lever = R @ self.palm
        q = 2.0 * quat_continuous(quat_from_matrix(R))
        slope = _pose_slope(lever, q)
        values = np.concatenate([t + lever, q, angles], axis=1)
        pulled = np.concatenate(
            [
                _banded_times(band, values[:, part])
                for band, part in zip(self._bands, (slice(0, 3), slice(3, 7), slice(7, 27)), strict=True)
            ],
            axis=1,
        )
        gradient = np.empty((self.n, STEP_SIZE))
        gradient[:, :6] = np.einsum("nca,nc->na", slope, pulled[:, :7])
        gradient[:, 6:] = pulled[:, 7:]
        return float((values * pulled).sum()), gradient, slope

    def solve(
        self,
        slope: Float64[np.ndarray, "n 7 6"],
        normal: Float64[np.ndarray, "n 26 26"],
        right: Float64[np.ndarray, "n 26"],
    ) -> Float64[np.ndarray, "n 26"]:
        """Solve (block-diagonal `normal` + roughness) x = `right`: one banded Cholesky over the stretch."""
        top = STEP_SIZE * self.order + STEP_SIZE - 1
        bands = np.zeros((top + 1, STEP_SIZE * self.n))
        for lag in range(self.order + 1):
            self._place_roughness(bands, top, lag, slope)
        for a in range(STEP_SIZE):
            for b in range(a, STEP_SIZE):
                bands[top - (b - a), b::STEP_SIZE] += normal[:, a, b]
        x = solve_banded_spd(bands, right.reshape(-1))
        return x.reshape(self.n, STEP_SIZE)

    def _place_roughness(self, bands: np.ndarray, top: int, lag: int, slope: np.ndarray) -> None:
        here, later = slope[: self.n - lag], slope[lag:]
        weight = [band[self.order - lag, lag:] for band in self._bands]
        block = np.einsum("nca,ncb,n->nab", here[:, :3], later[:, :3], weight[0])
        block += np.einsum("nca,ncb,n->nab", here[:, 3:], later[:, 3:], weight[1])
        for a in range(6):
            for b in range(a if lag == 0 else 0, 6):
                offset = STEP_SIZE * lag + b - a
                bands[top - offset, STEP_SIZE * lag + b :: STEP_SIZE] += block[:, a, b]
        for angle in range(6, STEP_SIZE):
            bands[top - STEP_SIZE * lag, STEP_SIZE * lag + angle :: STEP_SIZE] += weight[2]


def _pose_slope(lever: np.ndarray, q2: np.ndarray) -> Float64[np.ndarray, "n 7 6"]:
    """d(palm, doubled quaternion) / d(translation, rotation vector on the left)."""
    slope = np.zeros((len(lever), 7, 6))
    slope[:, [0, 1, 2], [0, 1, 2]] = 1.0
    x, y, z = lever.T
    slope[:, 0, 4], slope[:, 0, 5] = z, -y
    slope[:, 1, 3], slope[:, 1, 5] = -z, x
    slope[:, 2, 3], slope[:, 2, 4] = y, -x
    w, i, j, k = (q2 / 2).T
    for row, entries in enumerate(((-i, -j, -k), (w, k, -j), (-k, w, i), (j, -i, w))):
        for column, entry in enumerate(entries):
            slope[:, 3 + row, 3 + column] = entry
    return slope


def _banded_times(band: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Symmetric upper-banded matrix [order+1 n] times values [n c]."""
    order = len(band) - 1
    out = band[order][:, None] * values
    for lag in range(1, order + 1):
        weight = band[order - lag, lag:, None]
        out[:-lag] += weight * values[lag:]
        out[lag:] += weight * values[:-lag]
    return out

"""Short gaps bridged and marked as such; long ones stay unknown."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix, slerp
from reenact.refine.hands.track import WristTrack
from reenact.scene import Source


@dataclass(frozen=True)
class FillConfig:
    """How far a hand may be guessed, and how fast trust in the guess fades."""

    max_gap_s: float = 0.5
    """Time between the seen frames on both sides of a gap; longer gaps stay invalid."""
    confidence_tau_s: float = 0.25
    """Confidence falls by e per this much time to the nearest seen frame."""
    acceleration: float = 3.0
    """One-sigma of a working hand's acceleration (m/s^2) for the fill's uncertainty."""
    turn_acceleration: float = 15.0
    """One-sigma of the wrist's and fingers' angular acceleration (rad/s^2)."""


def fill_gaps(track: WristTrack, t_seconds: Float64[np.ndarray, " t"], config: FillConfig) -> WristTrack:
    """Gaps up to `max_gap_s` interpolated between the frames around them, marked `Source.FILLED`.

    The wrist goes straight and turns evenly, the angles change evenly. Uncertainty grows by what a hand of the
    configured acceleration can do unseen: a d1 d2 / 2, with d1, d2 the times to the frames on either side.
    """
    before, after, inside = bracket_gaps(track.valid, t_seconds, config.max_gap_s)
    d1, d2 = t_seconds[inside] - t_seconds[before], t_seconds[after] - t_seconds[inside]
    u = d1 / (d1 + d2)
    R, t, angles = track.R_scene_wrist.copy(), track.t_scene.copy(), track.angles.copy()
    q = quat_from_matrix(R)
    R[inside] = matrix_from_quat(slerp(q[before], q[after], u))
    t[inside] = _between(t, before, after, u)
    angles[inside] = _between(angles, before, after, u)
    bow = d1 * d2 / 2
    added = np.concatenate([np.full(3, config.acceleration), np.full(3, config.turn_acceleration)])
    covariance, angle_sigma = track.covariance.copy(), track.angle_sigma.copy()
    covariance[inside] = _between(covariance, before, after, u)
    covariance[inside[:, None], np.arange(6), np.arange(6)] += (added * bow[:, None]) ** 2
    angle_sigma[inside] = np.hypot(
        _between(angle_sigma, before, after, u), config.turn_acceleration * bow[:, None]
    )
    confidence, source, valid = track.confidence.copy(), track.source.copy(), track.valid.copy()
    ends = np.minimum(confidence[before], confidence[after])
    confidence[inside] = ends * np.exp(-np.minimum(d1, d2) / config.confidence_tau_s)
    source[inside], valid[inside] = Source.FILLED, True
    return dataclasses.replace(
        track,
        R_scene_wrist=R,
        t_scene=t,
        angles=angles,
        covariance=covariance,
        angle_sigma=angle_sigma,
        confidence=confidence,
        source=source,
        valid=valid,
    )


def _between(values: np.ndarray, before: np.ndarray, after: np.ndarray, u: np.ndarray) -> np.ndarray:
    u = u.reshape((-1,) + (1,) * (values.ndim - 1))
    return values[before] * (1 - u) + values[after] * u


def bracket_gaps(
    valid: Bool[np.ndarray, " t"], t_seconds: Float64[np.ndarray, " t"], max_gap_s: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(last valid frame before, first after, frame) of every invalid frame inside a gap that is short enough."""
    frames = np.arange(len(valid))
    before = np.maximum.accumulate(np.where(valid, frames, -1))
    after = np.minimum.accumulate(np.where(valid, frames, len(valid))[::-1])[::-1]
    inner = ~valid & (before >= 0) & (after < len(valid))
    inside = frames[inner]
    span = t_seconds[after[inside]] - t_seconds[before[inside]]
    inside = inside[span <= max_gap_s * (1 + 1e-9)]
    return before[inside], after[inside], inside

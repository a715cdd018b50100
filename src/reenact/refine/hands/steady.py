"""How far off a hand's distance may be, and the distance that a whole clip speaks for.

A net's mistakes about a hand (its turn, its size in the picture) last for about a second, and 30 frames of them are no
30 witnesses: smoothing does not see them. How large they are the confidence tells best of all that was tried (palm seen
on its edge, speed of turning, fit's covariance, filled or seen add next to nothing): a tenth of a hand's distance and
more where it is below 0.8. So the distance is followed through the clip as motion plus a slow error whose size is known
frame by frame; frames that are sure settle those around them that are not. The hand moves along its line of sight.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.refine.hands.track import WristTrack
from reenact.scene import Source


@dataclass(frozen=True)
class SteadyConfig:
    """Errors and motion of the logarithm of the distance. Measured in benchmarks/results/hand_bias.md."""

    least: float = 0.032
    """Relative one-sigma of the distance of a hand that is believed fully ..."""
    power: float = 6.0
    """... which grows as one over the confidence to this power ..."""
    most: float = 0.6
    """... up to this much."""
    window_s: float = 0.6
    """Confidence is averaged over this long on either side: an error outlasts the frame that betrays it."""
    correlation_s: float = 1.0
    """Time after which the error is another one by a factor e; 0.6 to 1.2 s give the same."""
    acceleration: float = 1.0
    """Noise of the distance's relative acceleration (1/s^1.5). Of motion back and forth once a second 92 % comes through
    where the hand is sure, a quarter where the error may be a fifth; 0.5 to 1.5 leave errors of the same size."""
    speed: float = 0.5
    """Relative one-sigma of the speed at the start (1/s)."""
    white: float = 0.01
    """Relative one-sigma of what errs anew in every frame, after the whole-clip fit."""


def slow_sigma(
    confidence: Float64[np.ndarray, " t"],
    seen: Bool[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
    config: SteadyConfig,
) -> Float64[np.ndarray, " t"]:
    """Relative one-sigma of the distance of each frame's hand by itself; the largest where nothing was seen near by."""
    doubt = np.where(seen, -np.log(np.clip(confidence, 0.01, 1.0)), 0.0)
    total, count = (np.concatenate([[0.0], np.cumsum(values)]) for values in (doubt, seen.astype(np.float64)))
    first = np.searchsorted(t_seconds, t_seconds - config.window_s - 1e-9)
    last = np.searchsorted(t_seconds, t_seconds + config.window_s + 1e-9, side="right")
    number = count[last] - count[first]
    mean = (total[last] - total[first]) / np.maximum(number, 1.0)
    sigma = np.minimum(config.least * np.exp(config.power * mean), config.most)
    return np.where(number > 0, sigma, config.most)


def steady_distance(
    track: WristTrack,
    eye: Float64[np.ndarray, "t 3"],
    t_seconds: Float64[np.ndarray, " t"],
    config: SteadyConfig,
) -> WristTrack:
    """The hand at the distance that the clip speaks for, with `slow_sigma` as it is then known.

    Args:
        eye: the camera's place in the scene (m).
    """
    rows = np.flatnonzero(track.valid)
    if len(rows) == 0:
        return track
    seen = track.valid & (track.source != Source.FILLED)
    own = slow_sigma(track.confidence, seen, t_seconds, config)
    view = track.t_scene[rows] - eye[rows]
    measured = np.log(np.maximum(np.linalg.norm(view, axis=1), 1e-3))
    followed, sigma = follow(measured, own[rows], seen[rows], t_seconds[rows], config)
    t_scene, stated = track.t_scene.copy(), own.copy()
    t_scene[rows] = eye[rows] + view * np.exp(followed - measured)[:, None]
    stated[rows] = np.minimum(sigma, config.most)
    return dataclasses.replace(track, t_scene=t_scene, slow_sigma=stated)


def follow(
    measured: Float64[np.ndarray, " n"],
    error: Float64[np.ndarray, " n"],
    seen: Bool[np.ndarray, " n"],
    t_seconds: Float64[np.ndarray, " n"],
    config: SteadyConfig,
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Mean and one-sigma of a value whose measurements err by `error` times a slow unit process.

    State: value, its speed, the process. Kalman's filter and the smoother of Rauch, Tung & Striebel (AIAA J. 1965).
    """
    steps = np.diff(t_seconds)
    moves = [_motion(float(dt), config) for dt in steps]
    mean, spread = (
        np.array([measured[seen][0] if seen.any() else measured[0], 0.0, 0.0]),
        np.diag([1.0, config.speed**2, 1.0]),
    )
    ahead = []
    for i in range(len(measured)):
        if i:
            F, Q = moves[i - 1]
            mean, spread = F @ mean, F @ spread @ F.T + Q
        predicted = (mean, spread)
        if seen[i]:
            row = np.array([1.0, 0.0, error[i]])
            gain = spread @ row
            gain = gain / (row @ gain + config.white**2)
            mean = mean + gain * (measured[i] - row @ mean)
            kept = np.eye(3) - np.outer(gain, row)
            spread = kept @ spread @ kept.T + config.white**2 * np.outer(gain, gain)
        ahead.append((*predicted, mean, spread))
    value, sigma = np.empty(len(measured)), np.empty(len(measured))
    for i in range(len(measured) - 1, -1, -1):
        if i < len(measured) - 1:
            before, before_spread = ahead[i][2:]
            back = np.linalg.solve(ahead[i + 1][1], moves[i][0] @ before_spread).T
            mean = before + back @ (mean - ahead[i + 1][0])
            spread = before_spread + back @ (spread - ahead[i + 1][1]) @ back.T
        value[i], sigma[i] = mean[0], np.sqrt(max(float(spread[0, 0]), 0.0))
    return value, sigma


def _motion(dt: float, config: SteadyConfig) -> tuple[np.ndarray, np.ndarray]:
    """Transition and its noise over a step: white acceleration, and an error that is forgotten."""
    keep = np.exp(-dt / config.correlation_s)
    F = np.array([[1.0, dt, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, keep]])
    q = config.acceleration**2
    Q = np.array(
        [[q * dt**3 / 3, q * dt**2 / 2, 0.0], [q * dt**2 / 2, q * dt, 0.0], [0.0, 0.0, 1.0 - keep**2]]
    )
    return F, Q

"""How noisy tracked wrists are, and how briskly they move: what says how hard a robot should try to follow."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.rotations import so3_log
from reenact.geometry.timegrid import NS_PER_S
from reenact.hands.joints import wrist_transform
from reenact.scene import HandTracks


def wrist_noise(hands: HandTracks, valid: Bool[np.ndarray, "k s=2"]) -> Float64[np.ndarray, "s=2 2"]:
    """White noise of wrist position (m) and rotation (rad) per frame, axis and side, from third differences.

    The median absolute deviation makes it blind to quick moments; what it sees of steady quick motion is small
    (a tenth of the acceleration's own second difference at 3 Hz and 30 frames a second).
    """
    out = np.zeros((2, 2))
    for s in (0, 1):
        run = valid[3:, s] & valid[2:-1, s] & valid[1:-2, s] & valid[:-3, s]
        if run.sum() < 5:
            continue
        T = wrist_transform(hands.joints_world[:, s], s)
        turn = so3_log(np.swapaxes(T[:-1, :3, :3], -1, -2) @ T[1:, :3, :3])
        out[s, 0] = _spread(np.diff(T[:, :3, 3], 3, axis=0)[run]) / np.sqrt(20.0)
        out[s, 1] = _spread(np.diff(turn, 2, axis=0)[run]) / np.sqrt(20.0)
    return out


def briskness(
    hands: HandTracks,
    valid: Bool[np.ndarray, "k s=2"],
    t_hands_ns: Int64[np.ndarray, " k"],
    noise: Float64[np.ndarray, "s=2 2"],
    lever: float,
    noise_doubt: float,
    window_s: float,
) -> Float64[np.ndarray, "k s=2"]:
    """Local rms of the wrist's angular acceleration and of its linear one over the arm's lever (rad/s^2).

    What white noise adds to second differences (6 sigma^2 / dt^4 per axis) is taken off.

    Args:
        noise: as `wrist_noise` finds it.
        lever: of the arm (m).
        noise_doubt: the noise may be this many times larger than found when it is taken off.
        window_s: time over which is averaged.
    """
    out = np.zeros(valid.shape)
    if len(valid) < 4:
        return out
    seconds = (t_hands_ns - t_hands_ns[0]) / NS_PER_S
    dt = np.diff(seconds)[:, None]
    middle = 0.5 * (dt[1:] + dt[:-1])
    for s in (0, 1):
        T = wrist_transform(hands.joints_world[:, s], s)
        spin = so3_log(np.swapaxes(T[:-1, :3, :3], -1, -2) @ T[1:, :3, :3]) / dt
        angular = ((np.diff(spin, axis=0) / middle) ** 2).sum(axis=1)
        linear = ((np.diff(np.diff(T[:, :3, 3], axis=0) / dt, axis=0) / middle) ** 2).sum(axis=1)
        added = 18.0 * (noise[s, 1] ** 2 + (noise[s, 0] / lever) ** 2) / np.median(dt) ** 4
        added *= noise_doubt**2
        inner = valid[2:, s] & valid[1:-1, s] & valid[:-2, s]
        squares = angular + linear / lever**2 - added
        out[1:-1, s] = _local_rms(squares, inner, seconds[1:-1], window_s)
        out[[0, -1], s] = out[[1, -2], s]
    return out


def _local_rms(squares: np.ndarray, used: np.ndarray, seconds: np.ndarray, window_s: float) -> np.ndarray:
    """Root of the mean of the used squares within half a window on either side; 0 where none is."""
    totals = np.concatenate([[0.0], np.cumsum(np.where(used, squares, 0.0))])
    counts = np.concatenate([[0], np.cumsum(used)])
    low = np.searchsorted(seconds, seconds - window_s / 2)
    high = np.searchsorted(seconds, seconds + window_s / 2, side="right")
    mean = (totals[high] - totals[low]) / np.maximum(counts[high] - counts[low], 1)
    return np.sqrt(np.maximum(mean, 0.0))


def _spread(x: np.ndarray) -> float:
    """One-sigma by the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(x - np.median(x, axis=0))))

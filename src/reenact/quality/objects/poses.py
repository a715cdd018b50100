"""Object poses against truth: DexMan's alignment, ADD-S, temporal stability (appendix B.6), and plain errors."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64
from scipy.spatial import cKDTree

from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import apply, inverse

ADDS_REACH = 0.10
"""ADD-S thresholds run from 0 to this (m)."""
STABLE_PLACE, STABLE_TURN = 0.01, 0.1
"""Characteristic scales of temporal stability (m, rad)."""


def aligned_at_start(
    T: Float64[np.ndarray, "t 4 4"], T_true: Float64[np.ndarray, "t 4 4"], valid: Bool[np.ndarray, " t"]
) -> Float64[np.ndarray, "t 4 4"]:
    """The track moved as a whole so that it agrees with truth in its first valid frame (B.6, first equation)."""
    if not valid.any():
        return T
    first = int(np.argmax(valid))
    turn = T_true[first, :3, :3] @ T[first, :3, :3].T
    out = T.copy()
    out[:, :3, :3] = turn @ T[:, :3, :3]
    out[:, :3, 3] = T_true[first, :3, 3] + (T[:, :3, 3] - T[first, :3, 3]) @ turn.T
    return out


def add_s(
    T: Float64[np.ndarray, "t 4 4"], T_true: Float64[np.ndarray, "t 4 4"], points: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, " t"]:
    """Mean distance from each model point at the estimate to the nearest model point at truth (m)."""
    tree = cKDTree(points)
    moved = apply(inverse(T_true) @ T, points)  # distances do not change with the frame
    return np.asarray(tree.query(moved.reshape(-1, 3))[0].reshape(len(T), -1).mean(axis=1))


def add_s_auc(distance: Float64[np.ndarray, " t"], valid: Bool[np.ndarray, " t"]) -> float:
    """Area under accuracy over thresholds 0..10 cm, in 0..1; frames without a pose are never right.

    The area under a step function of a threshold is the mean of (reach - distance)+ / reach, exactly.
    """
    right = np.where(valid, np.clip(1 - distance / ADDS_REACH, 0.0, 1.0), 0.0)
    return float(right.mean()) if len(right) else float("nan")


def stability(
    T: Float64[np.ndarray, "t 4 4"], T_true: Float64[np.ndarray, "t 4 4"], valid: Bool[np.ndarray, " t"]
) -> Float64[np.ndarray, " i"]:
    """DexMan's score of each successive pair of valid frames: 1 where the relative motion is the true one."""
    both = np.flatnonzero(valid[:-1] & valid[1:])
    step, true = inverse(T[both]) @ T[both + 1], inverse(T_true[both]) @ T_true[both + 1]
    place = np.linalg.norm(step[:, :3, 3] - true[:, :3, 3], axis=1)
    turn = rotation_angle(true[:, :3, :3], step[:, :3, :3])
    return np.asarray(0.5 * np.exp(-place / STABLE_PLACE) + 0.5 * np.exp(-turn / STABLE_TURN))


def place_errors(
    T: Float64[np.ndarray, "t 4 4"], T_true: Float64[np.ndarray, "t 4 4"]
) -> Float64[np.ndarray, " t"]:
    """Distance of the object's origin from truth (m), not aligned."""
    return np.asarray(np.linalg.norm(T[:, :3, 3] - T_true[:, :3, 3], axis=1))


def turn_errors(
    T: Float64[np.ndarray, "t 4 4"],
    T_true: Float64[np.ndarray, "t 4 4"],
    symmetry_axis: Float64[np.ndarray, "3"] | None = None,
) -> Float64[np.ndarray, " t"]:
    """Angle from truth (rad); with a symmetry axis (object frame), the angle between the axes only."""
    if symmetry_axis is None:
        return np.asarray(rotation_angle(T_true[:, :3, :3], T[:, :3, :3]))
    a, b = T[:, :3, :3] @ symmetry_axis, T_true[:, :3, :3] @ symmetry_axis
    return np.asarray(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))


def jumps(
    T: Float64[np.ndarray, "t 4 4"],
    T_true: Float64[np.ndarray, "t 4 4"],
    valid: Bool[np.ndarray, " t"],
    changes: Bool[np.ndarray, " i"],
) -> Float64[np.ndarray, " n"]:
    """By how much the step between two frames differs from the true step (m), near changes of state.

    `changes[i]`: the state changes between frames i and i + 1; the steps just before and after count, too.
    """
    near = changes | np.roll(changes, 1) | np.roll(changes, -1)
    if len(changes):
        near[0], near[-1] = changes[:2].any(), changes[-2:].any()
    near &= valid[:-1] & valid[1:]
    off = np.diff(T[:, :3, 3], axis=0) - np.diff(T_true[:, :3, 3], axis=0)
    return np.asarray(np.linalg.norm(off[near], axis=1))

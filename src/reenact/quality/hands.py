"""Measures on hand tracks: what was seen, how steady, how true. Every number carries its unit in its name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.alignment import umeyama
from reenact.geometry.filters import savgol_time
from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import SIDES, bone_lengths, wrist_frame
from reenact.scene import CameraTrack, HandTracks, Source

JITTER_WINDOW_S = 0.5
"""Jitter is what remains after a local parabola over this window is taken away (at least seven frames)."""
FLIPPED_DEG = 30.0
"""A wrist this far off its true rotation is of no use to a robot."""


@dataclass(frozen=True)
class OneHandQuality:
    """One side over the clip. NaN-free: a number that nothing supports is None."""

    valid_frames: int
    observed_frames: int
    """Seen in that frame (kept as seen or smoothed), not filled."""
    filled_frames: int
    reprojection_median_percent: float | None
    """RMS of 21 joints, percent of the hand's box, observed frames."""
    reprojection_p95_percent: float | None
    jitter_cm: tuple[float, float, float] | None
    """RMS of the wrist off a 0.5 s local parabola along the camera's x, y, z."""
    bone_length_spread_percent: float | None
    """Largest of the 20 bones' standard deviations over time, percent of its mean length."""
    gaps: int
    """Stretches without the hand between the first and the last valid frame."""
    longest_gap_s: float
    sigma_median_cm: tuple[float, float, float] | None
    """The track's own one-sigma along the camera's x, y, z."""
    peak_speed: float | None
    """Fastest step of the wrist between consecutive valid frames (m/s); a hand at work stays under 3."""
    peak_angular_speed: float | None
    """Fastest turn of the wrist between consecutive valid frames (rad/s); above 20 no hand turns."""


@dataclass(frozen=True)
class HandQuality:
    """Both hands of a clip."""

    frames: int
    frames_with_one: int
    """Exactly one hand valid."""
    frames_with_two: int
    left: OneHandQuality
    right: OneHandQuality


def measure_hands(tracks: HandTracks, camera: CameraTrack, t_ns: Int64[np.ndarray, " t"]) -> HandQuality:
    """All measures that need no truth."""
    count = tracks.valid.sum(axis=1)
    sides = [_one_side(tracks, camera, (t_ns - t_ns[0]) * 1e-9, s) for s in range(len(SIDES))]
    return HandQuality(
        frames=len(count),
        frames_with_one=int((count == 1).sum()),
        frames_with_two=int((count == 2).sum()),
        left=sides[0],
        right=sides[1],
    )


def _one_side(tracks: HandTracks, camera: CameraTrack, t: np.ndarray, side: int) -> OneHandQuality:
    valid, source = tracks.valid[:, side], tracks.source[:, side]
    observed = valid & np.isin(source, (Source.OBSERVED, Source.SMOOTHED, Source.TRUTH))
    off = tracks.reprojection[observed, side] * 100
    gaps = gap_lengths_s(valid, t)
    jitter = wrist_jitter(tracks, camera, t, side)
    sigma = np.median(tracks.sigma_camera[valid, side], axis=0) * 100 if valid.any() else None
    speed, turning = wrist_speeds(tracks, t, side)
    return OneHandQuality(
        valid_frames=int(valid.sum()),
        observed_frames=int(observed.sum()),
        filled_frames=int((valid & (source == Source.FILLED)).sum()),
        reprojection_median_percent=float(np.median(off)) if len(off) else None,
        reprojection_p95_percent=float(np.percentile(off, 95)) if len(off) else None,
        jitter_cm=None if jitter is None else _three(jitter * 100),
        bone_length_spread_percent=bone_length_spread(tracks.joints_world[valid, side]),
        gaps=len(gaps),
        longest_gap_s=max(gaps, default=0.0),
        sigma_median_cm=None if sigma is None else _three(sigma),
        peak_speed=float(speed.max()) if len(speed) else None,
        peak_angular_speed=float(turning.max()) if len(turning) else None,
    )


def wrist_speeds(
    tracks: HandTracks, t_seconds: Float64[np.ndarray, " t"], side: int
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Speed (m/s) and angular speed (rad/s) of the wrist over each pair of consecutive valid frames, scene axes."""
    pair = tracks.valid[1:, side] & tracks.valid[:-1, side]
    joints, dt = tracks.joints_world[:, side], np.diff(t_seconds)[pair]
    R = wrist_frame(joints, side)
    moved = np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1)[pair]
    turned = rotation_angle(R[:-1][pair], R[1:][pair])
    return moved / dt, turned / dt


def wrist_jitter(
    tracks: HandTracks, camera: CameraTrack, t_seconds: Float64[np.ndarray, " t"], side: int
) -> Float64[np.ndarray, "3"] | None:
    """RMS (m) of the wrist off its local parabola, along the axes of each frame's camera; None if never seen so long.

    The camera's own motion is removed as far as it is known. Stretches shorter than the window are left out.
    """
    R_camera_scene = np.swapaxes(camera.scene_T_camera()[:, :3, :3], -1, -2)
    squares, count = np.zeros(3), 0
    for run in _runs(tracks.valid[:, side]):
        t = t_seconds[run]
        window = max(JITTER_WINDOW_S, 6.5 * float(np.median(np.diff(t)))) if len(t) > 1 else JITTER_WINDOW_S
        if len(t) < 7 or t[-1] - t[0] < window * 0.99:
            continue
        wrist = tracks.joints_world[run, side, 0]
        off = wrist - savgol_time(wrist, t, window, order=2)
        squares += (np.einsum("tij,tj->ti", R_camera_scene[run], off) ** 2).sum(axis=0)
        count += len(t)
    return np.sqrt(squares / count) if count else None


def bone_length_spread(joints: Float64[np.ndarray, "n j=21 3"]) -> float | None:
    """Largest standard deviation of a bone over its mean length, percent; None without frames."""
    if len(joints) == 0:
        return None
    lengths = bone_lengths(joints)
    return float((lengths.std(axis=0) / lengths.mean(axis=0)).max() * 100)


def gap_lengths_s(valid: Bool[np.ndarray, " t"], t_seconds: Float64[np.ndarray, " t"]) -> list[float]:
    """Time between the valid frames on both sides of each inner gap (s)."""
    idx = np.flatnonzero(valid)
    jumps = np.flatnonzero(np.diff(idx) > 1)
    return [float(t_seconds[idx[k + 1]] - t_seconds[idx[k]]) for k in jumps]


@dataclass(frozen=True)
class HandErrors:
    """Errors against truth over all frames and sides where both are valid. Medians unless named otherwise."""

    hands: int
    """Frame-hands compared."""
    wrist_lateral_cm: float
    """Off along the camera's x and y together."""
    wrist_lateral_p90_cm: float
    wrist_depth_cm: float
    wrist_depth_p90_cm: float
    wrist_depth_percent: float
    depth_ratio: float
    """Estimated over true wrist depth: the bias."""
    wrist_rotation_deg: float
    """Angle between the wrist frames (METIS)."""
    wrist_rotation_p95_deg: float
    wrist_flipped_share: float
    """Share of hands whose wrist is turned by more than 30 degrees from the truth."""
    joints_absolute_mm: float
    """Mean over 21 joints, no alignment."""
    joints_root_aligned_mm: float
    """Mean over 21 joints after moving the wrist onto the true wrist."""
    joints_procrustes_aligned_mm: float
    """Mean over 21 joints after the best rotation, translation and scale."""
    sigma_ratio: tuple[float, float, float]
    """RMS of wrist error over stated one-sigma, camera x, y, z: 1 is honest, above 1 overconfident."""


def measure_errors(tracks: HandTracks, truth: HandTracks, camera: CameraTrack) -> HandErrors | None:
    """Errors of `tracks` against `truth` of the same frames and frame; None if no hand is valid in both."""
    both = tracks.valid & truth.valid
    if not both.any():
        return None
    T_camera_scene = inverse(camera.scene_T_camera())[np.nonzero(both)[0]]
    found, true = (
        apply(T_camera_scene, tracks.joints_world[both]),
        apply(T_camera_scene, truth.joints_world[both]),
    )
    off = found[:, 0] - true[:, 0]
    lateral, depth = np.linalg.norm(off[:, :2], axis=-1) * 100, np.abs(off[:, 2]) * 100
    rooted = found - off[:, None]
    scale, T = umeyama(found, true)
    fitted = apply(T, scale[..., None, None] * found)
    sigma = np.maximum(tracks.sigma_camera[both], 1e-9)
    turned = _wrist_rotation_deg(found, true, np.nonzero(both)[1])
    return HandErrors(
        hands=int(both.sum()),
        wrist_lateral_cm=float(np.median(lateral)),
        wrist_lateral_p90_cm=float(np.percentile(lateral, 90)),
        wrist_depth_cm=float(np.median(depth)),
        wrist_depth_p90_cm=float(np.percentile(depth, 90)),
        wrist_depth_percent=float(np.median(depth / np.abs(true[:, 0, 2]))),
        depth_ratio=float(np.median(found[:, 0, 2] / true[:, 0, 2])),
        wrist_rotation_deg=float(np.median(turned)),
        wrist_rotation_p95_deg=float(np.percentile(turned, 95)),
        wrist_flipped_share=float((turned > FLIPPED_DEG).mean()),
        joints_absolute_mm=_mean_distance_mm(found, true),
        joints_root_aligned_mm=_mean_distance_mm(rooted, true),
        joints_procrustes_aligned_mm=_mean_distance_mm(fitted, true),
        sigma_ratio=_three(np.sqrt(((off / sigma) ** 2).mean(axis=0))),
    )


def _wrist_rotation_deg(found: np.ndarray, true: np.ndarray, sides: np.ndarray) -> np.ndarray:
    angle = np.zeros(len(found))
    for side in range(len(SIDES)):
        rows = sides == side
        angle[rows] = rotation_angle(wrist_frame(found[rows], side), wrist_frame(true[rows], side))
    return np.rad2deg(angle)


def _mean_distance_mm(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(a - b, axis=-1).mean(axis=-1)) * 1e3)


def _three(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _runs(valid: np.ndarray) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], valid.astype(np.int8), [0]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]

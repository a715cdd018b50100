"""A synthetic room seen by a moving camera: points, poses and their sightings, exact but for stated noise."""

from __future__ import annotations

import numpy as np

from reenact.geometry.transforms import apply, inverse, make_T
from reenact.perception.camera.path.mapping import PinholeLens
from reenact.perception.camera.path.tracks import CornerTracks

LENS = PinholeLens(focal_px=520.0, cx=319.5, cy=239.5, width_px=640, height_px=480)


def look_at(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`T_world_camera` with world +Z up."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return make_T(np.stack([right, np.cross(forward, right), forward], axis=1), eye)


def orbit(frames: int, degrees: float, radius: float = 0.8) -> np.ndarray:
    """`T_world_camera` of a camera that circles a table at the origin."""
    angle = np.deg2rad(degrees) * np.linspace(-0.5, 0.5, frames)
    eyes = np.stack([radius * np.sin(angle), -radius * np.cos(angle), np.full(frames, 0.5)], axis=1)
    return np.stack([look_at(eye, np.zeros(3)) for eye in eyes])


def room_points(count: int, rng: np.random.Generator) -> np.ndarray:
    """On the table, on things that stand on it, and on the wall behind."""
    table = np.column_stack([rng.uniform(-0.6, 0.6, (count, 2)), np.zeros(count)])
    table[: count // 3, 2] = rng.uniform(0.0, 0.2, count // 3)
    table[-count // 4 :, 1] = 1.0
    table[-count // 4 :, 2] = rng.uniform(0.0, 0.6, len(table[-count // 4 :]))
    return table


def sightings(
    points: np.ndarray,
    T_world_camera: np.ndarray,
    rng: np.random.Generator,
    *,
    noise_px: float = 0.2,
    wrong: float = 0.0,
    every: int = 3,
    lens: PinholeLens = LENS,
) -> CornerTracks:
    """Tracks of all points in view; a share of them wanders by itself; every so many frames a keyframe."""
    frames, rows = len(T_world_camera), []
    lost = rng.random(len(points)) < wrong
    stray = np.cumsum(rng.normal(0, 3.0, (frames, len(points), 2)), axis=0)
    for frame, T in enumerate(T_world_camera):
        local = apply(inverse(T), points)
        xy = lens.focal_px * local[:, :2] / local[:, 2:] + [lens.cx, lens.cy]
        xy = xy + rng.normal(0, noise_px, xy.shape) + np.where(lost[:, None], stray[frame], 0.0)
        seen = (local[:, 2] > 0.1) & (xy > 0).all(axis=1) & (xy < [lens.width_px, lens.height_px]).all(axis=1)
        rows += [(track, frame, *xy[track]) for track in np.flatnonzero(seen)]
    table = np.array(sorted(rows))
    keyframes = tuple(range(0, frames, every))
    return CornerTracks(table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:], keyframes, frames)

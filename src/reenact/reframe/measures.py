"""What can be said of a virtual camera in numbers: what it sees, how high it stands, how calmly it moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_log
from reenact.geometry.transforms import apply, inverse
from reenact.scene import CameraTrack, HandTracks


@dataclass(frozen=True)
class PathMotion:
    """Largest values over a path of camera poses."""

    speed: float
    """m/s."""
    acceleration: float
    """m/s2."""
    turn_deg: float
    """deg/s."""


@dataclass(frozen=True)
class EgoMeasures:
    """Of one virtual camera over one clip. Joints are those of known hands."""

    joints_in_view: float
    """Share of joints inside the picture."""
    frames_whole: float
    """Share of frames with a hand in which every joint is inside."""
    least_height: float
    """Least height of the camera over a joint, along up (m); negative: it was below one."""
    least_depth: float
    """Least depth of a joint before the camera (m); negative: it was behind."""
    motion: PathMotion


def measure_ego(
    camera: CameraTrack,
    hands: HandTracks,
    t_seconds: Float64[np.ndarray, " t"],
    up: Float64[np.ndarray, "3"],
) -> EgoMeasures:
    """Measure a camera; at least one hand must be valid."""
    T, lens = camera.T_world_camera, camera.camera()
    joints_ego = apply(inverse(T), hands.joints_world.reshape(len(T), -1, 3)).reshape(
        hands.joints_world.shape
    )
    seen = joints_ego[hands.valid]
    inside = np.zeros(joints_ego.shape[:3], bool)
    inside[hands.valid] = (seen[..., 2] > 0) & lens.in_image(lens.project(seen))
    complete = inside.all(axis=2) | ~hands.valid
    whole = complete[hands.valid.any(axis=1)].all(axis=1)
    height = (T[:, None, None, :3, 3] - hands.joints_world) @ up
    return EgoMeasures(
        joints_in_view=float(inside[hands.valid].mean()),
        frames_whole=float(whole.mean()),
        least_height=float(height[hands.valid].min()),
        least_depth=float(seen[..., 2].min()),
        motion=path_motion(T, t_seconds),
    )


def path_motion(T: Float64[np.ndarray, "t 4 4"], t_seconds: Float64[np.ndarray, " t"]) -> PathMotion:
    """Largest speed, acceleration and turning rate, from frame to frame."""
    if len(T) < 2:
        return PathMotion(0.0, 0.0, 0.0)
    dt = np.diff(t_seconds)
    velocity = np.diff(T[:, :3, 3], axis=0) / dt[:, None]
    turn = so3_log(np.swapaxes(T[:-1, :3, :3], 1, 2) @ T[1:, :3, :3])
    acceleration = np.diff(velocity, axis=0) / ((dt[1:] + dt[:-1]) / 2)[:, None]
    return PathMotion(
        speed=float(np.linalg.norm(velocity, axis=1).max()),
        acceleration=float(np.linalg.norm(acceleration, axis=1).max(initial=0.0)),
        turn_deg=float(np.rad2deg((np.linalg.norm(turn, axis=1) / dt).max())),
    )

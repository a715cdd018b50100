"""Poses as (position, wxyz quaternion), as sheets write them, into one another and into 4x4 matrices."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reenact.robots.sheet import IDENTITY, ORIGIN, Quat, Vec3

Pose = tuple[Vec3, Quat]


def matrix_from_pose(pos: Vec3 = ORIGIN, quat_wxyz: Quat = IDENTITY) -> Float[np.ndarray, "4 4"]:
    """Homogeneous matrix of a pose; the quaternion is normalised first."""
    w, x, y, z = np.asarray(quat_wxyz, float) / np.linalg.norm(quat_wxyz)
    T = np.eye(4)
    T[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    T[:3, 3] = pos
    return T


def compose_poses(first: Pose, second: Pose) -> Pose:
    """``first`` then, in its frame, ``second``; quaternions come back normalised."""
    a = np.asarray(first[1], float) / np.linalg.norm(first[1])
    b = np.asarray(second[1], float) / np.linalg.norm(second[1])
    w = a[0] * b[0] - a[1:] @ b[1:]
    xyz = a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
    pos = matrix_from_pose(*first) @ np.array([*second[0], 1.0])
    return (float(pos[0]), float(pos[1]), float(pos[2])), (float(w), *map(float, xyz))  # type: ignore[return-value]


def invert_pose(pose: Pose) -> Pose:
    """The pose that undoes ``pose``."""
    w, x, y, z = np.asarray(pose[1], float) / np.linalg.norm(pose[1])
    back = (float(w), float(-x), float(-y), float(-z))
    pos = -(matrix_from_pose(ORIGIN, back)[:3, :3] @ pose[0])
    return (float(pos[0]), float(pos[1]), float(pos[2])), back

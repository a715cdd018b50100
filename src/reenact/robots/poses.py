"""Poses as (position, wxyz quaternion), as sheets write them, into one another and into 4x4 matrices."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix
from reenact.geometry.transforms import inverse
from reenact.robots.sheet import IDENTITY, ORIGIN, Quat, Vec3

Pose = tuple[Vec3, Quat]


def matrix_from_pose(
    pos: Vec3 | Float[np.ndarray, " 3"] = ORIGIN, quat_wxyz: Quat | Float[np.ndarray, " 4"] = IDENTITY
) -> Float[np.ndarray, "4 4"]:
    """Homogeneous matrix of a pose; the quaternion is normalised first."""
    T = np.eye(4)
    T[:3, :3] = matrix_from_quat(np.asarray(quat_wxyz, float) / np.linalg.norm(quat_wxyz))
    T[:3, 3] = pos
    return T


def pose_from_matrix(T: Float[np.ndarray, "4 4"]) -> Pose:
    """The way back, w >= 0."""
    x, y, z = map(float, T[:3, 3])
    w, qx, qy, qz = map(float, quat_from_matrix(T[:3, :3]))
    return (x, y, z), (w, qx, qy, qz)


def compose_poses(first: Pose, second: Pose) -> Pose:
    """``first`` then, in its frame, ``second``."""
    return pose_from_matrix(matrix_from_pose(*first) @ matrix_from_pose(*second))


def invert_pose(pose: Pose) -> Pose:
    """The pose that undoes ``pose``."""
    return pose_from_matrix(inverse(matrix_from_pose(*pose)))

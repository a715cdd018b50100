"""Small translations that several readers share: axes, quaternion orders, raw matrices to rigid transforms, times."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from reenact.datasets.readers.errors import DamagedSource
from reenact.geometry.rotations import matrix_from_quat, project_to_so3
from reenact.geometry.transforms import make_T

T_ZUP_YUP = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1.0]])
"""A world whose y is up (ARKit, Unity-like right-handed) to ours, z up: (x, y, z) -> (x, -z, y)."""
T_OPENCV_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenGL camera axes (x right, y up, z backward) to OpenCV's; its own inverse."""
T_FLU_OPENCV = np.array([[0.0, 0, 1.0, 0], [-1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1.0]])
"""OpenCV camera axes to forward-left-up ones: `T_x_flu @ T_FLU_OPENCV = T_x_opencv` (psi, ROS bodies)."""


def rigid(matrices: Float[np.ndarray, "*b r c"], tolerance: float = 1e-3) -> Float64[np.ndarray, "*b 4 4"]:
    """3x4 or 4x4 matrices stored in float32 or text as exact rigid transforms.

    Rotations are projected onto SO(3) only when already orthonormal within `tolerance`.

    Raises:
        DamagedSource: scale, shear or a reflection is in there.
    """
    M = np.asarray(matrices, np.float64)
    if M.shape[-2:] not in ((3, 4), (4, 4)):
        raise DamagedSource(f"a pose of shape {M.shape[-2:]}", hint="3x4 or 4x4")
    R = M[..., :3, :3]
    if not np.isfinite(M).all():
        raise DamagedSource("a pose holds NaN or infinity", hint="mark it missing before")
    off = np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3)).max(initial=0.0)
    if off > tolerance or (np.linalg.det(R) < 0).any():
        raise DamagedSource(
            f"a pose is not rigid (off by {off:.1e})", hint="a reflection, a scale, or a transposed layout"
        )
    return make_T(project_to_so3(R), M[..., :3, 3])


def rigid_or_missing(
    matrices: Float[np.ndarray, "t *b r c"],
) -> tuple[Float64[np.ndarray, "t *b 4 4"], Bool[np.ndarray, " t *b"]]:
    """As `rigid`, per row: rows that are all zero or not finite become identity and invalid."""
    M = np.asarray(matrices, np.float64)
    known = np.isfinite(M).all((-2, -1)) & (np.abs(M[..., :3, :3]).sum((-2, -1)) > 0)
    out = np.tile(np.eye(4), (*M.shape[:-2], 1, 1))
    if known.any():
        out[known] = rigid(M[known])
    return out, known


def transform_from_quat(
    translation: Float[np.ndarray, "*b 3"], quat: Float[np.ndarray, "*b 4"], order: str
) -> Float64[np.ndarray, "*b 4 4"]:
    """From translation and a quaternion whose order is named: "wxyz" or "xyzw".

    Raises:
        DamagedSource: quaternions not of unit length (1 %), or another order name.
    """
    q = np.asarray(quat, np.float64)
    if order == "xyzw":
        q = q[..., [3, 0, 1, 2]]
    elif order != "wxyz":
        raise DamagedSource(f"quaternion order {order!r}", hint="wxyz or xyzw")
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    if (np.abs(length - 1) > 1e-2).any():
        raise DamagedSource(
            f"quaternions of length {length.min():.3f} to {length.max():.3f}", hint="unit length"
        )
    return make_T(matrix_from_quat(q / length), np.asarray(translation, np.float64))


def nominal_times(frames: int, fps_hz: float) -> Int64[np.ndarray, " t"]:
    """Times of a steady rate, from 0."""
    return np.rint(np.arange(frames) * 1e9 / fps_hz).astype(np.int64)


def index_times(frames: int) -> Int64[np.ndarray, " t"]:
    """Where no rate is known: frame numbers, one nanosecond each, so that nobody takes them for seconds."""
    return np.arange(frames, dtype=np.int64)


def rate_of(t_ns: Int64[np.ndarray, " t"]) -> float | None:
    """Median rate; None for a single frame."""
    return float(1e9 / np.median(np.diff(t_ns))) if len(t_ns) > 1 else None

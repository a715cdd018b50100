"""Where the camera sits on the head tracker, and the hand under its tracker: both solved from recordings.

Head: the tracker moves while the camera sees a board that stands still (robot-world/hand-eye, `A X = X B` after Park
and Martin 1994, then refined). Hand: one fixed point is touched with several fingertips from several sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.errors import NoResultError
from reenact.geometry.rotations import project_to_so3, so3_log
from reenact.geometry.transforms import inverse, make_T, se3_exp


class CalibrationUnsure(NoResultError):
    """The recording does not pin the mount down, or does not agree with itself."""


@dataclass(frozen=True)
class CalibrationConfig:
    """When a calibration is believed."""

    min_spread: float = 0.05
    """Least second singular value of the unit turns' scatter: below, all turns are about one axis."""
    max_error: float = 0.01
    """Largest root-mean-square disagreement, metres."""


@dataclass(frozen=True)
class Mount:
    """A solved rigid mount."""

    T_tracker_part: Float64[np.ndarray, "4 4"]
    error: float
    """Root-mean-square disagreement of the recording with it (m)."""


def solve_head_camera(
    T_world_tracker: Float64[np.ndarray, "n 4 4"],
    T_camera_board: Float64[np.ndarray, "n 4 4"],
    config: CalibrationConfig | None = None,
) -> Mount:
    """`T_tracker_camera` from n pairs of the tracker's pose and the still board seen by the camera.

    Raises:
        CalibrationUnsure: fewer than four views, turns about one axis only, or an error above the limit.
    """
    config = config or CalibrationConfig()
    n = len(T_world_tracker)
    if n < 4:
        raise CalibrationUnsure(f"{n} views of the board", hint="at least four, turned about different axes")
    i, j = np.triu_indices(n, 1)
    A = inverse(T_world_tracker[j]) @ T_world_tracker[i]
    B = T_camera_board[j] @ inverse(T_camera_board[i])
    a, b = so3_log(A[:, :3, :3]), so3_log(B[:, :3, :3])
    clear = (np.linalg.norm(a, axis=1) > 0.1) & (np.linalg.norm(a, axis=1) < 3.0)
    units = a[clear] / np.linalg.norm(a[clear], axis=1, keepdims=True) if clear.any() else np.zeros((0, 3))
    spread = np.linalg.svd(units.T @ units / max(len(units), 1))[1][1] if len(units) else 0.0
    if spread < config.min_spread:
        raise CalibrationUnsure("the head turned about one axis only", hint="nod, shake and tilt the head")
    R = project_to_so3(a[clear].T @ b[clear])
    left = (A[clear, :3, :3] - np.eye(3)).reshape(-1, 3)
    right = (B[clear, :3, 3] @ R.T - A[clear, :3, 3]).reshape(-1)
    X = make_T(R, np.linalg.lstsq(left, right, rcond=None)[0])
    X = _refine_head(X, T_world_tracker, T_camera_board)
    place = (T_world_tracker @ X @ T_camera_board)[:, :3, 3]
    error = float(np.sqrt(((place - place.mean(0)) ** 2).sum(1).mean()))
    return _believed(Mount(X, error), config)


def _refine_head(X: np.ndarray, T_tracker: np.ndarray, T_board: np.ndarray) -> np.ndarray:
    from scipy.optimize import least_squares

    corners = np.array([[0, 0, 0, 1.0], [0.2, 0, 0, 1.0], [0, 0.2, 0, 1.0]])

    def residual(v: np.ndarray) -> np.ndarray:
        points = (T_tracker @ X @ se3_exp(v) @ T_board) @ corners.T
        return (points[:, :3] - points[:, :3].mean(0)).reshape(-1)

    return np.asarray(X @ se3_exp(least_squares(residual, np.zeros(6)).x))


def solve_hand_mount(
    T_world_tracker: Float64[np.ndarray, "n 4 4"],
    tips_wrist: Float64[np.ndarray, "n 3"],
    config: CalibrationConfig | None = None,
) -> Mount:
    """`T_tracker_wrist` from n touches of one fixed point: tracker pose and the touching tip in the glove's frame.

    Raises:
        CalibrationUnsure: fewer than eight touches, touches that leave the mount free, or an error above the limit.
    """
    from scipy.optimize import least_squares

    config = config or CalibrationConfig()
    n = len(tips_wrist)
    if n < 8:
        raise CalibrationUnsure(
            f"{n} touches", hint="at least eight, with several fingers, hand turned between"
        )
    R, x = T_world_tracker[:, :3, :3], T_world_tracker[:, :3, 3]
    columns = [R[:, :, k, None] * tips_wrist[:, None, :] for k in range(3)]  # row k of the mount's rotation
    system = np.concatenate([*columns, R, -np.tile(np.eye(3), (n, 1, 1))], axis=2).reshape(-1, 15)
    values = np.linalg.svd(system, compute_uv=False)
    if values[-1] < 1e-3 * values[0] * 1e-1:
        raise CalibrationUnsure("the touches leave the mount free", hint="use several fingers, turn the hand")
    solution = np.linalg.lstsq(system, -x.reshape(-1), rcond=None)[0]
    start = make_T(project_to_so3(solution[:9].reshape(3, 3)), solution[9:12])

    def points(v: np.ndarray) -> np.ndarray:
        M = start @ se3_exp(v)
        return np.einsum("nij,nj->ni", R, tips_wrist @ M[:3, :3].T + M[:3, 3]) + x

    def residual(v: np.ndarray) -> np.ndarray:
        touched = points(v)
        return (touched - touched.mean(0)).reshape(-1)

    best = least_squares(residual, np.zeros(6)).x
    error = float(np.sqrt((residual(best).reshape(-1, 3) ** 2).sum(1).mean()))
    return _believed(Mount(np.asarray(start @ se3_exp(best)), error), config)


def _believed(mount: Mount, config: CalibrationConfig) -> Mount:
    if mount.error > config.max_error:
        raise CalibrationUnsure(
            f"the recording disagrees with the mount by {mount.error * 1e3:.1f} mm",
            hint=f"below {config.max_error * 1e3:g} mm; did the mount slip, or the board move?",
        )
    return mount

"""What both sides of a comparison are judged by."""

from __future__ import annotations

import numpy as np

from reenact.geometry.filters import time_shift
from reenact.retarget.finger_methods.hand import HandModel
from reenact.retarget.finger_methods.vectors import VectorTask


def vector_residual(model: HandModel, task: VectorTask, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Length of each vector's error [t v] (m), and the robot's vectors [t v 3]. Joints may lie outside their limits."""
    x = q[:, [int(np.flatnonzero(model.hand.joint_idx == j)[0]) for j in model.joints.joint_idx]]
    points = model.points(x)
    vectors = points[:, task.end] - np.where(
        (task.origin >= 0)[:, None], points[:, np.maximum(task.origin, 0)], 0.0
    )
    return np.linalg.norm(vectors - task.wanted, axis=-1), vectors


def smoothness(q: np.ndarray, seconds: np.ndarray) -> tuple[float, float, float]:
    """Mean squared step (rad^2, EgoInfinity's roughness), rms acceleration (rad/s^2), largest step (rad)."""
    step, dt = np.diff(q, axis=0), float(np.median(np.diff(seconds)))
    acceleration = np.diff(q, 2, axis=0) / dt**2
    return float((step**2).mean()), float(np.sqrt((acceleration**2).mean())), float(np.abs(step).max())


def outside(model: HandModel, q: np.ndarray) -> float:
    """Largest joint-limit violation (rad)."""
    idx, robot = model.hand.joint_idx, model.robot
    return float(np.maximum(np.maximum(robot.lower[idx] - q, q - robot.upper[idx]), 0.0).max())


def finger_line(model: HandModel, task: VectorTask, q: np.ndarray, seconds: np.ndarray) -> str:
    """Residual, smoothness, limits, jump and lag as one piece of a row."""
    error, vectors = vector_residual(model, task, q)
    rough, acceleration, jump = smoothness(q, seconds)
    n = model.n_fingers
    lag = time_shift(task.wanted[:, -n:].reshape(len(q), -1), vectors[:, -n:].reshape(len(q), -1), seconds)
    return (
        f"{error.mean() * 1e3:>7.1f}{np.percentile(error, 95) * 1e3:>7.1f}{error.max() * 1e3:>7.1f}{rough:>9.5f}"
        f"{acceleration:>7.1f}{outside(model, q):>10.1e}{jump:>7.2f}{lag * 1e3:>7.1f}"
    )

"""Robots loaded once, an ego camera, and motions of people and robots with known truth."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from reenact.actions.human import encode_human
from reenact.actions.slots import unified_spec
from reenact.actions.vector import ActionVector
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from tests import scenes

T_BASE_EGO = make_T(
    np.array([[0.0, -0.6, 0.8], [-1.0, 0.0, 0.0], [0.0, -0.8, -0.6]]), np.array([0.06, 0.02, 0.43])
)


@functools.cache
def robot_named(name: str) -> Robot:
    return load_robot(name)


def times(frames: int, fps_hz: float = 30.0) -> np.ndarray:
    return np.rint(np.arange(frames) * 1e9 / fps_hz).astype(np.int64)


def joint_motion(robot: Robot, t_ns: np.ndarray, seed: int, span: float = 0.3) -> np.ndarray:
    """Every joint swings about the middle of its range, couplings kept."""
    rng = np.random.default_rng(seed)
    phase, hz = rng.uniform(0, 2 * np.pi, robot.n_q), rng.uniform(0.2, 0.5, robot.n_q)
    share = 0.5 + span * np.sin(2 * np.pi * hz * t_ns[:, None] * 1e-9 + phase)
    return robot.couple(robot.lower + share * (robot.upper - robot.lower))


def moving_camera(frames: int, seed: int = 0) -> np.ndarray:
    """The scene's camera, carried and turned."""
    t = np.arange(frames)[:, None] / 30.0
    rng = np.random.default_rng(seed)
    turn = so3_exp(0.2 * np.sin(2 * np.pi * 0.4 * t + rng.uniform(0, 6, 3)))
    shift = 0.1 * np.sin(2 * np.pi * 0.3 * t + rng.uniform(0, 6, 3))
    return scenes.camera(frames).T_world_camera @ make_T(turn, shift)


@pytest.fixture
def person() -> ActionVector:
    """Two hands seen by a moving camera; the left one is lost in frames 10 to 14, the camera in 20 and 21."""
    tracks = scenes.hands(30)
    placed = np.ones(30, bool)
    placed[20:22] = False
    return encode_human(
        tracks.joints_world, tracks.valid, times(30), moving_camera(30), placed, unified_spec(camera=True, grippers=True)
    )  # fmt: skip


def same(a: ActionVector, b: ActionVector, atol: float = 1e-12) -> bool:
    """Equal masks, and equal numbers where known."""
    equal = np.array_equal(a.mask, b.mask) and np.array_equal(a.t_ns, b.t_ns) and a.slots == b.slots
    return bool(equal and np.abs(np.where(a.mask_columns, a.values - b.values, 0.0)).max(initial=0.0) <= atol)


def spoiled(vector: ActionVector, seed: int = 0) -> ActionVector:
    """The same knowledge with noise where it is masked: nothing may come out of that."""
    noise = np.random.default_rng(seed).normal(size=vector.values.shape) * 7
    return ActionVector(
        slots=vector.slots,
        t_ns=vector.t_ns,
        values=np.where(vector.mask_columns, vector.values, noise),
        mask=vector.mask,
    )

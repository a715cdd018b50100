"""Motions of one robot, drawn once from a small pool, and windows with known roots."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.augment import seen_by_cameras
from reenact.retarget.root.learned.config import AugmentConfig, MotionConfig, WindowConfig
from reenact.retarget.root.learned.motions import Motions, MotionSource
from reenact.retarget.root.learned.windows import Windows
from reenact.robots.model import Robot

SMALL = MotionConfig(draws=3000, pool=256)


@pytest.fixture(scope="session")
def g1_arms(g1: Robot) -> RobotArms:
    return robot_arms(g1)


@pytest.fixture(scope="session")
def source(g1_arms: RobotArms) -> MotionSource:
    return MotionSource(g1_arms, SMALL, WindowConfig(), seed=3)


@pytest.fixture(scope="session")
def motions(source: MotionSource) -> Motions:
    return source.draw(64, np.random.default_rng(1))


@pytest.fixture(scope="session")
def seen(motions: Motions) -> tuple[Windows, np.ndarray]:
    """With all augmentations, and the true roots."""
    return seen_by_cameras(motions, AugmentConfig(), WindowConfig(), np.random.default_rng(2))


def turned(windows: Windows, G: np.ndarray) -> Windows:
    """The same clips with the world moved by G (invalid rows stay zero)."""
    T = np.where(windows.valid[..., None, None], G @ windows.T_world_wrist, 0.0)
    return Windows(T, windows.valid, windows.seconds, windows.up @ G[:3, :3].T)

"""Robots are made once per run; random poses come from a fixed seed."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from reenact.robots.model import Robot
from reenact.robots.registry import known_robots, load_robot


@functools.cache
def robot_named(name: str) -> Robot:
    return load_robot(name)


@pytest.fixture(params=known_robots())
def robot(request) -> Robot:
    return robot_named(request.param)


@pytest.fixture
def make_robot():
    return robot_named


@pytest.fixture
def random_q():
    """Uniform within the limits, couplings kept."""

    def draw(robot: Robot, n: int, seed: int = 0) -> np.ndarray:
        return robot.couple(np.random.default_rng(seed).uniform(robot.lower, robot.upper, (n, robot.n_q)))

    return draw

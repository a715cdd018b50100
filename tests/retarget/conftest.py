"""The two robots of the spine, loaded once."""

from __future__ import annotations

import pytest

from reenact.robots.model import Robot
from reenact.robots.registry import load_robot


@pytest.fixture(scope="session")
def g1() -> Robot:
    return load_robot("unitree_g1_dex3")


@pytest.fixture(scope="session")
def fr3() -> Robot:
    return load_robot("dual_fr3_leap")

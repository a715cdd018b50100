"""The climb: never worse, up to the top of a smooth hill, and turning the world turns the answer."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import inverse
from reenact.retarget.root.climb import ClimbConfig, climb_root
from reenact.retarget.root.contract import RootRequest, RootResult, RootScore, Up
from reenact.retarget.root.search import SearchConfig, climbed
from tests.retarget.motions import yaw


def scored(total: float) -> RootScore:
    return RootScore(total, *([0.0] * 10))


def hill(top: np.ndarray) -> Callable[[np.ndarray], RootScore]:
    """Falls with the squared distance and turn from the top."""

    def judge(T: np.ndarray) -> RootScore:
        off, angle = T[:3, 3] - top[:3, 3], rotation_angle(T[:3, :3], top[:3, :3])
        return scored(float(1.0 - off @ off - angle**2))

    return judge


def request(judge: Callable[[np.ndarray], RootScore]) -> Any:
    up = Up(np.array([0.0, 0.0, 1.0]), 0.0, "world")
    none: Any = SimpleNamespace()
    made = object.__new__(RootRequest)
    for name, value in (("targets", none), ("arms", none), ("up", up), ("judge", judge)):
        object.__setattr__(made, name, value)
    return made


def test_it_reaches_the_top_and_never_goes_down() -> None:
    top, start = yaw(0.35, 0.12, -0.09, 0.06), yaw(0.0)
    judge = hill(top)
    T, score = climb_root(request(judge), start, judge(start), np.zeros(3), ClimbConfig(rounds=25, gain=1e-6))
    assert np.linalg.norm(T[:3, 3] - top[:3, 3]) < 0.03
    assert score.total == judge(T).total
    T, score = climb_root(request(judge), top, judge(top), np.zeros(3))
    np.testing.assert_array_equal(T, top)
    rng = np.random.default_rng(0)
    values: dict[bytes, float] = {}
    rough = lambda T: scored(values.setdefault(T.tobytes(), rng.uniform()))  # noqa: E731
    assert climb_root(request(rough), start, scored(0.5), np.zeros(3))[1].total >= 0.5


def test_turning_the_world_turns_the_answer() -> None:
    top, turn, centre = yaw(0.3, 0.1, 0.2, 0.0), yaw(1.1, 0.4, -0.2, 0.3), np.array([0.3, 0.1, 0.2])
    judge = hill(top)

    def turned(T: np.ndarray) -> RootScore:
        return judge(inverse(turn) @ T)

    first = climb_root(request(judge), yaw(0.0), judge(yaw(0.0)), centre)[0]
    there = turn[:3, :3] @ centre + turn[:3, 3]
    second = climb_root(request(turned), turn @ yaw(0.0), judge(yaw(0.0)), there)[0]
    np.testing.assert_allclose(second, turn @ first, atol=1e-9)


def test_the_search_ends_with_it_if_asked_for() -> None:
    judge = hill(yaw(0.2, 0.11, -0.04))
    asked, start = request(judge), yaw(0.0)
    found = RootResult(start, judge(start), asked.up, "search", ((start, judge(start)),))
    assert climbed(asked, found, np.zeros(3), SearchConfig().climb) is found  # off by default
    better = climbed(asked, found, np.zeros(3), ClimbConfig())
    assert better.score.total > found.score.total
    assert better.score == judge(better.T_world_base)
    assert [score for _, score in better.candidates] == [better.score, found.score]

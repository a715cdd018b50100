from __future__ import annotations

import numpy as np
import pytest

from reenact.refine.contacts.distances import PAIRS
from reenact.refine.states.edges import EdgeConfig, Signal, between, fit_movement, ridden, settled, shifted
from reenact.refine.states.intervals import PlaceCost
from reenact.refine.states.stretches import Opposition, OppositionConfig, Travel, TravelConfig
from reenact.toy.motion import min_jerk

T = np.arange(60) / 30


def _travel(place: np.ndarray, aloft: float = 0.0, normal: tuple[float, ...] = (-1.0, 0.0, 0.0)) -> Travel:
    outward = np.tile(np.array(normal), (len(place), 1))
    return Travel.of(place, outward, np.full(len(place), aloft), 1 / 30, TravelConfig())


def _along_x(share: np.ndarray) -> np.ndarray:
    return np.stack([0.15 * share, 0 * share, 0 * share], axis=1)


def test_a_push_goes_straight_away_from_the_hand_and_stays_down():
    there = min_jerk(T / T[-1])
    to_and_fro = 0.5 - 0.5 * np.cos(4 * np.pi * T / T[-1])
    likeness = {
        "push": _travel(_along_x(there)).like_a_push(0, 60),
        "pull": _travel(-_along_x(there)).like_a_push(0, 60),
        "lift": _travel(_along_x(there), aloft=-1.0).like_a_push(0, 60),
        "wipe": _travel(_along_x(to_and_fro)).like_a_push(0, 45),
        "rest": _travel(_along_x(0 * there)).like_a_push(0, 60),
    }
    assert likeness.pop("push") > 0.95
    assert max(likeness.values()) < 0.05
    assert _travel(_along_x(there)).ending(60)[0] == pytest.approx(0.0, abs=0.5)
    assert _travel(-_along_x(there)).ending(60)[0] < -10


@pytest.mark.parametrize("depth_error", [-0.1, 0.0, 0.1])
def test_a_hand_behind_its_push_in_the_picture_pushes_whatever_face_its_depth_says(depth_error):
    """The camera looks along z; a wrong depth puts the hand before or behind the thing, and its normal with it."""
    there, ray = min_jerk(T / T[-1]), np.array([0.0, 0.0, 1.0])
    gap = np.tile([0.08, 0.0, depth_error], (60, 1))
    front = np.tile([0.0, 0.0, -np.sign(depth_error) or -1.0], (60, 1))

    def like(way: np.ndarray) -> float:
        travel = Travel.of(way, front, np.zeros(60), 1 / 30, TravelConfig(), (gap, ray))
        return travel.like_a_push(0, 60)

    assert like(_along_x(there)) > 0.95
    assert like(-_along_x(there)) < 0.05
    assert like(_along_x(there)[:, [1, 0, 2]]) < 0.05


def test_a_second_point_that_is_near_now_and_then_holds_nothing():
    """Noise brings a thumb 2 cm away to the surface in some looks, not over a stretch."""
    rng = np.random.default_rng(0)
    looks = np.full(60, 1 / 3)
    between_points = np.full((60, len(PAIRS)), -0.01)
    own = np.array([0.02, 0.03, 0.03, 0.03, 0.03, 0.0])
    free, grip = (own + rng.normal(0, 0.01, (60, 1)) for own in (own, np.zeros(6)))
    pushes, holds = (Opposition.of(d, between_points, looks, 0.01, OppositionConfig()) for d in (free, grip))
    assert holds.ending(60)[0] > 0.8
    assert holds.misfit(0, 60) < 0.1
    assert pushes.misfit(0, 60) > 1.0
    assert holds.ending(60, 30)[0] == pytest.approx(holds.ending(60)[30])


@pytest.mark.parametrize("noise", [0.002, 0.01])
def test_movements_are_timed_better_than_noise_shows_them(noise):
    """To two frames at 30 Hz; how gently it sets off is not known, which costs most of it."""
    rng = np.random.default_rng(1)
    errors = []
    for begin, end in rng.uniform([0.5, 1.2], [0.8, 1.5], (12, 2)):
        path = _along_x(min_jerk((T - begin) / (end - begin))) + rng.normal(0, noise, (60, 3))
        span = ridden(
            Signal(path, np.full(60, noise**-2)), T, round(begin * 30) + 4, round(end * 30) - 4, EdgeConfig()
        )
        assert span is not None
        errors += [span[0] - begin, span[1] - end]
    assert np.abs(errors).mean() < 0.06


def test_fingers_have_closed_when_they_stop_and_rest_tells_nothing():
    rng = np.random.default_rng(2)
    tips = 0.04 * min_jerk((T - 0.7) / 0.35)[:, None] + rng.normal(0, 0.003, (60, 15))
    signal = Signal(tips, np.full(60, 0.003**-2))
    assert settled([signal], T, 29, True, EdgeConfig()) == pytest.approx(1.05, abs=0.03)
    assert settled([signal], T, 23, False, EdgeConfig()) == pytest.approx(0.70, abs=0.03)
    still = Signal(rng.normal(0, 0.003, (60, 15)), np.full(60, 0.003**-2))
    assert settled([still], T, 29, True, EdgeConfig()) is None
    unseen = Signal(tips, np.zeros(60))
    assert fit_movement(unseen, T, (0.0, 2.0), T[10:20], T[30:40], (0.2, 2.0)) is None


def test_changes_move_and_probabilities_stay_probabilities():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(5) * 0.2, 20)
    p[:10, 0] += 3.0
    p[10:, 2] += 3.0
    p /= p.sum(axis=1, keepdims=True)
    later = shifted(p, 10, 13)
    assert (later.argmax(axis=1) == np.where(np.arange(20) < 13, 0, 2)).all()
    both = between(p, 8, 12, 4)
    assert (both[8:12].argmax(axis=1) == 4).all()
    for q in (later, both):
        np.testing.assert_allclose(q.sum(axis=1), 1.0)


def test_places_cost_what_solving_their_normal_equations_says():
    rng = np.random.default_rng(4)
    places, root = rng.normal(size=(12, 3)), rng.normal(size=(12, 3, 3))
    information = root @ root.swapaxes(1, 2)
    best = np.linalg.solve(information.sum(axis=0), np.einsum("tij,tj->i", information, places))
    off = places - best
    want = 0.5 * np.einsum("ti,tij,tj->", off, information, off)
    assert PlaceCost.of(places, information).ending(12)[0] == pytest.approx(want, rel=1e-4)

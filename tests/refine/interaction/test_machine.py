from __future__ import annotations

import itertools

import numpy as np
import pytest

from reenact.refine.interaction.flags import FlagConfig, find_flags
from reenact.refine.interaction.results import refine_interaction
from reenact.refine.states.intervals import ConstantCost, PlaceCost
from reenact.refine.states.semi_markov import posterior
from tests.refine.interaction.played import disturb, play


@pytest.mark.parametrize("longest", [None, 5, 2])
def test_semi_markov_sums_equal_those_over_all_segmentations(longest):
    """With `longest`, a full segment may be followed by one of the same state at no price."""
    rng = np.random.default_rng(0)
    frames, states = 5, 2
    table = rng.normal(size=(frames + 1, frames + 1, states))
    transition = np.array([[-0.5, -1.0], [-2.0, -np.inf]])
    probability = posterior(frames, states, lambda b, first: table[first:b, b], transition, longest)
    limit, weights = longest or frames, np.zeros((frames, states))
    for count in range(1, frames + 1):
        for cuts in itertools.combinations(range(1, frames), count - 1):
            edges = (0, *cuts, frames)
            lengths = np.diff(edges)
            if lengths.max() > limit:
                continue
            for labels in itertools.product(range(states), repeat=count):
                weight = np.exp(
                    sum(table[a, b, z] for a, b, z in zip(edges[:-1], edges[1:], labels, strict=True))
                )
                for k, (x, y) in enumerate(itertools.pairwise(labels)):
                    weight *= np.exp(transition[x, y]) + (x == y and lengths[k] == limit)
                weights[np.arange(frames), np.repeat(labels, lengths)] += weight
    np.testing.assert_allclose(probability, weights / weights.sum(axis=1, keepdims=True), atol=1e-9)


def test_interval_costs_are_half_the_squares_about_the_mean():
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=(20, 3)), rng.uniform(0, 2, 20)
    cost = ConstantCost.of(values, weights)
    a, b = 4, 15
    mean = np.average(values[a:b], axis=0, weights=weights[a:b])
    want = 0.5 * (weights[a:b, None] * (values[a:b] - mean) ** 2).sum()
    assert cost.ending(b)[a] == pytest.approx(want)
    same = PlaceCost.of(values, weights[:, None, None] * np.eye(3))
    assert same.ending(b)[a] == pytest.approx(want, rel=1e-4)


def test_states_agree_at_15_and_30_frames_per_second():
    states = {}
    for fps in (15.0, 30.0):
        truth = play(fps)
        raw = disturb(truth, 0.004, 0.1, seed=2)
        states[fps] = refine_interaction(
            raw.objects, raw.hands, raw.camera, raw.support, raw.t_ns
        ).states.state[:, 0]
    assert (states[15.0] == states[30.0][::2]).mean() >= 0.9


def test_doubts_are_flagged_with_reasons():
    truth = play(15.0)
    out = refine_interaction(truth.objects, truth.hands, truth.camera, truth.support, truth.t_ns)
    assert out.flags == ()
    refined = out.refined
    empty = [[None, None]]
    sizes, far = np.array([[0.9, 0.1, 0.1]]), refined.bodies.T.copy()
    far[:, 2, :3, 3] = [5.0, 5.0, 5.0]
    flags = find_flags(("block",), sizes, refined.observed, far, empty, empty, FlagConfig())
    assert {flag.kind for flag in flags} == {"scale", "background"}
    assert all(flag.reason for flag in flags)

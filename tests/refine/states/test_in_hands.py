"""Changes within a stretch, heights over a thing's own rest, and what is out of sight."""

from __future__ import annotations

import numpy as np

from reenact.refine.interaction.standing import over_own_rest
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.intervals import StepCost
from reenact.refine.states.observations import HandErrors, ObservationConfig, observe_hand, rigid_track
from reenact.refine.states.sight import Absence, gone, in_the_open
from tests.refine.interaction.played import RIGHT, play


def test_step_costs_are_those_of_the_changes_within_a_stretch():
    rng = np.random.default_rng(0)
    values, weights, lag = rng.normal(size=(12, 2)), rng.uniform(size=12), 3
    information = np.tile(np.diag([4.0, 9.0]), (12, 1, 1))
    cost = StepCost.of(values, information, weights, lag)
    for b in (1, 5, 12):
        for a, found in enumerate(cost.ending(b)):
            d = values[a + lag : b] - values[a : b - lag] if b - a > lag else np.zeros((0, 2))
            both = np.minimum(weights[a + lag : b], weights[a : b - lag]) if b - a > lag else np.zeros(0)
            true = (0.5 * both * (d**2 * [4.0, 9.0]).sum(axis=1)).sum() / lag
            np.testing.assert_allclose(found, true, atol=1e-9)


def test_a_slow_wander_costs_less_than_a_leap_as_far():
    t = np.arange(60) / 30
    one = np.tile(np.eye(1), (60, 1, 1))
    wander = StepCost.of(np.linspace(0, 1, 60)[:, None], one, np.ones(60), 6).ending(60)[0]
    leap = StepCost.of((t > 1).astype(float)[:, None], one, np.ones(60), 6).ending(60)[0]
    assert 5 * wander < leap


def test_heights_over_ones_own_rest_do_not_ask_where_the_table_is():
    t = np.arange(90) / 30
    lifted = 0.1 * np.clip(np.minimum(t - 1, 2 - t) * 4, 0, 1)
    rest, touch = (lifted == 0).astype(float), np.where((t > 0.8) & (t < 2.2), 1.0, -5.0)
    a, b = (over_own_rest(lifted + offset, rest, touch, t) for offset in (0.0, 0.7))
    assert a is not None
    np.testing.assert_allclose(a, lifted, atol=1e-12)
    np.testing.assert_allclose(a, b, atol=1e-12)
    assert over_own_rest(lifted, rest, np.ones(90), t) is None


def test_what_is_not_seen_lies_in_the_open_only_where_no_hand_can_hide_it():
    truth, config = play(15.0), EvidenceConfig()
    t, eye = truth.t, truth.camera.scene_T_camera()[:, :3, 3]
    place = np.tile(truth.objects.T_world_object[0, 0, :3, 3], (len(t), 1))
    hand = observe_hand(
        truth.hands.joints_world[:, RIGHT],
        truth.hands.valid[:, RIGHT],
        t,
        RIGHT,
        0.189,
        ObservationConfig(),
        HandErrors(),
    )
    assert (in_the_open(place, (None, None), 0.03, eye, t, config) == 1).all()
    beside = in_the_open(place, (None, hand), 0.03, eye, t, config)
    near = (t > 0.95) & (t < 1.1)  # the hand is at the thing's place
    assert beside[near].max() == 0
    assert beside[(t > 1.8) & (t < 2.0)].min() == 1, "the hand is elsewhere"


def test_rest_where_a_thing_is_not_seen_costs_where_it_would_be_seen():
    truth, config = play(15.0), EvidenceConfig()
    t, eye = truth.t, truth.camera.scene_T_camera()[:, :3, 3]
    hidden = (t > 1.15) & (t < 2.4)  # from the hand's taking it away until it has let go elsewhere
    track = rigid_track(truth.objects.T_world_object[:, 0], ~hidden, t, ObservationConfig())
    step = np.gradient(t)
    absence = Absence.of(track, (None, None), None, eye, t, step, config)
    first, last = np.flatnonzero(hidden)[[0, -1]].tolist()
    whole = absence.ending(len(t), first)[0]
    assert 0.3 * config.lost_rate < whole <= config.lost_rate * step[hidden].sum()
    assert absence.ending(len(t), last + 1)[0] == 0
    assert absence.ending(first)[0] == 0


def test_a_blink_is_no_absence():
    truth, config = play(30.0), EvidenceConfig()
    t, valid = truth.t, truth.hands.valid[:, RIGHT].copy()
    valid[30:36], valid[50:90] = False, False
    hand = observe_hand(truth.hands.joints_world[:, RIGHT], valid, t, RIGHT, 0.189, ObservationConfig())
    away = gone(hand, t, config)
    assert away[:45].max() == 0
    assert away[70] > 0.5
    assert (gone(None, t, config) == 1).all()

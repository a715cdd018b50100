"""Hands read off a picture: what their records say of slow errors, and holds that such errors must not break."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.hands.joints import FINGERS, finger_joints
from reenact.refine.interaction.hand_errors import HandErrorConfig, hand_errors, trust_of_hand
from reenact.refine.interaction.results import refine_interaction
from reenact.scene import InteractionState
from tests.refine.interaction.played import RIGHT, Played, disturb, play


def _lifted(truth: Played, raw: Played, size: float) -> Played:
    """The same with fingers that err by `size` (m), slowly, each its own way; the records say only that depth is unsure."""
    joints, t = raw.hands.joints_world.copy(), truth.t
    for finger in range(len(FINGERS)):
        way = np.stack([np.sin(2 * np.pi * t / p + finger) for p in (1.7, 2.1, 2.6)], axis=1)
        for k, joint in enumerate(finger_joints(finger)[1:]):
            joints[:, RIGHT, joint] += size * (k + 1) / 3 * way
    sigma = raw.hands.sigma_camera.copy()
    sigma[..., :2], sigma[..., 2] = 0.004, 0.04
    return replace(raw, hands=replace(raw.hands, joints_world=joints, sigma_camera=sigma))


@pytest.mark.parametrize("fps_hz", [15.0, 30.0])
def test_fingers_that_seem_to_wander_do_not_break_a_hold(fps_hz):
    truth = play(fps_hz)
    raw = _lifted(truth, disturb(truth, 0.002, 0.0, seed=3), 0.012)
    out = refine_interaction(raw.objects, raw.hands, raw.camera, raw.support, raw.t_ns)
    carried = (truth.t > 1.2) & (truth.t < 2.0)
    apart = (truth.t < 0.6) | (truth.t > 2.7)
    assert (out.states.state[carried, 0] == InteractionState.GRASPED_RIGHT).all()
    assert (out.states.state[apart, 0] == InteractionState.STATIC).all()


def test_only_a_hand_whose_depth_is_the_doubtful_axis_errs_slowly():
    truth, config = play(15.0), HandErrorConfig()
    sure, even, lifted = (
        replace(truth.hands, sigma_camera=np.broadcast_to(sigma, truth.hands.sigma_camera.shape).copy())
        for sigma in ([0.004, 0.004, 0.008], [0.02, 0.02, 0.02], [0.01, 0.005, 0.04])
    )
    assert hand_errors(sure, RIGHT, config) == hand_errors(
        replace(lifted, valid=lifted.valid & False), RIGHT, config
    )
    assert hand_errors(sure, RIGHT, config).depth == 0
    assert hand_errors(even, RIGHT, config).depth == 0.02
    assert hand_errors(even, RIGHT, config).tip == 0
    errors = hand_errors(lifted, RIGHT, config)
    assert errors.depth > 0.04
    assert errors.depth > errors.tip > errors.across > 0


def test_a_doubted_hand_counts_less_the_more_it_is_doubted():
    truth = play(15.0)
    confidence = np.tile(np.linspace(0.1, 1.0, len(truth.t))[:, None], (1, 2))
    hands = replace(truth.hands, confidence=np.where(truth.hands.valid, confidence, 0.0))
    trust = trust_of_hand(hands, RIGHT, HandErrorConfig())
    assert (np.diff(trust) >= 0).all()
    assert trust[0] > 0
    assert trust[-1] == 1
    assert trust[np.searchsorted(confidence[:, 0], 0.3)] < 0.1

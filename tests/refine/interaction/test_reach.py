"""Hands whose distance from the camera is off by much more than contact allows, as their own records say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.refine.interaction.results import refine_interaction
from reenact.refine.states.observations import ObservationConfig, rigid_track
from reenact.scene import HandTracks, InteractionState
from tests.refine.interaction.played import RIGHT, Played, disturb, play


def _too_near(truth: Played, raw: Played, sigma: float) -> HandTracks:
    """The same hands, 6 to 10 cm too near, slowly changing; what looks right in the picture stays so."""
    eye = truth.camera.scene_T_camera()[:, None, None, :3, 3]
    rays = raw.hands.joints_world - eye
    away = np.linalg.norm(rays.mean(axis=2, keepdims=True), axis=-1, keepdims=True)
    off = -0.08 + 0.02 * np.sin(2 * np.pi * truth.t / 3.0)
    moved = eye + rays * (1 + off[:, None, None, None] / away)
    stated = raw.hands.sigma_camera.copy()
    stated[..., 2] = sigma
    return replace(raw.hands, joints_world=moved, sigma_camera=stated)


def test_a_hand_that_says_how_unsure_its_distance_is_still_holds_what_it_holds():
    truth = play()
    raw = disturb(truth, 0.003, 0.05, seed=5)
    carried = (truth.t > 1.1) & (truth.t < 2.1)
    unsure = _too_near(truth, raw, 0.05)
    result = refine_interaction(raw.objects, unsure, raw.camera, raw.support, raw.t_ns)
    assert (result.states.state[carried, 0] == InteractionState.GRASPED_RIGHT).mean() > 0.9
    hands = truth.hands.joints_world[carried, RIGHT]
    before = np.linalg.norm(unsure.joints_world[carried, RIGHT] - hands, axis=-1).mean()
    after = np.linalg.norm(result.hands.joints_world[carried, RIGHT] - hands, axis=-1).mean()
    assert after < 0.5 * before


def test_a_fast_motion_is_no_outlier_and_a_leap_of_one_frame_is():
    t = np.arange(60) / 15
    T = np.tile(np.eye(4), (60, 1, 1))
    T[:, 0, 3] = 0.25 / (1 + np.exp(-12 * (t - 2)))  # a quarter of a metre in half a second
    T[:, :3, 3] += np.random.default_rng(1).normal(0, 0.001, (60, 3))
    T[10, 1, 3] += 0.2
    track = rigid_track(T, np.ones(60, bool), t, ObservationConfig())
    assert track.weight[26:35].min() > 0.2
    assert track.weight[10] < 0.01

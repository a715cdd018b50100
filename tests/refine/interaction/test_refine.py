from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.transforms import inverse
from reenact.quality.objects.poses import jumps, place_errors, stability
from reenact.refine.interaction.results import InteractionResult, refine_interaction
from reenact.scene import InteractionState, PoseCovariance
from tests.refine.interaction.played import RIGHT, Played, disturb, play


@pytest.fixture(scope="module")
def truth() -> Played:
    return play()


@pytest.fixture(scope="module")
def raw(truth: Played) -> Played:
    return disturb(truth, 0.008, 0.2, seed=3)


@pytest.fixture(scope="module")
def result(raw: Played) -> InteractionResult:
    return refine_interaction(raw.objects, raw.hands, raw.camera, raw.support, raw.t_ns)


def test_errors_fall_and_every_frame_is_known(truth, raw, result):
    true = truth.objects.T_world_object[:, 0]
    seen = raw.objects.valid[:, 0]
    before = place_errors(raw.objects.T_world_object[:, 0], true)[seen].mean()
    after = place_errors(result.objects.T_world_object[:, 0], true)
    assert result.objects.valid.all()
    assert after.mean() < before
    assert after[truth.t < 0.9].mean() < 0.4 * before
    assert stability(result.objects.T_world_object[:, 0], true, np.ones(len(true), bool)).mean() > 0.9


def test_states_are_those_that_were_played(truth, result):
    state = result.states.state[:, 0]
    carried = (truth.t > 1.1) & (truth.t < 2.1)
    assert (state[carried] == InteractionState.GRASPED_RIGHT).all()
    away = (truth.t < 0.6) | (truth.t > 2.6)
    assert (state[away] == InteractionState.STATIC).all()


def test_a_thing_at_rest_rests_and_does_not_jump_when_its_state_changes(truth, result):
    T = result.objects.T_world_object[:, 0]
    still = truth.t < 0.9
    assert np.ptp(T[still, :3, 3], axis=0).max() < 0.004
    changes = np.diff(result.states.state[:, 0].astype(int)) != 0
    assert jumps(T, truth.objects.T_world_object[:, 0], np.ones(len(T), bool), changes).max() < 0.01


def test_a_held_thing_is_rigid_in_the_hand_and_touched_by_the_fingers_that_hold_it(truth, result):
    T = result.objects.T_world_object[:, 0]
    core = (truth.t > 1.1) & (truth.t < 2.1)
    hand = result.refined.bodies.T[core, RIGHT]
    inside = inverse(hand) @ T[core]
    assert np.ptp(inside[:, :3, 3], axis=0).max() < 0.004
    touching = result.contacts.touching[core, RIGHT, :, 0].mean(axis=0)
    assert touching[0] > 0.8  # thumb
    assert touching[1] > 0.8  # index
    assert not result.contacts.touching[truth.t < 0.4].any()
    geometry = result.refined.geometry(RIGHT, 0)
    assert geometry is not None
    assert geometry.depth[core].mean() < 0.003


def test_a_contact_knows_since_when(result):
    touching, since = result.contacts.touching[:, RIGHT, 0, 0], result.places.since_ns[:, RIGHT, 0, 0]
    last = np.flatnonzero(touching)[-1]
    assert 0.5e9 < since[last] < 1.4e9
    on_block = np.abs(result.places.place_object[last, RIGHT, 0, 0]) - [0.02, 0.025, 0.03]
    assert abs(on_block.max()) < 0.002


def test_depth_that_drifts_for_all_is_told_by_what_stands_on_the_table(truth):
    eye = truth.camera.T_world_camera[:, :3, 3]
    scale = 0.04 * np.sin(2 * np.pi * truth.t / 5 + 1)
    noisy = disturb(truth, 0.004, 0.1, seed=5)
    T, joints = noisy.objects.T_world_object.copy(), noisy.hands.joints_world.copy()
    T[:, 0, :3, 3] += scale[:, None] * (T[:, 0, :3, 3] - eye)
    joints[:, RIGHT] += (scale[:, None] * (joints[:, RIGHT].mean(axis=1) - eye))[:, None]
    drifted = replace(noisy.objects, T_world_object=T), replace(noisy.hands, joints_world=joints)
    out = refine_interaction(*drifted, truth.camera, truth.support, truth.t_ns)
    true = truth.objects.T_world_object[:, 0]
    seen = noisy.objects.valid[:, 0]
    assert (
        place_errors(out.objects.T_world_object[:, 0], true).mean()
        < 0.6 * place_errors(T[:, 0], true)[seen].mean()
    )
    assert np.corrcoef(out.refined.bodies.shared, scale)[0, 1] > 0.9


def test_a_table_known_to_a_foot_holds_nothing(truth):
    """Its height counts for nothing, only its direction: motion along the line of sight must not be read as drift of all."""
    vague = replace(truth.support, sigma_offset=0.3)
    off = replace(vague, offset=vague.offset + 0.25)
    a, b, c = (
        refine_interaction(truth.objects, truth.hands, truth.camera, support, truth.t_ns)
        for support in (vague, off, None)
    )
    np.testing.assert_allclose(a.objects.T_world_object, b.objects.T_world_object, atol=1e-9)
    assert np.array_equal(a.states.state, b.states.state)
    assert place_errors(a.objects.T_world_object[:, 0], c.objects.T_world_object[:, 0]).max() < 0.002


def test_frames_that_perception_is_unsure_of_count_less(truth, raw):
    T = raw.objects.T_world_object.copy()
    bad = raw.objects.valid[:, 0] & (truth.t > 0.2) & (truth.t < 0.6)
    T[bad, 0, :3, 3] += [0.0, 0.03, 0.0]
    covariance = np.tile(np.diag([1e-4] * 6), (len(T), 1, 1, 1))
    covariance[bad] *= 100
    objects = replace(raw.objects, T_world_object=T)
    known = PoseCovariance(object_ids=("block",), covariance=covariance, valid=objects.valid)
    true = truth.objects.T_world_object[:, 0]
    told, untold = (
        refine_interaction(objects, raw.hands, raw.camera, raw.support, raw.t_ns, covariance=c)
        for c in (known, None)
    )
    error = [place_errors(r.objects.T_world_object[:, 0], true)[truth.t < 0.8].mean() for r in (told, untold)]
    assert error[0] < 0.5 * error[1]


def test_a_thing_never_seen_is_unknown_and_a_long_gap_is_not_filled(truth):
    seen = (truth.t < 0.5)[:, None]
    objects = replace(truth.objects, valid=seen)
    blind = replace(truth.hands, valid=np.zeros_like(truth.hands.valid))
    out = refine_interaction(objects, blind, truth.camera, None, truth.t_ns)
    late = truth.t > 1.8
    assert (out.states.state[late, 0] == InteractionState.UNKNOWN).all()
    assert not out.objects.valid[late].any()
    assert not out.contacts.valid.any()

"""What the machine may not claim: holds by hands that nobody sees, rest in the air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.refine.interaction.config import InteractionConfig
from reenact.refine.interaction.results import InteractionResultConfig, refine_interaction
from reenact.refine.states.config import StateConfig
from reenact.scene import InteractionState
from tests.refine.interaction.played import Played, disturb, play


@pytest.fixture(scope="module")
def truth() -> Played:
    return play(15.0)


def _states(played: Played, config: StateConfig, support: bool = True):
    whole = InteractionResultConfig(interaction=InteractionConfig(states=config))
    return refine_interaction(
        played.objects, played.hands, played.camera, played.support if support else None, played.t_ns, whole
    ).states


def test_who_holds_is_unknown_once_the_hand_has_not_been_seen_for_long(truth):
    hands = replace(truth.hands, valid=truth.hands.valid & (truth.t < 1.3)[:, None])
    states = _states(replace(truth, hands=hands), StateConfig(hand_unseen_s=0.4))
    state, confidence = states.state[:, 0], states.confidence[:, 0]
    just, long = (truth.t > 1.1) & (truth.t < 1.65), (truth.t > 1.75) & (truth.t < 2.0)
    assert (state[just] == InteractionState.GRASPED_RIGHT).all()
    assert (state[long] == InteractionState.UNKNOWN).all()
    assert not states.valid[long, 0].any()
    assert confidence[long].max() < 0.5 < confidence[just].min()


def test_a_hold_still_in_the_air_is_no_rest_where_no_table_is_known(truth):
    apex = int(np.argmax(truth.objects.T_world_object[:, 0, 2, 3]))
    rows = np.concatenate([np.arange(apex), np.full(20, apex), np.arange(apex, len(truth.t))])
    noisy = disturb(_taken(truth, rows), 0.008, 0.2, seed=4)
    held = slice(apex, apex + 20)
    assert (
        _states(noisy, StateConfig(), support=False).state[held, 0] == InteractionState.GRASPED_RIGHT
    ).all()


def test_what_is_never_seen_again_is_not_said_to_lie_there(truth):
    last = truth.t[-1] - 0.6
    seen = truth.objects.valid & (truth.t < last)[:, None]
    states = _states(replace(truth, objects=replace(truth.objects, valid=seen)), StateConfig())
    late = truth.t > last + 0.4
    assert (states.state[late, 0] == InteractionState.UNKNOWN).all()
    assert states.confidence[late, 0].max() == 0.0


def test_before_a_camera_of_unknown_path_rest_and_motion_are_unknown_and_holds_are_not(truth):
    count = len(truth.t)
    lost = replace(truth.camera, valid=np.zeros(count, bool), motion="moving")
    state = _states(replace(truth, camera=lost), StateConfig()).state[:, 0]
    known = _states(truth, StateConfig()).state[:, 0]
    held = known == InteractionState.GRASPED_RIGHT
    assert held.any()
    assert np.array_equal(state[held], known[held])
    assert (state[~held] == InteractionState.UNKNOWN).all()


def test_long_clips_are_judged_in_pieces_and_say_the_same(truth):
    noisy = disturb(truth, 0.004, 0.1, seed=2)
    whole, pieces = (_states(noisy, StateConfig(longest_s=s)).state for s in (10.0, 0.8))
    exact = _states(noisy, StateConfig(longest_s=1e6)).state
    assert np.array_equal(whole, exact)
    assert (whole == pieces).mean() >= 0.95


def _taken(played: Played, rows: np.ndarray) -> Played:
    t_ns = np.rint(np.arange(len(rows)) * 1e9 / 15).astype(np.int64)
    camera, objects, hands = played.camera, played.objects, played.hands
    return Played(
        t_ns,
        replace(
            objects, T_world_object=objects.T_world_object[rows], valid=objects.valid[rows],
            confidence=objects.confidence[rows], source=objects.source[rows],
        ),
        replace(
            hands, joints_world=hands.joints_world[rows], valid=hands.valid[rows], confidence=hands.confidence[rows],
            source=hands.source[rows], sigma_camera=hands.sigma_camera[rows], reprojection=hands.reprojection[rows],
        ),
        replace(
            camera, T_world_camera=camera.T_world_camera[rows], valid=camera.valid[rows],
            confidence=camera.confidence[rows], source=camera.source[rows],
        ),
        played.support,
    )  # fmt: skip

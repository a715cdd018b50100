"""Hands of a wrong size at a wrong distance go to where depth sees them, and no farther than depth can tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.transforms import apply, inverse
from reenact.refine.calibration.hand_depth import HandDepth
from reenact.refine.calibration.hand_track import HandTrackConfig, correct_hands
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View
from reenact.scene import HandTracks
from tests import scenes

FRAMES, SIZE = 12, 1.08


@pytest.fixture(scope="module")
def drawer() -> Iterator[HandDepth]:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    camera = scenes.camera(FRAMES)
    with HandDepth(View.of(camera.params, camera.width_px, camera.height_px).resized(160, 120)) as made:
        yield made


@pytest.fixture(scope="module")
def truth() -> HandTracks:
    """People with long hands; every second frame lacks the left hand's depth below."""
    made = scenes.hands(FRAMES, 12.0)
    T = scenes.camera(FRAMES).scene_T_camera()
    local = apply(inverse(T)[:, None], made.joints_world)
    middle = local.mean(axis=2, keepdims=True)
    joints = apply(T[:, None], middle + (local - middle) * SIZE)
    return replace(made, joints_world=joints, hand_length=made.hand_length * SIZE, hand_length_source="truth")


@pytest.fixture(scope="module")
def pictures(drawer: HandDepth, truth: HandTracks) -> list[tuple[np.ndarray, np.ndarray, float] | None]:
    T, rng, out = inverse(scenes.camera(FRAMES).scene_T_camera()), np.random.default_rng(0), []
    for k in range(FRAMES):
        depth, label = np.full((120, 160), 1.5, np.float32), np.zeros((120, 160), np.uint8)
        for s in np.flatnonzero(truth.valid[k]):
            skin = drawer.drawn(apply(T[k], truth.joints_world[k, s]), int(s), float(truth.hand_length[s]))
            depth, label = np.where(skin > 0, skin, depth), np.where(skin > 0, 1 + s, label)
        noisy = depth * (1 + 0.01 * rng.normal(size=depth.shape)).astype(np.float32)
        out.append(None if k == 4 else (noisy, label.astype(np.uint8), 0.01))
    return out


def as_assumed(truth: HandTracks) -> HandTracks:
    """An adult of usual size is believed in: nearer than the truth, wandering by 3 %, and seen at the same pixels."""
    T = scenes.camera(FRAMES).scene_T_camera()
    local = apply(inverse(T)[:, None], truth.joints_world)
    middle = local.mean(axis=2, keepdims=True)
    wander = 1 + 0.03 * np.sin(np.arange(FRAMES) * 0.8)[:, None, None, None]
    joints = apply(T[:, None], middle / SIZE * wander + (local - middle) / SIZE)
    sigma = np.full((FRAMES, 2, 3), 0.045)
    length = truth.hand_length / SIZE
    return replace(
        truth, joints_world=joints, hand_length=length, hand_length_source="adult_prior", sigma_camera=sigma
    )


def depth_of(hands: HandTracks) -> np.ndarray:
    T = inverse(scenes.camera(FRAMES).scene_T_camera())
    return np.asarray(apply(T[:, None], hands.joints_world))[..., 2].mean(axis=2)


def test_metric_depth_gives_hands_their_distance_and_size(drawer, truth, pictures) -> None:
    camera, hands = scenes.camera(FRAMES), as_assumed(truth)
    t = np.arange(FRAMES) / 12.0
    made = correct_hands(
        hands, camera, t, pictures.__getitem__, drawer, HandTrackConfig(), depth_from_hands=False
    )
    assert made is not None
    before, after = (np.abs(depth_of(h) / depth_of(truth) - 1)[truth.valid] for h in (hands, made.hands))
    assert np.median(before) > 0.06
    assert np.median(after) < 0.008
    assert after.max() < 0.03, "the frame without depth leans on its neighbours"
    assert made.hands.hand_length[0] / truth.hand_length[0] == pytest.approx(1.0, abs=0.02)
    assert made.hands.hand_length_source == "measured"
    assert (made.hands.sigma_camera[truth.valid][:, 2] < 0.5 * hands.sigma_camera[truth.valid][:, 2]).all()
    assert np.allclose(made.moved[truth.valid], (depth_of(made.hands) - depth_of(hands))[truth.valid])


def test_a_doubtful_lens_is_blamed_before_the_hand(drawer, truth, pictures) -> None:
    camera = replace(scenes.camera(FRAMES), focal_sigma=0.15, intrinsics_source="prior")
    hands, t = as_assumed(truth), np.arange(FRAMES) / 12.0
    made = correct_hands(
        hands, camera, t, pictures.__getitem__, drawer, HandTrackConfig(), depth_from_hands=False
    )
    assert made is not None
    assert made.size_factor == 1.0
    assert (made.hands.hand_length == hands.hand_length).all()


def test_depth_scaled_by_the_hands_evens_them_out_but_keeps_their_middle(drawer, truth, pictures) -> None:
    camera, hands = scenes.camera(FRAMES), as_assumed(truth)
    t = np.arange(FRAMES) / 12.0
    scaled = [None if p is None else (p[0] / np.float32(SIZE), p[1], p[2]) for p in pictures]
    made = correct_hands(
        hands, camera, t, scaled.__getitem__, drawer, HandTrackConfig(), depth_from_hands=True
    )
    assert made is not None
    wander = [np.std((depth_of(h) / depth_of(truth))[truth.valid]) for h in (hands, made.hands)]
    assert wander[1] < 0.6 * wander[0]
    assert made.size_factor == 1.0


def test_without_depth_nothing_is_made_up(drawer, truth) -> None:
    camera, t = scenes.camera(FRAMES), np.arange(FRAMES) / 12.0
    nothing = correct_hands(
        truth, camera, t, lambda _: None, drawer, HandTrackConfig(), depth_from_hands=False
    )
    assert nothing is None

"""The truth backend: exact without noise, and noise of the stated size with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.transforms import apply, inverse
from reenact.perception.hands.contract import HandBackend
from reenact.perception.hands.frames import BadFrame, NoFrames
from reenact.perception.hands.truth import TruthHands, TruthHandsConfig, TruthMismatch, markov_runs
from reenact.scene import CameraTrack, HandTracks, Source
from tests.scenes import camera, hands

FRAMES = 60


@pytest.fixture(scope="module")
def tracks() -> tuple[HandTracks, CameraTrack]:
    return hands(FRAMES), camera(FRAMES)


def test_it_is_a_hand_backend(tracks: tuple[HandTracks, CameraTrack]) -> None:
    assert isinstance(TruthHands(*tracks), HandBackend)


def test_without_noise_it_is_the_projection(tracks: tuple[HandTracks, CameraTrack]) -> None:
    result = TruthHands(*tracks).landmarks()
    points = apply(inverse(tracks[1].T_world_camera)[:, None], tracks[0].joints_world)
    seen = result.valid
    assert seen.sum() > FRAMES
    assert not (seen & ~tracks[0].valid).any()
    expected = tracks[1].camera().project(points)
    np.testing.assert_allclose(result.landmarks_px[seen], expected[seen], atol=1e-9)
    bones = np.diff(result.landmarks_rel[seen], axis=1)
    np.testing.assert_allclose(bones, np.diff(points[seen], axis=1), atol=1e-12)
    assert (result.source[seen] == Source.TRUTH).all()
    assert np.isfinite(result.landmarks_px).all()


def test_jitter_and_bias_have_the_stated_size(tracks: tuple[HandTracks, CameraTrack]) -> None:
    clean = TruthHands(*tracks).landmarks()
    noisy = TruthHands(*tracks, TruthHandsConfig(seed=1, bias_px=3.0, jitter=0.02)).landmarks()
    seen = clean.valid & noisy.valid
    error = noisy.landmarks_px - clean.landmarks_px
    for side in (0, 1):
        rows = seen[:, side]
        px = clean.landmarks_px[rows, side]
        box = (px.max(axis=1) - px.min(axis=1)).max(axis=1)
        bias = error[rows, side].mean(axis=0)
        jitter = (error[rows, side] - bias) / box[:, None, None]
        assert jitter.std() == pytest.approx(0.02, rel=0.1)
        assert bias.std() == pytest.approx(3.0, rel=0.35)
    assert (noisy.source[seen] == Source.OBSERVED).all()


def test_the_relative_landmarks_scale_and_shake_apart_from_the_pixels(
    tracks: tuple[HandTracks, CameraTrack],
) -> None:
    clean = TruthHands(*tracks).landmarks()
    noisy = TruthHands(*tracks, TruthHandsConfig(seed=2, rel_scale=0.8, rel_jitter=0.004)).landmarks()
    seen = clean.valid
    np.testing.assert_array_equal(noisy.landmarks_px[seen], clean.landmarks_px[seen])
    left_over = noisy.landmarks_rel[seen] - 0.8 * clean.landmarks_rel[seen]
    assert left_over.std() == pytest.approx(0.004, rel=0.05)


def test_dropout_and_swap_have_the_stated_rate_and_are_counted() -> None:
    long_hands, long_camera = hands(2000), camera(2000)
    clean = TruthHands(long_hands, long_camera).landmarks()
    dropping = TruthHands(long_hands, long_camera, TruthHandsConfig(seed=3, dropout=0.2))
    lost = clean.valid & ~dropping.landmarks().valid
    assert lost.sum() / clean.valid.sum() == pytest.approx(0.2, abs=0.05)
    assert dropping.diagnostics["hands_dropped"] == lost.sum()
    swapping = TruthHands(long_hands, long_camera, TruthHandsConfig(seed=4, swap=0.1))
    result = swapping.landmarks()
    both = clean.valid.all(axis=1)
    swapped = (result.landmarks_px[both, 0] == clean.landmarks_px[both, 1]).all(axis=(1, 2))
    assert swapped.mean() == pytest.approx(0.1, abs=0.04)
    assert swapping.diagnostics["frames_swapped"] >= swapped.sum()


def test_runs_have_the_stated_mean_length() -> None:
    row = markov_runs(40000, 0.3, 8.0, np.random.default_rng(0))
    starts = int((np.diff(row.astype(int)) == 1).sum())
    assert row.mean() == pytest.approx(0.3, abs=0.03)
    assert row.sum() / starts == pytest.approx(8.0, rel=0.1)


def test_the_same_seed_gives_the_same_noise(tracks: tuple[HandTracks, CameraTrack]) -> None:
    config = TruthHandsConfig(seed=5, bias_px=1, jitter=0.01, dropout=0.1, swap=0.1)
    first, second = (TruthHands(*tracks, config).landmarks() for _ in (0, 1))
    np.testing.assert_array_equal(first.landmarks_px, second.landmarks_px)
    other = TruthHands(*tracks, replace(config, seed=6)).landmarks()
    assert (first.landmarks_px != other.landmarks_px).any()


def test_hands_behind_the_camera_are_not_found(tracks: tuple[HandTracks, CameraTrack]) -> None:
    turned = tracks[1].T_world_camera @ np.diag([1.0, -1.0, -1.0, 1.0])
    backend = TruthHands(tracks[0], replace(tracks[1], T_world_camera=turned))
    assert not backend.landmarks().valid.any()
    assert backend.diagnostics["hands_out_of_view"] == tracks[0].valid.sum()


def test_parts_that_do_not_belong_together_are_refused(tracks: tuple[HandTracks, CameraTrack]) -> None:
    with pytest.raises(TruthMismatch, match="61 of the camera"):
        TruthHands(tracks[0], camera(61))
    with pytest.raises(TruthMismatch, match="camera0"):
        TruthHands(tracks[0], replace(tracks[1], world_frame="camera0", gravity_source="unknown"))
    frames = [(t, np.zeros((4, 4, 3), np.uint8)) for t in range(7)]
    with pytest.raises(TruthMismatch, match="7 frames"):
        TruthHands(*tracks).detect(frames)
    with pytest.raises(TruthMismatch, match=r"1\.5"):
        TruthHands(*tracks, TruthHandsConfig(dropout=1.5)).landmarks()


@pytest.mark.usefixtures("unchecked")
def test_bad_frames_are_named(tracks: tuple[HandTracks, CameraTrack]) -> None:
    good = np.zeros((4, 4, 3), np.uint8)
    backend = TruthHands(*tracks)
    cases = {
        "frame 0 is float64": [(0, good.astype(float))],
        "frame 1 has shape": [(0, good), (1, np.zeros((4, 5, 3), np.uint8))],
        "frame 1 has time 0": [(0, good), (0, good)],
        "frame 0 is uint8 \\(4, 4\\)": [(0, good[..., 0])],
    }
    for message, frames in cases.items():
        with pytest.raises(BadFrame, match=message):
            backend.detect(frames)
    with pytest.raises(NoFrames):
        backend.detect([])

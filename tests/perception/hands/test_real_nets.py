"""The real nets on real frames; skipped where the model files are not in the cache (nothing is fetched here)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact.perception.hands.mediapipe_litert import MediaPipeHands, MediaPipeHandsConfig
from reenact.perception.hands.weights import cached_model_files, default_cache_dir

av = pytest.importorskip("av")


@pytest.fixture(scope="module")
def config() -> MediaPipeHandsConfig:
    if cached_model_files() is None:
        pytest.skip(f"hand model files not in {default_cache_dir()}; any run of MediaPipeHands fetches them")
    return MediaPipeHandsConfig()


def frames_of(shared_dir: Path, clip: str, count: int) -> list[tuple[int, np.ndarray]]:
    path = shared_dir / "data" / clip / "video.mp4"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    out = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            out.append((int(frame.pts * frame.time_base * 1_000_000_000), frame.to_ndarray(format="rgb24")))
            if len(out) == count:
                break
    return out


@pytest.fixture(scope="module")
def open_hand(shared_dir: Path) -> np.ndarray:
    return frames_of(shared_dir, "exo/dexretargeting_hand", 1)[0][1]


def test_the_open_right_hand_is_found_and_is_right(
    config: MediaPipeHandsConfig, open_hand: np.ndarray
) -> None:
    (hand,) = MediaPipeHands(config).detect_image(open_hand)
    assert hand.presence > 0.95
    assert hand.p_right > 0.95
    tips, wrist = hand.landmarks_px[[4, 8, 12, 16, 20]], hand.landmarks_px[0]
    assert (tips[:, 1] < wrist[1]).all(), "fingers are up in this frame"
    assert tips[0, 0] > tips[4, 0], "its thumb is on the image's right"
    length = np.linalg.norm(np.diff(hand.landmarks_rel[[0, 9, 10, 11, 12]], axis=0), axis=1).sum()
    assert 0.15 < length < 0.23


def test_a_mirrored_image_is_the_other_hand_and_mirrored_config_undoes_it(
    config: MediaPipeHandsConfig, open_hand: np.ndarray
) -> None:
    flipped = np.ascontiguousarray(open_hand[:, ::-1])
    (plain,) = MediaPipeHands(config).detect_image(flipped)
    assert plain.p_right < 0.1
    (undone,) = MediaPipeHands(replace(config, mirrored=True)).detect_image(flipped)
    assert undone.p_right > 0.9


def test_turning_the_image_turns_the_landmarks(config: MediaPipeHandsConfig, open_hand: np.ndarray) -> None:
    """By a quarter: pixels within 3 % of the hand's size, relative ones within 15 degrees."""
    backend = MediaPipeHands(config)
    (plain,) = backend.detect_image(open_hand)
    (turned,) = backend.detect_image(np.ascontiguousarray(np.rot90(open_hand)))
    x, y = plain.landmarks_px.T
    expected = np.stack([y, open_hand.shape[1] - 1 - x], axis=1)
    assert np.abs(turned.landmarks_px - expected).max() < 0.06 * plain.size_px
    assert np.abs(turned.landmarks_px - expected).mean() < 0.03 * plain.size_px
    arrow, arrow_turned = (hand.landmarks_rel[9] - hand.landmarks_rel[0] for hand in (plain, turned))
    expected_arrow = np.array([arrow[1], -arrow[0], arrow[2]])
    cosine = arrow_turned @ expected_arrow / np.linalg.norm(arrow_turned) / np.linalg.norm(expected_arrow)
    assert cosine > np.cos(np.deg2rad(15))


def test_both_runners_agree(config: MediaPipeHandsConfig, open_hand: np.ndarray) -> None:
    pytest.importorskip("ai_edge_litert")
    results = [
        MediaPipeHands(replace(config, runner=runner)).detect_image(open_hand)[0]
        for runner in ("litert", "opencv")
    ]
    assert np.abs(results[0].landmarks_px - results[1].landmarks_px).max() < 0.5
    assert np.abs(results[0].landmarks_rel - results[1].landmarks_rel).max() < 0.001


def test_a_facing_person_has_the_right_hand_on_the_images_left(
    config: MediaPipeHandsConfig, shared_dir: Path
) -> None:
    """Frames 60-99 of the cup game (looked at): both hands are out on their own sides most of the time."""
    frames = frames_of(shared_dir, "exo/sam2_cups", 100)[60:]
    backend = MediaPipeHands(config)
    result = backend.detect(frames)
    assert result.valid.all(axis=1).mean() > 0.8
    both = result.valid.all(axis=1)
    x = result.landmarks_px[both].mean(axis=2)[..., 0]
    assert (x[:, 1] < x[:, 0]).mean() > 0.95
    assert backend.diagnostics["frames"] == 40


def test_an_empty_picture_has_no_hands(config: MediaPipeHandsConfig) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    assert MediaPipeHands(config).detect_image(noise, tiles=True) == []

"""Still or moving: the verdict does not depend on frame rate or resolution, nor on a person passing by."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reenact.perception.camera.motion import MotionConfig, MotionMeter, measure_motion

from .rooms import far_wall, pan

FILMED = [(15.0, 640, 360), (60.0, 640, 360), (30.0, 1280, 720)]
"""Rate, width, height."""


@pytest.fixture(scope="module")
def wall() -> np.ndarray:
    return far_wall()


@pytest.mark.parametrize(("fps_hz", "width_px", "height_px"), FILMED)
def test_still_camera_with_a_moving_person(wall, fps_hz, width_px, height_px):
    found = measure_motion(pan(wall, 0.0, fps_hz, width_px, height_px, seconds=0.9))
    assert found.motion == "still", found.reason
    assert found.heights_per_s < 0.003


@pytest.mark.parametrize(("fps_hz", "width_px", "height_px"), FILMED)
def test_slow_pan_is_measured_in_heights_per_second(wall, fps_hz, width_px, height_px):
    found = measure_motion(pan(wall, 0.06, fps_hz, width_px, height_px, seconds=0.9))
    assert found.motion == "moving", found.reason
    assert found.heights_per_s == pytest.approx(0.06, rel=0.05)


def test_a_large_thing_put_down_elsewhere_does_not_move_the_camera():
    """Most corners are on it; it moves once, by a twentieth of the picture."""
    noise = np.random.default_rng(0).integers(0, 255, (2, 400, 640, 1)).astype(np.float32).repeat(3, axis=-1)
    room, thing = (
        cv2.normalize(cv2.GaussianBlur(n, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX) for n in noise
    )
    frames = []
    for k in range(25):
        picture, down = room[:360].astype(np.uint8), 18 if k > 8 else 0
        picture[24 + down : 304 + down, 60:500] = thing[:280, :440]
        frames.append((k * 10**8, picture))
    found = measure_motion(frames)
    assert found.motion == "still", found.reason
    assert measure_motion(frames, MotionConfig(resting_share=1.1)).motion == "moving"


def test_creeping_camera_is_caught_by_the_first_frame(wall):
    found = measure_motion(pan(wall, 0.012, 10.0, 640, 360, seconds=4.0))
    assert found.heights_per_s < MotionConfig().still_below
    assert found.motion == "moving"
    assert found.wander_heights == pytest.approx(0.012 * 3.6, rel=0.2)


def test_variable_frame_rate_measures_the_same_pan(wall):
    rng = np.random.default_rng(0)
    frames = [f for f in pan(wall, 0.1, 60.0, 640, 360, seconds=1.5) if rng.random() < 0.4]
    assert measure_motion(frames).heights_per_s == pytest.approx(0.1, rel=0.05)


def test_textureless_frames_say_unknown_and_why():
    frames = [(k * 10**8, np.full((360, 640, 3), 90, np.uint8)) for k in range(12)]
    found = measure_motion(frames)
    assert found.motion == "unknown"
    assert "without texture" in found.reason


def test_one_frame_says_unknown(wall):
    assert measure_motion([next(iter(pan(wall, 0.0, 30.0, 640, 360)))]).motion == "unknown"


def test_unrelated_frames_count_as_moving():
    frames = [(k * 200_000_000, far_wall(seed=k, size=600)[:360]) for k in range(4)]
    found = measure_motion(frames)
    assert found.motion == "moving"
    assert found.lost > found.pairs


def test_long_clips_are_looked_at_with_pauses(wall):
    config = MotionConfig(max_pairs=4)
    meter = MotionMeter(config, duration_s=6.0)
    for t_ns, rgb in pan(wall, 0.05, 10.0, 640, 360, seconds=6.0):
        meter.add(t_ns, rgb)
    found = meter.verdict()
    assert 3 <= found.pairs <= 5
    assert found.heights_per_s == pytest.approx(0.05, rel=0.1)

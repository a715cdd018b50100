from __future__ import annotations

import numpy as np
import pytest

from reenact.filtering.camera import CameraConfig, CameraWatch, camera_verdict
from reenact.filtering.pictures import picture_of
from reenact.filtering.published import BackgroundFlow, BackgroundFlowConfig, flow_verdict
from reenact.video.reader import VideoReader
from reenact.video.scan import scan_frames

from .scenes import shot, times


def verdict_of(frames, fps_hz=15.0):
    watch = CameraWatch(CameraConfig())
    for t_ns, frame in zip(times(len(frames), fps_hz), frames, strict=True):
        watch.add(picture_of(t_ns, frame), frame)
    return camera_verdict(watch.looks, CameraConfig())


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("fps_hz", [10.0, 15.0, 30.0])
def test_the_rate_is_measured_whatever_the_frame_rate(rate, fps_hz):
    verdict = verdict_of(shot(1, round(4 * fps_hz), heights_per_s=rate, fps_hz=fps_hz), fps_hz)
    assert verdict.motion == "moving"
    assert verdict.heights_per_s == pytest.approx(rate, rel=0.1, abs=0.005)


def test_a_still_camera_is_still_though_a_third_of_the_picture_moves():
    frames = shot(1, 60)
    frames[:, :, 80:165] = shot(2, 60, heights_per_s=0.8)[:, :, 80:165]
    noise = np.random.default_rng(0).normal(0, 3, frames.shape)
    verdict = verdict_of(np.clip(frames + noise, 0, 255).astype(np.uint8))
    assert verdict.motion == "still"
    assert verdict.heights_per_s < 0.01
    assert verdict.wander_heights < 0.005


def test_a_creeping_camera_is_moving_though_its_rate_is_small():
    verdict = verdict_of(shot(1, 150, heights_per_s=0.02))
    assert verdict.motion == "moving"
    assert verdict.heights_per_s < CameraConfig().still_below
    assert verdict.wander_heights > CameraConfig().wander_below


def test_a_camera_too_fast_to_follow_is_moving_and_lost():
    verdict = verdict_of(shot(1, 60, heights_per_s=3.0))
    assert verdict.motion == "moving"
    assert verdict.lost_ratio > 0.5


def test_few_looks_give_no_verdict():
    assert verdict_of(shot(1, 3)).motion == "unknown"
    assert camera_verdict([], CameraConfig()).heights_per_s is None


def test_published_flow_agrees_on_slow_textured_motion():
    flow = BackgroundFlow(BackgroundFlowConfig())
    frames = shot(1, 60, heights_per_s=0.2, fps_hz=30)
    for t_ns, frame in zip(times(60, 30), frames, strict=True):
        flow.add(picture_of(t_ns, frame), frame)
    verdict = flow_verdict(flow.looks, BackgroundFlowConfig())
    assert verdict.motion == "moving"
    assert verdict.heights_per_s == pytest.approx(0.2, rel=0.15)


@pytest.mark.parametrize(
    ("name", "motion"),
    [("exo/sam2_blocks", "still"), ("exo/dexycb_pitcher", "still"), ("ego/hawor_plate", "moving")],
)
def test_real_clips(shared_dir, name, motion):
    watch = CameraWatch(CameraConfig())
    for look in scan_frames(VideoReader(shared_dir / "data" / name / "video.mp4")):
        watch.add(picture_of(look.t_ns, look.small), look.small)
    assert camera_verdict(watch.looks, CameraConfig()).motion == motion

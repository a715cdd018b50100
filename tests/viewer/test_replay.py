"""The replay video: one frame per clip frame, the robot at the clip's own time, gaps named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reenact.rendering.gl import NoGlError, choose_backend
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import JointTrajectory
from reenact.scene import Source
from reenact.video.reader import VideoReader
from reenact.video.writer import VideoWriter
from reenact.viewer.replay import ReplayConfig, write_replay

SMALL = ReplayConfig(height_px=120, robot_width_px=160)
FRAMES = 12


@pytest.fixture(scope="module")
def robot() -> Robot:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(f"this machine cannot render: {error}")
    return load_robot("unitree_g1_dex3")


def clip(folder: Path, fps_hz: float = 30.0) -> Path:
    """Frames that get brighter by a known step."""
    path = folder / "clip.mp4"
    with VideoWriter(path, 96, 120, fps_hz, crf=10) as writer:
        for i in range(FRAMES):
            writer.write(np.full((120, 96, 3), 20 + 18 * i, np.uint8))
    return path


def raised(robot: Robot, fps_hz: float, seconds: float) -> JointTrajectory:
    """The left arm goes up at a constant rate."""
    t = max(2, round(seconds * fps_hz))
    q = np.tile(robot.home_q, (t, 1))
    q[:, robot.arms["left"].joint_idx[0]] -= 5.0 * np.arange(t) / fps_hz
    valid = np.ones((t, 2), bool)
    valid[t // 2 :, 1] = False
    return JointTrajectory(
        robot=robot.name,
        sheet_hash=robot.sheet_hash,
        joint_names=robot.joint_names,
        t_ns=np.rint(np.arange(t) * 1e9 / fps_hz).astype(np.int64),
        q=q,
        T_world_base=np.eye(4)[None],
        world_frame="world",
        T_world_wrist_target=np.tile(np.eye(4), (t, 2, 1, 1)),
        valid=valid,
        confidence=valid.astype(float),
        source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
    )


def frames_of(path: Path) -> np.ndarray:
    return np.stack([picture for _, picture in VideoReader(path).frames(None)]).astype(float)


def test_clip_and_robot_move_together(robot: Robot, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    write_replay(
        tmp_path / "replay.mp4", clip(tmp_path), robot, raised(robot, 30.0, FRAMES / 30), None, SMALL,
        lambda i, n: done.append((i, n)),
    )  # fmt: skip
    video = frames_of(tmp_path / "replay.mp4")
    assert video.shape == (FRAMES, 120, 96 + 160, 3)
    assert done[-1] == (FRAMES, FRAMES)
    np.testing.assert_allclose(video[:, 60, 40].mean(axis=-1), 20 + 18 * np.arange(FRAMES), atol=6)
    robot_half = video[:, 30:, 100:]
    change = np.abs(np.diff(robot_half, axis=0)).mean(axis=(1, 2, 3))
    assert (change > 0.2).all()  # it moves in every frame
    assert VideoReader(tmp_path / "replay.mp4").info.nominal_fps_hz == pytest.approx(30.0, abs=0.1)


def test_a_trajectory_on_another_grid_is_shown_at_the_clips_times(robot: Robot, tmp_path: Path) -> None:
    path = clip(tmp_path)
    t_ns = np.rint(np.arange(FRAMES) * 1e9 / 30).astype(np.int64)
    write_replay(tmp_path / "same.mp4", path, robot, raised(robot, 30.0, FRAMES / 30), None, SMALL)
    write_replay(
        tmp_path / "fine.mp4", path, robot, raised(robot, 150.0, FRAMES / 30), None, SMALL, t_ns=t_ns
    )
    same, fine = frames_of(tmp_path / "same.mp4"), frames_of(tmp_path / "fine.mp4")
    assert fine.shape == same.shape
    robot_same, robot_fine = same[2:-2, 30:, 100:], fine[:, 30:, 100:]
    difference = {
        lag: np.abs(robot_same - robot_fine[2 + lag : FRAMES - 2 + lag]).mean() for lag in (-2, -1, 0, 1, 2)
    }
    assert min(difference, key=difference.__getitem__) == 0

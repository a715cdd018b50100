"""The replay video: the source clip on the left, the robot on the right, on one time base.

In: the clip as a constant-rate mp4 (one frame per scene frame; the robot alone where there is no video), the robot, its
trajectory, the hands it follows and the objects they handle. Out: an mp4. The hands are drawn as thin lines in the
robot's view, where the robot's hands should be, the objects as see-through ghosts where they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import mujoco
import numpy as np
from jaxtyping import Float64, Int64, UInt8

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.timegrid import TimeGrid
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import BONES_21
from reenact.rendering.renderer import RenderConfig, look_at
from reenact.robots.model import Robot
from reenact.robots.pictures import AWAY, Ghost, Studio, StudioConfig
from reenact.robots.trajectory import JointTrajectory
from reenact.scene import HandTracks, ObjectTracks, Source
from reenact.video.reader import VideoReader
from reenact.video.writer import write_frames

SIDE_COLORS = ((31, 119, 180), (210, 105, 30))
MISSING_COLOR = (179, 38, 30)


@dataclass(frozen=True)
class ReplayConfig:
    """Size and looks of the replay."""

    height_px: int = 480
    """Height of both halves."""
    robot_width_px: int = 640
    """Width of the robot's half."""
    samples: int = 0
    """Anti-aliasing of the robot; 4 looks better and takes about three times as long on a CPU."""
    shadows: bool = False
    """Shadows of the robot; look better, take about twice as long."""
    azimuth_deg: float = 40.0
    """Where the viewer stands: 0 in front of the robot, 90 on its left."""
    elevation_deg: float = 22.0
    """How far above."""
    draw_hands: bool = True
    """Draw the hands that the robot follows as thin lines."""
    draw_objects: bool = True
    """Draw the objects as see-through ghosts."""


def write_replay(
    path: Path,
    clip_video: Path | None,
    robot: Robot,
    trajectory: JointTrajectory,
    hands: HandTracks | None = None,
    config: ReplayConfig | None = None,
    report: Callable[[int, int], None] | None = None,
    t_ns: Int64[np.ndarray, " t"] | None = None,
    objects: ObjectTracks | None = None,
) -> None:
    """Render and write the video.

    Args:
        path: the mp4 to write.
        clip_video: the clip, one frame per scene frame; None shows the robot alone.
        robot: the robot of the trajectory.
        trajectory: on any time grid; each clip frame is shown with the robot at its nearest instant.
        hands: drawn in the robot's view, one row per clip frame.
        config: size and looks.
        report: called with frames done and frames in all.
        t_ns: instants of the clip's frames; left out: the trajectory has one row per clip frame.
        objects: drawn as ghosts, one row per clip frame.

    Raises:
        NoGlError: this machine cannot render.
        RecordError: the trajectory is another robot's.
        VideoWriteError: no space, or the folder may not be written.
    """
    config = config or ReplayConfig()
    trajectory.for_robot(robot)
    reader = None if clip_video is None else VideoReader(clip_video)
    rows = np.arange(len(trajectory.q)) if t_ns is None else TimeGrid(trajectory.t_ns).nearest_idx(t_ns)
    render = RenderConfig(
        width_px=config.robot_width_px,
        height_px=config.height_px,
        samples=config.samples,
        shadows=config.shadows,
    )
    shown = objects if config.draw_objects else None
    with Studio(robot, StudioConfig(render=render), _ghosts(shown)) as studio:
        pictures = _robot_pictures(studio, trajectory, rows, hands, shown, config)
        frames = pictures if reader is None else _beside(reader, pictures, config.height_px)
        fps = (
            _rate(trajectory.t_ns if t_ns is None else t_ns) if reader is None else reader.info.nominal_fps_hz
        )
        written = None if report is None else lambda done: report(done, len(rows))
        write_frames(path, frames, fps or 30.0, keyframe_every=15, written=written)


def _beside(
    reader: VideoReader, pictures: Iterator[UInt8[np.ndarray, "h w 3"]], height_px: int
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Clip and robot in one picture, as long as both last."""
    for (_, left), right in zip(reader.frames(height_px), pictures, strict=False):
        yield np.concatenate([_scaled(left, height_px), right], axis=1)


def _rate(t_ns: np.ndarray) -> float:
    return round(1e9 / float(np.median(np.diff(t_ns))), 3)


def _ghosts(objects: ObjectTracks | None) -> list[Ghost]:
    """One per object that has a mesh; the others are not shown."""
    if objects is None:
        return []
    return [Ghost(*objects.mesh(k)) for k in _meshed(objects)]


def _meshed(objects: ObjectTracks) -> list[int]:
    return [k for k in range(len(objects.object_ids)) if len(objects.mesh(k)[0]) >= 4]


def _scaled(frame: UInt8[np.ndarray, "h w 3"], height_px: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    if frame.shape[0] == height_px:
        return frame
    width = max(2, round(frame.shape[1] * height_px / frame.shape[0]))
    return cv2.resize(frame, (width, height_px), interpolation=cv2.INTER_AREA)


def _robot_pictures(
    studio: Studio,
    trajectory: JointTrajectory,
    rows: Int64[np.ndarray, " t"],
    hands: HandTracks | None,
    objects: ObjectTracks | None,
    config: ReplayConfig,
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The robot where its base first stands, clip frame by clip frame, with the hands it follows and the objects."""
    camera = workspace_camera(studio, trajectory, config)
    T_base_world = inverse(trajectory.T_world_base[0])
    T_first_base = np.broadcast_to(T_base_world @ trajectory.T_world_base, (len(trajectory.q), 4, 4))
    for i, row in enumerate(rows):
        things = [] if objects is None else [
            T_base_world @ objects.T_world_object[i, k] if objects.valid[i, k] else None for k in _meshed(objects)
        ]  # fmt: skip
        picture = studio.render(trajectory.q[row], T_first_base[row], camera, things)
        picture = np.ascontiguousarray(picture)
        if hands is not None and config.draw_hands:
            for side in range(2):
                if hands.valid[i, side]:
                    joints = apply(T_base_world, hands.joints_world[i, side])
                    dim = hands.source[i, side] == Source.FILLED
                    _draw_hand(picture, joints, camera, SIDE_COLORS[side], 1 if dim else 2)
        _label(picture, trajectory, int(row))
        yield picture


def workspace_camera(
    studio: Studio, trajectory: JointTrajectory, config: ReplayConfig
) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "4 4"]]:
    """`K` and `T_base_camera` that show the moving bodies over the whole clip, from the configured direction."""
    points = moving_points(studio, trajectory)
    low, high = points.min(axis=0), points.max(axis=0)
    centre, radius = (low + high) / 2, 0.5 * float(np.linalg.norm(high - low)) + 0.12
    fov = np.radians(studio.config.fov_deg)
    focal = config.height_px / 2 / np.tan(fov / 2)
    K = np.array(
        [[focal, 0, (config.robot_width_px - 1) / 2], [0, focal, (config.height_px - 1) / 2], [0, 0, 1.0]]
    )
    azimuth, elevation = np.radians(config.azimuth_deg), np.radians(config.elevation_deg)
    away = np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )
    return K, look_at(centre + 0.8 * radius / np.sin(fov / 2) * away, centre)


def moving_points(studio: Studio, trajectory: JointTrajectory, looks: int = 24) -> Float64[np.ndarray, "n 3"]:
    """Places (first base frame) of all bodies that move in the clip, at some of its moments."""
    rows = np.unique(np.linspace(0, len(trajectory.q) - 1, looks).round().astype(int))
    T_first_base = inverse(trajectory.T_world_base[0]) @ trajectory.T_world_base
    T_first_base = np.broadcast_to(T_first_base, (len(trajectory.q), 4, 4))
    places = []
    for row in rows:
        studio.data.qpos[:] = trajectory.q[row]
        mujoco.mj_kinematics(studio.model, studio.data)
        places.append(apply(T_first_base[row], studio.data.xpos[1:].copy()))
    stack = np.stack(places)
    moves = np.ptp(stack, axis=0).max(axis=1) > 1e-3
    moves |= np.array([studio.model.body_jntnum[b] > 0 for b in range(1, studio.model.nbody)])
    moves &= stack[0, :, 2] > AWAY[2] / 2  # ghosts that are not there yet
    return stack[:, moves].reshape(-1, 3)


def _draw_hand(
    picture: np.ndarray, joints_base: np.ndarray, camera: Any, color: tuple[int, int, int], width: int
) -> None:
    K, T_base_camera = camera
    lens = PinholeCamera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], picture.shape[1], picture.shape[0])
    points = apply(inverse(T_base_camera), joints_base)
    if (points[:, 2] < 0.05).any():
        return
    pixels = np.rint(lens.project(points)).astype(int)
    for a, b in BONES_21:
        cv2.line(picture, tuple(pixels[a].tolist()), tuple(pixels[b].tolist()), color, width, cv2.LINE_AA)


def _label(picture: np.ndarray, trajectory: JointTrajectory, row: int) -> None:
    """Time, and which hands are followed right now."""
    seconds = (trajectory.t_ns[row] - trajectory.t_ns[0]) * 1e-9
    cv2.putText(
        picture, f"{seconds:5.2f} s", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (60, 60, 60), 1, cv2.LINE_AA
    )
    for side, name in enumerate(("left", "right")):
        known = bool(trajectory.valid[row, side])
        color = SIDE_COLORS[side] if known else MISSING_COLOR
        text = name if known else f"{name}: no target"
        place = (90 + 140 * side, 20)
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, color, 1, cv2.LINE_AA)

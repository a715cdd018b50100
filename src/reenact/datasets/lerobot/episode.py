"""`Episode`: one clip as LeRobot wants it, and how it is made from a scene and a robot trajectory.

In: a scene, a joint trajectory, the clip's frames. Out: columns on a constant-rate grid and frames of one size.
Time: LeRobot demands `timestamp = frame_index / fps`; the true time of each source frame stays in `video_pts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64, UInt8

from reenact.datasets.lerobot.features import Feature
from reenact.datasets.lerobot.statistics import ImageStatistics
from reenact.datasets.lerobot.things import POSE_NAMES, ego_columns, object_columns, pose_values
from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.geometry.timegrid import TimeGrid
from reenact.hands.joints import JOINT_NAMES_21, SIDES, wrist_frame
from reenact.scene import CameraTrack, HandTracks, Scene

if TYPE_CHECKING:
    from reenact.robots.trajectory import JointTrajectory


@dataclass(frozen=True)
class EpisodeConfig:
    """How clips become episodes."""

    fps: int | None = None
    """Frames per second of the dataset; None takes the clips' own rate, rounded (30 when they differ)."""
    image_width_px: int = 640
    """All frames are scaled to fit and padded with black to this width ..."""
    image_height_px: int = 480
    """... and height, so that clips of any size share one dataset; intrinsics are given for the padded image."""
    camera_name: str = "front"
    """The video feature is `observation.images.<camera_name>`."""
    object_slots: int | None = None
    """Columns for that many objects per clip; None: as many as the clip with the most has."""
    task: str = "Reproduce the hand motion of the clip."
    """Task text of every episode; a clip's own description replaces it where there is one."""


@dataclass(frozen=True)
class Footage:
    """One camera of an episode: a function that yields its t frames anew, and, if there is one, the finished mp4."""

    key: str
    """Feature name, `observation.images.<camera>`."""
    size_px: tuple[int, int]
    """(width, height)."""
    frames: Callable[[], Iterator[UInt8[np.ndarray, "h w 3"]]] = field(repr=False, compare=False)
    coded: Callable[[Path], bool] | None = field(default=None, repr=False, compare=False)
    """Writes the frames to that path as they are coded already, without a new generation of loss; False: cannot."""
    statistics: Callable[[], ImageStatistics | None] | None = field(default=None, repr=False, compare=False)
    """Statistics of the frames where they are known already."""


@dataclass(frozen=True)
class Episode:
    """Columns of t rows each (without bookkeeping) and what its cameras saw."""

    episode_id: str
    task: str
    fps: int
    features: tuple[Feature, ...]
    columns: dict[str, np.ndarray] = field(repr=False)
    footage: tuple[Footage, ...] = ()
    """One entry per camera; sizes may differ between cameras, not between episodes."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What is known of the source (source, licence, session, subject, quality): plain JSON, goes to the card."""

    @property
    def length(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))


def episode_from_scene(
    scene: Scene,
    trajectory: JointTrajectory,
    read_frames: Callable[[np.ndarray], Iterator[UInt8[np.ndarray, "h w 3"]]],
    config: EpisodeConfig,
) -> Episode:
    """Resample a scene and a trajectory of it onto the constant-rate grid.

    `read_frames(source_rows)` yields the clip's upright frame of each row (rows may repeat). State is the joint
    position now, action the position at the next step (the last one repeats).
    """
    fps = config.fps or max(1, round(scene.clip.nominal_fps_hz))
    rows = constant_rate_rows(scene.clip.t_ns, fps)
    q = trajectory.q[rows]
    columns: dict[str, np.ndarray] = {"observation.state": q, "action": np.concatenate([q[1:], q[-1:]])}
    features = [Feature(name, "float32", (q.shape[1],), trajectory.joint_names) for name in columns]
    features.append(Feature("quality.robot_valid", "bool", (2,), SIDES))
    own = len(scene.objects.object_ids) if scene.objects is not None else 0
    slots = own if config.object_slots is None else config.object_slots
    columns["quality.robot_valid"] = trajectory.valid[rows]
    for part in (
        human_columns(scene.hands, rows) if scene.hands is not None else (),
        camera_columns(scene.camera, rows, config),
        object_columns(scene.objects, scene.states, scene.ego, rows, slots),
        ego_columns(scene.ego, rows) if scene.ego is not None else (),
    ):
        for feature, values in part:
            features.append(feature)
            columns[feature.name] = values
    features.append(Feature("video_pts", "float64", (1,)))
    columns["video_pts"] = scene.clip.t_ns[rows] * 1e-9
    size = (config.image_width_px, config.image_height_px)
    return Episode(
        episode_id=scene.clip.clip_id,
        task=config.task,
        fps=fps,
        features=tuple(features),
        columns=columns,
        footage=(
            Footage(
                f"observation.images.{config.camera_name}",
                size,
                lambda: (letterbox(frame, size) for frame in read_frames(rows)),
            ),
        ),
    )


def constant_rate_rows(t_ns: np.ndarray, fps: int) -> np.ndarray:
    """Source rows on a grid of exactly `fps`.

    A source whose steady rate rounds to `fps` (29.97 for 30) keeps its frames one to one; any other is sampled at the
    nearest frame in time.
    """
    steps = np.diff(t_ns)
    period = 1e9 / fps
    steady = len(steps) == 0 or (np.abs(steps - period) < 0.1 * period).all()
    if steady:
        return np.arange(len(t_ns))
    grid = TimeGrid.uniform(int(t_ns[0]), int(t_ns[-1] + np.median(steps)), fps)
    return TimeGrid(t_ns).nearest_idx(grid.t_ns)


def letterbox(frame: UInt8[np.ndarray, "h w 3"], size_px: tuple[int, int]) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Scale a frame to fit (width, height) and pad with black, centred."""
    import cv2

    scale, left, top, width, height = _fit(frame.shape[1], frame.shape[0], size_px)
    out = np.zeros((size_px[1], size_px[0], 3), np.uint8)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    out[top : top + height, left : left + width] = cv2.resize(frame, (width, height), interpolation=mode)
    return out


def _fit(width_px: int, height_px: int, size_px: tuple[int, int]) -> tuple[float, int, int, int, int]:
    scale = min(size_px[0] / width_px, size_px[1] / height_px)
    width, height = round(width_px * scale), round(height_px * scale)
    return scale, (size_px[0] - width) // 2, (size_px[1] - height) // 2, width, height


def human_columns(hands: HandTracks, rows: np.ndarray) -> Iterator[tuple[Feature, np.ndarray]]:
    """`human.<side>.*`: keypoints, wrist pose, confidence, validity and source."""
    names = tuple(f"{joint}.{axis}" for joint in JOINT_NAMES_21 for axis in "xyz")
    for s, side in enumerate(SIDES):
        joints = hands.joints_world[rows, s]
        valid = hands.valid[rows, s]
        pose = np.concatenate([joints[:, 0], _wrist_quaternions(joints, valid, s)], axis=1)
        yield Feature(f"human.{side}.keypoints", "float32", (63,), names), joints.reshape(len(rows), 63)
        yield Feature(f"human.{side}.wrist", "float32", (7,), POSE_NAMES), pose
        yield Feature(f"human.{side}.confidence", "float32", (1,)), hands.confidence[rows, s]
        yield Feature(f"human.{side}.valid", "bool", (1,)), valid
        yield Feature(f"human.{side}.source", "uint8", (1,)), hands.source[rows, s]


def _wrist_quaternions(
    joints: Float64[np.ndarray, "t j=21 3"], valid: np.ndarray, side: int
) -> Float64[np.ndarray, "t 4"]:
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (len(joints), 1))
    if valid.any():
        known = quat_continuous(quat_from_matrix(wrist_frame(joints[valid], side)))
        # rows without a hand hold the last known turn: meaningless, but no leap and no change of sign
        quats = known[np.maximum(np.cumsum(valid) - 1, 0)]
    return quats


def camera_columns(
    camera: CameraTrack, rows: np.ndarray, config: EpisodeConfig
) -> Iterator[tuple[Feature, np.ndarray]]:
    """`camera.<name>.*`: pose and, for the padded picture, intrinsics."""
    name = config.camera_name
    T = camera.T_world_camera[rows]
    pose = pose_values(T)
    size = (config.image_width_px, config.image_height_px)
    scale, left, top, _, _ = _fit(camera.width_px, camera.height_px, size)
    fx, fy, cx, cy = camera.params[:4]
    # integer pixel centres: a pixel x of the source lands at (x + 0.5) * scale - 0.5 + pad
    intrinsics = [fx * scale, fy * scale, (cx + 0.5) * scale - 0.5 + left, (cy + 0.5) * scale - 0.5 + top]
    yield Feature(f"camera.{name}.pose", "float32", (7,), POSE_NAMES), pose
    yield Feature(f"camera.{name}.pose_valid", "bool", (1,)), camera.valid[rows]
    yield (
        Feature(f"camera.{name}.intrinsics", "float32", (4,), ("fx", "fy", "cx", "cy")),
        np.tile(intrinsics, (len(rows), 1)),
    )

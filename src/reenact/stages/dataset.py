"""The dataset of a run: all clips that gave a trajectory for a robot, as one LeRobot v3.0 folder.

Not a stage of one clip: its key is made of the keys of all its clips, so it is written anew exactly when one changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reenact import __version__
from reenact.datasets.lerobot import Episode, EpisodeConfig, episode_from_scene, write_v3
from reenact.datasets.lerobot.layout import DatasetConfig
from reenact.hands.joints import JOINT_NAMES_21
from reenact.pipeline.canonical import plain
from reenact.pipeline.keys import stage_key
from reenact.pipeline.manifest import Manifest, files_below
from reenact.pipeline.store import ArtefactStore
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import read_npz
from reenact.scene import InteractionState, Scene
from reenact.stages.clip import ClipConfig, clip_frames
from reenact.stages.notes import read_notes
from reenact.stages.scene import RECORD_STAGES, as_shown, load_scene
from reenact.stages.trajectory import TRAJECTORY_NAME, RobotChoice

VERSION = "2"


@dataclass(frozen=True)
class DatasetStageConfig:
    """What the dataset looks like."""

    robot: RobotChoice
    episode: EpisodeConfig = field(default_factory=EpisodeConfig)
    files: DatasetConfig = field(default_factory=DatasetConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)


@dataclass(frozen=True)
class FinishedClip:
    """A clip whose stages are done: its id, its video and the folders of its artefacts by stage name."""

    clip_id: str
    video: Path
    folders: Mapping[str, Path]
    keys: Mapping[str, str]


def write_dataset(
    store: ArtefactStore, clips: Sequence[FinishedClip], config: DatasetStageConfig
) -> tuple[Path, bool]:
    """The dataset folder (in the store) and whether it had to be written. `clips` must not be empty."""
    stage = f"dataset_{config.robot.label}"
    wanted = (*dict.fromkeys(RECORD_STAGES.values()), f"trajectory_{config.robot.label}")
    inputs = {
        f"{clip.clip_id}/{name}": clip.keys[name] for clip in clips for name in wanted if name in clip.keys
    }
    key = stage_key(stage, VERSION, config, inputs)

    def make(folder: Path) -> None:
        import time

        start = time.perf_counter()
        _write(folder / "dataset", clips, config)
        manifest = Manifest(
            stage=stage,
            version=VERSION,
            key=key,
            config=plain(config),
            inputs=inputs,
            files=files_below(folder),
            seconds=time.perf_counter() - start,
        )
        manifest.write(folder)

    is_new = store.add(stage, key, make)
    return store.folder(stage, key) / "dataset", is_new


def _write(folder: Path, clips: Sequence[FinishedClip], config: DatasetStageConfig) -> None:
    robot = load_robot(config.robot.name_or_path)
    scenes = {clip.clip_id: as_shown(load_scene(clip.folders)) for clip in clips}
    counts = [len(s.objects.object_ids) if s.objects is not None else 0 for s in scenes.values()]
    slots = config.episode.object_slots
    episode_config = dataclasses.replace(
        config.episode,
        fps=config.episode.fps or common_fps(list(scenes.values())),
        object_slots=max(counts) if slots is None else slots,
    )

    def episodes() -> Iterator[Episode]:
        for clip in clips:
            yield _episode(clip, scenes[clip.clip_id], config, episode_config)

    provenance = {
        "made_by": f"reenact {__version__}",
        "robot": {"name": robot.name, "sheet_hash": robot.sheet_hash, "licence": robot.sheet.licence},
        "units": "SI: m, rad, s; images RGB; video_pts in seconds of the source",
        "frames": "human.* and camera.*.pose in the clip's scene frame (see clips.*.world_frame), +Z up when 'world'",
        "objects": "object.<slot>.* are the clip's objects by number (clips.*.objects); ego_pose: in human.ego's axes",
        "object_states": [state.name.lower() for state in InteractionState],
        "quaternions": "qw, qx, qy, qz",
        "joint_order": list(JOINT_NAMES_21),
        "action": "absolute joint positions of the next step",
        "sources": "0 unknown, 1 observed, 2 filled, 3 smoothed, 4 simulated, 5 truth",
        "clips": {clip.clip_id: _clip_facts(clip, scenes[clip.clip_id], config) for clip in clips},
    }
    write_v3(folder, episodes(), robot_type=robot.name, provenance=provenance, config=config.files)


def common_fps(scenes: Sequence[Scene]) -> int:
    """The clips' own rounded rate when they agree, else 30."""
    rates = {max(1, round(scene.clip.nominal_fps_hz)) for scene in scenes}
    return rates.pop() if len(rates) == 1 else 30


def _episode(clip: FinishedClip, scene: Scene, config: DatasetStageConfig, episode: EpisodeConfig) -> Episode:
    trajectory = read_npz(clip.folders[f"trajectory_{config.robot.label}"] / TRAJECTORY_NAME)

    def read_frames(rows: np.ndarray) -> Iterator[np.ndarray]:
        frames = clip_frames(scene.clip, clip.video, config.clip, max(episode.image_height_px, 480))
        row, frame = -1, None
        for wanted in rows:
            while row < wanted:
                _, frame = next(frames)
                row += 1
            assert frame is not None
            yield frame

    return episode_from_scene(scene, trajectory, read_frames, episode)


def _clip_facts(clip: FinishedClip, scene: Scene, config: DatasetStageConfig) -> dict[str, Any]:
    quality = read_notes(clip.folders[f"trajectory_{config.robot.label}"]).get("quality", {})
    landmarks = scene.landmarks
    return {
        "source": scene.clip.source_name,
        "sha256": scene.clip.source_sha256,
        "world_frame": scene.camera.world_frame,
        "intrinsics_source": scene.camera.intrinsics_source,
        "focal_sigma": scene.camera.focal_sigma,
        "gravity_source": scene.camera.gravity_source,
        "objects": list(scene.objects.names) if scene.objects is not None else [],
        "hands_backend": landmarks.backend if landmarks else "unknown",
        "hands_licence": landmarks.licence if landmarks else "unknown",
        "camera_path_licence": scene.camera_path.licence if scene.camera_path else "none",
        "retarget_quality": quality,
    }

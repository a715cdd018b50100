"""Our own scene folders, run folders and joint trajectories: read as they are, nothing is translated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Images, Provenance, RobotEpisode
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import rate_of
from reenact.datasets.readers.licences import OWN
from reenact.datasets.readers.probes import npz_names
from reenact.robots.trajectory import read_npz
from reenact.scene import Clip, Scene


def scene_folders(path: Path) -> list[Path]:
    """The scene folder itself, that of a clip's folder, or those of all clips of a run folder (`<clip>/scene`)."""
    for folder in (path, path / "scene"):
        if (folder / "clip.json").is_file() and (folder / "camera.json").is_file():
            return [folder]
    return sorted(p for p in path.glob("*/scene") if (p / "clip.json").is_file()) if path.is_dir() else []


def sniff_scene(path: Path) -> bool:
    """A scene folder, or a run folder with some."""
    return bool(scene_folders(path))


def read_scene(path: Path) -> Iterator[HumanEpisode]:
    """One episode per scene folder; raises `RecordError` for damaged records."""
    for folder in scene_folders(path):
        scene = Scene.load(folder)
        yield HumanEpisode(
            episode_id=scene.clip.clip_id,
            t_ns=scene.clip.t_ns - scene.clip.t_ns[0],
            time_source="recorded",
            fps_hz=scene.clip.nominal_fps_hz,
            world_frame=scene.camera.world_frame,
            provenance=Provenance(
                format="reenact_scene",
                source=scene.clip.source_name,
                version=str(scene.clip.VERSION),
                licence=OWN,
                joint_order="OpenPose-21",
                fingertips="as the hand backend's landmarks",
            ),
            camera=scene.camera,
            hands=scene.last_hands,
            objects=scene.objects,
            images=(_video(scene.clip),),
        )


def _video(clip: Clip) -> Images:
    """Where the clip lies in its source: a scene keeps the source's own times, an episode begins at 0."""
    start_s = int(clip.t_ns[0]) * 1e-9
    return Images(clip.source_name, clip.width_px, clip.height_px, start_s, clip.source_sha256)


def sniff_trajectory(path: Path) -> bool:
    """An `.npz` written by `reenact.robots.trajectory.write_npz`."""
    return npz_names(path) >= {"schema", "sheet_hash", "T_world_wrist_target"}


def read_trajectory(path: Path) -> Iterator[RobotEpisode]:
    """The motion as states; it holds no commands, so `action` is None. Raises `RecordError`."""
    motion = read_npz(path)
    if len(motion.t_ns) < 2:
        raise DamagedSource(f"{path.name} has {len(motion.t_ns)} frames", hint="a motion has at least two")
    yield RobotEpisode(
        episode_id=path.stem,
        robot_type=motion.robot,
        t_ns=motion.t_ns - motion.t_ns[0],
        fps_hz=rate_of(motion.t_ns) or 0.0,
        state_names=motion.joint_names,
        state=np.array(motion.q),
        action_names=(),
        action=None,
        provenance=Provenance(
            format="reenact_trajectory", source=path.name, version=str(motion.VERSION), licence=OWN
        ),
        columns={
            "T_world_base": motion.T_world_base,
            "T_world_wrist_target": motion.T_world_wrist_target,
            "valid": motion.valid,
            "confidence": motion.confidence,
        },
    )

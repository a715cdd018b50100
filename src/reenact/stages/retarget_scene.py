"""`reenact retarget`: one scene and one robot in, a folder of trajectory, numbers, exports and video out.

OUT/<scene>/<robot>/  trajectory.npz, notes.json, quality.json; by choice trajectory.csv, trajectory.yaml (ROS 2),
trajectory.mcap, lerobot/ (one episode), replay.mp4. The folder appears whole or not at all.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from reenact import __version__
from reenact.quality.retarget import RetargetQuality, measure_retarget
from reenact.records.files import atomic_folder
from reenact.retarget.retarget import RetargetConfig, RetargetResult, retarget
from reenact.robots.limit_facts import LimitFacts, limit_facts
from reenact.robots.registry import load_robot
from reenact.robots.ros2 import write_ros2_yaml
from reenact.robots.trajectory import JointTrajectory, write_csv, write_npz
from reenact.stages.notes import write_json, write_notes
from reenact.stages.scene_source import SourceScene
from reenact.stages.trajectory import TRAJECTORY_NAME, RobotChoice
from reenact.viewer.replay import ReplayConfig, write_replay

Format = Literal["npz", "csv", "ros2", "mcap", "lerobot"]
FORMATS: tuple[Format, ...] = ("npz", "csv", "ros2", "mcap", "lerobot")
QUALITY_NAME = "quality.json"
REPLAY_NAME = "replay.mp4"


@dataclass(frozen=True)
class RetargetSceneConfig:
    """Everything that shapes the result; what `--set` reaches."""

    retarget: RetargetConfig = field(default_factory=RetargetConfig)
    """Hands to robot joints."""
    replay: ReplayConfig = field(default_factory=ReplayConfig)
    """The video."""


@dataclass(frozen=True)
class RetargetedScene:
    """What came of one scene and one robot."""

    folder: Path
    quality: RetargetQuality
    result: RetargetResult
    limits: LimitFacts
    seconds: float
    """Retargeting alone, without files and video."""


def retarget_scene(
    scene: SourceScene,
    choice: RobotChoice,
    out: Path,
    config: RetargetSceneConfig | None = None,
    formats: tuple[Format, ...] = ("npz", "csv"),
    with_video: bool = True,
    report: Callable[[int, int], None] | None = None,
) -> RetargetedScene:
    """Retarget, measure the final trajectory, write everything to `out/<scene>/<robot>`.

    Raises:
        NoHandToFollow: no hand on a side where the robot has an arm.
        BaseCannotMove: a moving root for a fixed base.
        McapMissing, NoGlError, NoTorch, NoRootWeights: what this machine lacks for what was asked.
    """
    config = config or RetargetSceneConfig()
    robot = load_robot(choice.name_or_path)
    started = time.perf_counter()
    result = retarget(
        scene.hands, scene.t_ns, robot, config.retarget, objects=scene.objects, contacts=scene.contacts
    )
    seconds = time.perf_counter() - started
    trajectory, quality = result.trajectory, measure_retarget(result.trajectory, robot)
    facts = limit_facts(trajectory, robot)
    target = out / scene.name / choice.label
    with atomic_folder(target) as folder:
        _write_formats(folder, scene, trajectory, facts, formats)
        write_json(folder / QUALITY_NAME, quality)
        notes = {
            "robot": robot.name,
            "scene": scene.name,
            "quality": quality,
            "root": result.root,
            "report": result.report,
            "limits": {"kept": facts.kept, "said": facts.sentences(), **_flat(facts)},
            "seconds": result.seconds,
        }
        write_notes(folder, notes)
        if with_video:
            write_replay(
                folder / REPLAY_NAME, scene.video, robot, trajectory, scene.hands, config.replay, report,
                scene.t_ns, scene.objects,
            )  # fmt: skip
    return RetargetedScene(target, quality, result, facts, seconds)


def _write_formats(
    folder: Path,
    scene: SourceScene,
    trajectory: JointTrajectory,
    facts: LimitFacts,
    formats: tuple[Format, ...],
) -> None:
    """The trajectory as the files asked for; the npz is always there."""
    write_npz(trajectory, folder / TRAJECTORY_NAME, _flat(facts))
    if "csv" in formats:
        write_csv(trajectory, folder / "trajectory.csv")
    if "ros2" in formats:
        write_ros2_yaml(trajectory, folder / "trajectory.yaml", facts)
    if "mcap" in formats:
        from reenact.robots.mcap_file import write_mcap

        write_mcap(trajectory, folder / "trajectory.mcap", facts)
    if "lerobot" in formats:
        _write_episode(folder, scene)


def _flat(facts: LimitFacts) -> dict[str, float | str | int | None]:
    return dataclasses.asdict(facts)


def _write_episode(folder: Path, scene: SourceScene) -> None:
    """A LeRobot v3.0 dataset of one episode, read from the trajectory file just written; the clip as its picture."""
    from reenact.datasets.lerobot.convert import write_dataset
    from reenact.datasets.lerobot.episode import EpisodeConfig
    from reenact.datasets.lerobot.from_reader import ImportConfig, episode_from_reader
    from reenact.datasets.readers.episode import Images
    from reenact.datasets.readers.own import read_trajectory

    (episode,) = read_trajectory(folder / TRAJECTORY_NAME)
    cameras = {} if scene.video is None else {"front": Images(str(scene.video))}
    episode = dataclasses.replace(episode, episode_id=scene.name, cameras=cameras)
    task = EpisodeConfig(task=f"Replay the hand motion of {scene.name}.")
    write_dataset(
        folder / "lerobot",
        [episode_from_reader(episode, folder, ImportConfig(task))],
        robot_type=episode.robot_type,
        provenance={"made_by": f"reenact {__version__}", "units": "SI", "action": "joints at the next step"},
    )

"""The plan of a run: every stage with its version, its settings and what it reads.

Raise a version here whenever the same inputs and settings would give another result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from reenact.datasets.lerobot import EpisodeConfig
from reenact.datasets.lerobot.writer_v3 import DatasetConfig
from reenact.errors import InputError
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.stage import Stage
from reenact.refine.hands.reconstruct import HandReconstructionConfig
from reenact.refine.interaction.results import InteractionResultConfig
from reenact.retarget.retarget import RetargetConfig
from reenact.stages import camera, clip, ego, hands, interaction, landmarks, replay, report, trajectory
from reenact.stages.placing import DEPTH_FILES, PlacingConfig, placing_stages
from reenact.stages.scene import SCENE_STAGES
from reenact.stages.seeing import SeeingConfig, seeing_stages
from reenact.stages.trajectory import RobotChoice


@dataclass(frozen=True)
class RunConfig:
    """Everything that shapes a result, stage by stage."""

    clip: clip.ClipConfig = field(default_factory=clip.ClipConfig)
    """Which frames of the source are used."""
    camera: camera.CameraConfig = field(default_factory=camera.CameraConfig)
    """Lens, motion and gravity; what the user knows wins."""
    landmarks: landmarks.LandmarksConfig = field(default_factory=landmarks.LandmarksConfig)
    """Finding hands in the picture."""
    hands: HandReconstructionConfig = field(default_factory=HandReconstructionConfig)
    """Metric hands."""
    objects: Literal["auto", "none"] = "none"
    """auto: also find objects, outline them and follow points on them; none: hands only."""
    seeing: SeeingConfig = field(default_factory=SeeingConfig)
    """Finding objects, outlining them, points on them."""
    placing: PlacingConfig = field(default_factory=PlacingConfig)
    """Depth, the table, the objects' shapes and poses."""
    interaction: InteractionResultConfig = field(default_factory=InteractionResultConfig)
    """Hands and objects made to agree: states, contacts, refined poses."""
    retarget: RetargetConfig = field(default_factory=RetargetConfig)
    """Hands to robot joints."""
    replay: replay.ReplayConfig = field(default_factory=replay.ReplayConfig)
    """The robot video."""
    ego: ego.EgoStageConfig = field(default_factory=ego.EgoStageConfig)
    """The virtual camera at the person's eyes, and its video."""
    episode: EpisodeConfig = field(default_factory=EpisodeConfig)
    """Clips as dataset episodes."""
    dataset: DatasetConfig = field(default_factory=DatasetConfig)
    """Files of the dataset."""


def plan(
    config: RunConfig,
    robots: Sequence[RobotChoice],
    *,
    with_video: bool = True,
    with_truth: bool = False,
    with_ego: bool = False,
    with_depth: bool = False,
) -> Pipeline:
    """All stages for one clip, in an order in which they can run.

    Sources: `video`, `segment`, with truth `truth` (a scene folder that the report compares with), and with depth
    `depth_files` (a folder of depth pictures).
    """
    wants_objects = config.objects == "auto"
    asks_truth = wants_objects and (config.seeing.wants_truth() or config.placing.wants_truth())
    if ("truth" in (config.camera.backend, config.landmarks.backend) or asks_truth) and not with_truth:
        raise InputError("a truth backend was chosen for a clip without truth", hint="toy clips have one")
    truth = ("truth",) if with_truth else ()
    true_camera = truth if config.camera.backend == "truth" else ()
    true_hands = truth if config.landmarks.backend == "truth" else ()
    seeing = camera.CameraStageConfig(config.camera, config.clip, config.hands.hand_length)
    finding = landmarks.LandmarksStageConfig(config.landmarks, config.clip)
    stages: list[Stage[Any]] = [
        Stage("clip", "1", config.clip, ("video", "segment"), clip.run),
        Stage("landmarks", "2", finding, ("clip", "video", *true_hands), landmarks.run),
        Stage("camera", "6", seeing, ("clip", "video", "landmarks", *true_camera), camera.run),
        Stage("hands", "6", config.hands, ("clip", "camera", "landmarks"), hands.run),
    ]
    if wants_objects:
        stages += seeing_stages(config.seeing, config.clip)
        stages += placing_stages(config.placing, with_depth)
        placed = ("clip", "camera", "hands", "depth", "support", "objects", "points")
        stages.append(Stage("interaction", "19", config.interaction, placed, interaction.run))
    shown = [stage.name for stage in stages[len(SCENE_STAGES) :]]
    if with_ego:
        stages.append(Stage("ego", "3", config.ego, (*SCENE_STAGES, *shown), ego.run))
        shown.append("ego")
    agreed = ("depth", "interaction") if wants_objects else ()
    for robot in robots:
        moved = _robot_stages(config, robot, agreed, with_video)
        stages += moved
        shown += [stage.name for stage in moved]
    reads = (*SCENE_STAGES, *shown, *truth)
    stages.append(Stage("report", "9", report.ReportStageConfig(tuple(robots)), reads, report.run))
    depth_files = (DEPTH_FILES,) if with_depth and wants_objects else ()
    return Pipeline(stages, ("video", "segment", *truth, *depth_files))


def _robot_stages(
    config: RunConfig, robot: RobotChoice, agreed: tuple[str, ...], with_video: bool
) -> list[Stage[Any]]:
    """One robot's motion, and its video if wanted; `agreed`: what hands and objects agreed on."""
    name = f"trajectory_{robot.label}"
    settings = trajectory.TrajectoryConfig(robot, config.retarget)
    moved: list[Stage[Any]] = [
        Stage(name, "7", settings, ("clip", "camera", "hands", *agreed), trajectory.run)
    ]
    if with_video:
        filmed = replay.ReplayRobotConfig(robot, config.replay)
        reads = ("clip", "hands", *agreed, name)
        moved.append(Stage(f"replay_{robot.label}", "2", filmed, reads, replay.run))
    return moved

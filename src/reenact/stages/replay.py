"""Stage `replay_<robot>`: the clip and the robot side by side. In: clip, hands, trajectory; objects if known.

Out: `replay.mp4`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reenact.pipeline.stage import StageCall
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import read_npz
from reenact.scene import ObjectTracks
from reenact.stages.clip import PREVIEW_NAME, load_clip
from reenact.stages.scene import load_hands
from reenact.stages.trajectory import TRAJECTORY_NAME, RobotChoice, find_record
from reenact.viewer.replay import ReplayConfig, write_replay

REPLAY_NAME = "replay.mp4"


@dataclass(frozen=True)
class ReplayRobotConfig:
    """Which robot, and how it is shown."""

    robot: RobotChoice
    replay: ReplayConfig = field(default_factory=ReplayConfig)


def run(call: StageCall[ReplayRobotConfig]) -> None:
    """See the module's docstring."""
    choice = call.config.robot
    write_replay(
        call.out / REPLAY_NAME,
        call.inputs["clip"] / PREVIEW_NAME,
        load_robot(choice.name_or_path),
        read_npz(call.inputs[f"trajectory_{choice.label}"] / TRAJECTORY_NAME),
        load_hands(call.inputs),
        call.config.replay,
        call.report,
        load_clip(call.inputs["clip"]).t_ns,
        find_record(ObjectTracks, call.inputs, "objects"),
    )

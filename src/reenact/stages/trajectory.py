"""Stage `trajectory_<robot>`: the robot's joints over the clip. In: clip, camera, hands.

Out: `trajectory.npz` and `trajectory.csv`, and notes: root, solver and how well the *final* trajectory does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from reenact.pipeline.stage import StageCall
from reenact.quality.retarget import measure_retarget
from reenact.records import load_record
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import write_csv, write_npz
from reenact.scene import HandTracks
from reenact.stages.clip import load_clip
from reenact.stages.notes import write_notes

TRAJECTORY_NAME = "trajectory.npz"


@dataclass(frozen=True)
class RobotChoice:
    """A robot by name or sheet path, pinned by the hash of its sheet so that a changed sheet is a new key."""

    name_or_path: str
    sheet_hash: str

    @staticmethod
    def of(name_or_path: str) -> RobotChoice:
        """Look the robot up; raises `UnknownRobotError` or `SheetError`."""
        return RobotChoice(name_or_path, load_robot(name_or_path).sheet_hash)

    @property
    def label(self) -> str:
        """Safe in a stage or folder name."""
        stem = re.sub(r"\.toml$", "", self.name_or_path.rsplit("/", 1)[-1])
        return re.sub(r"[^a-z0-9_]+", "_", stem.lower())


@dataclass(frozen=True)
class TrajectoryConfig:
    """Which robot, and how it follows."""

    robot: RobotChoice
    retarget: RetargetConfig = field(default_factory=RetargetConfig)


def run(call: StageCall[TrajectoryConfig]) -> None:
    """See the module's docstring."""
    clip = load_clip(call.inputs["clip"])
    hands = load_record(HandTracks, call.inputs["hands"], "hands")
    robot = load_robot(call.config.robot.name_or_path)
    result = retarget(hands, clip.t_ns, robot, call.config.retarget)
    write_npz(result.trajectory, call.out / TRAJECTORY_NAME)
    write_csv(result.trajectory, call.out / "trajectory.csv")
    quality = measure_retarget(result.trajectory, robot)
    write_notes(
        call.out, {"robot": robot.name, "quality": quality, "root": result.root, "report": result.report}
    )

"""Stage `trajectory_<robot>`: the robot's joints over the clip. In: clip, camera, hands; objects and contacts if known.

Out: `trajectory.npz` and `trajectory.csv`, and notes: root, solver and how well the *final* trajectory does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from reenact.pipeline.stage import StageCall
from reenact.quality.retarget import measure_retarget
from reenact.records import Record, load_record, record_exists
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import write_csv, write_npz
from reenact.scene import ContactTracks, ObjectTracks
from reenact.stages.clip import load_clip
from reenact.stages.notes import write_notes
from reenact.stages.scene import load_hands

TRAJECTORY_NAME = "trajectory.npz"
R = TypeVar("R", bound=Record)


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
    robot = load_robot(call.config.robot.name_or_path)
    result = retarget(
        load_hands(call.inputs),
        clip.t_ns,
        robot,
        call.config.retarget,
        objects=find_record(ObjectTracks, call.inputs, "objects"),
        contacts=find_record(ContactTracks, call.inputs, "contacts"),
    )
    write_npz(result.trajectory, call.out / TRAJECTORY_NAME)
    write_csv(result.trajectory, call.out / "trajectory.csv")
    quality = measure_retarget(result.trajectory, robot)
    write_notes(
        call.out, {"robot": robot.name, "quality": quality, "root": result.root, "report": result.report}
    )


def find_record(cls: type[R], inputs: Mapping[str, Path], name: str) -> R | None:
    """The record of that name from whichever stage made it, the last one read first; None where none did."""
    folders = [folder for folder in reversed(list(inputs.values())) if record_exists(folder, name)]
    return load_record(cls, folders[0], name) if folders else None

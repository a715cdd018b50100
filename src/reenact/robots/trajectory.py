"""A robot motion on a time grid: joint values, where the base stands, and how far each moment can be trusted.

A value outside a limit is kept and reported by ``check_limits``; nothing here clamps. Files: ``.npz`` (plain
arrays, reads back identical) and ``.csv`` (one row per frame, every digit kept).
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.errors import RecordError
from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.records import Record
from reenact.records.files import atomic_file
from reenact.robots.model import Robot

_SCHEMA_KEY, _VERSION_KEY = "schema", "version"
_NOTE = "note_"


@dataclass(frozen=True, kw_only=True)
class JointTrajectory(Record):
    """What a robot does over a clip. Axis s is the side: 0 left, 1 right."""

    SCHEMA: ClassVar[str] = "reenact.joint_trajectory"
    VERSION: ClassVar[int] = 1

    robot: str
    """Robot name."""
    sheet_hash: str
    """``Robot.sheet_hash`` of the robot it was made for."""
    joint_names: tuple[str, ...]
    """Columns of ``q``."""
    t_ns: Int64[np.ndarray, " t"]
    """Strictly rising clip times."""
    q: Float64[np.ndarray, "t q"]
    """Joint values, rad (hinges) or m (slides)."""
    T_world_base: Float64[np.ndarray, "b 4 4"]
    """Where the base stands: one pose for the whole clip (b = 1), or one per frame (b = t)."""
    world_frame: str
    """Name of the frame the base is placed in (``world`` or ``camera0``)."""
    T_world_wrist_target: Float64[np.ndarray, "t s=2 4 4"]
    """The wrist poses the motion was to follow; meaningless where not ``valid``."""
    valid: Bool[np.ndarray, "t s=2"]
    """Whether that side follows an observed or filled hand in this frame."""
    confidence: Float64[np.ndarray, "t s=2"]
    """0..1."""
    source: UInt8[np.ndarray, "t s=2"]
    """Codes of ``reenact.scene.Source``."""

    def check(self) -> None:
        self.require(len(self.joint_names) == self.q.shape[1], "joint_names", f"has {len(self.joint_names)} names",
                     f"q has {self.q.shape[1]} columns")  # fmt: skip
        self.require(
            len(set(self.joint_names)) == len(self.joint_names), "joint_names", "names a joint twice"
        )
        self.require(bool((np.diff(self.t_ns) > 0).all()), "t_ns", "does not rise strictly")
        b, t = len(self.T_world_base), len(self.t_ns)
        self.require(b in (1, t), "T_world_base", f"has {b} poses", f"give one, or one per frame ({t})")
        self.require_transforms("T_world_base")
        self.require_transforms("T_world_wrist_target")
        self.require_fraction("confidence")

    @property
    def base_moves(self) -> bool:
        """Whether the base has a pose per frame."""
        return len(self.T_world_base) > 1

    def for_robot(self, robot: Robot) -> None:
        """Makes sure this motion is that robot's.

        Raises:
            RecordError: other joints, or a sheet that has changed since.
        """
        if self.joint_names != robot.joint_names:
            strange = sorted(set(self.joint_names) ^ set(robot.joint_names))
            raise RecordError(
                f"this trajectory is for {self.robot!r} and does not fit {robot.name!r}",
                hint=f"joints that differ: {', '.join(strange[:5]) or 'only their order'}",
            )
        if self.sheet_hash != robot.sheet_hash:
            raise RecordError(
                f"the sheet of {robot.name!r} has changed since this trajectory was made",
                hint="retarget again with this release",
            )


@dataclass(frozen=True)
class LimitReport:
    """Where a trajectory leaves what the robot can do. Speeds by differences between frames."""

    outside: Bool[np.ndarray, "t q"]
    """Joint beyond its range."""
    too_fast: Bool[np.ndarray, "t q"]
    """Joint faster than its limit on the way to the next frame (last row: never)."""
    worst_excess: float
    """Farthest beyond a range, rad or m; 0 if none."""
    worst_speed_ratio: float
    """Highest speed over its limit; at most 1 when all is well."""

    @property
    def ok(self) -> bool:
        """No joint ever beyond its range or speed."""
        return not (self.outside.any() or self.too_fast.any())


def check_limits(trajectory: JointTrajectory, robot: Robot, slack: float = 1e-6) -> LimitReport:
    """Compares a motion with the robot's ranges and speeds; ``slack`` (rad or m, and as a ratio) is forgiven."""
    trajectory.for_robot(robot)
    q = trajectory.q
    excess = np.maximum(robot.lower - q, q - robot.upper)
    seconds = np.diff(trajectory.t_ns)[:, None] * 1e-9
    ratio = np.zeros_like(q)
    ratio[:-1] = np.abs(np.diff(q, axis=0)) / seconds / robot.velocity_limits
    return LimitReport(
        outside=excess > slack,
        too_fast=ratio > 1 + slack,
        worst_excess=float(max(excess.max(initial=0.0), 0.0)),
        worst_speed_ratio=float(ratio.max(initial=0.0)),
    )


def write_npz(trajectory: JointTrajectory, path: Path, notes: Mapping[str, Any] | None = None) -> None:
    """Writes one ``.npz`` of plain arrays (words as fixed-width text), whole or not at all.

    ``notes`` are further facts for readers of the file (numbers, words), kept as ``note_<name>``.
    """
    arrays: dict[str, Any] = {
        _SCHEMA_KEY: np.str_(trajectory.SCHEMA),
        _VERSION_KEY: np.int64(trajectory.VERSION),
    }
    for field in dataclasses.fields(trajectory):
        value = getattr(trajectory, field.name)
        arrays[field.name] = value if isinstance(value, np.ndarray) else np.array(value, dtype=np.str_)
    for name, value in (notes or {}).items():
        arrays[_NOTE + name] = np.array(np.nan if value is None else value)
    with atomic_file(Path(path)) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_npz(path: Path) -> JointTrajectory:
    """Reads what ``write_npz`` wrote.

    Raises:
        RecordError: not such a file, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if not name.startswith(_NOTE)}
    except (OSError, ValueError) as err:
        raise RecordError(f"{path} is not a trajectory file: {err}") from err
    schema, version = str(arrays.pop(_SCHEMA_KEY, "")), int(arrays.pop(_VERSION_KEY, -1))
    if (schema, version) != (JointTrajectory.SCHEMA, JointTrajectory.VERSION):
        raise RecordError(
            f"{path} holds {schema or 'no record'} version {version}",
            hint=f"expected {JointTrajectory.SCHEMA} version {JointTrajectory.VERSION}",
        )
    fields: dict[str, Any] = dict(arrays)
    for name in ("robot", "sheet_hash", "world_frame"):
        fields[name] = str(fields[name])
    fields["joint_names"] = tuple(map(str, fields["joint_names"]))
    return JointTrajectory(**fields)


def write_csv(trajectory: JointTrajectory, path: Path) -> None:
    """Writes a table: t_ns, base x y z qw qx qy qz, every joint by name, then validity and confidence per side."""
    base = [f"base_{k}" for k in ("x", "y", "z", "qw", "qx", "qy", "qz")]
    sides = ["valid_left", "valid_right", "confidence_left", "confidence_right"]
    poses = base_columns(trajectory)
    with atomic_file(Path(path)) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["t_ns", *base, *trajectory.joint_names, *sides])
        for row, t_ns in enumerate(trajectory.t_ns):
            numbers = [*poses[row], *trajectory.q[row]]
            valid, confidence = trajectory.valid[row], trajectory.confidence[row]
            table.writerow([int(t_ns), *map(_digits, numbers), *map(int, valid), *map(_digits, confidence)])


def read_csv_q(path: Path) -> tuple[Int64[np.ndarray, " t"], tuple[str, ...], Float64[np.ndarray, "t q"]]:
    """Times, joint names and joint values of a table, bit for bit.

    Raises:
        RecordError: the table does not have our columns.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0][:1] != ["t_ns"] or rows[0][-4:-3] != ["valid_left"]:
        raise RecordError(
            f"{path} is not a trajectory table", hint="it starts with t_ns and ends with confidence_right"
        )
    names = tuple(rows[0][8:-4])
    t_ns = np.array([int(row[0]) for row in rows[1:]], np.int64)
    return (
        t_ns,
        names,
        np.array([[float(x) for x in row[8:-4]] for row in rows[1:]]).reshape(len(t_ns), len(names)),
    )


def _digits(value: float) -> str:
    return repr(float(value))


def base_columns(trajectory: JointTrajectory) -> Float64[np.ndarray, "t 7"]:
    """Where the base stands in every frame: x y z qw qx qy qz, quaternions continuous."""
    T = np.broadcast_to(trajectory.T_world_base, (len(trajectory.t_ns), 4, 4))
    quats = quat_continuous(quat_from_matrix(T[:, :3, :3]))
    return np.concatenate([T[:, :3, 3], quats], axis=1)

"""What a person should know about a retargeting: what was followed, assumed, missed, and which limit bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.hands.joints import SIDES
from reenact.retarget.arms import ArmTask
from reenact.retarget.misses import miss_causes
from reenact.retarget.root.contract import RootResult
from reenact.retarget.root.score import IK_POSITION, IK_ROTATION
from reenact.robots.model import Robot
from reenact.robots.trajectory import JointTrajectory, check_limits
from reenact.scene import Source

RATE_WANTED = 0.97
"""Below this share of targets reached, the report says what binds."""


@dataclass(frozen=True)
class RetargetReport:
    """What a person should know about a retargeting. Full metrics: `quality.retarget.measure_retarget`."""

    method: str
    sides: tuple[str, ...]
    """Hands that are followed."""
    target_frames: tuple[int, int]
    """Frames with a target, left and right."""
    filled_frames: tuple[int, int]
    """Of these, frames filled in by earlier stages."""
    up_source: str
    """Where the upward direction came from ("world", "camera_prior"; "given" with a root given by the user)."""
    peak_speed_ratio: float
    """Fastest joint of the result over its limit; at most 1."""
    misses: dict[str, dict[str, int]]
    """Per followed side: frames off target by more than 1 cm or 0.05 rad, by what binds there (`misses.CAUSES`)."""
    notes: tuple[str, ...]
    """Plain sentences about what was assumed or could not be done."""


def count_misses(
    tasks: tuple[ArmTask | None, ArmTask | None], solved: tuple[np.ndarray | None, np.ndarray | None]
) -> dict[str, dict[str, int]]:
    """Frames off target per followed side, by what binds there (`misses.miss_causes`)."""
    out = {}
    for side, (task, q) in enumerate(zip(tasks, solved, strict=True)):
        if task is not None and q is not None:
            other_task, other_q = tasks[1 - side], solved[1 - side]
            other = None if other_task is None or other_q is None else other_task.centres(other_q)
            out[SIDES[side]] = miss_causes(task, q, other, IK_POSITION, IK_ROTATION)
    return out


def make_report(
    robot: Robot,
    trajectory: JointTrajectory,
    sides: tuple[int, ...],
    root: RootResult,
    method: str,
    misses: dict[str, dict[str, int]],
    said: tuple[str, ...] = (),
) -> RetargetReport:
    """The report of a trajectory; `said` are sentences of earlier steps, put first."""
    limits = check_limits(trajectory, robot)
    filled = (trajectory.source == Source.FILLED) & trajectory.valid
    frames, fills = trajectory.valid.sum(axis=0), filled.sum(axis=0)
    return RetargetReport(
        method=method,
        sides=tuple(SIDES[s] for s in sides),
        target_frames=(int(frames[0]), int(frames[1])),
        filled_frames=(int(fills[0]), int(fills[1])),
        up_source=root.up.source,
        peak_speed_ratio=limits.worst_speed_ratio,
        misses=misses,
        notes=(*said, *_notes(trajectory, sides, root, limits.worst_speed_ratio), *_binding(misses, frames)),
    )


def _notes(
    trajectory: JointTrajectory, sides: tuple[int, ...], root: RootResult, speed_ratio: float
) -> tuple[str, ...]:
    notes = []
    if root.up.source == "camera_prior":
        angle = np.degrees(np.arccos(np.clip(root.T_world_base[:3, 2] @ root.up.direction, -1, 1)))
        notes.append(
            f"gravity unknown: a level camera was assumed, the base is tilted {angle:.0f} deg against that"
        )
    for side, name in enumerate(SIDES):
        blank = int((~trajectory.valid[:, side]).sum())
        if side not in sides:
            notes.append(f"{name} hand: never followed, the arm stays at home")
        elif blank:
            notes.append(
                f"{name} hand: no target in {blank} of {len(trajectory.t_ns)} frames, held or bridged there"
            )
    if speed_ratio > 1.0 + 1e-6:
        notes.append(f"a joint needs {speed_ratio:.2f} times its speed limit")
    return tuple(notes)


def _binding(misses: dict[str, dict[str, int]], frames: np.ndarray) -> tuple[str, ...]:
    """Where the rate is below `RATE_WANTED`: which limit binds, most frequent first."""
    total, missed = int(frames.sum()), sum(sum(causes.values()) for causes in misses.values())
    if total == 0 or missed <= (1.0 - RATE_WANTED) * total:
        return ()
    counts: dict[str, int] = {}
    for causes in misses.values():
        for cause, count in causes.items():
            counts[cause] = counts.get(cause, 0) + count
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    words = ", ".join(f"{cause} {count}" for cause, count in ranked)
    return (f"{missed} of {total} targets are missed; what binds there: {words}",)

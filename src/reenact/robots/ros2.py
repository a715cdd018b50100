"""A motion for ROS 2: `trajectory_msgs/msg/JointTrajectory` as YAML, as `ros2 topic pub` and parameter files read it.

Positions, velocities and accelerations at every instant of the motion, times from its start. Comments in front say
where it came from and which limits it keeps; nothing is clamped here. Where the base stands is in the comments: the
message has no place for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reenact.records.files import atomic_file
from reenact.robots.limit_facts import LimitFacts, joint_velocities
from reenact.robots.trajectory import JointTrajectory, base_columns

NS_PER_S = 1_000_000_000


def joint_trajectory_message(trajectory: JointTrajectory) -> dict[str, Any]:
    """The message as plain lists and numbers, field by field as ROS 2 defines it."""
    velocities = joint_velocities(trajectory)
    accelerations = np.zeros_like(velocities)
    if len(trajectory.t_ns) > 2:
        accelerations = np.gradient(velocities, trajectory.t_ns * 1e-9, axis=0)
    points = [
        {
            "positions": trajectory.q[row].tolist(),
            "velocities": velocities[row].tolist(),
            "accelerations": accelerations[row].tolist(),
            "effort": [],
            "time_from_start": _duration(int(t_ns - trajectory.t_ns[0])),
        }
        for row, t_ns in enumerate(trajectory.t_ns)
    ]
    return {
        "header": {"stamp": {"sec": 0, "nanosec": 0}, "frame_id": trajectory.world_frame},
        "joint_names": list(trajectory.joint_names),
        "points": points,
    }


def write_ros2_yaml(trajectory: JointTrajectory, path: Path, facts: LimitFacts) -> None:
    """Write the message, whole or not at all; any YAML reader gives it back (numbers to the last digit)."""
    with atomic_file(Path(path)) as beside, beside.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in _lines(trajectory, facts))


def _lines(trajectory: JointTrajectory, facts: LimitFacts) -> Iterator[str]:
    base = ", ".join(f"{v:.6g}" for v in base_columns(trajectory)[0])
    yield "# trajectory_msgs/msg/JointTrajectory"
    yield f"# robot: {trajectory.robot}, sheet {trajectory.sheet_hash[:12]}; units rad, m, s"
    moves = " at the start, it moves" if trajectory.base_moves else ""
    yield f"# base in {trajectory.world_frame} (x y z qw qx qy qz){moves}: {base}"
    for sentence in facts.sentences():
        yield f"# {sentence}"
    message = joint_trajectory_message(trajectory)
    header = message["header"]
    yield "header:"
    yield f"  stamp: {_flow(header['stamp'])}"
    yield f"  frame_id: {_word(header['frame_id'])}"
    yield "joint_names:"
    for name in message["joint_names"]:
        yield f"- {_word(name)}"
    yield "points:"
    for point in message["points"]:
        for i, key in enumerate(("positions", "velocities", "accelerations", "effort")):
            yield f"{'- ' if i == 0 else '  '}{key}: {_numbers(point[key])}"
        yield f"  time_from_start: {_flow(point['time_from_start'])}"


def _duration(ns: int) -> dict[str, int]:
    return {"sec": ns // NS_PER_S, "nanosec": ns % NS_PER_S}


def _flow(values: dict[str, int]) -> str:
    return "{" + ", ".join(f"{k}: {v}" for k, v in values.items()) + "}"


def _numbers(values: Sequence[float]) -> str:
    return "[" + ", ".join(_number(v) for v in values) + "]"


def _number(value: float) -> str:
    """Every digit, in a form that YAML 1.1 readers take for a number (an exponent needs a point and a sign)."""
    text = repr(float(value))
    mantissa, exponent, power = text.partition("e")
    if not exponent:
        return text
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{power if power[0] in '+-' else '+' + power}"


def _word(text: str) -> str:
    """A double-quoted string: joint names may hold slashes and dots."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

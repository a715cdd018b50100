"""A motion as an MCAP file with ROS 2 messages: what Foxglove plays and `ros2 bag` reads. Needs the `mcap` extra.

Topics: `/joint_trajectory` (the whole motion, once), `/joint_states` (every instant), `/base_pose` (where the base
stands) and `/notes` (robot, sheet and which limits are kept, in words, once).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reenact.errors import SetupError
from reenact.records.files import atomic_file
from reenact.robots.limit_facts import LimitFacts, joint_velocities
from reenact.robots.ros2 import NS_PER_S, joint_trajectory_message
from reenact.robots.trajectory import JointTrajectory, base_columns

_RULE = "\n" + "=" * 80 + "\nMSG: "
_TIME = _RULE + "builtin_interfaces/Time\nint32 sec\nuint32 nanosec"
_DURATION = _RULE + "builtin_interfaces/Duration\nint32 sec\nuint32 nanosec"
_HEADER = _RULE + "std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id" + _TIME
_POINT = (
    _RULE + "trajectory_msgs/JointTrajectoryPoint\nfloat64[] positions\nfloat64[] velocities\n"
    "float64[] accelerations\nfloat64[] effort\nbuiltin_interfaces/Duration time_from_start" + _DURATION
)
DEFINITIONS = {
    "trajectory_msgs/msg/JointTrajectory": "std_msgs/Header header\nstring[] joint_names\n"
    "trajectory_msgs/JointTrajectoryPoint[] points" + _HEADER + _POINT,
    "sensor_msgs/msg/JointState": "std_msgs/Header header\nstring[] name\nfloat64[] position\nfloat64[] velocity\n"
    "float64[] effort" + _HEADER,
    "std_msgs/msg/String": "string data",
    "geometry_msgs/msg/PoseStamped": "std_msgs/Header header\ngeometry_msgs/Pose pose"
    + _HEADER
    + _RULE
    + "geometry_msgs/Pose\ngeometry_msgs/Point position\ngeometry_msgs/Quaternion orientation"
    + _RULE
    + "geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z"
    + _RULE
    + "geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w",
}
"""The parts of ROS 2's common interfaces that are used, as their .msg files have them."""


class McapMissing(SetupError):
    """The MCAP writer is not installed."""


def write_mcap(trajectory: JointTrajectory, path: Path, facts: LimitFacts) -> None:
    """Write the file, whole or not at all. Log times are those of the motion.

    Raises:
        McapMissing: the `mcap` extra is not installed.
    """
    try:
        from mcap_ros2.writer import Writer
    except ImportError as error:
        raise McapMissing(
            "writing MCAP needs mcap-ros2-support", hint="pip install 'reenact[mcap]'"
        ) from error
    with atomic_file(Path(path)) as beside, beside.open("wb") as file, Writer(file) as writer:
        schemas = {name: writer.register_msgdef(name, text) for name, text in DEFINITIONS.items()}
        start = int(trajectory.t_ns[0])
        writer.write_message(
            "/joint_trajectory",
            schemas["trajectory_msgs/msg/JointTrajectory"],
            joint_trajectory_message(trajectory),
            log_time=start,
            publish_time=start,
        )
        for topic, kind, t_ns, message in _moments(trajectory):
            writer.write_message(topic, schemas[kind], message, log_time=t_ns, publish_time=t_ns)
        notes = f"{trajectory.robot}, sheet {trajectory.sheet_hash}; " + "; ".join(facts.sentences())
        writer.write_message(
            "/notes", schemas["std_msgs/msg/String"], {"data": notes}, log_time=start, publish_time=start
        )


def _moments(trajectory: JointTrajectory) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """Joint states and base poses, instant by instant: (topic, type, time, message)."""
    velocities, base = joint_velocities(trajectory), base_columns(trajectory)
    for row, t in enumerate(trajectory.t_ns.tolist()):
        stamp = {"sec": t // NS_PER_S, "nanosec": t % NS_PER_S}
        state = {
            "header": {"stamp": stamp, "frame_id": "base"},
            "name": list(trajectory.joint_names),
            "position": trajectory.q[row].tolist(),
            "velocity": velocities[row].tolist(),
            "effort": [],
        }
        yield "/joint_states", "sensor_msgs/msg/JointState", t, state
        if row == 0 or trajectory.base_moves:
            yield (
                "/base_pose",
                "geometry_msgs/msg/PoseStamped",
                t,
                _pose(base[row], stamp, trajectory.world_frame),
            )


def _pose(base: np.ndarray, stamp: dict[str, int], frame: str) -> dict[str, Any]:
    x, y, z, qw, qx, qy, qz = (float(v) for v in base)
    return {
        "header": {"stamp": stamp, "frame_id": frame},
        "pose": {"position": {"x": x, "y": y, "z": z}, "orientation": {"x": qx, "y": qy, "z": qz, "w": qw}},
    }

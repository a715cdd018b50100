"""Part of a robot's model as a URDF without meshes, so that peers that read URDF move exactly the same robot."""

from __future__ import annotations

import warnings
from pathlib import Path

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from reenact.robots.model import Robot
from reenact.robots.poses import matrix_from_pose
from reenact.robots.sheet import FrameSpec


def write_urdf(
    robot: Robot, path: Path, body: str, T_body_root: np.ndarray, points: dict[str, FrameSpec]
) -> Path:
    """The tree below `body`, rooted in a link `root` at `T_body_root`; each point becomes a link of its name."""
    model = robot.model
    root = model.body(body).id
    lines = ['<robot name="part">', '<link name="root"/>']
    lines += _fixed("root", f"b{root}", np.linalg.inv(T_body_root))
    inside = {root}
    for b in range(root + 1, model.nbody):
        if int(model.body_parentid[b]) in inside:
            inside.add(b)
            lines += _body(robot, b)
    for name, point in points.items():
        T = matrix_from_pose(point.pos, point.quat_wxyz)
        lines += _fixed(f"b{model.body(point.body).id}", name, T)
    path.write_text("\n".join([*lines, "</robot>"]))
    return path


def _body(robot: Robot, b: int) -> list[str]:
    model = robot.model
    T = matrix_from_pose(model.body_pos[b], model.body_quat[b])
    parent, first, count = f"b{model.body_parentid[b]}", int(model.body_jntadr[b]), int(model.body_jntnum[b])
    if count == 0:
        return _fixed(parent, f"b{b}", T)
    assert count == 1, "one joint per body"
    assert not np.any(model.jnt_pos[first]), "joint at the body's origin"
    kind = "prismatic" if model.jnt_type[first] == mujoco.mjtJoint.mjJNT_SLIDE.value else "revolute"
    axis = " ".join(f"{v:.9g}" for v in model.jnt_axis[first])
    lines = [
        f'<link name="b{b}"/>',
        f'<joint name="{robot.joint_names[first]}" type="{kind}">',
        f'<parent link="{parent}"/><child link="b{b}"/>{_origin(T)}<axis xyz="{axis}"/>',
        f'<limit lower="{robot.lower[first]:.9g}" upper="{robot.upper[first]:.9g}" effort="10" velocity="10"/>',
    ]
    followed = [c for c in robot.sheet.couplings if c.joint == robot.joint_names[first]]
    lines += [f'<mimic joint="{c.of}" multiplier="{c.scale}" offset="{c.offset}"/>' for c in followed]
    return [*lines, "</joint>"]


def _fixed(parent: str, child: str, T: np.ndarray) -> list[str]:
    return [
        f'<link name="{child}"/>',
        f'<joint name="fixed_{child}" type="fixed">',
        f'<parent link="{parent}"/><child link="{child}"/>{_origin(T)}</joint>',
    ]


def _origin(T: np.ndarray) -> str:
    xyz = " ".join(f"{v:.12g}" for v in T[:3, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at gimbal lock either choice of angles is right
        angles = Rotation.from_matrix(T[:3, :3]).as_euler("xyz")
    rpy = " ".join(f"{v:.12g}" for v in angles)
    return f'<origin xyz="{xyz}" rpy="{rpy}"/>'

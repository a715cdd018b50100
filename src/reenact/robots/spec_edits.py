"""What is changed in a user's model before it is a robot: frozen joints, digits that XML lost, groups of shapes."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from reenact.robots.build import COLLISION_GROUP, VISUAL_GROUP
from reenact.robots.errors import SheetError
from reenact.robots.sheet import Sheet


def restore_figures(spec: Any, model: mujoco.MjModel) -> None:
    """Puts back the digits MuJoCo's XML writer rounds away (it keeps six)."""
    for number in range(1, model.nbody):
        if name := model.body(number).name:
            made = spec.body(name)
            made.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
            made.pos, made.quat = model.body_pos[number], model.body_quat[number]
    for number in range(model.njnt):
        if name := model.joint(number).name:
            made = spec.joint(name)
            made.pos, made.axis = model.jnt_pos[number], model.jnt_axis[number]
            made.range = model.jnt_range[number]


def freeze(spec: Any, model: mujoco.MjModel, sheet: Sheet, frozen: set[str], where: str) -> None:
    """Joints that become part of their links, at the sheet's home or as near zero as their range allows.

    Raises:
        SheetError: a body has frozen joints and others.
    """
    data = mujoco.MjData(model)
    for name in frozen:
        lower, upper = model.jnt_range[model.joint(name).id]
        data.qpos[model.joint(name).qposadr[0]] = sheet.home.get(name, min(max(0.0, lower), upper))
    mujoco.mj_kinematics(model, data)
    for body in range(1, model.nbody):
        first = int(model.body_jntadr[body])
        names = {model.joint(j).name for j in range(first, first + int(model.body_jntnum[body]))}
        if not names & frozen:
            continue
        if names - frozen:
            raise SheetError(
                f"{where}: frozen: body {model.body(body).name!r} has joints {sorted(names)}; freeze all or none"
            )
        _fix_body(spec, data, body, int(model.body_parentid[body]), model.body(body).name)
        for name in names:
            for equality in list(spec.equalities):
                if name in (equality.name1, equality.name2):
                    spec.delete(equality)
            spec.delete(spec.joint(name))


def _fix_body(spec: Any, data: mujoco.MjData, body: int, parent: int, name: str) -> None:
    """Writes the body's present pose on its parent into the spec."""
    back_pos, back_quat, pos, quat = np.zeros(3), np.zeros(4), np.zeros(3), np.zeros(4)
    mujoco.mju_negPose(back_pos, back_quat, data.xpos[parent], data.xquat[parent])
    mujoco.mju_mulPose(pos, quat, back_pos, back_quat, data.xpos[body], data.xquat[body])
    made = spec.body(name)
    made.alt.type = mujoco.mjtOrientation.mjORIENTATION_QUAT
    made.pos, made.quat = pos, quat


def sort_geoms(spec: Any) -> None:
    """URDF: what is only drawn goes to the visual group, what collides to the collision group."""
    drawn = {geom.parent.name for geom in spec.geoms if geom.contype == 0}
    for geom in spec.geoms:
        if geom.contype == 0:
            geom.group = VISUAL_GROUP
        elif geom.parent.name in drawn:
            geom.group = COLLISION_GROUP

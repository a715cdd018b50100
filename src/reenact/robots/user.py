"""A user's own MJCF or URDF as a robot: the model file is theirs, a small sheet says what its parts mean."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from reenact.robots.build import BASE, BuildConfig, add_coupling, add_servo, exclude_at_base
from reenact.robots.checks import check_names
from reenact.robots.errors import ModelFileError, SheetError
from reenact.robots.sheet import CouplingSpec, Pair, Sheet
from reenact.robots.spec_edits import freeze, restore_figures, sort_geoms
from reenact.robots.urdf import PreparedUrdf, prepare_urdf

DEFAULT_EFFORT = 10.0
"""Effort limit where neither the file nor the sheet gives one, N m."""
_HINGE, _SLIDE, _FREE = (
    kind.value
    for kind in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_FREE)
)


def build_user_spec(
    sheet: Sheet, path: Path, unfreeze: tuple[str, ...], config: BuildConfig
) -> tuple[Sheet, Any]:
    """The sheet completed from its model file, and that model under our ``base`` body with our servos.

    The file's free base joint and actuators are taken out: the base is moved through the mocap body, and
    every joint gets a position servo of its own name, as in our own robots. Joints without limits get
    one turn either way.

    Raises:
        SheetError: the sheet names joints or bodies the file lacks.
        ModelFileError: the file is missing, broken, or uses what we cannot (ball joints, lost meshes).
    """
    spec, urdf = _load(sheet, path)
    model = _compile(spec, sheet)
    where = path.name
    names = [model.body(b).name for b in range(1, model.nbody)]
    check_names(sheet, names, _ranges(spec, model, sheet), where)
    sheet = dataclasses.replace(
        sheet,
        couplings=sheet.couplings or _heads(urdf.mimics if urdf else _equalities(model)),
        velocity=_fill(urdf.velocities if urdf else {}, sheet.velocity, model),
    )
    spec = _wrap(spec, sheet, path, _base_pose(model, sheet, where))
    restore_figures(spec, model)
    freeze(spec, model, sheet, set(sheet.frozen) - set(unfreeze), where)
    _limit_and_drive(spec, model, sheet, config)
    _tie(spec, sheet)
    if Path(sheet.model_file).suffix.lower() == ".urdf":
        sort_geoms(spec)
    exclude_at_base(spec)
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    return sheet, spec


def _load(sheet: Sheet, path: Path) -> tuple[Any, PreparedUrdf | None]:
    file = path.parent / sheet.model_file
    if not file.is_file():
        raise ModelFileError(
            f"{path.name}: model_file {sheet.model_file!r} is not there", hint=f"looked for {file}"
        )
    try:
        if file.suffix.lower() == ".urdf":
            packages = {name: path.parent / folder for name, folder in sheet.packages.items()}
            prepared = prepare_urdf(file, packages, sheet.meshes == "skip")
            return mujoco.MjSpec.from_string(prepared.xml), prepared
        spec = mujoco.MjSpec.from_file(str(file))
    except ValueError as err:
        raise ModelFileError(f"{sheet.model_file}: MuJoCo cannot read it: {err}") from err
    if sheet.meshes == "skip":
        _drop_meshes(spec)
    return spec, None


def _drop_meshes(spec: Any) -> None:
    for geom in list(spec.geoms):
        if geom.type == mujoco.mjtGeom.mjGEOM_MESH:
            spec.delete(geom)
    for mesh in list(spec.meshes):
        spec.delete(mesh)


def _compile(spec: Any, sheet: Sheet) -> mujoco.MjModel:
    """Compiles after taking out the free base joint, keyframes and actuators."""
    for joint in list(spec.joints):
        if joint.type == mujoco.mjtJoint.mjJNT_FREE:
            spec.delete(joint)
    for group in (spec.keys, spec.actuators, spec.sensors):
        for item in list(group):
            spec.delete(item)
    try:
        model = spec.compile()
    except ValueError as err:
        raise ModelFileError(
            f"{sheet.model_file}: MuJoCo cannot compile it: {str(err).splitlines()[0]}",
            hint="missing meshes? set meshes = 'skip' in the sheet to go without them",
        ) from err
    for joint in range(model.njnt):
        if int(model.jnt_type[joint]) not in (_HINGE, _SLIDE):
            raise ModelFileError(
                f"{sheet.model_file}: {model.joint(joint).name!r} is a ball joint; only hinges and slides can be used"
            )
    return model


def _ranges(spec: Any, model: mujoco.MjModel, sheet: Sheet) -> dict[str, Pair]:
    ranges = {}
    for joint in range(model.njnt):
        name = model.joint(joint).name
        lower, upper = map(float, model.jnt_range[joint])
        if not model.jnt_limited[joint]:
            if int(model.jnt_type[joint]) == _SLIDE:
                raise ModelFileError(f"{sheet.model_file}: slide {name!r} has no range", hint="give it one")
            lower, upper = -2 * np.pi, 2 * np.pi
        ranges[name] = (lower, upper)
    return ranges


def _fill(velocities: dict[str, float], given: dict[str, float], model: mujoco.MjModel) -> dict[str, float]:
    names = [model.joint(j).name for j in range(model.njnt)]
    default = given.get("default", np.inf)
    return {name: given.get(name, velocities.get(name, default)) for name in names}


def _equalities(model: mujoco.MjModel) -> dict[str, tuple[str, float, float]]:
    """Linear joint equalities of an MJCF: follower to (leader, scale, offset)."""
    leads: dict[str, tuple[str, float, float]] = {}
    for number in range(model.neq):
        if int(model.eq_type[number]) != mujoco.mjtEq.mjEQ_JOINT.value or model.eq_obj2id[number] < 0:
            continue
        follower = model.joint(int(model.eq_obj1id[number])).name
        offset, scale = map(float, model.eq_data[number][:2])
        leads[follower] = (model.joint(int(model.eq_obj2id[number])).name, scale, offset)
    return leads


def _heads(leads: dict[str, tuple[str, float, float]]) -> tuple[CouplingSpec, ...]:
    """Couplings with every follower referred to the joint at the head of its chain."""
    couplings = []
    for follower, (head, scale, offset) in leads.items():
        while head in leads and head != follower:
            head, inner, shift = leads[head][0], leads[head][1], leads[head][2]
            scale, offset = scale * inner, scale * shift + offset
        couplings.append(CouplingSpec(joint=follower, of=head, scale=scale, offset=offset))
    return tuple(couplings)


def _base_pose(model: mujoco.MjModel, sheet: Sheet, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Where the file's world goes so that the sheet's base body lands on ours."""
    pos, quat = np.zeros(3), np.array([1.0, 0, 0, 0])
    if not sheet.base:
        return pos, quat
    body = model.body(sheet.base).id
    up = body
    while up:
        if model.body_jntnum[up]:
            raise SheetError(
                f"{where}: base = {sheet.base!r} is moved by a joint", hint="name a body that is not"
            )
        up = int(model.body_parentid[up])
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    mujoco.mju_negPose(pos, quat, data.xpos[body], data.xquat[body])
    return pos, quat


def _wrap(spec: Any, sheet: Sheet, path: Path, T_base: tuple[np.ndarray, np.ndarray]) -> Any:
    """The same model with everything in its world hung under our mocap ``base`` body.

    Done on MuJoCo's own XML: attaching one spec to another renames everything in it.
    """
    folder = (path.parent / sheet.model_file).parent.resolve()
    spec.meshdir, spec.texturedir = str(folder / spec.meshdir), str(folder / spec.texturedir)
    root = ElementTree.fromstring(spec.to_xml())
    world = root.find("worldbody")
    if world is None:
        raise ModelFileError(f"{sheet.model_file}: it has no bodies")
    base = ElementTree.Element("body", name=BASE, mocap="true")
    frame = ElementTree.SubElement(
        base,
        "frame",
        pos=" ".join(map(repr, map(float, T_base[0]))),
        quat=" ".join(map(repr, map(float, T_base[1]))),
    )
    for child in list(world):
        world.remove(child)
        scenery = child.tag in ("light", "camera") or child.get("type") in ("plane", "hfield")
        if not scenery:
            frame.append(child)
    world.append(base)
    return mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding="unicode"))


def _limit_and_drive(spec: Any, model: mujoco.MjModel, sheet: Sheet, config: BuildConfig) -> None:
    followers = {coupling.joint for coupling in sheet.couplings}
    ranges = _ranges(spec, model, sheet)
    for joint in spec.joints:
        number = model.joint(joint.name).id
        joint.range, joint.limited = ranges[joint.name], True
        given = float(np.abs(model.jnt_actfrcrange[number]).max())
        effort = sheet.effort.get(joint.name) or given or sheet.effort.get("default", DEFAULT_EFFORT)
        joint.actfrcrange, joint.actfrclimited = (-effort, effort), True
        if model.dof_armature[model.jnt_dofadr[number]] == 0:
            joint.armature = config.armature_per_effort * effort
        slide = int(model.jnt_type[number]) == _SLIDE
        if joint.name not in followers:
            add_servo(spec, joint.name, ranges[joint.name], effort, slide, config)


def _tie(spec: Any, sheet: Sheet) -> None:
    """Every coupling as an equality of the physics, where the file (or MuJoCo's URDF reader) made none."""
    joints = {joint.name for joint in spec.joints}
    tied = {equality.name1 for equality in spec.equalities}
    for coupling in sheet.couplings:
        if {coupling.joint, coupling.of} <= joints and coupling.joint not in tied:
            add_coupling(spec, coupling)

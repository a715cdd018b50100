"""A flat sheet into a MuJoCo model: bodies, joints, servos, collision geoms (group 3), visual geoms (group 2).

The robot hangs under one mocap body: it stays where it is put, and a replay can move it
per frame without adding joints. Frozen joints are built as fixed bodies at their home value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from reenact.robots.poses import compose_poses
from reenact.robots.sheet import BodySpec, CouplingSpec, JointSpec, Quat, ShapeSpec, Sheet, Vec3
from reenact.robots.solids import SurfaceMesh, rounded_box, tapered_capsule

BASE = "mocap_base"
"""Name of the body that carries the robot; no robot of its own has one so called."""
VISUAL_GROUP, COLLISION_GROUP = 2, 3


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """How figures become a simulated robot."""

    servo_error: float = 0.05
    """Position error at which a servo gives its full effort, rad (or m / 10 for a slide); sets its stiffness."""
    damping_ratio: float = 1.0
    """Damping of the servos, 1 = critical at the home pose."""
    armature_per_effort: float = 4e-4
    """Rotor inertia per unit of effort where the sheet gives none, kg m^2 / N m (G1: 0.01 at 25 N m)."""
    margin: float = 0.0
    """Distance at which contacts begin, m."""


def build_spec(sheet: Sheet, free: tuple[str, ...], config: BuildConfig) -> Any:
    """The ``mujoco.MjSpec`` of a flat sheet.

    Args:
        free: joints of the sheet's ``frozen`` list that are to move after all.
    """
    spec = mujoco.MjSpec()
    spec.modelname = sheet.name
    spec.compiler.degree = False
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    for name, rgb in sheet.colors.items():
        spec.add_material(name=name, rgba=[*rgb, 1.0], specular=0.35, shininess=0.45)
    made = {"": spec.worldbody.add_body(name=BASE, mocap=True)}
    frozen = set(sheet.frozen) - set(free)
    meshes: dict[tuple[object, ...], str] = {}
    for body in sheet.bodies:
        pos, quat = _frozen_pose(body, sheet, frozen)
        made[body.name] = made[body.parent].add_body(name=body.name, pos=pos, quat=quat)
        _add_inertia(made[body.name], body)
        for number, shape in enumerate(body.shapes):
            _add_shape(spec, made[body.name], shape, f"{body.name}_{number}", meshes, config)
        if body.joint and body.joint.name not in frozen:
            _add_joint(spec, made[body.name], body.joint, sheet, config)
    for coupling in sheet.couplings:
        if not {coupling.joint, coupling.of} & frozen:
            add_coupling(spec, coupling)
    for first, second in sheet.excludes:
        spec.add_exclude(bodyname1=first, bodyname2=second)
    exclude_at_base(spec)
    return spec


def exclude_at_base(spec: Any) -> None:
    """Excludes each first moving body from all that is fixed to the base: they are parent and child.

    MuJoCo leaves parents out of a child's contacts, but whether links welded together count as one parent,
    and whether a mocap body counts as the world, differs between its versions.
    """
    fixed: list[Any] = [spec.body(BASE)]
    movers: list[Any] = []
    for body in fixed:  # grows while it is walked: children fixed to the base come in at the end
        for child in body.bodies:
            (movers if len(child.joints) else fixed).append(child)
    shaped = [body.name for body in fixed if len(body.geoms)]
    done = {frozenset((e.bodyname1, e.bodyname2)) for e in spec.excludes}
    for mover in (body.name for body in movers):
        for other in shaped:
            if mover and other and frozenset((mover, other)) not in done:
                spec.add_exclude(bodyname1=mover, bodyname2=other)


def _frozen_pose(body: BodySpec, sheet: Sheet, frozen: set[str]) -> tuple[Vec3, Quat]:
    joint = body.joint
    if joint is None or joint.name not in frozen:
        return body.pos, body.quat_wxyz
    value = home_value(joint, sheet)
    axis = np.asarray(joint.axis) / math.hypot(*joint.axis)
    if joint.kind == "slide":
        return compose_poses((body.pos, body.quat_wxyz), (tuple(value * axis), (1.0, 0.0, 0.0, 0.0)))
    turn = (math.cos(value / 2), *(math.sin(value / 2) * axis))
    return compose_poses((body.pos, body.quat_wxyz), ((0.0, 0.0, 0.0), turn))


def home_value(joint: JointSpec, sheet: Sheet) -> float:
    """The joint's value in the home pose: as given, else 0 or the nearest value in range."""
    return sheet.home.get(joint.name, min(max(0.0, joint.range[0]), joint.range[1]))


def _add_inertia(made: Any, body: BodySpec) -> None:
    given = body.inertia
    if given is None:
        return
    made.explicitinertial = True
    made.mass, made.ipos = given.mass, given.com
    ball = 0.4 * given.mass * 0.05**2
    made.inertia = given.moments or (ball, ball, ball)
    made.iquat = np.asarray(given.quat_wxyz) / np.linalg.norm(given.quat_wxyz)


def _add_joint(spec: Any, made: Any, joint: JointSpec, sheet: Sheet, config: BuildConfig) -> None:
    slide = joint.kind == "slide"
    armature = joint.armature
    if armature is None:
        armature = config.armature_per_effort * joint.effort
    made.add_joint(
        name=joint.name,
        type=mujoco.mjtJoint.mjJNT_SLIDE if slide else mujoco.mjtJoint.mjJNT_HINGE,
        axis=joint.axis,
        range=joint.range,
        limited=True,
        actfrcrange=(-joint.effort, joint.effort),
        actfrclimited=True,
        armature=armature,
        damping=[joint.damping, 0, 0],
        frictionloss=joint.friction,
    )
    if joint.name not in {coupling.joint for coupling in sheet.couplings}:
        add_servo(spec, joint.name, joint.range, joint.effort, slide, config)


def add_servo(
    spec: Any, joint: str, limits: tuple[float, float], effort: float, slide: bool, config: BuildConfig
) -> None:
    """A position servo that reaches its full effort at ``servo_error``."""
    error = config.servo_error / (10 if slide else 1)
    actuator = spec.add_actuator(
        name=joint,
        target=joint,
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        ctrlrange=limits,
        ctrllimited=True,
        forcerange=(-effort, effort),
        forcelimited=True,
    )
    actuator.set_to_position(kp=effort / error, dampratio=config.damping_ratio)


def add_coupling(spec: Any, coupling: CouplingSpec) -> None:
    """The coupling as a joint equality of the physics."""
    data = np.zeros(mujoco.mjNEQDATA)
    data[:2] = coupling.offset, coupling.scale
    spec.add_equality(
        type=mujoco.mjtEq.mjEQ_JOINT,
        name1=coupling.joint,
        name2=coupling.of,
        objtype=mujoco.mjtObj.mjOBJ_JOINT,
        data=data,
    )


def _add_shape(
    spec: Any,
    made: Any,
    shape: ShapeSpec,
    label: str,
    meshes: dict[tuple[object, ...], str],
    config: BuildConfig,
) -> None:
    """A shape that is drawn and collides is one geom of each kind, so either can be switched off."""
    if shape.use != "collision":
        settings = _mesh_geom(spec, shape, meshes) or _primitive_geom(shape)
        made.add_geom(
            name=f"{label}_visual", material=shape.color, group=VISUAL_GROUP, contype=0, conaffinity=0,
            density=0, **settings,
        )  # fmt: skip
    if shape.use != "visual":
        made.add_geom(
            name=f"{label}_collision", group=COLLISION_GROUP, rgba=[0.9, 0.6, 0.2, 0.5], margin=config.margin,
            density=0, **_primitive_geom(shape),
        )  # fmt: skip


def _primitive_geom(shape: ShapeSpec) -> dict[str, Any]:
    """MuJoCo's own primitive; a cone collides as a capsule of its mean radius, a pad as a box."""
    kind = mujoco.mjtGeom
    if shape.kind in ("capsule", "cylinder", "cone"):
        first = shape.radius or 0.0
        radius = first if shape.radius_end is None else (first + shape.radius_end) / 2
        ends = [*(shape.start or ()), *(shape.end or ())]
        geom = kind.mjGEOM_CYLINDER if shape.kind == "cylinder" else kind.mjGEOM_CAPSULE
        return {"type": geom, "fromto": ends, "size": [radius, 0, 0]}
    place = {"pos": shape.pos or (0.0, 0.0, 0.0), "quat": shape.quat_wxyz}
    if shape.kind == "sphere":
        return {"type": kind.mjGEOM_SPHERE, "size": [shape.radius, 0, 0], **place}
    geom = kind.mjGEOM_ELLIPSOID if shape.kind == "ellipsoid" else kind.mjGEOM_BOX
    return {"type": geom, "size": shape.size, **place}


def _mesh_geom(spec: Any, shape: ShapeSpec, meshes: dict[tuple[object, ...], str]) -> dict[str, Any]:
    """Our own mesh for a cone or a pad (shared between equal ones); empty for other shapes."""
    place: dict[str, Any]
    if shape.kind == "cone":
        start, end = np.asarray(shape.start), np.asarray(shape.end)
        length = float(np.linalg.norm(end - start))
        key: tuple[object, ...] = ("cone", round(length, 6), shape.radius, shape.radius_end)
        if key not in meshes:
            made = tapered_capsule(length, shape.radius or 0.0, shape.radius_end or 0.0)
            meshes[key] = _add_mesh(spec, made, f"cone_{len(meshes)}")
        place = {"pos": start, "quat": _quat_from_z((end - start) / length)}
    elif shape.kind == "pad":
        key = ("pad", shape.size, shape.radius)
        if key not in meshes:
            made = rounded_box(shape.size or (0.0, 0.0, 0.0), shape.radius or 0.0)
            meshes[key] = _add_mesh(spec, made, f"pad_{len(meshes)}")
        place = {"pos": shape.pos or (0.0, 0.0, 0.0), "quat": shape.quat_wxyz}
    else:
        return {}
    return {"type": mujoco.mjtGeom.mjGEOM_MESH, "meshname": meshes[key], **place}


def _add_mesh(spec: Any, mesh: SurfaceMesh, name: str) -> str:
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.ravel(),
        usernormal=mesh.normals.ravel(),
        userface=mesh.faces.ravel(),
        userfacenormal=mesh.faces.ravel(),
    )
    return name


def _quat_from_z(direction: np.ndarray) -> np.ndarray:
    """The shortest turn from +z to a unit direction, wxyz."""
    quat = np.array([1 + direction[2], -direction[1], direction[0], 0.0])
    if quat[0] < 1e-9:
        return np.array([0.0, 1.0, 0.0, 0.0])
    return quat / np.linalg.norm(quat)

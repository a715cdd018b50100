"""A first draft of a sheet from any MJCF or URDF: the figures are read off, the meaning is left to fill in.

Meshes become one capsule around their vertices; colours, wrist frames and finger roles are yours to write.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path

import mujoco
import numpy as np

from reenact.robots.errors import ModelFileError
from reenact.robots.sheet import Vec3
from reenact.robots.urdf import prepare_urdf

_GEOM = mujoco.mjtGeom


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """What to read and what to fill in where the file is silent."""

    root: str = ""
    """Body whose subtree is taken; empty: everything below the world."""
    skip: tuple[str, ...] = ()
    """Bodies left out, with what hangs on them."""
    rename: dict[str, str] = field(default_factory=dict)
    """Body and joint names to change."""
    effort: float = 10.0
    """Effort limit where the file has none, N m."""
    velocity: float = 3.14
    """Speed limit where not given, rad/s (neither format's compiled model keeps one)."""
    efforts: dict[str, float] = field(default_factory=dict)
    velocities: dict[str, float] = field(default_factory=dict)
    collision_group: int | None = None
    """Geom group read as shapes; left out: every geom that collides."""
    colors: dict[str, str] = field(default_factory=dict)
    """Colour name per body; ``shell`` for the rest."""
    shapes: bool = True
    """Whether to write shapes at all."""


def draft_bodies(model: mujoco.MjModel, config: ImportConfig) -> str:
    """TOML ``[[body]]`` tables of a compiled model, in order."""
    kept, root = _kept(model, config)
    return "\n".join(_body_text(model, body, body == root, config) for body in kept)


def _kept(model: mujoco.MjModel, config: ImportConfig) -> tuple[list[int], int]:
    """Bodies to write, and the root's number (0 when everything is taken)."""
    kept: list[int] = []
    root = model.body(config.root).id if config.root else 0
    for body in range(1, model.nbody):
        inside = body == root or int(model.body_parentid[body]) in ([*kept, 0] if root == 0 else kept)
        if inside and model.body(body).name not in config.skip:
            kept.append(body)
    return kept, root


def draft_excludes(model: mujoco.MjModel, config: ImportConfig) -> list[tuple[str, str]]:
    """The file's own excluded pairs among the bodies written, renamed."""
    pairs, kept = [], set(_kept(model, config)[0])
    for signature in model.exclude_signature:
        first, second = int(signature) >> 16, int(signature) & 0xFFFF
        if not {first, second} <= kept:
            continue
        names = [_name(model.body(b).name, config) for b in (first, second)]
        pairs.append((names[0], names[1]))
    return pairs


def _name(name: str, config: ImportConfig) -> str:
    return config.rename.get(name, name)


def _body_text(model: mujoco.MjModel, body: int, is_root: bool, config: ImportConfig) -> str:
    name = _name(model.body(body).name, config)
    lines = ["[[body]]", f'name = "{name}"']
    parent = int(model.body_parentid[body])
    if not is_root and parent != 0:
        lines.append(f'parent = "{_name(model.body(parent).name, config)}"')
    if not is_root:
        lines += _place_text(model.body_pos[body], model.body_quat[body])
    count = int(model.body_jntnum[body])
    if count > 1:
        raise ValueError(f"body {name!r} has {count} joints; a sheet has one joint per body")
    if count and int(model.jnt_type[model.body_jntadr[body]]) != mujoco.mjtJoint.mjJNT_FREE.value:
        lines.append(_joint_text(model, int(model.body_jntadr[body]), config))
    if model.body_mass[body] > 1e-9:
        lines.append(_inertia_text(model, body))
    if config.shapes:
        lines += _shapes_text(model, body, config)
    return "\n".join(lines) + "\n"


def _place_text(pos: np.ndarray, quat: np.ndarray) -> list[str]:
    lines = []
    if np.abs(pos).max() > 5e-7:
        lines.append(f"pos = {numbers(pos)}")
    if abs(abs(quat[0]) - 1) > 1e-12 or np.abs(quat[1:]).max() > 1e-7:
        lines.append(f"quat_wxyz = {numbers(quat, 7)}")
    return lines


def _joint_text(model: mujoco.MjModel, joint: int, config: ImportConfig) -> str:
    name = model.joint(joint).name
    if np.abs(model.jnt_pos[joint]).max() > 1e-7:
        raise ValueError(f"joint {name!r} is not at its body's origin; a sheet puts it there")
    effort = float(np.abs(model.jnt_actfrcrange[joint]).max()) or config.effort
    effort = config.efforts.get(name, effort)
    velocity = config.velocities.get(name, config.velocity)
    dof = int(model.jnt_dofadr[joint])
    parts = [f'name = "{_name(name, config)}"', f"axis = {numbers(model.jnt_axis[joint])}"]
    if int(model.jnt_type[joint]) == mujoco.mjtJoint.mjJNT_SLIDE.value:
        parts.append('kind = "slide"')
    parts.append(f"range = {numbers(model.jnt_range[joint])}")
    parts += [f"effort = {number(effort)}", f"velocity = {number(velocity)}"]
    for key, value in (("armature", model.dof_armature), ("damping", model.dof_damping)):
        if value[dof] > 0:
            parts.append(f"{key} = {number(value[dof])}")
    if model.dof_frictionloss[dof] > 0:
        parts.append(f"friction = {number(model.dof_frictionloss[dof])}")
    return "joint = { " + ", ".join(parts) + " }"


def _inertia_text(model: mujoco.MjModel, body: int) -> str:
    moments = ", ".join(
        f"{v:.4g}" if "e" in f"{v:.4g}" or "." in f"{v:.4g}" else f"{v:.1f}" for v in model.body_inertia[body]
    )
    parts = [
        f"mass = {number(model.body_mass[body], 5)}",
        f"com = {numbers(model.body_ipos[body], 5)}",
        f"moments = [{moments}]",
    ]
    quat = model.body_iquat[body]
    if abs(abs(quat[0]) - 1) > 1e-9:
        parts.append(f"quat_wxyz = {numbers(quat, 4)}")
    return "inertia = { " + ", ".join(parts) + " }"


def _shapes_text(model: mujoco.MjModel, body: int, config: ImportConfig) -> list[str]:
    first, count = int(model.body_geomadr[body]), int(model.body_geomnum[body])
    lines = []
    color = config.colors.get(model.body(body).name, "shell")
    for geom in range(first, first + count):
        collides = bool(model.geom_contype[geom] or model.geom_conaffinity[geom])
        if collides if config.collision_group is None else model.geom_group[geom] == config.collision_group:
            lines.append("  " + shape_text(model, geom, color) + ",")
    return ["shapes = [", *lines, "]"] if lines else []


def shape_text(model: mujoco.MjModel, geom: int, color: str) -> str:
    """One geom as a sheet's inline table."""
    kind, size, pos = _GEOM(int(model.geom_type[geom])), model.geom_size[geom], model.geom_pos[geom]
    flat = np.empty(9)
    mujoco.mju_quat2Mat(flat, model.geom_quat[geom])
    R = flat.reshape(3, 3)
    tail = f'color = "{color}" }}'
    if kind == _GEOM.mjGEOM_SPHERE:
        return f'{{ kind = "sphere", radius = {number(size[0], 4)}, pos = {numbers(pos, 4)}, {tail}'
    if kind in (_GEOM.mjGEOM_CAPSULE, _GEOM.mjGEOM_CYLINDER):
        word = "capsule" if kind == _GEOM.mjGEOM_CAPSULE else "cylinder"
        return _tube_text(word, pos - R[:, 2] * size[1], pos + R[:, 2] * size[1], size[0], tail)
    if kind in (_GEOM.mjGEOM_BOX, _GEOM.mjGEOM_ELLIPSOID):
        word = "box" if kind == _GEOM.mjGEOM_BOX else "ellipsoid"
        turn = (
            f"quat_wxyz = {numbers(model.geom_quat[geom], 4)}, "
            if abs(model.geom_quat[geom][0]) < 1 - 1e-9
            else ""
        )
        return f'{{ kind = "{word}", size = {numbers(size, 4)}, pos = {numbers(pos, 4)}, {turn}{tail}'
    if kind == _GEOM.mjGEOM_MESH:
        start, end, radius = capsule_around(_mesh_points(model, geom) @ R.T + pos)
        return _tube_text("capsule", start, end, radius, tail)
    raise ValueError(f"geom {geom} is a {kind.name}; sheets have no such shape")


def _tube_text(word: str, start: np.ndarray, end: np.ndarray, radius: float, tail: str) -> str:
    ends = f"start = {numbers(start, 4)}, end = {numbers(end, 4)}"
    return f'{{ kind = "{word}", radius = {number(radius, 4)}, {ends}, {tail}'


def _mesh_points(model: mujoco.MjModel, geom: int) -> np.ndarray:
    mesh = int(model.geom_dataid[geom])
    first = int(model.mesh_vertadr[mesh])
    return model.mesh_vert[first : first + int(model.mesh_vertnum[mesh])]


def capsule_around(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A capsule along the longest principal axis that holds nearly all points (98 % in radius)."""
    centre = points.mean(axis=0)
    axis = np.linalg.svd(points - centre, full_matrices=False)[2][0]
    along = (points - centre) @ axis
    radius = float(np.percentile(np.linalg.norm(points - centre - along[:, None] * axis, axis=1), 98))
    low, high = along.min() + radius, along.max() - radius
    if high - low < 1e-4:
        low = high = (low + high) / 2
        high += 1e-4
    return centre + low * axis, centre + high * axis, radius


def number(value: float, digits: int = 6) -> str:
    """A TOML float without trailing zeros."""
    text = f"{float(value):.{digits}f}".rstrip("0")
    text = text + "0" if text.endswith(".") else text
    if float(text) == 0 and value != 0 and math.isfinite(value):
        return (
            f"{float(value):.3g}"
            if "." in f"{float(value):.3g}" or "e" in f"{float(value):.3g}"
            else f"{value:.1f}"
        )
    return "0.0" if text == "-0.0" else text


def numbers(values: np.ndarray | Vec3, digits: int = 6) -> str:
    """A TOML list of floats; values that round to nothing are written 0.0."""
    return "[" + ", ".join("0.0" if abs(v) < 0.5 * 10**-digits else number(v, digits) for v in values) + "]"


def draft_sheet(path: Path, config: ImportConfig | None = None) -> str:
    """A whole sheet drafted from an MJCF or URDF file, with gaps marked ``FILL IN``.

    Raises:
        ModelFileError: the file does not load.
        ValueError: it uses what a sheet cannot say (several joints on one body, joints off their body's origin).
    """
    config = config or ImportConfig()
    packages: dict[str, Path] = {}
    prepared = prepare_urdf(path, packages, skip_meshes=False) if path.suffix.lower() == ".urdf" else None
    try:
        if prepared is not None:
            model = mujoco.MjModel.from_xml_string(prepared.xml)
            config = dataclasses.replace(config, velocities={**prepared.velocities, **config.velocities})
        else:
            model = mujoco.MjModel.from_xml_path(str(path))
    except ValueError as err:
        raise ModelFileError(f"{path.name}: MuJoCo cannot read it: {str(err).splitlines()[0]}") from err
    pairs = "".join(f'  ["{a}", "{b}"],\n' for a, b in draft_excludes(model, config))
    excludes = f"excludes = [\n{pairs}]\n" if pairs else ""
    return _HEAD.format(name=path.stem, excludes=excludes) + draft_bodies(model, config)


_HEAD = """name = "{name}"
title = "FILL IN: what it is"
licence = "FILL IN: SPDX identifier of the file's licence"
{excludes}
[[source]]
what = "all figures"
url = "FILL IN: where the file comes from"
licence = "FILL IN"

[colors]
shell = [0.8, 0.8, 0.8]

# FILL IN: the arms' joints from shoulder to wrist, and the wrist frame of each side: y from the palm to the back
# of the hand, z from the little finger to the thumb. Then try: reenact robots check {name}.toml
# [arms.right]
# joints = []
# [wrists.right]
# body = ""

"""

"""From a sheet file to one flat sheet: mounts resolved, names prefixed, ``either`` turned into a side."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from reenact.robots.errors import SheetError
from reenact.robots.poses import Pose, compose_poses, invert_pose
from reenact.robots.sheet import IDENTITY, ORIGIN, BodySpec, MountSpec, Sheet
from reenact.robots.tables import read_table

EITHER = "either"
"""Side of a part that fits both; the mount says which it becomes."""

SIDED = ("arms", "wrists", "hands", "grippers")
"""Tables of a sheet whose keys are sides."""

_MAX_DEPTH = 4
"""Mounts within mounts; deeper means sheets that mount each other."""

V = TypeVar("V")


def read_sheet(path: Path) -> Sheet:
    """Parses one sheet file, mounts left as they are.

    Raises:
        SheetError: the file is missing, not TOML, or a value is wrong.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise SheetError(
            f"{path}: no such file", hint="give a sheet name or the path of a .toml file"
        ) from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise SheetError(f"{path.name}: not a TOML file: {err}") from err
    return read_table(Sheet, table, path.name)


def resolve_sheet(path: Path, side: str | None = None, depth: int = 0) -> Sheet:
    """Reads a sheet and everything it mounts, and returns one sheet without mounts.

    Args:
        side: what ``either`` means in this sheet (``None``: right), and the only side kept.
    """
    sheet = read_sheet(path)
    flat = _with_side(sheet, side)
    for mount in sheet.mounts:
        if depth >= _MAX_DEPTH:
            raise SheetError(
                f"{path.name}: mounts are nested more than {_MAX_DEPTH} deep", hint="a sheet mounts itself?"
            )
        part_path = _find_part(path, mount)
        part = _from_root(resolve_sheet(part_path, mount.side or side, depth + 1), mount, path)
        flat = _join(flat, _prefixed(_with_home(part, mount, path), mount), mount, path)
    return dataclasses.replace(flat, mounts=())


def _find_part(path: Path, mount: MountSpec) -> Path:
    for folder in (path.parent, path.parent / "parts", path.parent.parent):
        found = folder / f"{mount.sheet}.toml"
        if found.is_file():
            return found
    raise SheetError(
        f"{path.name}: mount of {mount.sheet!r}: no {mount.sheet}.toml beside it or in its parts folder"
    )


def _with_side(sheet: Sheet, side: str | None) -> Sheet:
    """``either`` becomes ``side`` (or right); with a side given, the other side's tables go."""

    def turn(table: dict[str, V]) -> dict[str, V]:
        named = {(side or "right") if key == EITHER else key: value for key, value in table.items()}
        return {key: value for key, value in named.items() if side is None or key == side}

    changes: dict[str, Any] = {table: turn(getattr(sheet, table)) for table in SIDED}
    return dataclasses.replace(sheet, **changes)


def _from_root(part: Sheet, mount: MountSpec, path: Path) -> Sheet:
    """Only the subtree at ``mount.root``; what is said of joints and bodies outside it goes."""
    if not mount.root:
        return part
    kept: dict[str, BodySpec] = {}
    for body in part.bodies:
        if body.name == mount.root:
            kept[body.name] = dataclasses.replace(body, parent="", pos=ORIGIN, quat_wxyz=IDENTITY, joint=None)
        elif body.parent in kept:
            kept[body.name] = body
    if not kept:
        raise SheetError(
            f"{path.name}: mount of {mount.sheet!r}: root = {mount.root!r} is no body of it",
            hint="bodies: " + ", ".join(body.name for body in part.bodies),
        )
    joints = {body.joint.name for body in kept.values() if body.joint}
    return dataclasses.replace(
        part,
        bodies=tuple(kept.values()),
        excludes=tuple(pair for pair in part.excludes if set(pair) <= kept.keys()),
        frozen=tuple(joint for joint in part.frozen if joint in joints),
        home={joint: value for joint, value in part.home.items() if joint in joints},
    )


def _with_home(part: Sheet, mount: MountSpec, path: Path) -> Sheet:
    joints = {body.joint.name for body in part.bodies if body.joint}
    for name in mount.home:
        if name not in joints:
            raise SheetError(
                f"{path.name}: mount of {mount.sheet!r}: home names joint {name!r}",
                hint=f"joints of {mount.sheet}: {', '.join(sorted(joints))}",
            )
    return dataclasses.replace(part, home={**part.home, **mount.home})


def _prefixed(part: Sheet, mount: MountSpec) -> Sheet:
    """``part`` with every body, joint and colour name prefixed, and its roots put where the mount says."""
    add = _renamer(mount.prefix)
    bodies = []
    for body in part.bodies:
        joint = dataclasses.replace(body.joint, name=add(body.joint.name)) if body.joint else None
        shapes = tuple(dataclasses.replace(s, color=_color(mount, s.color)) for s in body.shapes)
        bodies.append(
            dataclasses.replace(
                body, name=add(body.name), parent=add(body.parent), joint=joint, shapes=shapes
            )
        )
    rename = _deep_rename(add)
    return dataclasses.replace(
        part,
        bodies=tuple(bodies),
        base=add(part.base),
        colors={_color(mount, key): value for key, value in part.colors.items()},
        couplings=tuple(dataclasses.replace(c, joint=add(c.joint), of=add(c.of)) for c in part.couplings),
        excludes=tuple((add(a), add(b)) for a, b in part.excludes),
        frozen=tuple(map(add, part.frozen)),
        home={add(key): value for key, value in part.home.items()},
        arms=rename(part.arms),
        wrists=rename(part.wrists),
        hands=rename(part.hands),
        grippers=rename(part.grippers),
    )


def _renamer(prefix: str) -> Callable[[str], str]:
    return lambda name: prefix + name if name else name


def _color(mount: MountSpec, name: str) -> str:
    return f"{mount.sheet}.{name}"


def _deep_rename(add: Callable[[str], str]) -> Callable[[Any], Any]:
    """Renames the ``body``, ``name`` and ``joints`` entries inside nested specs."""

    def rename(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rename(item) for key, item in value.items()}
        if not dataclasses.is_dataclass(value) or isinstance(value, type):
            return value
        changes: dict[str, Any] = {}
        for spec_field in dataclasses.fields(value):
            item = getattr(value, spec_field.name)
            if spec_field.name in ("body", "name"):
                changes[spec_field.name] = add(item)
            elif spec_field.name == "joints":
                changes[spec_field.name] = tuple(add(j) if isinstance(j, str) else rename(j) for j in item)
            else:
                changes[spec_field.name] = rename(item)
        return dataclasses.replace(value, **changes)

    return rename


def _join(flat: Sheet, part: Sheet, mount: MountSpec, path: Path) -> Sheet:
    names = {body.name for body in flat.bodies}
    if mount.on and mount.on not in names:
        raise SheetError(
            f"{path.name}: mount of {mount.sheet!r}: on = {mount.on!r} is no body so far",
            hint="bodies: " + ", ".join(sorted(names)),
        )
    pose = _mount_pose(part, mount, path)
    placed = tuple(_placed(body, mount, pose) if not body.parent else body for body in part.bodies)
    for table in ("arms", "hands", "grippers"):
        both = getattr(flat, table).keys() & getattr(part, table).keys()
        if both:
            raise SheetError(
                f"{path.name}: mount of {mount.sheet!r}: {table}.{min(both)} is there twice",
                hint="give each mount its own side",
            )
    return dataclasses.replace(
        flat,
        bodies=flat.bodies + placed,
        sources=flat.sources + tuple(s for s in part.sources if s not in flat.sources),
        colors={**part.colors, **flat.colors},
        couplings=flat.couplings + part.couplings,
        excludes=flat.excludes + part.excludes,
        frozen=flat.frozen + part.frozen,
        home={**part.home, **flat.home},
        arms={**flat.arms, **part.arms},
        wrists={**flat.wrists, **part.wrists},
        hands={**flat.hands, **part.hands},
        grippers={**flat.grippers, **part.grippers},
    )


def _mount_pose(part: Sheet, mount: MountSpec, path: Path) -> Pose:
    """Pose of the part's root frame on the body it is fixed to."""
    pose: Pose = (mount.pos, mount.quat_wxyz)
    if mount.at == "root":
        return pose
    if len(part.wrists) != 1:
        raise SheetError(
            f"{path.name}: mount of {mount.sheet!r}: at = 'wrist' needs a part with one wrist frame; "
            f"it has {len(part.wrists)}"
        )
    (wrist,) = part.wrists.values()
    bodies = {body.name: body for body in part.bodies}
    chain, name = (wrist.pos, wrist.quat_wxyz), wrist.body
    while name:
        body = bodies[name]
        chain, name = compose_poses((body.pos, body.quat_wxyz), chain), body.parent
    return compose_poses(pose, invert_pose(chain))


def _placed(root: BodySpec, mount: MountSpec, pose: Pose) -> BodySpec:
    pos, quat = compose_poses(pose, (root.pos, root.quat_wxyz))
    return dataclasses.replace(root, parent=mount.on, pos=pos, quat_wxyz=quat)

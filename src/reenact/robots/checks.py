"""Does a flat sheet make sense as a whole? Every name it uses must exist, every home value lie in range."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from reenact.robots.errors import SheetError
from reenact.robots.sheet import FINGER_ORDER, SIDES, JointSpec, Pair, Sheet


def check_bodies(sheet: Sheet, where: str) -> None:
    """The body tree of a sheet with its own bodies: unique names, parents first, known colours.

    Raises:
        SheetError: naming the body, joint or colour at fault.
    """
    seen: set[str] = set()
    joints: set[str] = set()
    for body in sheet.bodies:
        if body.name in seen:
            raise SheetError(f"{where}: two bodies are called {body.name!r}", hint="body names must differ")
        if body.parent and body.parent not in seen:
            raise SheetError(
                f"{where}: body {body.name!r}: parent {body.parent!r} is no body above it",
                hint=nearest(body.parent, seen) or "list parents before their children",
            )
        seen.add(body.name)
        if body.joint and body.joint.name in joints:
            raise SheetError(
                f"{where}: two joints are called {body.joint.name!r}", hint="joint names must differ"
            )
        if body.joint:
            joints.add(body.joint.name)
        for shape in body.shapes:
            if shape.color not in sheet.colors:
                raise SheetError(
                    f"{where}: body {body.name!r}: colour {shape.color!r} is not in colors",
                    hint=nearest(shape.color, sheet.colors) or "add it to the [colors] table",
                )


def joints_of(sheet: Sheet) -> dict[str, JointSpec]:
    """Joints by name, in body order."""
    return {body.joint.name: body.joint for body in sheet.bodies if body.joint}


def check_names(sheet: Sheet, bodies: Collection[str], ranges: Mapping[str, Pair], where: str) -> None:
    """Everything a sheet says about joints and bodies refers to ones that exist.

    Args:
        bodies: names of all bodies (the sheet's own, or the model file's).
        ranges: limits of all joints by name.

    Raises:
        SheetError: naming the key, the unknown name and the closest known one.
    """
    for key, names in _joints_used(sheet).items():
        for name in names:
            if name not in ranges:
                raise SheetError(f"{where}: {key}: no joint {name!r}", hint=nearest(name, ranges))
    for key, names in _bodies_used(sheet).items():
        for name in names:
            if name not in bodies:
                raise SheetError(f"{where}: {key}: no body {name!r}", hint=nearest(name, bodies))
    for name, value in sheet.home.items():
        lower, upper = ranges[name]
        if not lower <= value <= upper:
            raise SheetError(f"{where}: home.{name} = {value} is outside its range [{lower}, {upper}]")
    _check_sides(sheet, where)
    _check_couplings(sheet, where)


def _joints_used(sheet: Sheet) -> dict[str, Collection[str]]:
    used: dict[str, Collection[str]] = {"frozen": sheet.frozen, "home": sheet.home}
    used["velocity"], used["effort"] = sheet.velocity.keys() - {"default"}, sheet.effort.keys() - {"default"}
    for side, arm in sheet.arms.items():
        used[f"arms.{side}.joints"] = arm.joints
    for side, gripper in sheet.grippers.items():
        used[f"grippers.{side}.joints"] = gripper.joints
    for side, hand in sheet.hands.items():
        for finger, spec in hand.fingers.items():
            used[f"hands.{side}.fingers.{finger}.joints"] = [joint.name for joint in spec.joints]
    used["coupling"] = [name for c in sheet.couplings for name in (c.joint, c.of)]
    return used


def _bodies_used(sheet: Sheet) -> dict[str, Collection[str]]:
    used: dict[str, Collection[str]] = {"excludes": [name for pair in sheet.excludes for name in pair]}
    used["base"] = [sheet.base] if sheet.base else []
    for side, wrist in sheet.wrists.items():
        used[f"wrists.{side}.body"] = [wrist.body]
    for side, gripper in sheet.grippers.items():
        used[f"grippers.{side}.tip"] = [gripper.tip.body]
    for side, hand in sheet.hands.items():
        for finger, spec in hand.fingers.items():
            used[f"hands.{side}.fingers.{finger}.tip"] = [spec.tip.body]
    return used


def _check_sides(sheet: Sheet, where: str) -> None:
    for table in ("arms", "wrists", "hands", "grippers"):
        for side in getattr(sheet, table):
            if side not in SIDES:
                raise SheetError(f"{where}: {table}.{side}: no such side", hint="sides are left and right")
    for side in {*sheet.arms, *sheet.hands, *sheet.grippers}:
        if side not in sheet.wrists:
            raise SheetError(
                f"{where}: the {side} side has an arm or a hand but no wrist frame",
                hint=f"add [wrists.{side}] with body, pos and quat_wxyz: the end effector to be steered",
            )
    for side, hand in sheet.hands.items():
        for finger in hand.fingers:
            if finger not in FINGER_ORDER:
                raise SheetError(
                    f"{where}: hands.{side}.fingers.{finger}: no such finger",
                    hint="fingers are " + ", ".join(FINGER_ORDER),
                )
    for side, gripper in sheet.grippers.items():
        if not len(gripper.joints) == len(gripper.open) == len(gripper.closed):
            raise SheetError(f"{where}: grippers.{side}: joints, open and closed differ in length")


def _check_couplings(sheet: Sheet, where: str) -> None:
    followers: set[str] = set()
    for coupling in sheet.couplings:
        if coupling.joint == coupling.of or coupling.joint in followers:
            raise SheetError(
                f"{where}: coupling of {coupling.joint!r}: a joint follows exactly one other joint"
            )
        followers.add(coupling.joint)
    for coupling in sheet.couplings:
        if coupling.of in followers:
            raise SheetError(
                f"{where}: coupling of {coupling.joint!r}: {coupling.of!r} is itself a follower",
                hint="refer to the joint at the head of the chain and multiply the scales",
            )


def nearest(name: str, known: Collection[str]) -> str:
    """A hint naming the closest known name, or all of them when there are few."""
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(sorted(known)) if 0 < len(known) <= 60 else ""

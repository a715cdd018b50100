"""`reenact robots [list|show|check] [NAME]`: which robots there are, what one is, what is wrong with a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from reenact.cli.output import emit, parse
from reenact.errors import InputError

if TYPE_CHECKING:
    from reenact.robots.model import Robot

DESCRIPTION = (
    """List the known robots, show one (figures and a picture), or check a sheet file of your own."""
)


@dataclass(frozen=True)
class RobotsOptions:
    """Options of `reenact robots`."""

    action: tyro.conf.Positional[Literal["list", "show", "check"]] = "list"
    """list: a table of all; show NAME: one in full; check FILE: what is wrong with a sheet, or its figures."""
    name: tyro.conf.Positional[str] = ""
    """Robot name or sheet file, for show and check."""
    picture: Annotated[Path | None, tyro.conf.arg(aliases=["-p"])] = None
    """Where to write a PNG of the robot at its home pose (show and check)."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, look up, print."""
    options = parse(RobotsOptions, "robots", args, DESCRIPTION)
    from reenact.robots.registry import known_robots, load_robot

    if options.action == "list":
        rows = [robot_words(load_robot(name)) for name in known_robots()]
        emit({"robots": rows}, _table(rows), options.json)
        return 0
    if not options.name:
        raise InputError(
            f"reenact robots {options.action} needs a name", hint=f"known: {', '.join(known_robots())}"
        )
    robot = load_robot(options.name)
    words = robot_words(robot) | {"joints": _joints(robot)}
    if options.picture is not None:
        write_picture(robot, options.picture)
        words["picture"] = str(options.picture)
    lines = _card(words)
    if options.action == "check":
        from reenact.robots.check import check_robot

        findings = check_robot(robot)
        words["findings"] = [vars(f) for f in findings]
        lines += [f"{f.level}: {f.what} ({f.hint})" for f in findings] or ["nothing to remark"]
    emit(words, lines, options.json)
    return 0


def robot_words(robot: Robot) -> dict[str, Any]:
    """A robot in a few plain facts."""
    return {
        "name": robot.name,
        "joints": robot.n_q,
        "arms": {side: len(arm.joint_names) for side, arm in robot.arms.items()},
        "fingers": {side: len(hand.fingers) for side, hand in robot.hands.items()},
        "grippers": sorted(robot.grippers),
        "licence": robot.sheet.licence,
        "sources": [source.url for source in robot.sheet.sources],
        "sheet_hash": robot.sheet_hash,
    }


def _joints(robot: Robot) -> list[dict[str, Any]]:
    speed = robot.velocity_limits
    return [
        {
            "name": name,
            "lower": round(float(robot.lower[k]), 4),
            "upper": round(float(robot.upper[k]), 4),
            "home": round(float(robot.home_q[k]), 4),
            "speed": round(float(speed[k]), 3) if speed[k] < 1e9 else None,
        }
        for k, name in enumerate(robot.joint_names)
    ]


def write_picture(robot: Robot, path: Path) -> None:
    """PNG of the robot at home, whole or not at all. Raises `NoGlError`."""
    import cv2

    from reenact.records.files import atomic_file
    from reenact.robots.pictures import render_pose

    rgb = render_pose(robot, robot.home_q)
    with atomic_file(path) as beside:
        beside.write_bytes(cv2.imencode(".png", rgb[..., ::-1])[1].tobytes())


def _table(rows: list[dict[str, Any]]) -> list[str]:
    head = f"{'name':<24}{'joints':>7}  {'arms (l, r)':<12}{'fingers':<10}licence"
    lines = [head, "-" * len(head)]
    for r in rows:
        arms = ", ".join(str(n) for n in r["arms"].values()) or "-"
        fingers = ", ".join(str(n) for n in r["fingers"].values()) or ("gripper" if r["grippers"] else "-")
        lines.append(f"{r['name']:<24}{r['joints']:>7}  {arms:<12}{fingers:<10}{r['licence']}")
    return lines


def _card(words: dict[str, Any]) -> list[str]:
    lines = [f"{key}: {value}" for key, value in words.items() if key != "joints"]
    lines.append("joints (rad or m, rad/s or m/s):")
    for j in words["joints"]:
        lines.append(
            f"  {j['name']:<34} [{j['lower']:>8.3f}, {j['upper']:>8.3f}]  home {j['home']:>7.3f}  speed {j['speed']}"
        )
    return lines

"""Which robots there are, and how one is made from its name or from a user's sheet file."""

from __future__ import annotations

import difflib
from pathlib import Path

from reenact.robots.build import BuildConfig, build_spec
from reenact.robots.checks import check_bodies, check_names, joints_of
from reenact.robots.compose import resolve_sheet
from reenact.robots.errors import SheetError, UnknownRobotError
from reenact.robots.model import Robot

SHEETS = Path(__file__).parent / "sheets"
"""Complete robots; parts lie in the ``parts`` folder below."""


def known_robots() -> tuple[str, ...]:
    """Names ``load_robot`` accepts, in alphabetical order."""
    return tuple(sorted(path.stem for path in SHEETS.glob("*.toml")))


def load_robot(
    name_or_path: str | Path, *, unfreeze: tuple[str, ...] = (), config: BuildConfig | None = None
) -> Robot:
    """Makes a robot.

    Args:
        name_or_path: one of ``known_robots()``, or the path of a sheet (a ``.toml`` file).
        unfreeze: joints the sheet holds still that are to move after all (for G1: its waist and legs).

    Raises:
        UnknownRobotError: no such name; the message lists the known ones and the closest.
        SheetError: the sheet is wrong; the message names the file, the key and what would be right.
        ModelFileError: the MJCF or URDF a user's sheet points to does not load.
    """
    path = find_sheet(name_or_path)
    sheet = resolve_sheet(path)
    where = path.name
    for joint in unfreeze:
        if joint not in sheet.frozen:
            raise SheetError(
                f"{where}: unfreeze: {joint!r} is not a frozen joint",
                hint=f"frozen: {', '.join(sheet.frozen)}",
            )
    if sheet.model_file:
        from reenact.robots.user import build_user_spec

        return Robot(*build_user_spec(sheet, path, unfreeze, config or BuildConfig()))
    check_bodies(sheet, where)
    ranges = {name: joint.range for name, joint in joints_of(sheet).items()}
    check_names(sheet, {body.name for body in sheet.bodies}, ranges, where)
    return Robot(sheet, build_spec(sheet, unfreeze, config or BuildConfig()))


def find_sheet(name_or_path: str | Path) -> Path:
    """The sheet file of a known name, or the given path if it is one.

    Raises:
        UnknownRobotError: neither.
    """
    text = str(name_or_path)
    known = known_robots()
    if text in known:
        return SHEETS / f"{text}.toml"
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.suffix.lower() in (".xml", ".mjcf", ".urdf"):
        raise UnknownRobotError(
            f"{text} is a model file, not a robot sheet",
            hint=f"write a small sheet with model_file = {path.name!r} that names its arms and wrists",
        )
    close = difflib.get_close_matches(text, known, n=1, cutoff=0.4)
    guess = f"did you mean {close[0]!r}? " if close else ""
    raise UnknownRobotError(f"no robot called {text!r}", hint=f"{guess}known robots: {', '.join(known)}")

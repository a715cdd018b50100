"""`reenact validate PATH`: is this run, scene, trajectory or dataset sound, and if not, what is wrong with it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reenact.cli.output import emit, parse
from reenact.errors import InputError, ReenactError

DESCRIPTION = """Check a run folder, a scene folder, a trajectory.npz or a LeRobot dataset.

Exit code 6 when something is wrong."""
BROKEN = 6


@dataclass(frozen=True)
class ValidateOptions:
    """Options of `reenact validate`."""

    path: tyro.conf.Positional[Path]
    """What to check."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, check, print."""
    options = parse(ValidateOptions, "validate", args, DESCRIPTION)
    results = check_path(options.path)
    sound = not any(results.values())
    lines = []
    for name, problems in results.items():
        lines.append(f"{'ok    ' if not problems else 'BROKEN'} {name}")
        lines += [f"       - {problem}" for problem in problems]
    emit({"sound": sound, "checked": results}, lines, options.json)
    return 0 if sound else BROKEN


def check_path(path: Path) -> dict[str, list[str]]:
    """Problems by thing checked. Raises `InputError` when the path holds nothing this command knows."""
    if not path.exists():
        raise InputError(f"no such file or folder: {path}")
    if path.suffix == ".npz":
        return {str(path): _trajectory(path)}
    if (path / "meta" / "info.json").is_file():
        return {str(path): _dataset(path)}
    if (path / "clip.json").is_file():
        return {str(path): _scene(path)}
    found: dict[str, list[str]] = {}
    for scene in sorted(path.glob("*/scene")) + ([path / "scene"] if (path / "scene").is_dir() else []):
        found[str(scene)] = _scene(scene)
    for npz in sorted([*path.glob("*/*/trajectory.npz"), *path.glob("*/trajectory.npz")]):
        found[str(npz)] = _trajectory(npz)
    for dataset in sorted((path / "datasets").glob("*")):
        found[str(dataset)] = _dataset(dataset)
    if not found:
        raise InputError(
            f"nothing to check in {path}", hint="a run folder, a scene, a trajectory.npz or a dataset"
        )
    return found


def _scene(folder: Path) -> list[str]:
    from reenact.scene import Scene

    try:
        Scene.load(folder)
    except ReenactError as error:
        return [str(error)]
    return []


def _trajectory(path: Path) -> list[str]:
    from reenact.robots.registry import known_robots, load_robot
    from reenact.robots.trajectory import check_limits, read_npz

    try:
        trajectory = read_npz(path)
        if trajectory.robot not in known_robots():
            return []
        report = check_limits(trajectory, load_robot(trajectory.robot))
    except ReenactError as error:
        return [str(error)]
    problems = []
    if report.outside.any():
        problems.append(
            f"{int(report.outside.any(axis=1).sum())} frames leave a joint range, by up to {report.worst_excess:.4f}"
        )
    if report.too_fast.any():
        problems.append(
            f"{int(report.too_fast.any(axis=1).sum())} steps are too fast, up to {report.worst_speed_ratio:.2f} x"
        )
    return problems


def _dataset(folder: Path) -> list[str]:
    from reenact.datasets.checks.validate import validate_dataset

    try:
        return [f.text for f in validate_dataset(folder) if f.level == "error"]
    except ReenactError as error:
        return [str(error)]

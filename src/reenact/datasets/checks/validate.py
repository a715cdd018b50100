"""All checks on one dataset, worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from reenact.datasets.checks.finding import Finding
from reenact.datasets.checks.hands import check_hands, check_poses
from reenact.datasets.checks.numbers import check_finite, check_motion, check_statistics
from reenact.datasets.checks.robot import check_robot
from reenact.datasets.checks.structure import (
    check_counts,
    check_features,
    check_indices,
    check_tasks,
    check_time,
)
from reenact.datasets.checks.table import Table, load_table
from reenact.datasets.checks.trainers import check_trainers
from reenact.datasets.checks.video import check_videos
from reenact.errors import ReenactError

Check = Callable[[Table], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    check_counts,
    check_features,
    check_indices,
    check_tasks,
    check_time,
    check_finite,
    check_motion,
    check_statistics,
    check_hands,
    check_poses,
    check_robot,
    check_trainers,
    check_videos,
)


def validate_dataset(folder: Path, *, videos: bool = True) -> list[Finding]:
    """Everything found, errors first; empty when the dataset is sound. `videos=False` skips decoding.

    A check that a broken dataset trips over is itself a finding (`malformed`), never an exception.

    Raises:
        NotADataset: there is no `meta/info.json` that can be read.
    """
    table = load_table(folder)
    found = list(table.findings)
    if not any(f.code == "version" for f in found):
        for check in CHECKS:
            if videos or check is not check_videos:
                found += _run(check, table)
    return sorted(found, key=lambda f: f.level == "warning")


def _run(check: Check, table: Table) -> list[Finding]:
    found = []
    try:
        for finding in check(table):
            found.append(finding)
    except ReenactError as error:
        found.append(Finding("malformed", str(error)))
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        name = check.__name__.removeprefix("check_")
        found.append(Finding("malformed", f"the {name} cannot be checked: {type(error).__name__}: {error}"))
    return found

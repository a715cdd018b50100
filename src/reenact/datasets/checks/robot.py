"""Joint values against the robot, when it is one we know; degrees where radians are due, in any case."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reenact.datasets.checks.finding import Finding
from reenact.datasets.checks.table import Table
from reenact.datasets.lerobot.modality import flat_names, part_of

SLACK = 0.02
"""Beyond a limit by less than this (rad or m) is a controller's overshoot."""
TURN = 2 * np.pi + 0.3
"""A joint value beyond a full turn is most likely in degrees."""


def check_robot(table: Table) -> Iterator[Finding]:
    """Limits by joint name; units by size."""
    if not table.info.get("robot_type"):
        yield Finding(
            "robot-type", "robot_type is empty: trainers cannot tell embodiments apart", level="warning"
        )
    for column in ("observation.state", "action"):
        values = table.columns.get(column)
        if (
            values is None
            or values.dtype.kind not in "fiu"
            or not np.isfinite(values).all()
            or not len(values)
        ):
            continue
        names = flat_names(table.features.get(column, {"shape": [values.shape[1]]}))
        if len(names) != values.shape[1]:
            continue
        yield from _degrees(column, names, values)
        yield from _limits(table, column, names, values)


def _degrees(column: str, names: list[str], values: np.ndarray) -> Iterator[Finding]:
    arms = np.array([part_of(n).endswith(("arm", "hand", "trunk", "leg")) for n in names])
    beyond = arms & (np.abs(values).max(axis=0) > TURN)
    if beyond.sum() * 4 >= arms.sum() > 0:
        worst = float(np.abs(values[:, beyond]).max())
        yield Finding(
            "degrees", f"{column}: {int(beyond.sum())} joints reach {worst:.4g}: degrees, not radians?"
        )


def _limits(table: Table, column: str, names: list[str], values: np.ndarray) -> Iterator[Finding]:
    from reenact.robots.registry import known_robots, load_robot

    kind = str(table.info.get("robot_type"))
    if kind not in known_robots():
        return
    robot = load_robot(kind)
    place = {n: k for k, n in enumerate(robot.joint_names)}
    both = [(c, place[n]) for c, n in enumerate(names) if n in place]
    if not both:
        yield Finding("joint-names", f"{column}: no name is a joint of {kind}", level="warning")
        return
    columns, joints = (np.array(k) for k in zip(*both, strict=True))
    excess = np.maximum(robot.lower[joints] - values[:, columns], values[:, columns] - robot.upper[joints])
    worst = excess.max(axis=0)
    if (worst > SLACK).any():
        k = int(worst.argmax())
        yield Finding(
            "joint-limit", f"{column}: {int((excess > SLACK).any(axis=1).sum())} rows leave a joint's range, "
            f"worst {names[columns[k]]} by {worst[k]:.3g}",
        )  # fmt: skip

"""The numbers themselves: finite, alive, without leaps, and described by their statistics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from reenact.datasets.checks.finding import Finding, spans
from reenact.datasets.checks.table import Table
from reenact.datasets.lerobot.modality import flat_names

MOTION = ("observation.state", "action")
STILL = 1e-3
"""An episode in which no state number changes by more than this (rad or m) shows nothing."""
DEAD = 1e-6
LEAP_PER_S = 40.0
"""Faster than any joint (rad/s) or hand (m/s) moves."""
LEAP_RATIO, LEAP_LEAST = 30.0, 0.3
"""Or this many times the column's usual step, and at least so far (rad or m) in one frame."""
SAME = 1e-3
"""Statistics may differ from the data by this share of the range."""


def check_finite(table: Table) -> Iterator[Finding]:
    """NaN and infinity."""
    for name, values in table.columns.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            rows = int((~np.isfinite(values)).any(axis=1).sum())
            yield Finding(
                "nan", f"{name} holds NaN or infinity in {rows} rows; mark rows in a `valid` column"
            )


def check_motion(table: Table) -> Iterator[Finding]:
    """Leaps, dead joints, still and repeated and one-frame episodes, actions that say nothing."""
    state = _finite(table, "observation.state")
    for name in MOTION:
        values = _finite(table, name)
        if values is not None:
            yield from _leaps(table, name, values)
    if state is not None:
        yield from _dead(table, state)
        yield from _episodes(table, state)
    action = _finite(table, "action")
    if (
        state is not None
        and action is not None
        and state.shape == action.shape
        and np.ptp(state, axis=0).any()
    ) and np.array_equal(state, action):
        yield Finding(
            "action-is-state", "action equals the present state in every row: a policy learns to stand still",
            level="warning",
        )  # fmt: skip
    if action is not None and action.shape[1] and not np.ptp(action, axis=0).any() and len(action) > 1:
        yield Finding("action-constant", "action is the same in every row: there is nothing to learn")


def _finite(table: Table, name: str) -> np.ndarray | None:
    values = table.columns.get(name)
    if values is None or values.dtype.kind not in "fiu" or not len(values) or not np.isfinite(values).all():
        return None
    return values.astype(np.float64)


def _leaps(table: Table, name: str, values: np.ndarray) -> Iterator[Finding]:
    steps = np.zeros_like(values)
    for _, rows in table.by_episode():
        steps[rows][1:] = np.abs(np.diff(values[rows], axis=0))
    usual = np.quantile(steps, 0.95, axis=0)
    leap = (steps * max(table.fps, 1.0) > LEAP_PER_S) & (steps > LEAP_LEAST)
    leap |= (steps > LEAP_RATIO * np.maximum(usual, 1e-4)) & (steps > LEAP_LEAST)
    if not leap.any():
        return
    row, column = np.argwhere(leap)[0]
    names = flat_names(table.features.get(name, {"shape": [values.shape[1]]}))
    episode = next(i for i, rows in table.by_episode() if rows.start <= row < rows.stop)
    joint = names[column] if column < len(names) else str(column)
    yield Finding(
        "leap", f"{name} leaps in {int(leap.any(axis=1).sum())} rows, first {joint} by {steps[row, column]:.3g} "
        f"in one frame (episode {episode}, row {row})",
    )  # fmt: skip


def _dead(table: Table, state: np.ndarray) -> Iterator[Finding]:
    dead = np.ptp(state, axis=0) < DEAD
    if not dead.any() or dead.all():
        return
    names = flat_names(table.features.get("observation.state", {"shape": [state.shape[1]]}))
    action = _finite(table, "action")
    told = np.zeros(len(dead), bool)
    if action is not None and action.shape == state.shape:
        told = dead & (np.ptp(action, axis=0) > 0.02)
    for which, level, words in (
        (told, "error", "commanded, but never move"),
        (dead & ~told, "warning", "never move in any episode"),
    ):
        found = [names[k] for k in np.flatnonzero(which) if k < len(names)]
        if found:
            yield Finding(
                "dead-joint",
                f"joints {words}: {spans(found)}",
                level="error" if level == "error" else "warning",
            )


def _episodes(table: Table, state: np.ndarray) -> Iterator[Finding]:
    still, short, seen, twice = [], [], {}, []
    for i, rows in table.by_episode():
        length = rows.stop - rows.start
        if length < 2:
            short.append(i)
        elif np.ptp(state[rows], axis=0).max() < STILL:
            still.append(i)
        print_of = hashlib.sha256(np.ascontiguousarray(state[rows]).tobytes()).hexdigest()
        if print_of in seen and length > 1:
            twice.append(i)
        seen[print_of] = i
    if still:
        yield Finding("still", f"nothing moves in episodes {spans(still)}", level="warning")
    if short:
        yield Finding("short", f"episodes {spans(short)} have one row only", level="warning")
    if twice:
        yield Finding(
            "repeated", f"episodes {spans(twice)} repeat an earlier one, number by number: split by content",
            level="warning",
        )  # fmt: skip


def check_statistics(table: Table) -> Iterator[Finding]:
    """Stored statistics against the rows (v3.0: of the set; v2.1: of each episode)."""
    if not table.columns or not table.stats:
        return
    whole = [("", slice(0, table.rows), table.stats)]
    if table.version != "v3.0":
        whole = [(f" of episode {i}", rows, table.stats.get(str(i), {})) for i, rows in table.by_episode()]
    for where, rows, stats in whole:
        lacking = [k for k, f in table.features.items() if k not in stats and f["dtype"] != "string"]
        if lacking:
            yield Finding("stats-lack", f"statistics{where} lack {', '.join(lacking[:6])}", is_fixable=True)
        for name, values in table.columns.items():
            if name in stats and values.dtype.kind in "fiub":
                wrong = _wrong_statistic(stats[name], values[rows].astype(np.float64))
                if wrong:
                    yield Finding(
                        "stats-differ",
                        f"statistics{where} of {name} do not match the data: {wrong}",
                        is_fixable=True,
                    )


def _wrong_statistic(stats: dict[str, Any], values: np.ndarray) -> str:
    if not np.isfinite(values).all() or not len(values):
        return ""
    room = SAME * np.maximum(np.ptp(values, axis=0), 1e-3) + 1e-6 * np.abs(values).max(axis=0)
    for what in ("mean", "min", "max", "std"):
        told = np.asarray(stats.get(what, []), dtype=float).reshape(-1)
        true = np.asarray(getattr(values, what)(axis=0))
        if told.shape != true.shape:
            return f"{what} has {told.size} numbers, expected {true.size}"
        off = ~(np.abs(told - true) <= room)
        if off.any():
            k = int(np.flatnonzero(off)[0])
            return f"{what} is {told[k]:.4g}, the rows have {true[k]:.4g}"
    return ""

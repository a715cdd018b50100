"""Counts, indices, tasks and declared columns: what a loader looks up before it sees a number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reenact.datasets.checks.finding import Finding, spans
from reenact.datasets.checks.table import Table
from reenact.datasets.lerobot.features import BOOKKEEPING
from reenact.datasets.lerobot.modality import flat_names

TOLERANCE_S = 1e-4
"""LeRobot's own tolerance between timestamp and frame_index / fps."""
POLICY = ("observation.state", "observation.environment_state", "observation.image", "action")
"""Columns that are meant for the policy, with `observation.images.*`."""


def check_counts(table: Table) -> Iterator[Finding]:
    """Numbers of episodes, frames, tasks; splits."""
    pairs = [("episodes", len(table.spans)), ("tasks", len(table.tasks))]
    if table.columns:
        pairs.append(("frames", table.rows))
    certain = _certain(table)
    for what, found in pairs:
        said = table.info.get(f"total_{what}")
        if said is not None and said != found:
            holds = {"episodes": "meta/episodes", "tasks": "meta/tasks", "frames": "data"}[what]
            text = f"info.json says {said} {what}, {holds} holds {found}"
            yield Finding(f"count-{what}", text, is_fixable=certain[what])
    for name, span in (table.info.get("splits") or {}).items():
        first, _, end = str(span).partition(":")
        is_span = first.isdigit() and end.isdigit()
        if not is_span or not 0 <= int(first) <= int(end) <= len(table.spans):
            yield Finding(
                "splits",
                f"split {name!r} is {span!r}, there are {len(table.spans)} episodes",
                is_fixable=certain["episodes"],
            )


def _certain(table: Table) -> dict[str, bool]:
    """Whether rows, table of episodes and table of tasks agree, so that only the count can be wrong."""
    index, task = table.flat("episode_index"), table.flat("task_index")
    if index is None or task is None or not table.rows:
        return {"episodes": False, "frames": False, "tasks": False}
    found, lengths = np.unique(index, return_counts=True)
    told = [(s.index, s.length) for s in table.spans]
    is_same = told == list(zip(found.tolist(), lengths.tolist(), strict=True))
    named = {t for s in table.spans for t in s.tasks} <= set(table.tasks.values())
    has_texts = named and set(np.unique(task).tolist()) <= set(table.tasks)
    return {"episodes": is_same, "frames": is_same, "tasks": has_texts}


def check_features(table: Table) -> Iterator[Finding]:
    """Names, shapes and types declared against those stored; what leaks into a policy."""
    for name, feature in table.features.items():
        if "/" in name:
            yield Finding("slash", f"column {name!r} holds a '/', which LeRobot forbids")
        is_meant = name in POLICY or name.startswith("observation.images.")
        if name.startswith(("observation", "action")) and not is_meant:
            yield Finding(
                "leak", f"column {name} would be fed to the policy; side information needs another prefix"
            )
        if feature["dtype"] in ("video", "image"):
            continue
        names = flat_names(feature)
        if len(set(names)) != len(names):
            twice = sorted({n for n in names if names.count(n) > 1})
            yield Finding("names-twice", f"{name} has elements of the same name: {', '.join(twice)}")
        if name not in table.columns:
            if table.columns:
                yield Finding("column-missing", f"columns promised in info.json are not in data: {name}")
            continue
        width = int(np.prod(feature["shape"])) if feature["shape"] else 1
        stored = table.columns[name]
        if stored.shape[1] != width:
            yield Finding(
                "width", f"{name} is declared {feature['shape']}, its rows hold {stored.shape[1]} numbers"
            )
        elif feature.get("names") is not None and len(names) != width:
            yield Finding("names-count", f"{name} has {len(names)} names for {width} numbers")
        if feature["dtype"] != "string" and str(stored.dtype) != feature["dtype"]:
            yield Finding(
                "dtype", f"{name} is declared {feature['dtype']}, stored as {stored.dtype}", level="warning"
            )
    if lacking := [n for n in BOOKKEEPING if table.columns and n not in table.columns]:
        yield Finding(
            "column-missing", f"columns every LeRobot dataset has are missing: {', '.join(lacking)}"
        )


def check_indices(table: Table) -> Iterator[Finding]:
    """The running index, frame and episode numbers, episode spans."""
    running, frame = table.flat("index"), table.flat("frame_index")
    if running is not None and len(running) and ((np.diff(running) != 1).any() or running[0] != 0):
        yield Finding("index-gap", "the running index has gaps or does not begin at 0", is_fixable=True)
    runs = list(table.by_episode())
    order = [i for i, _ in runs]
    if order != sorted(set(order)):
        yield Finding("episodes-torn", "rows of one episode are not together, or episodes are out of order")
    if frame is not None:
        bad = [i for i, rows in runs if not np.array_equal(frame[rows], np.arange(rows.stop - rows.start))]
        if bad:
            yield Finding(
                "frame-index",
                f"frame_index does not count 0, 1, 2 ... in episodes {spans(bad)}",
                is_fixable=True,
            )
    if table.version == "v3.0" and [s.index for s in table.spans] != list(range(len(table.spans))):
        yield Finding(
            "episode-index", "rows of meta/episodes are looked up by position; their indices have gaps"
        )
    lengths = {i: rows.stop - rows.start for i, rows in runs}
    if table.flat("episode_index") is not None:
        bad = [s.index for s in table.spans if lengths.get(s.index, 0) != s.length]
        if bad:
            yield Finding(
                "episode-length",
                f"episodes {spans(bad)}: meta promises another number of rows than data holds "
                f"(first: {next(s.length for s in table.spans if s.index == bad[0])} and {lengths.get(bad[0], 0)})",
            )
        if stray := sorted(set(lengths) - {s.index for s in table.spans}):
            yield Finding("episode-unknown", f"data holds episodes {spans(stray)} that meta does not know")
    start = 0
    for s in table.spans:
        if s.begin is not None and (s.begin, s.end) != (start, start + s.length):
            yield Finding(
                "episode-span", f"episode {s.index} spans {(s.begin, s.end)}, expected {(start, start + s.length)}",
                is_fixable=True,
            )  # fmt: skip
        start += s.length


def check_tasks(table: Table) -> Iterator[Finding]:
    """Every row has a task, every task a text."""
    index = table.flat("task_index")
    if index is not None and table.tasks:
        lost = sorted(set(np.unique(index).tolist()) - set(table.tasks))
        if lost:
            yield Finding(
                "task-text", f"task_index {spans([int(i) for i in lost])} has no text in meta/tasks"
            )
    if empty := [i for i, text in table.tasks.items() if not text.strip()]:
        yield Finding("task-empty", f"the text of task {spans(empty)} is empty")
    known = set(table.tasks.values())
    if table.tasks and (odd := [s.index for s in table.spans if not set(s.tasks) <= known]):
        yield Finding("task-unknown", f"episodes {spans(odd)} name a task that meta/tasks does not hold")


def check_time(table: Table) -> Iterator[Finding]:
    """Timestamps on the grid; the true times of the source frames against the rate."""
    stamp, frame = table.flat("timestamp"), table.flat("frame_index")
    if not table.fps:
        yield Finding("fps", f"fps is {table.info.get('fps')!r}; a positive number is needed")
        return
    if table.fps != int(table.fps):
        yield Finding("fps", f"fps is {table.fps}; LeRobot takes whole numbers only")
    if stamp is not None and frame is not None and len(stamp):
        drift = np.abs(stamp - frame / table.fps)
        if np.isfinite(drift).all() and drift.max() > TOLERANCE_S:
            yield Finding(
                "timestamps",
                f"timestamps leave the {table.fps:g} Hz grid by up to {drift.max():.4f} s; lerobot's loader refuses that",
                is_fixable=True,
            )
    yield from _true_rate(table)


def _true_rate(table: Table) -> Iterator[Finding]:
    pts = table.flat("video_pts")
    if pts is None or not np.isfinite(pts).all():
        return
    worst, where = 0.0, -1
    backward: list[int] = []
    for i, rows in table.by_episode():
        t = pts[rows] - pts[rows][0]
        if (np.diff(t) < 0).any():
            backward.append(i)
        drift = np.abs(t - np.arange(len(t)) / table.fps)
        if drift.max() > worst:
            worst, where = float(drift.max()), i
    if backward:
        yield Finding("time-backward", f"video_pts runs backward in episodes {spans(backward)}")
    if worst > max(0.1, 3 / table.fps):
        yield Finding(
            "fps-drift",
            f"the source's own times drift from {table.fps:g} Hz by up to {worst:.3f} s (episode {where}): "
            "motion is played too fast or too slow",
        )

"""Loading a dataset that may be broken: what can be read is read, what cannot becomes a finding."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.checks.finding import Finding
from reenact.datasets.lerobot.layout import (
    CHUNKS_SIZE,
    DATA_PATH,
    DATA_PATH_21,
    VIDEO_PATH,
    VIDEO_PATH_21,
    read_info,
    read_json,
    read_lines,
)
from reenact.datasets.lerobot.tables import read_table, table_columns
from reenact.errors import InputError

NEEDED_KEYS = ("codebase_version", "fps", "features", "total_episodes", "total_frames", "total_tasks")


@dataclass
class Span:
    """One episode as the tables of `meta/` describe it."""

    index: int
    length: int
    tasks: list[str]
    begin: int | None = None
    """First row of all, as stated (v3.0)."""
    end: int | None = None
    data: Path | None = None
    videos: dict[str, tuple[Path, int]] = field(default_factory=dict)
    """Camera -> file and first frame in it."""


@dataclass
class Table:
    """A dataset as far as it can be read. `columns` are [t n] over all files in order; empty when data is unreadable."""

    root: Path
    info: dict[str, Any]
    version: str = ""
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    tasks: dict[int, str] = field(default_factory=dict)
    stats: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows that were read."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def fps(self) -> float:
        """As info.json says; 0 when it says nothing usable."""
        fps = self.info.get("fps")
        return float(fps) if isinstance(fps, int | float) and fps > 0 else 0.0

    @property
    def features(self) -> dict[str, dict[str, Any]]:
        """Well-formed features of info.json."""
        found = self.info.get("features")
        if not isinstance(found, dict):
            return {}
        return {k: f for k, f in found.items() if isinstance(f, dict) and "dtype" in f and "shape" in f}

    @property
    def video_keys(self) -> list[str]:
        """Features that are videos."""
        return [k for k, f in self.features.items() if f["dtype"] == "video"]

    def flat(self, name: str) -> np.ndarray | None:
        """A one-number column [t], if it is there."""
        values = self.columns.get(name)
        return values[:, 0] if values is not None and values.shape[1] == 1 else None

    def by_episode(self) -> Iterator[tuple[int, slice]]:
        """Runs of rows with one episode_index; the whole table where that column is missing."""
        index = self.flat("episode_index")
        if index is None or not self.rows:
            if self.rows:
                yield 0, slice(0, self.rows)
            return
        cuts = [0, *(np.flatnonzero(np.diff(index)) + 1).tolist(), len(index)]
        for begin, end in itertools.pairwise(cuts):
            yield int(index[begin]), slice(begin, end)


def load_table(folder: Path) -> Table:
    """Read all that can be read. Raises `NotADataset` only when there is no readable info.json at all."""
    table = Table(Path(folder), read_info(Path(folder)))
    table.version = str(table.info.get("codebase_version"))
    missing = [k for k in NEEDED_KEYS if k not in table.info]
    if missing:
        table.findings.append(Finding("info-keys", f"info.json lacks {', '.join(missing)}"))
    if table.version not in ("v3.0", "v2.1", "v2.0"):
        table.findings.append(
            Finding("version", f"codebase_version is {table.version!r}; known are v3.0, v2.1 and v2.0")
        )
        return table
    has_new, has_old = ((table.root / "meta" / n).exists() for n in ("episodes", "episodes.jsonl"))
    if has_new != has_old and has_new != (table.version == "v3.0"):
        layout = "v3.0" if has_new else "v2.1"
        text = f"codebase_version is {table.version!r}, but the files are laid out as {layout}"
        table.findings.append(Finding("version", text))
        return table
    steps = (_tasks, _spans_30 if table.version == "v3.0" else _spans_21, _stats, _data)
    for step in steps:
        try:
            step(table)
        except InputError as error:
            table.findings.append(Finding("unreadable", str(error)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = step.__name__.strip("_").split("_")[0]
            table.findings.append(Finding("malformed", f"meta/{what}: {type(error).__name__} {error}"))
    return table


def _missing(table: Table, path: Path, code: str, remark: str = "") -> bool:
    if path.is_file():
        return False
    text = f"{path.relative_to(table.root)} is missing{remark}"
    table.findings.append(Finding(code, text, is_fixable=code == "stats-missing"))
    return True


def _tasks(table: Table) -> None:
    is_new = table.version == "v3.0"
    path = table.root / "meta" / ("tasks.parquet" if is_new else "tasks.jsonl")
    if _missing(table, path, "tasks-missing"):
        return
    rows = read_table(path).to_pylist() if is_new else read_lines(path)
    for row in rows:
        text = row.get("task", row.get("__index_level_0__"))
        table.tasks[int(row["task_index"])] = "" if text is None else str(text)


def _spans_30(table: Table) -> None:
    paths = sorted((table.root / "meta" / "episodes").glob("chunk-*/file-*.parquet"))
    if not paths:
        table.findings.append(
            Finding(
                "episodes-missing", "meta/episodes holds no file: the writer was killed before it finished"
            )
        )
    data, video = (table.info.get("data_path") or DATA_PATH, table.info.get("video_path") or VIDEO_PATH)
    for path in paths:
        for row in read_table(path).to_pylist():
            span = Span(int(row["episode_index"]), int(row["length"]), list(row["tasks"] or []))
            span.begin, span.end = row["dataset_from_index"], row["dataset_to_index"]
            span.data = table.root / data.format(
                chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
            )
            for key in table.video_keys:
                place = {k: row[f"videos/{key}/{k}"] for k in ("chunk_index", "file_index")}
                first = round(row[f"videos/{key}/from_timestamp"] * table.fps)
                span.videos[key] = (table.root / video.format(video_key=key, **place), first)
            table.spans.append(span)


def _spans_21(table: Table) -> None:
    path = table.root / "meta" / "episodes.jsonl"
    if _missing(table, path, "episodes-missing", ": the writer was killed before it finished"):
        return
    data, video = table.info.get("data_path") or DATA_PATH_21, table.info.get("video_path") or VIDEO_PATH_21
    chunks = int(table.info.get("chunks_size") or CHUNKS_SIZE)
    for row in read_lines(path):
        i = int(row["episode_index"])
        place = {"episode_index": i, "episode_chunk": i // chunks}
        span = Span(i, int(row["length"]), list(row["tasks"] or []), data=table.root / data.format(**place))
        span.videos = {k: (table.root / video.format(video_key=k, **place), 0) for k in table.video_keys}
        table.spans.append(span)


def _stats(table: Table) -> None:
    if table.version == "v3.0":
        path = table.root / "meta" / "stats.json"
        if not _missing(table, path, "stats-missing"):
            table.stats = dict(read_json(path))
        return
    path = table.root / "meta" / "episodes_stats.jsonl"
    if table.version == "v2.1" and not _missing(table, path, "stats-missing"):
        table.stats = {str(row["episode_index"]): row["stats"] for row in read_lines(path)}


def _data(table: Table) -> None:
    kind = "chunk-*/file-*.parquet" if table.version == "v3.0" else "chunk-*/episode_*.parquet"
    paths = sorted((table.root / "data").glob(kind))
    if not paths:
        table.findings.append(
            Finding("data-missing", f"data/{kind} is missing: the writer was killed before it finished")
        )
    for path in sorted({s.data for s in table.spans if s.data is not None} - set(paths)):
        table.findings.append(Finding("data-file-missing", f"{path.relative_to(table.root)} is missing"))
    parts = []
    for path in paths:
        try:
            parts.append(table_columns(read_table(path)))
        except InputError as error:
            table.findings.append(Finding("data-unreadable", str(error)))
    names = set.intersection(*(set(p) for p in parts)) if parts else set()
    for name in sorted(set().union(*map(set, parts)) - names):
        table.findings.append(Finding("column-missing", f"column {name} is only in some of the data files"))
    for name in [n for n in (parts[0] if parts else {}) if n in names]:
        widths = {p[name].shape[1] for p in parts if len(p[name])}
        if len(widths) > 1:
            table.findings.append(Finding("width", f"column {name} has rows of {sorted(widths)} numbers"))
            continue
        table.columns[name] = np.concatenate([p[name] for p in parts])

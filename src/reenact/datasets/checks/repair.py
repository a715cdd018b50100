"""Repairs that are certain because the data itself says what is right: counts, indices, times, spans, statistics.

Works on a copy beside the dataset (videos are linked, not copied), which takes its place when all is written. What
a person meant (units, sides, quaternion order, missing words or pictures) is never guessed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.checks.finding import Finding
from reenact.datasets.checks.table import load_table
from reenact.datasets.checks.validate import validate_dataset
from reenact.datasets.lerobot.features import BOOKKEEPING
from reenact.datasets.lerobot.layout import read_info, read_lines, write_json, write_lines
from reenact.datasets.lerobot.statistics import RunningStatistics, row_statistics
from reenact.datasets.lerobot.tables import read_image_bins, read_table
from reenact.records.files import atomic_folder


def repair_dataset(folder: Path) -> tuple[list[Finding], list[Finding]]:
    """Repair what is certain; returns the findings before and after.

    Raises:
        NotADataset, SetupError.
    """
    before = validate_dataset(folder)
    codes = {f.code for f in before if f.is_fixable}
    if not codes:
        return before, before
    with atomic_folder(folder) as copy:
        _link_tree(folder, copy)
        if codes & {"index-gap", "frame-index", "timestamps"}:
            _renumber(copy)
        if "episode-span" in codes:
            _spans(copy)
        _counts(copy, codes)
        _statistics(copy)
    return before, validate_dataset(folder)


def _link_tree(source: Path, target: Path) -> None:
    def place(a: str, b: str) -> None:
        if a.endswith(".mp4"):
            try:
                os.link(a, b)
                return
            except OSError:
                pass
        shutil.copyfile(a, b)

    shutil.copytree(source, target, copy_function=place, dirs_exist_ok=True)


def _files(root: Path) -> list[Path]:
    return sorted((root / "data").glob("chunk-*/*.parquet"))


def _renumber(root: Path) -> None:
    """index counts rows, frame_index rows of an episode, timestamp is frame_index / fps."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fps, start, frame, episode = read_info(root)["fps"], 0, 0, None
    for path in _files(root):
        table = read_table(path)
        if not {"episode_index", *BOOKKEEPING[:2], "index"} <= set(table.column_names):
            continue
        frames = []
        for index in table["episode_index"].to_pylist():
            frame = frame + 1 if index == episode else 0
            episode = index
            frames.append(frame)
        numbers = np.array(frames, np.int64)
        fixed = {
            "index": np.arange(start, start + len(numbers)),
            "frame_index": numbers,
            "timestamp": (numbers / fps).astype(np.float32),
        }
        for name, values in fixed.items():
            table = table.set_column(table.column_names.index(name), name, pa.array(values))
        pq.write_table(table, path, compression="snappy")
        start += len(numbers)


def _spans(root: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    start = 0
    for path in sorted((root / "meta" / "episodes").glob("chunk-*/file-*.parquet")):
        table = read_table(path)
        ends = start + np.cumsum(table["length"].to_numpy())
        begins = ends - table["length"].to_numpy()
        for name, values in (("dataset_from_index", begins), ("dataset_to_index", ends)):
            table = table.set_column(table.column_names.index(name), name, pa.array(values))
        pq.write_table(table, path)
        start = int(ends[-1]) if len(ends) else start


def _counts(root: Path, codes: set[str]) -> None:
    table = load_table(root)
    info = dict(table.info)
    if "count-frames" in codes:
        info["total_frames"] = table.rows
    if "count-tasks" in codes:
        info["total_tasks"] = len(table.tasks)
    if codes & {"count-episodes", "splits"}:
        info["total_episodes"] = len(table.spans)
        splits = dict(info.get("splits") or {})
        whole = f"0:{len(table.spans)}"
        info["splits"] = {"train": whole} if set(splits) <= {"train"} else splits
    write_json(root / "meta" / "info.json", info)


def _statistics(root: Path) -> None:
    """Recompute the numbers' statistics; those of pictures come from our histograms, or stay as they are."""
    table = load_table(root)
    numeric = {n: v for n, v in table.columns.items() if v.dtype.kind in "fiub" and np.isfinite(v).all()}
    bins = read_image_bins(root)
    if table.version == "v3.0":
        images: dict[str, Any] = {}
        for (_, key), part in bins.items():
            images.setdefault(key, type(part)()).merge(part)
        stats = dict(table.stats) | {key: _plain(s.result()) for key, s in images.items()}
        for name, values in numeric.items():
            running = RunningStatistics()
            running.add(values)
            stats[name] = _plain(running.result())
        write_json(root / "meta" / "stats.json", stats)
    elif table.version == "v2.1":
        path = root / "meta" / "episodes_stats.jsonl"
        old = {r["episode_index"]: r["stats"] for r in read_lines(path)} if path.is_file() else {}
        rows = []
        for i, where in table.by_episode():
            own = {n: _plain(row_statistics(v[where])) for n, v in numeric.items()}
            pictures = {k: _plain(s.result()) for (e, k), s in bins.items() if e == i}
            kept = {
                n: {k: s[k] for k in ("min", "max", "mean", "std", "count")}
                for n, s in (own | pictures).items()
            }
            rows.append({"episode_index": i, "stats": old.get(i, {}) | kept})
        write_lines(path, rows)


def _plain(stats: dict[str, np.ndarray]) -> dict[str, Any]:
    return {k: v.tolist() for k, v in stats.items()}

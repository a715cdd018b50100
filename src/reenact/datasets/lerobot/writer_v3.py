"""Write episodes as a LeRobotDataset v3.0 folder, whole or not at all.

In: episodes, one after the other (frames are streamed into the encoder, memory stays flat). Out: a folder that
`LeRobotDataset` of lerobot 0.4.4 and later loads. The folder is built beside its place and renamed (see `staging`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.card import write_card
from reenact.datasets.lerobot.episode import Episode
from reenact.datasets.lerobot.features import BOOKKEEPING, Feature, bookkeeping_features
from reenact.datasets.lerobot.layout import (
    CHUNKS_SIZE,
    DATA_PATH,
    EPISODES_PATH,
    PROVENANCE,
    VIDEO_PATH,
    DatasetConfig,
    write_json,
)
from reenact.datasets.lerobot.staging import Part, Staging, open_staging
from reenact.datasets.lerobot.statistics import ImageStatistics, RunningStatistics, Statistics, row_statistics
from reenact.datasets.lerobot.tables import DataFile, write_episodes, write_image_bins, write_tasks
from reenact.datasets.lerobot.videos import join_videos, video_info
from reenact.errors import NoResultError


def write_v3(
    folder: Path,
    episodes: Iterable[Episode],
    *,
    robot_type: str | None,
    provenance: dict[str, Any],
    config: DatasetConfig | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Write all episodes; returns `info.json` as a dictionary.

    `provenance` goes to `meta/reenact.json`: units, frames, joint order, versions, licences, quality. With `resume` a
    killed or failed run leaves its finished episodes beside the target and the next one takes them over.

    Raises:
        NoResultError: there was no episode.
        RecordError: episodes differ in features, frame rate or image size, or hold NaN.
        ExportRunning: another process writes the same folder.
        SetupError: the disk is full or not writable.
    """
    config = config or DatasetConfig()
    with open_staging(Path(folder), config, resume=resume) as staging:
        first, parts = staging.stage(episodes)
        info = build_v3(staging, required(first), parts, robot_type, provenance, config)
        staging.publish()
    return info


def required(first: Episode | None) -> Episode:
    """The first episode; raises `NoResultError` when there was none."""
    if first is None:
        raise NoResultError(
            "a dataset needs at least one episode", hint="every clip failed; see quarantine.jsonl"
        )
    return first


def build_v3(
    staging: Staging,
    first: Episode,
    parts: list[Part],
    robot_type: str | None,
    provenance: dict[str, Any],
    config: DatasetConfig,
) -> dict[str, Any]:
    """Assemble staged parts into `staging.built`; returns `info.json`."""
    root = staging.built
    tasks = task_numbers(parts)
    totals = Totals(all_features(first))
    data = DataFile(root, config.data_file_mb)
    rows: list[dict[str, Any]] = []
    for i, part in enumerate(parts):
        columns = part_columns(first, part, i, totals.frames, tasks[part.task])
        stats = totals.add(columns, part)
        row = {"episode_index": i, "tasks": [part.task], "length": part.length}
        row |= data.append(all_features(first), columns)
        row |= {"dataset_from_index": totals.frames - part.length, "dataset_to_index": totals.frames}
        row |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
        rows.append(row | {f"stats/{n}/{k}": v.tolist() for n, s in stats.items() for k, v in s.items()})
    data.close()
    for footage in first.footage:
        places = join_videos(root, footage.key, parts, first.fps, config)
        for row, place in zip(rows, places, strict=True):
            row |= place
    write_tasks(root / "meta" / "tasks.parquet", tasks)
    write_episodes(root / EPISODES_PATH, rows)
    info = _info(first, parts, totals, tasks, robot_type, config)
    finish_meta(root, info, totals, parts, provenance)
    write_json(root / "meta" / "stats.json", totals.as_json())
    return info


class Totals:
    """Statistics over all episodes while they are written."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self.frames = 0
        self._numeric = [f.name for f in features if f.dtype != "string"]
        self._rows = {name: RunningStatistics() for name in self._numeric}
        self.images: dict[str, ImageStatistics] = {}

    def add(self, columns: dict[str, np.ndarray], part: Part) -> dict[str, Statistics]:
        """Take one episode; returns its own statistics."""
        self.frames += part.length
        for name in self._numeric:
            self._rows[name].add(columns[name])
        for key, stats in part.images.items():
            self.images.setdefault(key, ImageStatistics()).merge(stats)
        own = {name: row_statistics(columns[name]) for name in self._numeric}
        return own | {key: stats.result() for key, stats in part.images.items()}

    def as_json(self) -> dict[str, dict[str, Any]]:
        """`meta/stats.json`."""
        stats = {name: s.result() for name, s in self._rows.items()}
        stats |= {key: s.result() for key, s in self.images.items()}
        return {name: {k: v.tolist() for k, v in s.items()} for name, s in stats.items()}


def finish_meta(
    root: Path, info: dict[str, Any], totals: Totals, parts: list[Part], provenance: dict[str, Any]
) -> None:
    """The files of `meta/` that both layouts share, and the card."""
    write_json(root / "meta" / "info.json", info)
    known = [{"id": p.episode_id, "fingerprint": p.fingerprint, **p.facts} for p in parts]
    words = {**provenance, "episodes": known}
    write_json(root / PROVENANCE, words)
    if totals.images:
        write_image_bins(root, [part.images for part in parts])
    write_card(root, info, words)


def task_numbers(parts: list[Part]) -> dict[str, int]:
    """Task texts in order of first use."""
    return {task: i for i, task in enumerate(dict.fromkeys(part.task for part in parts))}


def part_columns(first: Episode, part: Part, index: int, start: int, task: int) -> dict[str, np.ndarray]:
    """A part's rows with the five bookkeeping columns."""
    frame = np.arange(part.length)
    values = (
        frame / first.fps,
        frame,
        np.full(part.length, index),
        start + frame,
        np.full(part.length, task),
    )
    return {**part.columns(first.features), **dict(zip(BOOKKEEPING, values, strict=True))}


def all_features(episode: Episode) -> tuple[Feature, ...]:
    """An episode's own features and the five bookkeeping ones."""
    return (*episode.features, *bookkeeping_features())


def feature_infos(first: Episode, config: DatasetConfig) -> dict[str, Any]:
    """`features` of `info.json`."""
    infos = {f.name: f.info() for f in all_features(first)}
    return infos | {f.key: video_info(f, first.fps, config) for f in first.footage}


def _info(
    first: Episode,
    parts: list[Part],
    totals: Totals,
    tasks: dict[str, int],
    robot_type: str | None,
    config: DatasetConfig,
) -> dict[str, Any]:
    return {
        "codebase_version": "v3.0",
        "robot_type": robot_type,
        "total_episodes": len(parts),
        "total_frames": totals.frames,
        "total_tasks": len(tasks),
        "chunks_size": CHUNKS_SIZE,
        "data_files_size_in_mb": config.data_file_mb,
        "video_files_size_in_mb": config.video_file_mb,
        "fps": first.fps,
        "splits": {"train": f"0:{len(parts)}"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH if first.footage else None,
        "features": feature_infos(first, config),
    }

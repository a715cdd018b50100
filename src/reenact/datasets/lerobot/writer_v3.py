"""Write episodes as a LeRobotDataset v3.0 folder, whole or not at all.

In: episodes, one after the other (frames are streamed into the encoder, memory stays flat). Out: a folder that
`LeRobotDataset` of lerobot 0.4.4 and later loads. The folder is built beside its place and renamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.episode import Episode
from reenact.datasets.lerobot.features import BOOKKEEPING, Feature, bookkeeping_features
from reenact.datasets.lerobot.statistics import Statistics, image_statistics, row_statistics, sampled_indices
from reenact.datasets.lerobot.tables import DataFile, write_episodes, write_tasks
from reenact.datasets.lerobot.videos import VideoFiles
from reenact.errors import NoResultError, RecordError
from reenact.records.files import atomic_folder, fsync_path

DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
CHUNKS_SIZE = 1000


@dataclass(frozen=True)
class DatasetConfig:
    """Sizes at which LeRobot starts a new file, and the encoder's settings."""

    data_file_mb: int = 100
    """Roll over to a new parquet file at this size."""
    video_file_mb: int = 200
    """Roll over to a new mp4 at this size."""
    keyframe_every: int = 2
    """GOP length; 2 is LeRobot's choice for random access (5 x the bytes of 30, 2-3 x the speed)."""
    crf: int = 23
    """x264 quality."""


def write_v3(
    folder: Path,
    episodes: Iterable[Episode],
    *,
    robot_type: str | None,
    provenance: dict[str, Any],
    config: DatasetConfig | None = None,
) -> dict[str, Any]:
    """Write all episodes; returns `info.json` as a dictionary.

    `provenance` goes to `meta/reenact.json`: units, frames, joint order, versions, licences, quality.

    Raises:
        NoResultError: there was no episode.
        RecordError: episodes differ in features, frame rate or image size, or hold NaN.
        SetupError: the disk is full or not writable.
    """
    config = config or DatasetConfig()
    with atomic_folder(Path(folder)) as root:
        writer = _Writer(root, config)
        for episode in episodes:
            writer.add(episode)
        info = writer.finish(robot_type)
        _dump(root / "meta" / "reenact.json", provenance)
        (root / "README.md").write_text(_card(info), encoding="utf-8")
        fsync_path(root)
    return info


class _Writer:
    """State while the folder is being filled."""

    def __init__(self, root: Path, config: DatasetConfig) -> None:
        self._root = root
        self._first: Episode | None = None
        self._tasks: dict[str, int] = {}
        self._rows: list[dict[str, Any]] = []
        self._total = 0
        self._pooled: dict[str, list[np.ndarray]] = {}
        self._samples: list[np.ndarray] = []
        self._data = DataFile(root, DATA_PATH, config.data_file_mb, CHUNKS_SIZE)
        self._config = config
        self._videos: VideoFiles | None = None

    def add(self, episode: Episode) -> None:
        """Append one episode."""
        first = self._first = self._first or episode
        _require_alike(first, episode)
        index, length = len(self._rows), episode.length
        task = self._tasks.setdefault(episode.task, len(self._tasks))
        columns = {**episode.columns, **_bookkeeping(length, episode.fps, index, self._total, task)}
        place = self._data.append(all_features(episode), columns)
        stats = {name: row_statistics(columns[name]) for name in columns}
        row: dict[str, Any] = {"episode_index": index, "tasks": [episode.task], "length": length, **place}
        row |= {"dataset_from_index": self._total, "dataset_to_index": self._total + length}
        if episode.frames is not None:
            row |= self._add_video(episode, stats)
        row |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
        self._rows.append(row | _flat(stats))
        for name, values in columns.items():
            self._pooled.setdefault(name, []).append(np.asarray(values).reshape(length, -1))
        self._total += length

    def _add_video(self, episode: Episode, stats: dict[str, Statistics]) -> dict[str, Any]:
        if self._videos is None:
            self._videos = VideoFiles(self._root, VIDEO_PATH, episode, self._config, CHUNKS_SIZE)
        keep = set(sampled_indices(episode.length).tolist())
        place, sampled = self._videos.append(episode, keep)
        stats[episode.camera_key] = image_statistics(sampled)
        self._samples.append(sampled)
        return place

    def finish(self, robot_type: str | None) -> dict[str, Any]:
        """Close the files and write `meta/`."""
        if self._first is None:
            raise NoResultError(
                "a dataset needs at least one episode", hint="every clip failed; see quarantine.jsonl"
            )
        self._data.close()
        features = {f.name: f.info() for f in all_features(self._first)}
        stats = {name: row_statistics(np.concatenate(parts)) for name, parts in self._pooled.items()}
        if self._videos is not None:
            self._videos.close()
            features[self._first.camera_key] = self._videos.info()
            stats[self._first.camera_key] = image_statistics(np.concatenate(self._samples))
        info = _info(
            self._first, features, len(self._rows), self._total, len(self._tasks), robot_type, self._config
        )
        meta = self._root / "meta"
        write_tasks(meta / "tasks.parquet", self._tasks)
        write_episodes(meta / "episodes" / "chunk-000" / "file-000.parquet", self._rows)
        _dump(meta / "info.json", info)
        _dump(
            meta / "stats.json",
            {n: {k: np.asarray(v).tolist() for k, v in s.items()} for n, s in stats.items()},
        )
        return info


def all_features(episode: Episode) -> tuple[Feature, ...]:
    """An episode's own features and the five bookkeeping ones."""
    return (*episode.features, *bookkeeping_features())


def _bookkeeping(length: int, fps: int, episode: int, start: int, task: int) -> dict[str, np.ndarray]:
    frame = np.arange(length)
    values = (frame / fps, frame, np.full(length, episode), start + frame, np.full(length, task))
    return dict(zip(BOOKKEEPING, values, strict=True))


def _require_alike(first: Episode, episode: Episode) -> None:
    for what in ("features", "fps", "camera_key", "image_size_px"):
        if getattr(first, what) != getattr(episode, what):
            raise RecordError(
                f"episode {episode.episode_id!r} differs from {first.episode_id!r} in its {what}",
                hint="all episodes of a dataset share features, rate and image size; set fps and size explicitly",
            )
    if (first.frames is None) != (episode.frames is None):
        raise RecordError(f"episode {episode.episode_id!r}: some episodes have video and some have none")


def _flat(stats: dict[str, Statistics]) -> dict[str, Any]:
    return {f"stats/{name}/{k}": np.asarray(v).tolist() for name, s in stats.items() for k, v in s.items()}


def _info(
    first: Episode,
    features: dict[str, Any],
    episodes: int,
    frames: int,
    tasks: int,
    robot_type: str | None,
    config: DatasetConfig,
) -> dict[str, Any]:
    return {
        "codebase_version": "v3.0",
        "robot_type": robot_type,
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": CHUNKS_SIZE,
        "data_files_size_in_mb": config.data_file_mb,
        "video_files_size_in_mb": config.video_file_mb,
        "fps": first.fps,
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA_PATH,
        "video_path": VIDEO_PATH if first.frames is not None else None,
        "features": features,
    }


def _card(info: dict[str, Any]) -> str:
    head = "---\ntags:\n- LeRobot\n- robotics\nconfigs:\n- config_name: default\n  data_files: data/*/*.parquet\n---\n"
    return (
        f"{head}\n# Made by Reenact\n\nRobot `{info['robot_type']}`, {info['total_episodes']} episodes, "
        f"{info['total_frames']} frames at {info['fps']} Hz, LeRobotDataset {info['codebase_version']}.\n"
        "Units, frames, joint order, sources and licences: `meta/reenact.json`.\n"
    )


def _dump(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, allow_nan=False), encoding="utf-8")

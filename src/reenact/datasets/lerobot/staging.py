"""Exports that survive a kill: episodes are staged one by one beside the target, which then appears at once.

Beside `NAME` lies `.NAME.export/` while an export runs: `parts/000012/` (an episode's rows, one mp4 per camera,
`part.json`; each folder renamed into place when whole), then `built/` (the finished dataset), then `old/` (what stood
under the name before). A killed export leaves the target as it was, or (killed between two renames) nothing and all of
it in `built/`, which the next run puts in its place. A rerun takes over every part whose fingerprint still fits.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.episode import Episode, Footage
from reenact.datasets.lerobot.features import Feature
from reenact.datasets.lerobot.layout import DatasetConfig, read_json, write_json
from reenact.datasets.lerobot.statistics import ImageStatistics, sampled_indices
from reenact.datasets.lerobot.tables import read_columns, write_rows
from reenact.errors import InputError, RecordError
from reenact.records.files import atomic_folder, fsync_path, fsync_tree, named_disk_error


class ExportRunning(InputError):
    """Another process is writing the same dataset."""


@dataclass(frozen=True)
class Part:
    """A staged episode."""

    folder: Path
    episode_id: str
    task: str
    length: int
    fingerprint: str
    facts: dict[str, Any]
    images: dict[str, ImageStatistics]

    def columns(self, features: tuple[Feature, ...]) -> dict[str, np.ndarray]:
        """The episode's rows, by feature."""
        return read_columns(self.folder / "rows.parquet", features)

    def video(self, key: str) -> Path:
        """The episode's mp4 of that camera."""
        return self.folder / f"{key}.mp4"


class Staging:
    """The work folder of one export; get it from `open_staging`."""

    def __init__(self, target: Path, config: DatasetConfig) -> None:
        self.target = target
        self.work = work_folder(target)
        self.built = self.work / "built"
        self._config = config

    def stage(self, episodes: Iterable[Episode]) -> tuple[Episode | None, list[Part]]:
        """Every episode as a part; the first episode stands for what all share. Raises `RecordError`."""
        first: Episode | None = None
        parts: list[Part] = []
        for episode in episodes:
            first = first or episode
            require_alike(first, episode)
            folder = self.work / "parts" / f"{len(parts):06d}"
            mark = fingerprint(episode, self._config)
            if not (folder / "part.json").is_file() or read_json(folder / "part.json")["fingerprint"] != mark:
                (folder / "part.json").unlink(
                    missing_ok=True
                )  # first, so that half a part is never taken for whole
                shutil.rmtree(folder, ignore_errors=True)
                with atomic_folder(folder) as beside:
                    _fill(beside, episode, mark, self._config)
            parts.append(_load(folder))
        return first, parts

    def publish(self) -> None:
        """Give the built dataset the target's name."""
        fsync_tree(self.built)
        if self.target.exists():
            os.replace(self.target, self.work / "old")
        os.replace(self.built, self.target)
        fsync_path(self.target.parent)

    def recover(self) -> None:
        """Finish a publication that was killed between its two renames; drop what no rerun can use."""
        if (self.work / "old").exists() and not self.target.exists():
            os.replace(self.built if self.built.exists() else self.work / "old", self.target)
        for rest in [
            self.built,
            self.work / "old",
            self.work / "spent",
            *(self.work / "parts").glob(".tmp-*"),
        ]:
            shutil.rmtree(rest, ignore_errors=True)

    def drop_parts(self) -> None:
        """Forget the parts at once (renamed first): one that lost half its files must never be taken for whole."""
        if (self.work / "parts").exists():
            os.replace(self.work / "parts", self.work / "spent")
            shutil.rmtree(self.work / "spent", ignore_errors=True)


def work_folder(target: Path) -> Path:
    """Where an export of this target keeps its parts."""
    return target.with_name(f".{target.name}.export")


@contextmanager
def open_staging(target: Path, config: DatasetConfig, *, resume: bool = True) -> Iterator[Staging]:
    """The work folder, held by this process alone, removed after success.

    Without `resume` nothing is taken over from a killed run, and a failed one leaves nothing either.

    Raises:
        ExportRunning: another process holds it.
        SetupError: the disk is full or not writable.
    """
    staging = Staging(Path(target), config)
    try:
        staging.work.mkdir(parents=True, exist_ok=True)
        with (staging.work / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not (staging.work / "lock").exists():  # the other one has just finished and tidied up
                    raise BlockingIOError
            except BlockingIOError as error:
                raise ExportRunning(
                    f"another process is writing {target}", hint="wait for it, or choose another name"
                ) from error
            staging.recover()
            if not resume:
                staging.drop_parts()
            try:
                yield staging
            except BaseException:
                if not resume:
                    shutil.rmtree(staging.work, ignore_errors=True)
                raise
            staging.drop_parts()
            shutil.rmtree(staging.work, ignore_errors=True)
    except OSError as error:
        raise named_disk_error(error, Path(target)) from error


def fingerprint(episode: Episode, config: DatasetConfig) -> str:
    """SHA-256 of an episode's numbers and names and of the encoder's settings; the pictures themselves are not read."""
    digest = hashlib.sha256()
    words = (
        episode.episode_id,
        episode.task,
        episode.fps,
        episode.features,
        json.dumps(episode.facts, sort_keys=True),
    )
    cameras = [(f.key, f.size_px) for f in episode.footage]
    digest.update(repr((words, cameras, config.codec, config.quality, config.keyframe_every)).encode())
    for feature in episode.features:
        values = np.asarray(episode.columns[feature.name])
        plain = values.astype(str) if feature.dtype == "string" else values.astype(feature.dtype)
        digest.update(np.ascontiguousarray(plain).tobytes())
    return digest.hexdigest()


def require_alike(first: Episode, episode: Episode) -> None:
    """Raises `RecordError` when two episodes cannot share a dataset."""
    sizes = [{f.key: f.size_px for f in e.footage} for e in (first, episode)]
    pairs = {
        "features": (first.features, episode.features),
        "fps": (first.fps, episode.fps),
        "image_size_px": tuple(sizes),
    }
    for what, (wanted, found) in pairs.items():
        if wanted != found:
            raise RecordError(
                f"episode {episode.episode_id!r} differs from {first.episode_id!r} in its {what}",
                hint="all episodes of a dataset share features, rate and image size; set fps and size explicitly",
            )
    if episode.length == 0:
        raise RecordError(f"episode {episode.episode_id!r} has no rows")


def _fill(folder: Path, episode: Episode, mark: str, config: DatasetConfig) -> None:
    write_rows(folder / "rows.parquet", episode.features, episode.columns)
    images = {f.key: _write_video(folder / f"{f.key}.mp4", f, episode, config) for f in episode.footage}
    write_json(
        folder / "part.json",
        {
            "episode_id": episode.episode_id,
            "task": episode.task,
            "length": episode.length,
            "fingerprint": mark,
            "facts": episode.facts,
            "images": {key: {"frames": s.frames, "bins": s.bins()} for key, s in images.items()},
        },
    )


def _load(folder: Path) -> Part:
    words = read_json(folder / "part.json")
    images = {k: ImageStatistics.from_bins(**v) for k, v in words.pop("images").items()}
    return Part(folder=folder, images=images, **words)


def _write_video(path: Path, footage: Footage, episode: Episode, config: DatasetConfig) -> ImageStatistics:
    """Copy the coded frames where they are, else encode; returns the statistics of the sampled frames."""
    from reenact.video.writer import VideoWriter

    known = footage.statistics() if footage.statistics is not None else None
    is_copied = footage.coded is not None and footage.coded(path)
    if is_copied and known is not None:
        return known
    stats, wanted = ImageStatistics(), set(sampled_indices(episode.length).tolist())
    count = 0
    if is_copied:
        for i, frame in enumerate(footage.frames()):
            count += 1
            if i in wanted:
                stats.add(frame)
    else:
        width, height = footage.size_px
        if width % 2 or height % 2:
            raise RecordError(f"{footage.key} is {width}x{height} px", hint="video knows even sizes only")
        with VideoWriter(
            path, width, height, episode.fps,
            keyframe_every=config.keyframe_every, crf=config.quality, repeatable=True, codec=config.codec,
        ) as writer:  # fmt: skip
            for i, frame in enumerate(footage.frames()):
                writer.write(frame)
                count += 1
                if i in wanted:
                    stats.add(frame)
    if count != episode.length:
        raise RecordError(
            f"episode {episode.episode_id!r} has {episode.length} rows but {count} frames",
            hint="the source video changed or is damaged",
        )
    return known or stats

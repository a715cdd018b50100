"""`LeRobotFolder`: an existing dataset, v2.1 or v3.0, ours or another's, as the same `Episode` objects we write.

Rows are read one file at a time; videos are cut by packets where a key frame allows, else decoded. Nothing of a
dataset is trusted: what is missing or torn raises a named error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from reenact.datasets.lerobot.episode import Episode, Footage
from reenact.datasets.lerobot.features import BOOKKEEPING, Feature
from reenact.datasets.lerobot.layout import (
    CHUNKS_SIZE,
    DATA_PATH,
    DATA_PATH_21,
    PROVENANCE,
    VIDEO_PATH,
    VIDEO_PATH_21,
    NotADataset,
    read_info,
    read_json,
    read_lines,
)
from reenact.datasets.lerobot.modality import flat_names
from reenact.datasets.lerobot.statistics import ImageStatistics
from reenact.datasets.lerobot.tables import UnreadableTable, read_image_bins, read_table, table_columns
from reenact.errors import ReenactError


@dataclass(frozen=True)
class EpisodeRow:
    """Where one episode lies."""

    index: int
    length: int
    tasks: tuple[str, ...]
    data: Path
    start: int
    """First row in the data file's episode order; rows are found by `episode_index`, this is for checks."""
    videos: dict[str, tuple[Path, int]]
    """Camera -> file and first frame in it."""


class LeRobotFolder:
    """A dataset on disk. Opening reads `meta/` only.

    Raises:
        NotADataset: no info.json, an unknown version, or no table of episodes.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.info = read_info(self.root)
        self.version = str(self.info.get("codebase_version"))
        if self.version not in ("v3.0", "v2.1", "v2.0"):
            raise NotADataset(f"codebase_version is {self.version!r}", hint="v3.0, v2.1 and v2.0 are read")

    @property
    def fps(self) -> int:
        """Frames per second."""
        return round(self.info["fps"])

    @property
    def robot_type(self) -> str | None:
        """As info.json says."""
        robot = self.info.get("robot_type")
        return None if robot is None else str(robot)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """`meta/reenact.json`; empty for datasets of others."""
        path = self.root / PROVENANCE
        return read_json(path) if path.is_file() else {}

    @cached_property
    def cameras(self) -> dict[str, tuple[int, int]]:
        """Video features and their (width, height)."""
        videos = {k: f for k, f in self.info["features"].items() if f["dtype"] in ("video", "image")}
        if pictures := [k for k, f in videos.items() if f["dtype"] == "image"]:
            raise NotADataset(
                f"{', '.join(pictures)}: pictures inside parquet files are not read",
                hint="encode them as video",
            )
        return {k: (int(f["shape"][1]), int(f["shape"][0])) for k, f in videos.items()}

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """The dataset's own columns, without bookkeeping and videos; vectors are flat."""
        found = []
        for name, f in self.info["features"].items():
            if f["dtype"] in ("video", "image") or name in BOOKKEEPING:
                continue
            width = int(np.prod(f["shape"])) if f["shape"] else 1
            names = flat_names(f)
            has_names = f.get("names") is not None and len(names) == width
            feature = (name, f["dtype"], (width,), tuple(names) if has_names else None)
            try:
                found.append(Feature(*feature))
            except ReenactError:
                found.append(Feature(*feature, is_foreign=True))
        return tuple(found)

    @cached_property
    def tasks(self) -> dict[int, str]:
        """Task texts by index."""
        if self.version == "v3.0":
            table = read_table(self.root / "meta" / "tasks.parquet")
            texts = next(n for n in ("task", "__index_level_0__") if n in table.column_names)
            return dict(zip(table["task_index"].to_pylist(), table[texts].to_pylist(), strict=True))
        path = self.root / "meta" / "tasks.jsonl"
        return {row["task_index"]: row["task"] for row in read_lines(path)}

    @cached_property
    def rows(self) -> list[EpisodeRow]:
        """The episodes, in order."""
        return list(self._rows_30() if self.version == "v3.0" else self._rows_21())

    def _rows_30(self) -> Iterator[EpisodeRow]:
        paths = sorted((self.root / "meta" / "episodes").glob("chunk-*/file-*.parquet"))
        if not paths:
            raise NotADataset("meta/episodes is empty", hint="the writer was killed before it finished")
        template = self.info.get("data_path") or DATA_PATH
        videos = self.info.get("video_path") or VIDEO_PATH
        for path in paths:
            table = read_table(path)
            table = table.select([n for n in table.column_names if not n.startswith("stats/")])
            for row in table.to_pylist():
                place = {k: row[f"data/{k}"] for k in ("chunk_index", "file_index")}
                found = {}
                for key in self.cameras:
                    here = {k: row[f"videos/{key}/{k}"] for k in ("chunk_index", "file_index")}
                    first = round(row[f"videos/{key}/from_timestamp"] * self.info["fps"])
                    found[key] = (self.root / videos.format(video_key=key, **here), first)
                yield EpisodeRow(
                    row["episode_index"], row["length"], tuple(row["tasks"]),
                    self.root / template.format(**place), row["dataset_from_index"], found,
                )  # fmt: skip

    def _rows_21(self) -> Iterator[EpisodeRow]:
        path = self.root / "meta" / "episodes.jsonl"
        if not path.is_file():
            raise NotADataset(
                "meta/episodes.jsonl is missing", hint="the writer was killed before it finished"
            )
        template = self.info.get("data_path") or DATA_PATH_21
        videos = self.info.get("video_path") or VIDEO_PATH_21
        chunks = int(self.info.get("chunks_size") or CHUNKS_SIZE)
        start = 0
        for row in read_lines(path):
            i = int(row["episode_index"])
            place = {"episode_index": i, "episode_chunk": i // chunks}
            found = {k: (self.root / videos.format(video_key=k, **place), 0) for k in self.cameras}
            data = self.root / template.format(**place)
            yield EpisodeRow(i, int(row["length"]), tuple(row["tasks"]), data, start, found)
            start += int(row["length"])

    def columns(self, row: EpisodeRow) -> dict[str, np.ndarray]:
        """All stored columns of an episode, [t n]. Raises `UnreadableTable`."""
        columns = _file_columns(row.data)
        index = columns["episode_index"][:, 0]
        first, end = np.searchsorted(index, [row.index, row.index + 1])
        inside: Any = slice(int(first), int(end))
        if (np.diff(index) < 0).any():
            inside = index == row.index
        return {name: values[inside] for name, values in columns.items()}

    def frames(self, row: EpisodeRow, key: str) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """The episode's frames of one camera."""
        return self.chunk_frames(row, key, 0, row.length)

    def chunk_frames(
        self, row: EpisodeRow, key: str, first: int, count: int
    ) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Frames [first, first + count) of an episode, decoding from the key frame before."""
        from reenact.video.sparse import frames_near

        path, offset = row.videos[key]
        reader = _reader(path)
        times = reader.frame_t_ns[offset + first : offset + first + count]
        return (rgb for _, rgb in frames_near(reader, times, max_height=None)) if len(times) else iter(())

    @cached_property
    def _image_bins(self) -> dict[tuple[int, str], ImageStatistics]:
        return read_image_bins(self.root)

    def episode(self, row: EpisodeRow) -> Episode:
        """As it can be written again."""
        columns = self.columns(row)
        known = self.provenance.get("episodes", [])
        facts = dict(known[row.index]) if row.index < len(known) else {"source": self.root.name}
        facts.pop("fingerprint", None)
        if len(row.tasks) > 1:
            facts["all_tasks"] = list(row.tasks)
        task = row.tasks[0] if row.tasks else self.tasks.get(int(columns["task_index"][0, 0]), "")
        footage = tuple(self._footage(row, key, size) for key, size in self.cameras.items())
        name = facts.pop("id", f"{self.root.name}/{row.index:06d}")
        return Episode(
            episode_id=name,
            task=task,
            fps=self.fps,
            features=self.features,
            columns={f.name: columns[f.name] for f in self.features},
            footage=footage,
            facts=facts,
        )

    def episodes(self) -> Iterator[Episode]:
        """All of them, in order."""
        return (self.episode(row) for row in self.rows)

    def _footage(self, row: EpisodeRow, key: str, size: tuple[int, int]) -> Footage:
        def coded(target: Path) -> bool:
            from reenact.video.container import read_index
            from reenact.video.remux import can_cut, cut_file

            path, first = row.videos[key]
            if not can_cut(read_index(path), first, row.length):
                return False
            cut_file(path, first, row.length, target, self.fps)
            return True

        return Footage(
            key,
            size,
            lambda: self.frames(row, key),
            coded=coded,
            statistics=lambda: self._image_bins.get((row.index, key)),
        )


@lru_cache(maxsize=2)
def _cached_columns(path: Path, stamp: int) -> dict[str, np.ndarray]:
    return table_columns(read_table(path))


def _file_columns(path: Path) -> dict[str, np.ndarray]:
    columns = _cached_columns(path, path.stat().st_mtime_ns if path.is_file() else 0)
    if "episode_index" not in columns:
        raise UnreadableTable(f"{path.name} has no column episode_index")
    return columns


@lru_cache(maxsize=16)
def _cached_reader(path: Path, stamp: int) -> Any:
    from reenact.video.reader import VideoReader

    return VideoReader(path, threads=1)


def _reader(path: Path) -> Any:
    return _cached_reader(path, path.stat().st_mtime_ns if path.is_file() else 0)

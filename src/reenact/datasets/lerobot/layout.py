"""Where things lie in the two LeRobot layouts, and the small files of `meta/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reenact.errors import InputError

Version = Literal["v3.0", "v2.1"]
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
DATA_PATH_21 = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
VIDEO_PATH_21 = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-000/file-000.parquet"
CHUNKS_SIZE = 1000
PROVENANCE = "meta/reenact.json"
IMAGE_BINS = "meta/reenact_images.parquet"
"""Histograms of the pictures by episode and camera: with them statistics merge exactly without decoding again."""


@dataclass(frozen=True)
class DatasetConfig:
    """Sizes at which LeRobot starts a new file, and the encoder's settings."""

    data_file_mb: int = 100
    """Roll over to a new parquet file at this size (v3.0)."""
    video_file_mb: int = 200
    """Roll over to a new mp4 at this size (v3.0)."""
    keyframe_every: int = 2
    """GOP length; 2 is LeRobot's choice for random access (5 x the bytes of 30, 2-3 x the speed)."""
    codec: Literal["h264", "av1"] = "h264"
    """h264 plays everywhere; av1 (SVT-AV1) is LeRobot's own default: smaller, slower to write."""
    crf: int | None = None
    """Quality; None takes 23 for x264 and 30 for SVT-AV1."""

    @property
    def quality(self) -> int:
        """The crf in force."""
        return self.crf if self.crf is not None else {"h264": 23, "av1": 30}[self.codec]


class NotADataset(InputError):
    """The folder holds no readable `meta/info.json`."""


def read_info(folder: Path) -> dict[str, Any]:
    """`meta/info.json`; raises `NotADataset` when there is none or it is no JSON object."""
    path = folder / "meta" / "info.json"
    if not path.is_file():
        raise NotADataset(f"no dataset in {folder}", hint="a LeRobot folder holds meta/info.json")
    info = read_json(path)
    if not isinstance(info, dict):
        raise NotADataset(f"{path} holds no JSON object")
    return info


def read_json(path: Path) -> Any:
    """A JSON file; raises `NotADataset` when it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NotADataset(f"{path.name} is not JSON: {error}", hint=f"see {path}") from error


def read_lines(path: Path) -> list[dict[str, Any]]:
    """A file of one JSON object per line; raises `NotADataset` when it is none."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NotADataset(f"{path.name} is not JSON lines: {error}", hint=f"see {path}") from error


def write_json(path: Path, value: Any) -> None:
    """A JSON file; NaN is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, allow_nan=False), encoding="utf-8")


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """One JSON object per line; NaN is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, allow_nan=False) + "\n" for row in rows), encoding="utf-8")

"""Read a LeRobotDataset v3.0 folder back without lerobot and say what is wrong with it, in plain words.

Checks what lerobot's loader relies on (see `__init__`) and what would hurt a trainer. Reads every row and every frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.lerobot.features import BOOKKEEPING
from reenact.errors import InputError, ReenactError

TOLERANCE_S = 1e-4
"""LeRobot's own tolerance between timestamp and frame_index / fps."""


class NotADataset(InputError):
    """The folder holds no `meta/info.json`."""


def validate_v3(folder: Path) -> list[str]:
    """Problems found, worst first; empty when the dataset is sound. Raises `NotADataset`."""
    info = _info(folder)
    if (version := info.get("codebase_version")) != "v3.0":
        return [f"codebase_version is {version!r}; this check knows v3.0"]
    problems = [*_missing_files(folder)]
    if problems:
        return problems
    episodes, tables = _read(folder, info)
    return [
        *_counts(info, episodes, tables),
        *_rows(info, episodes, tables),
        *_videos(folder, info, episodes),
    ]


def _info(folder: Path) -> dict[str, Any]:
    path = folder / "meta" / "info.json"
    if not path.is_file():
        raise NotADataset(f"no dataset in {folder}", hint="a LeRobot folder holds meta/info.json")
    try:
        info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise NotADataset(f"{path} is not JSON: {error}") from error
    return info


def _missing_files(folder: Path) -> Iterator[str]:
    for name in ("meta/stats.json", "meta/tasks.parquet"):
        if not (folder / name).is_file():
            yield f"{name} is missing"
    for kind in ("meta/episodes", "data"):
        if not list((folder / kind).glob("chunk-*/file-*.parquet")):
            yield f"{kind}/chunk-*/file-*.parquet is missing: the writer was killed before it finished"


def _read(folder: Path, info: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Episode rows and all data columns, concatenated over files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def load(kind: str) -> Any:
        return pa.concat_tables(
            [pq.read_table(p) for p in sorted((folder / kind).glob("chunk-*/file-*.parquet"))]
        )

    data = load("data")
    columns = {}
    for name in data.column_names:
        column = data[name].combine_chunks()
        flat = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
        columns[name] = flat.to_numpy(zero_copy_only=False).reshape(len(column), -1)
    return load("meta/episodes").to_pylist(), columns


def _counts(
    info: dict[str, Any], episodes: list[dict[str, Any]], columns: dict[str, np.ndarray]
) -> Iterator[str]:
    rows = len(columns["index"])
    if rows != info["total_frames"]:
        yield f"info.json says {info['total_frames']} frames, data holds {rows}"
    if len(episodes) != info["total_episodes"]:
        yield f"info.json says {info['total_episodes']} episodes, meta/episodes holds {len(episodes)}"
    wanted = {k for k, f in info["features"].items() if f["dtype"] not in ("video", "image")}
    if lacking := sorted(wanted - set(columns)):
        yield f"columns promised in info.json are not in data: {', '.join(lacking)}"
    allowed = ("observation.state", "observation.images.", "action")
    for name in info["features"]:
        if name.startswith(("observation", "action")) and not name.startswith(allowed):
            yield f"column {name} would be fed to the policy; side information needs another prefix"


def _rows(
    info: dict[str, Any], episodes: list[dict[str, Any]], columns: dict[str, np.ndarray]
) -> Iterator[str]:
    for name, values in columns.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            yield f"{name} holds NaN or infinity in {int((~np.isfinite(values)).any(axis=1).sum())} rows"
    if not set(BOOKKEEPING) <= set(columns):
        return
    frame, fps = columns["frame_index"][:, 0], info["fps"]
    drift = np.abs(columns["timestamp"][:, 0] - frame / fps)
    if drift.max(initial=0) > TOLERANCE_S:
        yield f"timestamps leave the {fps} Hz grid by up to {drift.max():.4f} s; lerobot's loader refuses that"
    if (np.diff(columns["index"][:, 0]) != 1).any():
        yield "the running index has gaps"
    start = 0
    for i, episode in enumerate(episodes):
        if episode["episode_index"] != i:
            yield f"row {i} of meta/episodes is episode {episode['episode_index']}; rows are looked up by position"
        span = (episode["dataset_from_index"], episode["dataset_to_index"])
        if span != (start, start + episode["length"]):
            yield f"episode {i} spans {span}, expected {(start, start + episode['length'])}"
        start += episode["length"]


def _videos(folder: Path, info: dict[str, Any], episodes: list[dict[str, Any]]) -> Iterator[str]:
    keys = [k for k, f in info["features"].items() if f["dtype"] == "video"]
    for key in keys:
        wanted: dict[tuple[int, int], int] = {}
        for episode in episodes:
            place = (episode[f"videos/{key}/chunk_index"], episode[f"videos/{key}/file_index"])
            wanted[place] = wanted.get(place, 0) + episode["length"]
        for (chunk, file), frames in wanted.items():
            path = folder / info["video_path"].format(video_key=key, chunk_index=chunk, file_index=file)
            if problem := _video_problem(path, frames, info["features"][key]["shape"], info["fps"]):
                yield problem


def _video_problem(path: Path, frames: int, shape: list[int], fps: float) -> str:
    from reenact.video.reader import VideoReader

    try:
        reader = VideoReader(path)
        count = sum(1 for _ in reader.frames(None))
    except ReenactError as error:
        return f"{path.name}: {error}"
    info = reader.info
    if count != frames:
        return f"{path} holds {count} frames, its episodes need {frames}"
    if [info.height_px, info.width_px] != shape[:2]:
        return f"{path} is {info.width_px}x{info.height_px}, info.json says {shape[1]}x{shape[0]}"
    if frames > 1 and abs(info.nominal_fps_hz - fps) > 0.01:
        return f"{path} plays at {info.nominal_fps_hz:.3f} Hz, info.json says {fps}"
    return ""

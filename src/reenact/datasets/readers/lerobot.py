"""LeRobot datasets v2.1 (one file per episode) and v3.0 (many episodes per file) as robot episodes.

Nothing is translated: LeRobot names no frames, orders or units; what a feature means is in its `names`, on the dataset
card, or in our own `meta/reenact.json`. Names are taken flat (v2.1 sets often nest them once). Times are the
`timestamp` column. Episodes whose data file is absent are skipped only when asked (`missing="skip"`): published
snapshots often lack some, and `info.json` still counts them. Videos are pointed to, not decoded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import Images, Provenance, RobotEpisode
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.licences import LEROBOT

_BOOKKEEPING = ("timestamp", "frame_index", "episode_index", "index", "task_index")


@dataclass(frozen=True)
class LeRobotConfig:
    """What to take."""

    episodes: tuple[int, ...] = ()
    """Episode indices; () takes all."""
    missing: str = "refuse"
    """"skip" or "refuse" episodes whose data file is absent."""


def version_of(path: Path) -> str:
    """`codebase_version`, or "" where the path holds no LeRobot dataset."""
    info = path / "meta" / "info.json"
    if not info.is_file():
        return ""
    try:
        content = json.loads(info.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return ""
    return str(content.get("codebase_version", "")) if isinstance(content, dict) else ""


def sniff_v21(path: Path) -> bool:
    """A folder with `meta/info.json` of version 2.x."""
    return version_of(path) in ("v2.0", "v2.1")


def sniff_v30(path: Path) -> bool:
    """A folder with `meta/info.json` of version 3.0."""
    return version_of(path) == "v3.0"


def read_v21(path: Path, config: LeRobotConfig | None = None) -> Iterator[RobotEpisode]:
    """Episodes in order; raises `DamagedSource` for counts or files that do not agree."""
    import pyarrow.parquet as pq

    config = config or LeRobotConfig()
    info = _info(path)
    tasks = {row["task_index"]: row["task"] for row in _jsonl(path / "meta" / "tasks.jsonl")}
    for row in _jsonl(path / "meta" / "episodes.jsonl"):
        index = int(row["episode_index"])
        if config.episodes and index not in config.episodes:
            continue
        place = {"episode_chunk": index // info["chunks_size"], "episode_index": index}
        file = path / info["data_path"].format(**place)
        if not file.is_file():
            if config.missing == "skip":
                continue
            raise DamagedSource(
                f"episode {index} has no data file", hint='missing="skip" leaves such episodes out'
            )
        cameras = {}
        for key in _videos(info):
            video = path / info["video_path"].format(video_key=key, **place)
            if video.is_file():
                cameras[key] = _images(info, key, str(video.relative_to(path)), 0.0)
        yield _episode(path, info, index, int(row["length"]), _columns(pq.read_table(file)), tasks, cameras)


def read_v30(path: Path, config: LeRobotConfig | None = None) -> Iterator[RobotEpisode]:
    """Episodes in order; raises `DamagedSource` for counts or files that do not agree."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    config = config or LeRobotConfig()
    info = _info(path)
    tasks = _tasks_v30(path)
    files = sorted((path / "meta" / "episodes").glob("chunk-*/file-*.parquet"))
    if not files:
        raise DamagedSource(f"{path.name} has no meta/episodes", hint="the writer did not finish")
    rows = pa.concat_tables([pq.read_table(f) for f in files], promote_options="default").to_pylist()
    held: tuple[Path, dict[str, np.ndarray]] | None = None
    for row in rows:
        index = int(row["episode_index"])
        if config.episodes and index not in config.episodes:
            continue
        file = path / info["data_path"].format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        if not file.is_file():
            if config.missing == "skip":
                continue
            raise DamagedSource(
                f"episode {index} has no data file", hint='missing="skip" leaves such episodes out'
            )
        if held is None or held[0] != file:
            held = (file, _columns(pq.read_table(file)))
        mine = held[1]["episode_index"][:, 0] == index
        columns = {name: values[mine] for name, values in held[1].items()}
        yield _episode(path, info, index, int(row["length"]), columns, tasks, _cameras_v30(path, info, row))


def _cameras_v30(path: Path, info: dict[str, Any], row: dict[str, Any]) -> dict[str, Images]:
    cameras = {}
    for key in _videos(info):
        if row.get(f"videos/{key}/chunk_index") is None:
            continue
        video = info["video_path"].format(
            video_key=key,
            chunk_index=row[f"videos/{key}/chunk_index"],
            file_index=row[f"videos/{key}/file_index"],
        )
        cameras[key] = _images(info, key, video, float(row[f"videos/{key}/from_timestamp"]))
    return cameras


def _episode(
    path: Path,
    info: dict[str, Any],
    index: int,
    length: int,
    columns: dict[str, np.ndarray],
    tasks: dict[int, str],
    cameras: dict[str, Images],
) -> RobotEpisode:
    if len(columns.get("timestamp", ())) != length:
        raise DamagedSource(
            f"episode {index} has {len(columns.get('timestamp', ()))} rows", hint=f"meta/ promises {length}"
        )
    state, action = columns.get("observation.state"), columns.get("action")
    if state is None:
        raise DamagedSource(f"{path.name} has no observation.state", hint="a robot set has one")
    rest = {k: v for k, v in columns.items() if k not in (*_BOOKKEEPING, "observation.state", "action")}
    own = path / "meta" / "reenact.json"
    return RobotEpisode(
        episode_id=f"{path.name}/{index:06d}",
        robot_type=str(info.get("robot_type") or "unknown"),
        t_ns=np.rint(columns["timestamp"][:, 0].astype(np.float64) * 1e9).astype(np.int64),
        fps_hz=float(info["fps"]),
        state_names=_names(info, "observation.state", state.shape[1]),
        state=state.astype(np.float64),
        action_names=_names(info, "action", action.shape[1]) if action is not None else (),
        action=None if action is None else action.astype(np.float64),
        provenance=Provenance(
            format="lerobot",
            source=path.name,
            version=str(info["codebase_version"]),
            licence=LEROBOT,
            unknown=() if own.is_file() else ("units, frames and zero positions of the joints",),
        ),
        task=_task(columns, tasks, index),
        cameras=cameras,
        columns=rest,
    )


def _task(columns: dict[str, np.ndarray], tasks: dict[int, str], index: int) -> str:
    used = np.unique(columns["task_index"]) if "task_index" in columns else np.zeros(0, int)
    absent = [int(i) for i in used if int(i) not in tasks]
    if absent:
        raise DamagedSource(f"episode {index} uses task {absent[0]}, which meta/tasks does not have")
    return "; ".join(tasks[int(i)] for i in used)


def _names(info: dict[str, Any], key: str, width: int) -> tuple[str, ...]:
    """Element names, flattened; numbered where the set names none."""
    names = info["features"].get(key, {}).get("names")
    if isinstance(names, dict):
        names = [n for part in names.values() for n in (part if isinstance(part, list) else [part])]
    while isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
        names = names[0]
    if not names:
        return tuple(f"{key}_{i}" for i in range(width))
    if len(names) != width:
        raise DamagedSource(f"{key} has {width} numbers and {len(names)} names")
    return tuple(map(str, names))


def _columns(table: Any) -> dict[str, np.ndarray]:
    """Numeric columns as [t n] arrays."""
    import pyarrow as pa

    out = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        kind = column.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            if not _numeric(kind.value_type):
                continue
            column = column.flatten()
        elif not _numeric(kind):
            continue
        flat = column.to_numpy(zero_copy_only=False)
        if table.num_rows and len(flat) % table.num_rows:
            raise DamagedSource(f"rows of column {name} differ in length")
        out[name] = flat.reshape(table.num_rows, -1)
    return out


def _numeric(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _videos(info: dict[str, Any]) -> list[str]:
    return [key for key, feature in info["features"].items() if feature["dtype"] == "video"]


def _images(info: dict[str, Any], key: str, path: str, start_s: float) -> Images:
    height, width = info["features"][key]["shape"][:2]
    return Images(path, int(width), int(height), start_s)


def _info(path: Path) -> dict[str, Any]:
    info: dict[str, Any] = json.loads((path / "meta" / "info.json").read_text(encoding="utf-8"))
    for key in ("features", "fps", "data_path"):
        if key not in info:
            raise DamagedSource(f"meta/info.json of {path.name} has no {key!r}")
    return info


def _jsonl(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise DamagedSource(f"{path.name} is missing", hint="v2.1 keeps it in meta/")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _tasks_v30(path: Path) -> dict[int, str]:
    import pyarrow.parquet as pq

    file = path / "meta" / "tasks.parquet"
    if not file.is_file():
        raise DamagedSource(f"meta/tasks.parquet is missing in {path.name}")
    table = pq.read_table(file)
    words = next((n for n in ("task", "__index_level_0__") if n in table.column_names), None)
    if words is None:
        raise DamagedSource(f"meta/tasks.parquet has columns {table.column_names}", hint="task, task_index")
    return dict(zip(table["task_index"].to_pylist(), table[words].to_pylist(), strict=True))

"""Write episodes as a LeRobotDataset v2.1 folder with GR00T's `meta/modality.json`, whole or not at all.

One parquet file and one mp4 per camera and episode. GR00T reads language from an integer column that indexes
`tasks.jsonl`; it is `annotation.human.action.task_description`. Its `stats.json` GR00T computes itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reenact.datasets.lerobot.episode import Episode
from reenact.datasets.lerobot.features import Feature
from reenact.datasets.lerobot.layout import (
    CHUNKS_SIZE,
    DATA_PATH_21,
    VIDEO_PATH_21,
    DatasetConfig,
    write_json,
    write_lines,
)
from reenact.datasets.lerobot.modality import modality, openpi_mapping
from reenact.datasets.lerobot.staging import Part, Staging, open_staging
from reenact.datasets.lerobot.statistics import Statistics
from reenact.datasets.lerobot.tables import write_rows
from reenact.datasets.lerobot.writer_v3 import (
    Totals,
    all_features,
    feature_infos,
    finish_meta,
    part_columns,
    required,
    task_numbers,
)

ANNOTATION = Feature("annotation.human.action.task_description", "int64", (1,))
STATISTICS_21 = ("min", "max", "mean", "std", "count")


def write_v21(
    folder: Path,
    episodes: Iterable[Episode],
    *,
    robot_type: str | None,
    provenance: dict[str, Any],
    config: DatasetConfig | None = None,
    resume: bool = False,
) -> dict[str, Any]:
    """Write all episodes; returns `info.json` as a dictionary. Arguments and errors as `write_v3`."""
    config = config or DatasetConfig()
    with open_staging(Path(folder), config, resume=resume) as staging:
        first, parts = staging.stage(episodes)
        info = build_v21(staging, required(first), parts, robot_type, provenance, config)
        staging.publish()
    return info


def build_v21(
    staging: Staging,
    first: Episode,
    parts: list[Part],
    robot_type: str | None,
    provenance: dict[str, Any],
    config: DatasetConfig,
) -> dict[str, Any]:
    """Assemble staged parts into `staging.built`; returns `info.json`."""
    root, tasks = staging.built, task_numbers(parts)
    features = all_features(first)
    if ANNOTATION not in features:
        features = (*first.features, ANNOTATION, *features[len(first.features) :])
    totals = Totals(features)
    rows: list[dict[str, Any]] = []
    stats_rows: list[dict[str, Any]] = []
    for i, part in enumerate(parts):
        columns = part_columns(first, part, i, totals.frames, tasks[part.task])
        columns[ANNOTATION.name] = columns["task_index"]
        write_rows(root / _place(DATA_PATH_21, i), features, columns)
        for footage in first.footage:
            _link(part.video(footage.key), root / _place(VIDEO_PATH_21, i, footage.key))
        rows.append({"episode_index": i, "tasks": [part.task], "length": part.length})
        stats_rows.append({"episode_index": i, "stats": _five(totals.add(columns, part))})
    write_lines(root / "meta" / "episodes.jsonl", rows)
    write_lines(root / "meta" / "episodes_stats.jsonl", stats_rows)
    write_lines(root / "meta" / "tasks.jsonl", [{"task_index": i, "task": t} for t, i in tasks.items()])
    infos = feature_infos(first, config)
    infos = {f.name: f.info() for f in features} | {f.key: infos[f.key] for f in first.footage}
    info = _info(first, parts, totals.frames, len(tasks), robot_type, infos)
    write_json(root / "meta" / "modality.json", modality(info))
    write_json(root / "meta" / "openpi.json", openpi_mapping(info))
    finish_meta(root, info, totals, parts, provenance)
    return info


def _info(
    first: Episode, parts: list[Part], frames: int, tasks: int, robot: str | None, features: dict[str, Any]
) -> dict[str, Any]:
    return {
        "codebase_version": "v2.1",
        "robot_type": robot,
        "total_episodes": len(parts),
        "total_frames": frames,
        "total_tasks": tasks,
        "total_videos": len(parts) * len(first.footage),
        "total_chunks": -(-len(parts) // CHUNKS_SIZE),
        "chunks_size": CHUNKS_SIZE,
        "fps": first.fps,
        "splits": {"train": f"0:{len(parts)}"},
        "data_path": DATA_PATH_21,
        "video_path": VIDEO_PATH_21 if first.footage else None,
        "features": features,
    }


def _place(template: str, episode: int, key: str = "") -> str:
    return template.format(episode_chunk=episode // CHUNKS_SIZE, episode_index=episode, video_key=key)


def _five(stats: dict[str, Statistics]) -> dict[str, Any]:
    return {n: {k: s[k].tolist() for k in STATISTICS_21} for n, s in stats.items()}


def _link(source: Path, target: Path) -> None:
    """The same bytes under a second name; a copy where the file system knows no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)

"""The mp4 files of a v3.0 dataset: episodes back to back, joined by packets, a new file when one grows past the limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reenact.datasets.lerobot.episode import Footage
from reenact.datasets.lerobot.layout import CHUNKS_SIZE, VIDEO_PATH, DatasetConfig
from reenact.datasets.lerobot.staging import Part


def join_videos(
    root: Path, key: str, parts: list[Part], fps: int, config: DatasetConfig
) -> list[dict[str, Any]]:
    """Write one camera's files; returns each episode's place in them (columns of the episode table)."""
    from reenact.video.remux import coding_of, join_files

    limit = config.video_file_mb * 1_000_000
    groups: list[list[Part]] = []
    size, coding = 0, None
    for part in parts:
        path = part.video(key)
        this = coding_of(path)
        if not groups or size >= limit or this != coding:
            groups.append([])
            size, coding = 0, this
        groups[-1].append(part)
        size += path.stat().st_size
    rows: list[dict[str, Any]] = []
    for count, group in enumerate(groups):
        place = {"chunk_index": count // CHUNKS_SIZE, "file_index": count % CHUNKS_SIZE}
        path = root / VIDEO_PATH.format(video_key=key, **place)
        path.parent.mkdir(parents=True, exist_ok=True)
        join_files([part.video(key) for part in group], path, fps)
        start = 0
        for part in group:
            row = place | {"from_timestamp": start / fps, "to_timestamp": (start + part.length) / fps}
            rows.append({f"videos/{key}/{name}": value for name, value in row.items()})
            start += part.length
    return rows


def video_info(footage: Footage, fps: int, config: DatasetConfig) -> dict[str, Any]:
    """The video feature's entry in `info.json`."""
    width, height = footage.size_px
    return {
        "dtype": "video",
        "shape": [height, width, 3],
        "names": ["height", "width", "channels"],
        "info": {
            "video.height": height,
            "video.width": width,
            "video.codec": config.codec,
            "video.pix_fmt": "yuv420p",
            "video.is_depth_map": False,
            "video.fps": fps,
            "video.channels": 3,
            "has_audio": False,
            "video.g": config.keyframe_every,
            "video.crf": config.quality,
        },
    }

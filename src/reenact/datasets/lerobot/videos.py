"""The mp4 files of a LeRobot dataset: episodes back to back, a new file when one grows past the limit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reenact.datasets.lerobot.episode import Episode
from reenact.errors import RecordError
from reenact.video.writer import VideoWriter

if TYPE_CHECKING:
    from reenact.datasets.lerobot.writer_v3 import DatasetConfig


class VideoFiles:
    """Streams episodes' frames into rolling H.264 files with constant rate."""

    def __init__(
        self, root: Path, template: str, first: Episode, config: DatasetConfig, chunks_size: int
    ) -> None:
        self._root, self._template, self._chunks_size = root, template, chunks_size
        self._key, self._fps, self._size = first.camera_key, first.fps, first.image_size_px
        self._config = config
        self._count = -1
        self._writer: VideoWriter | None = None

    def append(self, episode: Episode, keep: set[int]) -> tuple[dict[str, Any], np.ndarray]:
        """Encode one episode; returns its place in the files and the frames whose index is in `keep`, [n h w 3]."""
        writer = self._current()
        start, kept = writer.frame_count, []
        assert episode.frames is not None
        for i, frame in enumerate(episode.frames()):
            writer.write(frame)
            if i in keep:
                kept.append(frame)
        count = writer.frame_count - start
        if count != episode.length:
            raise RecordError(
                f"episode {episode.episode_id!r} has {episode.length} rows but {count} frames",
                hint="the source video changed or is damaged",
            )
        place: dict[str, Any] = {f"videos/{self._key}/{name}": value for name, value in self._place().items()}
        place[f"videos/{self._key}/from_timestamp"] = start / self._fps
        place[f"videos/{self._key}/to_timestamp"] = (start + count) / self._fps
        return place, np.stack(kept)

    def _current(self) -> VideoWriter:
        if self._writer is not None and self._writer.bytes_written < self._config.video_file_mb * 1_000_000:
            return self._writer
        self.close()
        self._count += 1
        path = self._root / self._template.format(video_key=self._key, **self._place())
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = self._size
        self._writer = VideoWriter(
            path, width, height, self._fps, keyframe_every=self._config.keyframe_every, crf=self._config.crf
        )
        return self._writer

    def _place(self) -> dict[str, int]:
        return {
            "chunk_index": self._count // self._chunks_size,
            "file_index": self._count % self._chunks_size,
        }

    def info(self) -> dict[str, Any]:
        """The video feature's entry in `info.json`."""
        width, height = self._size
        return {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False,
                "video.fps": self._fps,
                "video.channels": 3,
                "has_audio": False,
                "video.g": self._config.keyframe_every,
                "video.crf": self._config.crf,
            },
        }

    def close(self) -> None:
        """Finish the open file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

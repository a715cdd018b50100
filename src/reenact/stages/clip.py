"""Stage `clip`: which frames of the source are the clip, and a small constant-rate copy of it to look at.

In: the video file (or picture folder) and a segment file. Out: the `clip` record and `clip.mp4`, one frame per clip frame.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.errors import InputError, NoResultError
from reenact.geometry.timegrid import TimeGrid
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.scene import Clip
from reenact.video.info import scaled_size
from reenact.video.source import VideoSource, open_video
from reenact.video.writer import VideoWriter

PREVIEW_NAME = "clip.mp4"


@dataclass(frozen=True)
class ClipConfig:
    """Which frames of a source become the clip."""

    max_fps_hz: float = 30.5
    """Sources faster than this are sampled at 30 Hz (nearest frame); all others keep every frame."""
    picture_fps_hz: float | None = None
    """Rate of a folder of pictures whose names are not nanoseconds."""
    preview_height_px: int = 480
    """Height of the small copy used by replay and report."""


@dataclass(frozen=True)
class Segment:
    """A stretch [start_ns, end_ns) of a source; None for its beginning or end. Stored as the source `segment`."""

    clip_id: str
    start_ns: int | None = None
    end_ns: int | None = None

    def write(self, path: Path) -> None:
        """Save as JSON; the same segment gives the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {"clip_id": self.clip_id, "start_ns": self.start_ns, "end_ns": self.end_ns}, sort_keys=True
        )
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

    @staticmethod
    def read(path: Path) -> Segment:
        """Load what `write` saved."""
        return Segment(**json.loads(path.read_text(encoding="utf-8")))


def run(call: StageCall[ClipConfig]) -> None:
    """See the module's docstring."""
    segment = Segment.read(call.inputs["segment"])
    source = open_video(call.inputs["video"], fps_hz=call.config.picture_fps_hz)
    wanted_ns = clip_times(source, segment, call.config)
    info = source.info
    width, height = scaled_size(info.width_px, info.height_px, call.config.preview_height_px)
    fps = preview_fps(wanted_ns)
    seen_ns = []
    with VideoWriter(call.out / PREVIEW_NAME, width, height, fps, keyframe_every=8, crf=20) as writer:
        for frame_ns, rgb in source.frames(call.config.preview_height_px, wanted_ns):
            writer.write(rgb)
            seen_ns.append(frame_ns)
            call.report(len(seen_ns), len(wanted_ns))
    t_ns = np.array(seen_ns, np.int64)
    step = int(np.median(np.diff(t_ns))) if len(t_ns) > 1 else round(1e9 / fps)
    clip = Clip(
        clip_id=segment.clip_id,
        source_name=info.name,
        source_sha256=info.sha256,
        width_px=info.width_px,
        height_px=info.height_px,
        rotation_deg=info.rotation_deg,
        nominal_fps_hz=fps,
        t_ns=t_ns,
        end_ns=int(t_ns[-1]) + step,
        source_frame_idx=np.searchsorted(source.frame_t_ns, t_ns).astype(np.int64),
    )
    save_record(clip, call.out, "clip")


def clip_times(source: VideoSource, segment: Segment, config: ClipConfig) -> np.ndarray:
    """Times of the source's frames that make the clip, int64 [t].

    Raises:
        InputError: the segment ends before it starts.
        NoResultError: fewer than two frames lie in it.
    """
    t_ns = source.frame_t_ns
    start = 0 if segment.start_ns is None else segment.start_ns
    end = int(t_ns[-1]) + 1 if segment.end_ns is None else segment.end_ns
    if end <= start:
        raise InputError(f"segment of {segment.clip_id} ends at {end} ns, before it starts at {start} ns")
    inside = t_ns[(t_ns >= start) & (t_ns < end)]
    if len(inside) < 2:
        raise NoResultError(
            f"{segment.clip_id} has {len(inside)} frame(s) in [{start}, {end}) ns",
            hint=f"a motion needs at least two; the source lasts {source.info.duration_ns * 1e-9:.2f} s",
        )
    if 1e9 / np.median(np.diff(inside)) <= config.max_fps_hz:
        return inside
    grid = TimeGrid.uniform(int(inside[0]), int(inside[-1]) + 1, 30.0)
    return np.unique(inside[TimeGrid(inside).nearest_idx(grid.t_ns)])


def preview_fps(t_ns: np.ndarray) -> float:
    """Median frame rate, to a thousandth."""
    return round(1e9 / float(np.median(np.diff(t_ns))), 3)


def clip_frames(
    clip: Clip, video: Path, config: ClipConfig, max_height_px: int | None
) -> Iterator[tuple[int, np.ndarray]]:
    """The clip's frames from its source, (t_ns, rgb), shrunk to at most that height."""
    return open_video(video, fps_hz=config.picture_fps_hz).frames(max_height_px, clip.t_ns)


def load_clip(folder: Path) -> Clip:
    """The clip record of a finished `clip` artefact."""
    return load_record(Clip, folder, "clip")

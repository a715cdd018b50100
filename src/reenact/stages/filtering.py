"""Stage `filter`: pass 1 over one video. In: the video. Out: `filter.json`: stretches kept or rejected, with reasons.

A glance at a few pictures rules out videos without hands; the rest is scanned once, hands are looked for sparsely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.filtering.config import FilterConfig
from reenact.filtering.glance import GlanceConfig, glance_times, nothing_report, shows_nothing
from reenact.filtering.hands import FindHands, look_for_hands
from reenact.filtering.report import FilterReport
from reenact.filtering.source import filter_source
from reenact.geometry.timegrid import TimeGrid
from reenact.perception.hands.mediapipe_litert import MediaPipeHands, MediaPipeHandsConfig
from reenact.pipeline.stage import StageCall
from reenact.stages.clip import Segment
from reenact.stages.notes import read_json, write_json
from reenact.video.reader import VideoReader
from reenact.video.scan import scan_frames
from reenact.video.sparse import frames_between, frames_near

FILTER_NAME = "filter.json"


@dataclass(frozen=True)
class FilterStageConfig:
    """Which rules, and how pictures reach them."""

    rules: Literal["default", "egoinfinity"] = "default"
    """default: ours, moving cameras flagged; egoinfinity: the published rule set, still cameras only."""
    glance: GlanceConfig = field(default_factory=GlanceConfig)
    """The look at a few pictures that comes first."""
    hands: MediaPipeHandsConfig = field(default_factory=MediaPipeHandsConfig)
    """Finding hands in single pictures."""

    def filter_config(self) -> FilterConfig:
        """The thresholds of the chosen rules."""
        return FilterConfig.egoinfinity() if self.rules == "egoinfinity" else FilterConfig()


def run(call: StageCall[FilterStageConfig]) -> None:
    """See the module's docstring."""
    backend = MediaPipeHands(call.config.hands)

    def find_hands(rgb: np.ndarray) -> np.ndarray:
        found = [hand.landmarks_px for hand in backend.detect_image(rgb)]
        return np.stack(found) if found else np.zeros((0, 21, 2))

    report = filter_video(call.inputs["video"], find_hands, call.config)
    write_json(call.out / FILTER_NAME, report.as_json())


def filter_video(path: Path, find_hands: FindHands, config: FilterStageConfig) -> FilterReport:
    """Pass 1 over a video file; named video errors pass."""
    reader, rules = VideoReader(path), config.filter_config()
    end_ns = reader.index.end_ns
    times = glance_times(end_ns, config.glance)
    tolerance = round(config.glance.tolerance_s * 1e9)
    scale = rules.hands.box_scale
    looks = [
        look_for_hands(t_ns, rgb, find_hands, scale)
        for t_ns, rgb in frames_near(reader, times, tolerance_ns=tolerance)
    ]
    if shows_nothing(looks, config.glance):
        return nothing_report(looks, end_ns, rules)

    def read(start_ns: int, stop_ns: int) -> Iterator[tuple[int, np.ndarray]]:
        return frames_between(reader, start_ns, stop_ns, max_height=rules.small_height_px)

    grid = TimeGrid.uniform(0, end_ns, rules.hands.rate_hz).t_ns
    pictures = scan_frames(
        reader, small_height=rules.small_height_px, large_t_ns=grid, is_draft=config.rules == "default"
    )
    return filter_source(pictures, find_hands, end_ns, rules, read)


def kept_segments(folder: Path, clip_id: str) -> list[Segment]:
    """Clips to make of a filtered video, numbered in order of time."""
    rows = [row for row in read_json(folder / FILTER_NAME)["segments"] if row["is_kept"]]
    return [Segment(f"{clip_id}_{i:03d}", row["start_ns"], row["end_ns"]) for i, row in enumerate(rows)]

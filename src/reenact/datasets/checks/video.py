"""Videos: there, whole, of the promised size and rate, and showing something. Decodes every frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reenact.datasets.checks.finding import Finding, spans
from reenact.datasets.checks.table import Span, Table
from reenact.errors import ReenactError

STEP_PX = 8
"""Brightness is looked at in every eighth pixel."""
DARK = 3.0
FROZEN = 0.02
"""Mean change between frames (0..255) below which nothing is seen to move."""
MOVES = 0.05
"""... while a state number changes by more than this (rad or m)."""


@dataclass
class Seen:
    """What decoding a file gave, per frame."""

    brightness: list[float] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    """(height, width)."""
    sizes: set[tuple[int, int]] = field(default_factory=set)
    rate: float = 0.0
    is_uneven: bool = False


def check_videos(table: Table) -> Iterator[Finding]:
    """Every video file of every camera, each decoded once."""
    for key in table.video_keys:
        files: dict[Path, list[tuple[Span, int]]] = {}
        for span in table.spans:
            if key in span.videos:
                path, first = span.videos[key]
                files.setdefault(path, []).append((span, first))
        sizes: dict[tuple[int, int], str] = {}
        dark: list[int] = []
        frozen: list[int] = []
        for path, inside in files.items():
            name = str(path.relative_to(table.root))
            if not path.is_file():
                yield Finding("video-missing", f"{name} is missing")
                continue
            try:
                seen = look(path)
            except ReenactError as error:
                yield Finding("video-unreadable", f"{name}: {error}")
                continue
            sizes.setdefault(seen.size, name)
            yield from _file(table, key, name, seen, inside)
            dark += [s.index for s, first in inside if _is_dark(seen, first, s.length)]
            frozen += [s.index for s, first in inside if _is_frozen(table, seen, s, first)]
        if len(sizes) > 1:
            words = ", ".join(f"{w}x{h} ({name})" for (h, w), name in sizes.items())
            yield Finding("sizes-mixed", f"{key} has frames of several sizes: {words}")
        if dark:
            yield Finding("dark", f"{key} is black throughout episodes {spans(dark)}", level="warning")
        if frozen:
            yield Finding(
                "frozen",
                f"{key} shows one and the same picture while the robot moves: episodes {spans(frozen)}",
            )


def look(path: Path) -> Seen:
    """Decode a file. Raises the named errors of `reenact.video`."""
    from reenact.video.reader import VideoReader

    reader, seen, last = VideoReader(path, threads=1), Seen(), None
    for _, rgb in reader.frames(None):
        seen.sizes.add(rgb.shape[:2])
        seen.size = rgb.shape[:2]
        small = rgb[::STEP_PX, ::STEP_PX].astype(np.float32)
        seen.brightness.append(float(small.mean()))
        seen.change.append(
            float(np.abs(small - last).mean()) if last is not None and last.shape == small.shape else 0
        )
        last = small
    steps = np.diff(reader.frame_t_ns)
    if len(steps):
        seen.rate = 1e9 / float(steps.mean())
        seen.is_uneven = bool(np.abs(steps - np.median(steps)).max() > 2e6)
    return seen


def _file(table: Table, key: str, name: str, seen: Seen, inside: list[tuple[Span, int]]) -> Iterator[Finding]:
    needed = max(first + span.length for span, first in inside)
    found = len(seen.brightness)
    if found < needed:
        lost = [s.index for s, first in inside if first + s.length > found]
        yield Finding(
            "video-short", f"{name} holds {found} frames, its episodes need {needed} (episodes {spans(lost)})"
        )
    elif found > needed:
        yield Finding(
            "video-long", f"{name} holds {found} frames, its episodes need {needed}", level="warning"
        )
    overlapping = sorted((first, span.length, span.index) for span, first in inside)
    for (first, length, _), (after, _, index) in itertools.pairwise(overlapping):
        if after != first + length:
            yield Finding(
                "video-span", f"{name}: episode {index} begins at frame {after}, expected {first + length}"
            )
    shape = table.features[key]["shape"]
    if len(shape) == 3 and [*seen.size] != list(shape[:2]):
        yield Finding(
            "video-size", f"{name} is {seen.size[1]}x{seen.size[0]}, info.json says {shape[1]}x{shape[0]}"
        )
    if len(seen.sizes) > 1:
        yield Finding("sizes-mixed", f"{name} changes its size: {sorted(seen.sizes)}")
    if found > 1 and table.fps and abs(seen.rate - table.fps) > 0.01 * table.fps:
        yield Finding("video-rate", f"{name} plays at {seen.rate:.3f} Hz, info.json says {table.fps:g}")
    elif seen.is_uneven:
        yield Finding(
            "video-uneven", f"{name} has frames of unequal duration; lerobot looks frames up by time"
        )


def _is_dark(seen: Seen, first: int, length: int) -> bool:
    part = seen.brightness[first : first + length]
    return bool(part) and max(part) < DARK


def _is_frozen(table: Table, seen: Seen, span: Span, first: int) -> bool:
    part = seen.change[first + 1 : first + span.length]
    state, index = table.columns.get("observation.state"), table.flat("episode_index")
    if state is None or index is None or not part or max(part) > FROZEN:
        return False
    rows = state[index == span.index]
    return bool(len(rows) and np.isfinite(rows).all() and np.ptp(rows, axis=0).max() > MOVES)

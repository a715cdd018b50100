"""Pass 1 over one video, in one pass over its pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from jaxtyping import UInt8

from reenact.filtering.camera import CameraConfig, CameraWatch
from reenact.filtering.config import FilterConfig
from reenact.filtering.cuts import Cut, CutConfig, CutFinder, ReadFrames
from reenact.filtering.dissolves import DissolveFinder
from reenact.filtering.hands import FindHands, HandLook, look_for_hands
from reenact.filtering.judge import Judge
from reenact.filtering.pictures import Look, Picture, picture_of
from reenact.filtering.published import BackgroundFlow, SceneScoreCuts
from reenact.filtering.report import FilterReport

LAG_S = 1.0
"""The camera is watched this much behind, when the cuts up to then are known."""
RECENT_CUTS = 32
"""More than fit into that time."""


def filter_source(
    looks: Iterable[Look],
    find_hands: FindHands,
    duration_ns: int,
    config: FilterConfig | None = None,
    read_frames: ReadFrames | None = None,
) -> FilterReport:
    """Kept and rejected stretches of one video. Memory does not grow with its length but for the numbers.

    Args:
        looks: pictures in order, at 8 Hz or more, ``config.small_height_px`` rows or so; large ones at
            ``config.hands.rate_hz`` (``reenact.video.scan.scan_frames`` gives such).
        find_hands: landmarks of all hands of one large picture.
        duration_ns: end of the video.
        config: the rules; ``FilterConfig()`` by default.
        read_frames: all frames between two instants, to place a cut on the very frame; costs decoding per cut.
    """
    config = config or FilterConfig()
    watch = _Watch(config, read_frames)
    hands: list[HandLook] = []
    for look in looks:
        watch.add(picture_of(look.t_ns, look.small), look.small)
        if look.large is not None:
            hands.append(look_for_hands(look.t_ns, look.large, find_hands, config.hands.box_scale))
    cuts = watch.finish(duration_ns)
    segments = Judge(config, duration_ns, hands, watch.camera.looks).segments(cuts)
    return FilterReport(config_name=config.name, duration_ns=duration_ns, cuts=tuple(cuts), segments=segments)


class _Watch:
    """Cuts and camera together: the camera must not be compared across a cut."""

    def __init__(self, config: FilterConfig, read_frames: ReadFrames | None) -> None:
        structure = isinstance(config.cuts, CutConfig)
        self._hard = CutFinder(config.cuts, read_frames) if structure else SceneScoreCuts(config.cuts)  # type: ignore[arg-type]
        self._dissolves = DissolveFinder(config.dissolves) if config.dissolves else None
        blocks = isinstance(config.camera, CameraConfig)
        self.camera = CameraWatch(config.camera) if blocks else BackgroundFlow(config.camera)  # type: ignore[arg-type]
        self._waiting: deque[tuple[Picture, UInt8[np.ndarray, "h w 3"]]] = deque()
        self._applied_ns = -1

    def add(self, picture: Picture, rgb: UInt8[np.ndarray, "h w 3"]) -> None:
        """The next picture."""
        self._hard.add(picture)
        if self._dissolves is not None:
            self._dissolves.add(picture)
        self._waiting.append((picture, rgb))
        self._watch_camera(picture.t_ns - round(LAG_S * 1e9))

    def finish(self, end_ns: int) -> list[Cut]:
        """All cuts in order; hard ones within a dissolve are part of it."""
        self._hard.finish(end_ns)
        self._watch_camera(end_ns)
        return self._cuts()

    def _cuts(self, last: int | None = None) -> list[Cut]:
        """All cuts in order, or about the last so many."""
        since = 0 if last is None else -last
        soft = self._dissolves.cuts[since:] if self._dissolves is not None else []
        hard = [
            c for c in self._hard.cuts[since:] if not any(d.start_ns <= c.start_ns < d.end_ns for d in soft)
        ]
        return sorted([*hard, *soft], key=lambda cut: (cut.start_ns, cut.end_ns))

    def _watch_camera(self, until_ns: int) -> None:
        if not self._waiting or self._waiting[0][0].t_ns > until_ns:
            return
        cuts = self._cuts(last=RECENT_CUTS)
        while self._waiting and self._waiting[0][0].t_ns <= until_ns:
            picture, rgb = self._waiting.popleft()
            latest = max((cut.start_ns for cut in cuts if cut.start_ns <= picture.t_ns), default=-1)
            if latest > self._applied_ns:
                self._applied_ns = latest
                self.camera.new_shot()
            if not any(cut.start_ns <= picture.t_ns < cut.end_ns for cut in cuts):
                self.camera.add(picture, rgb)

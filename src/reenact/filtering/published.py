"""Two published measures, for comparison: ffmpeg's scene score and EgoInfinity's background flow."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from reenact.filtering.camera import MOVING, STILL, UNKNOWN, CameraLook, CameraVerdict
from reenact.filtering.cuts import HARD, Cut
from reenact.filtering.pictures import Picture


@dataclass(frozen=True)
class SceneScoreConfig:
    """ffmpeg's ``select='gt(scene,T)'``: min(m, |m - previous m|) / 100, m the mean absolute difference of 255."""

    threshold: float = 0.4
    """Score above which there is a cut."""


class SceneScoreCuts:
    """Takes pictures in order. Works on luma at 72 rows, ffmpeg on all channels at full size: nearly the same mean."""

    def __init__(self, config: SceneScoreConfig) -> None:
        self.config = config
        self.cuts: list[Cut] = []
        self._last: Picture | None = None
        self._last_difference = 0.0

    def add(self, picture: Picture) -> None:
        """The next picture."""
        if self._last is not None:
            difference = float(cv2.absdiff(picture.grey, self._last.grey).mean())
            score = min(difference, abs(difference - self._last_difference)) / 100.0
            if score > self.config.threshold:
                t_ns = picture.t_ns
                self.cuts.append(Cut(start_ns=t_ns, end_ns=t_ns, kind=HARD, change=min(1.0, score)))
            self._last_difference = difference
        self._last = picture

    def finish(self, end_ns: int) -> list[Cut]:
        """All cuts, in order."""
        return self.cuts


@dataclass(frozen=True)
class BackgroundFlowConfig:
    """EgoInfinity's: Farneback flow, medians over a grid of cells, a low percentile of the cells, median over pairs."""

    gap_s: float = 0.1
    """Time between the two pictures of a pair."""
    every_s: float = 0.5
    """Pause between pairs (theirs: three pairs per segment)."""
    cells: int = 4
    """Cells each way."""
    percentile: float = 20.0
    """Of the cells."""
    still_below: float = 2.0 / 360 / 0.1
    """Heights per second."""
    height_px: int = 360
    """Rows at which the flow is taken; larger pictures are shrunk, smaller ones taken as they are."""


class BackgroundFlow:
    """Takes the pictures of a video in order; the same interface as ``camera.CameraWatch``."""

    def __init__(self, config: BackgroundFlowConfig) -> None:
        self.config = config
        self.looks: list[CameraLook] = []
        self._recent: deque[tuple[int, np.ndarray]] = deque()
        self._next_ns = 0

    def new_shot(self) -> None:
        """Forget what was seen."""
        self._recent.clear()

    def add(self, picture: Picture, rgb: UInt8[np.ndarray, "h w 3"]) -> None:
        """The next picture, small and as it came."""
        gap_ns, t_ns = round(self.config.gap_s * 1e9), picture.t_ns
        if t_ns < self._next_ns - 1.6 * gap_ns:
            return
        grey = self._grey(rgb)
        while self._recent and self._recent[0][0] < t_ns - 1.6 * gap_ns:
            self._recent.popleft()
        before = next((pair for pair in self._recent if pair[0] <= t_ns - 0.6 * gap_ns), None)
        if before is not None and t_ns >= self._next_ns:
            self._next_ns = t_ns + round(self.config.every_s * 1e9)
            rate = self._flow_heights(before[1], grey) / ((t_ns - before[0]) / 1e9)
            self.looks.append(CameraLook(t_ns=t_ns, heights_per_s=rate, wander_heights=None))
        self._recent.append((t_ns, grey))

    def _grey(self, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h2 w2"]:
        height, width = rgb.shape[:2]
        if height > self.config.height_px:
            size = (round(width * self.config.height_px / height), self.config.height_px)
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)

    def _flow_heights(self, before: UInt8[np.ndarray, "h w"], now: UInt8[np.ndarray, "h w"]) -> float:
        flow = cv2.calcOpticalFlowFarneback(
            before, now, np.zeros((*now.shape, 2), np.float32), 0.5, 3, 15, 3, 5, 1.2, 0
        )
        lengths, n = np.hypot(flow[..., 0], flow[..., 1]), self.config.cells
        height, width = lengths.shape[0] // n, lengths.shape[1] // n
        cells = lengths[: n * height, : n * width].reshape(n, height, n, width)
        return float(np.percentile(np.median(cells, axis=(1, 3)), self.config.percentile)) / len(now)


def flow_verdict(looks: list[CameraLook], config: BackgroundFlowConfig) -> CameraVerdict:
    """Median over pairs against the threshold."""
    rates = [look.heights_per_s for look in looks if look.heights_per_s is not None]
    rate = float(np.median(rates)) if rates else None
    motion = UNKNOWN if rate is None else STILL if rate <= config.still_below else MOVING
    return CameraVerdict(
        motion=motion, heights_per_s=rate, wander_heights=None, lost_ratio=0.0, looks=len(looks)
    )

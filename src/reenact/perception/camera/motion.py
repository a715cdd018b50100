"""Does the camera stand still? Corner tracks between frames a fixed time apart, the tracks of the
dominant homography, their displacement in image heights per second: free of resolution and of frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from reenact.perception.pictures.follow import there_and_back

NS_PER_S = 1e9
_WINDOW_PX, _LEVELS = 21, 4


@dataclass(frozen=True)
class MotionConfig:
    """Thresholds in image heights and seconds."""

    gap_s: float = 0.2
    """Time between the two frames of a pair (the first frame there is after that)."""
    max_gap_s: float = 1.0
    """Pairs further apart are not used: nothing is tracked across a cut or a hole."""
    max_pairs: int = 60
    """Pairs looked at in a clip whose length is known; longer clips are looked at with pauses between pairs."""
    still_below: float = 0.02
    """Median rate of a still camera, image heights per second. Measured at 0.2 s: still 0.0001-0.0006, a swaying
    robot head 0.007, a slow wrist camera 0.009, walking and head cameras 0.11-0.42. (The often used 1.5 px a frame
    at 480 rows and 30 Hz is 0.094, too coarse for slow hands.)"""
    wander_below: float = 0.015
    """90th percentile of the displacement against the first frame, image heights, that counts as standing still:
    about 0.8 deg at 55 deg of vertical view. Measured: still 0.0001-0.003, robot head 0.010, slow wrist 0.2."""
    resting: float = 0.003
    """Corners that are nearer than this to where they were in the first frame, image heights, rest."""
    resting_share: float = 0.3
    """Share of resting corners that is proof of a camera in its place, whatever most corners do: a crate lifted before a
    still camera may own most of them."""
    wander_quantile: float = 0.9
    """Quantile of that displacement; not the largest, for a hand before the lens may spoil single looks."""
    working_height_px: int = 360
    """All frames are brought to this height, so that noise in image heights does not depend on the video."""
    corners_per_cell: int = 12
    """Corners kept in each of 4 x 6 cells: a person moving before the camera must not own them all."""
    max_roundtrip_px: float = 0.5
    """Forward-backward error at the working height above which a track is dropped."""
    min_tracks: int = 15
    """Tracks needed for a homography; with fewer the pair says nothing."""
    inlier_px: float = 2.0
    """MAGSAC's largest noise scale at the working height."""


@dataclass(frozen=True)
class MotionVerdict:
    """What the pairs said."""

    motion: str
    """"still", "moving" or "unknown"."""
    heights_per_s: float
    """Median rate over the pairs; 0 where unknown."""
    wander_heights: float
    """Displacement against the first frame at the configured quantile; 0 where unknown."""
    pairs: int
    """Pairs that could be judged."""
    lost: int
    """Pairs with corners but too few tracks (blur, a cut, fast motion)."""
    reason: str
    """One sentence with the numbers that decided."""


class MotionMeter:
    """Takes frames one at a time in order; keeps three small pictures and the numbers."""

    def __init__(self, config: MotionConfig | None = None, duration_s: float = 0.0) -> None:
        """``duration_s``: length of the clip, for pauses that keep to ``max_pairs``; 0 takes every pair."""
        self.config = c = config or MotionConfig()
        self._pause_ns = max(0.0, duration_s / c.max_pairs - c.gap_s) * NS_PER_S
        self._first: np.ndarray | None = None
        self._reference: tuple[int, np.ndarray] | None = None
        self._resume_ns = 0.0
        self._rates: list[float] = []
        self._wander: list[float] = []
        self._lost = 0
        self._blank = 0

    def add(self, t_ns: int, rgb: UInt8[np.ndarray, "h w 3"]) -> None:
        """Look at one frame; frames that no pair needs are skipped unseen."""
        if self._reference is None:
            if self._first is None or t_ns >= self._resume_ns:
                self._start(t_ns, self._working(rgb))
            return
        gap_s = (t_ns - self._reference[0]) / NS_PER_S
        if gap_s < 0.95 * self.config.gap_s:
            return
        grey = self._working(rgb)
        if gap_s <= self.config.max_gap_s:
            self._judge(gap_s, self._reference[1], grey)
        if self._pause_ns > 0:
            self._reference, self._resume_ns = None, t_ns + self._pause_ns
        else:
            self._start(t_ns, grey)

    def _start(self, t_ns: int, grey: np.ndarray) -> None:
        self._first = grey if self._first is None else self._first
        self._reference = (t_ns, grey)

    def _judge(self, gap_s: float, before: np.ndarray, now: np.ndarray) -> None:
        moved = displacement(before, now, self.config)
        if moved is None:
            self._blank += 1
            return
        if not np.isfinite(moved):
            self._lost += 1
            return
        self._rates.append(moved / gap_s)
        if self._first is not None and len(self._rates) % 2 == 1:
            since_first = displacement(self._first, now, self.config, rest_counts=True)
            if since_first is not None and np.isfinite(since_first):
                self._wander.append(since_first)

    def _working(self, rgb: np.ndarray) -> np.ndarray:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        height = self.config.working_height_px
        width = max(1, round(grey.shape[1] * height / grey.shape[0]))
        shrinks = height <= grey.shape[0]
        return cv2.resize(
            grey, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )

    def verdict(self) -> MotionVerdict:
        """The decision over all pairs so far."""
        c, judged = self.config, len(self._rates)
        if judged + self._lost == 0:
            reason = f"no pair of frames with enough corners ({self._blank} without texture)"
            return MotionVerdict("unknown", 0.0, 0.0, 0, 0, reason)
        rate = float(np.median(self._rates)) if judged else 0.0
        wander = float(np.quantile(self._wander, c.wander_quantile)) if self._wander else 0.0
        if self._lost > judged:
            motion, why = "moving", f"tracks lost in {self._lost} pairs (fast, blurred or cut)"
        elif rate < c.still_below and wander < c.wander_below:
            motion, why = "still", f"below {c.still_below} and {c.wander_below}"
        else:
            motion, why = "moving", f"a still camera stays below {c.still_below} and {c.wander_below}"
        numbers = f"{judged} pairs: {rate:.4f} heights/s, {wander:.4f} heights from the first frame"
        return MotionVerdict(motion, rate, wander, judged, self._lost, f"{numbers}; {why}")


def measure_motion(
    frames: Iterable[tuple[int, UInt8[np.ndarray, "h w 3"]]], config: MotionConfig | None = None
) -> MotionVerdict:
    """Still or moving, from (t_ns, RGB) frames in order at any rate of 1 Hz or more."""
    meter = MotionMeter(config)
    for t_ns, rgb in frames:
        meter.add(t_ns, rgb)
    return meter.verdict()


def displacement(
    before: UInt8[np.ndarray, "h w"],
    now: UInt8[np.ndarray, "h w"],
    config: MotionConfig,
    *,
    rest_counts: bool = False,
) -> float | None:
    """Median distance that the tracks of the dominant homography moved, in image heights.

    ``rest_counts``: 0 if a share of the corners rests. Only between frames far apart: in between, slow cameras rest too.
    None: too few corners to track. Infinity: corners there were, but their tracks or the homography failed.
    """
    start = _spread_corners(before, config)
    if len(start) < config.min_tracks:
        return None
    a, b = _tracks(before, now, start, config)
    if len(a) < config.min_tracks:
        return float("inf")
    rest = np.linalg.norm(b - a, axis=-1) < config.resting * before.shape[0]
    if rest_counts and rest.mean() >= config.resting_share:
        return float(np.median(np.linalg.norm(b - a, axis=-1)[rest]) / before.shape[0])
    H, kept = cv2.findHomography(a, b, cv2.USAC_MAGSAC, config.inlier_px, maxIters=2000, confidence=0.999)
    inliers = np.zeros(len(a), dtype=bool) if H is None else kept[:, 0] == 1
    if inliers.sum() < config.min_tracks:
        return float("inf")
    return float(np.median(np.linalg.norm(b - a, axis=-1)[inliers]) / before.shape[0])


def _spread_corners(grey: np.ndarray, config: MotionConfig) -> Float64[np.ndarray, "n 2"]:
    """Good corners, at most so many per cell, strongest first."""
    found = cv2.goodFeaturesToTrack(grey, 1000, 0.005, 5)
    if found is None:
        return np.zeros((0, 2))
    points = found[:, 0]
    cell = (points[:, 1] * 4 // grey.shape[0]).astype(int) * 6 + (points[:, 0] * 6 // grey.shape[1]).astype(
        int
    )
    kept = [np.flatnonzero(cell == k)[: config.corners_per_cell] for k in range(24)]
    return points[np.sort(np.concatenate(kept))].astype(np.float64)


def _tracks(
    before: np.ndarray, now: np.ndarray, start: np.ndarray, config: MotionConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Matched points that a forward and a backward pass agree on."""
    a = start.astype(np.float32)
    b, ok, off = there_and_back(before, now, a, _WINDOW_PX, _LEVELS)
    good = ok & (off < config.max_roundtrip_px)
    return a[good].astype(np.float64), b[good].astype(np.float64)

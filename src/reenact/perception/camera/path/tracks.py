"""Corners followed through a clip, each against its own picture in the last keyframe so that it does not slide.

In: grey pictures one at a time, each with where its hands are. Out: `CornerTracks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from reenact.perception.camera.path.blocked import HandPixels
from reenact.perception.camera.path.config import TracksConfig
from reenact.perception.pictures.follow import follow

_WINDOW_PX = 21
_MARGIN_PX = 3
_APART_PX = 8
_DISAGREE_PX = 4.0
_STRUCTURE_PX = 15


@dataclass(frozen=True, eq=False)
class CornerTracks:
    """Every sighting of every track, sorted by track and then by frame."""

    track: Int64[np.ndarray, " n"]
    frame: Int64[np.ndarray, " n"]
    """Index into the pictures that were given."""
    xy_px: Float64[np.ndarray, "n 2"]
    """Integer pixel centres of the working picture."""
    keyframes: tuple[int, ...]
    """Frames in which new corners were taken; the first picture is one."""
    frames: int
    """Pictures given."""

    def seen_in(self, frame: int) -> Int64[np.ndarray, " k"]:
        """Rows of one frame, by rising track."""
        return np.flatnonzero(self.frame == frame)

    def only(self, kept: Bool[np.ndarray, " m"]) -> CornerTracks:
        """Tracks whose number is kept; ``m`` is any number above the largest track."""
        rows = kept[self.track]
        return CornerTracks(self.track[rows], self.frame[rows], self.xy_px[rows], self.keyframes, self.frames)


class CornerFollower:
    """Takes pictures in order; keeps two of them."""

    def __init__(self, config: TracksConfig | None = None) -> None:
        self.config = config or TracksConfig()
        self._ids = np.zeros(0, dtype=np.int64)
        self._anchor = np.zeros((0, 2), dtype=np.float32)
        self._now = np.zeros((0, 2), dtype=np.float32)
        self._reference: np.ndarray | None = None
        self._before: np.ndarray | None = None
        self._since_s = self._last_s = 0.0
        self._near_s: dict[int, float] = {}
        self._alive_at_start = 0
        self._count = 0
        self._frame = -1
        self._keyframes: list[int] = []
        self._seen: list[tuple[np.ndarray, int, np.ndarray]] = []

    def add(self, grey: UInt8[np.ndarray, "h w"], hands: HandPixels, t_s: float) -> bool:
        """Follow into the next picture; take new corners when few are left or much has moved. Returns whether it did."""
        self._frame += 1
        if self._before is None:
            self._new_keyframe(grey, hands.covered, t_s)
            self._last_s = t_s
            return True
        if len(self._ids):
            self._follow(grey, hands.covered)
        self._before = grey
        self._count_near(hands.near, t_s)
        if self._wants_keyframe(grey.shape[1], t_s):
            self._new_keyframe(grey, hands.covered, t_s)
            return True
        self._seen.append((self._ids, self._frame, self._now))
        return False

    def result(self) -> CornerTracks:
        """All sightings so far; tracks seen once, or long around a hand, are left out."""
        ids = np.concatenate([i for i, _, _ in self._seen]) if self._seen else np.zeros(0, np.int64)
        frames = np.concatenate([np.full(len(i), f) for i, f, _ in self._seen]) if self._seen else ids
        xy = np.concatenate([x for _, _, x in self._seen]) if self._seen else np.zeros((0, 2))
        room = np.bincount(ids, minlength=self._count) > 1
        room[[track for track, near_s in self._near_s.items() if near_s > self.config.near_s]] = False
        ids, frames, xy = ids[room[ids]], frames[room[ids]], xy[room[ids]]
        order = np.lexsort((frames, ids))
        return CornerTracks(
            ids[order].astype(np.int64),
            frames[order].astype(np.int64),
            xy[order].astype(np.float64),
            tuple(self._keyframes),
            self._frame + 1,
        )

    def _count_near(self, near: np.ndarray, t_s: float) -> None:
        """Add the time since the last picture to every track that is around a hand."""
        at = self._now.round().astype(int)
        for track in self._ids[near[at[:, 1], at[:, 0]]]:
            self._near_s[int(track)] = self._near_s.get(int(track), 0.0) + t_s - self._last_s
        self._last_s = t_s

    def _wants_keyframe(self, width_px: int, t_s: float) -> bool:
        c = self.config
        few = len(self._ids) < c.keyframe_share * self._alive_at_start
        late = t_s - self._since_s >= c.keyframe_s
        if few or late or not len(self._ids):
            return True
        moved = np.median(np.linalg.norm(self._now - self._anchor, axis=-1))
        return bool(moved > c.keyframe_motion * width_px)

    def _follow(self, grey: np.ndarray, blocked: np.ndarray) -> None:
        """Into this picture from the one before, then against the last keyframe, and back."""
        assert self._before is not None
        assert self._reference is not None
        guess, ok = follow(self._before, grey, self._now, _WINDOW_PX, 3)
        found, ok2 = follow(self._reference, grey, self._anchor, _WINDOW_PX, 1, guess)
        back, ok3 = follow(grey, self._reference, found, _WINDOW_PX, 1, self._anchor)
        good = ok & ok2 & ok3
        good &= np.linalg.norm(back - self._anchor, axis=-1) < self.config.roundtrip_px
        good &= np.linalg.norm(found - guess, axis=-1) < _DISAGREE_PX
        h, w = grey.shape
        good &= (found >= _MARGIN_PX).all(axis=-1) & (found < np.array([w, h]) - _MARGIN_PX).all(axis=-1)
        at = np.clip(found.round().astype(int), 0, [w - 1, h - 1])
        good &= ~blocked[at[:, 1], at[:, 0]]
        self._ids, self._anchor, self._now = self._ids[good], self._anchor[good], found[good]

    def _new_keyframe(self, grey: np.ndarray, blocked: np.ndarray, t_s: float) -> None:
        new = _corners(grey, blocked, self._now, self.config)
        fresh = np.arange(self._count, self._count + len(new))
        self._count += len(new)
        self._ids = np.concatenate([self._ids, fresh])
        self._now = np.concatenate([self._now, new]).astype(np.float32)
        self._anchor = self._now.copy()
        self._reference = self._before = grey
        self._since_s, self._alive_at_start = t_s, len(self._ids)
        self._keyframes.append(self._frame)
        self._seen.append((self._ids, self._frame, self._now))


def _corners(
    grey: np.ndarray, blocked: np.ndarray, have: np.ndarray, config: TracksConfig
) -> Float32[np.ndarray, "n 2"]:
    """Corners away from those there are, strongest first, at most so many per cell, none of them a mere edge."""
    h, w = grey.shape
    free = np.where(blocked, 0, 255).astype(np.uint8)
    for x, y in have:
        cv2.circle(free, (round(float(x)), round(float(y))), _APART_PX, 0, -1)
    found = cv2.goodFeaturesToTrack(grey, 3000, config.corner_quality, 6, mask=free)
    if found is None:
        return np.zeros((0, 2), dtype=np.float32)
    found = cv2.cornerSubPix(grey, found, (3, 3), (-1, -1), (3, 20, 0.03))[:, 0]
    inside = (found >= 2).all(axis=-1) & (found < np.array([w, h]) - 2).all(axis=-1)
    found = found[inside]
    small, large = _structure(grey)
    x, y = found.round().astype(int).T
    corner = (small[y, x] >= config.corner_strength) & (small[y, x] >= config.corner_ratio * large[y, x])
    found = found[corner & ~blocked[y, x]]
    side = max(config.cell * h, 1.0)
    columns = int(w / side) + 1
    room = np.full(columns * (int(h / side) + 1), config.per_cell)
    np.subtract.at(room, _cell(have, side, columns), 1)
    kept = []
    for point, cell in zip(found, _cell(found, side, columns), strict=True):
        if room[cell] > 0:
            room[cell] -= 1
            kept.append(point)
    return np.array(kept, dtype=np.float32).reshape(-1, 2)


def _cell(points: np.ndarray, side: float, columns: int) -> np.ndarray:
    index = (points / side).astype(int)
    return np.asarray(index[:, 1] * columns + index[:, 0])


def _structure(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smaller and larger eigenvalue of the structure tensor summed over a window, per pixel."""
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(grey, cv2.CV_32F, 0, 1) / 8
    window = (_STRUCTURE_PX, _STRUCTURE_PX)
    xx, xy, yy = (cv2.boxFilter(p, -1, window, normalize=False) for p in (gx * gx, gx * gy, gy * gy))
    middle, spread = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return middle - spread, middle + spread

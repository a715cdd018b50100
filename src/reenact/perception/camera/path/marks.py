"""Marks of keyframes recognised in other keyframes, near or far in time: what ties a path together where tracks end.

In: keyframe pictures with where their hands are. Out: `CornerTracks` like those of followed corners, seen in keyframes
only. SIFT (Lowe, IJCV 2004) by ``cv2``; pairs are checked by an essential matrix before they are chained.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from reenact.perception.camera.path.blocked import HandPixels
from reenact.perception.camera.path.config import MarksConfig
from reenact.perception.camera.path.tracks import CornerTracks


@dataclass(eq=False)
class KeyframeMarks:
    """Takes keyframe pictures; keeps their marks."""

    config: MarksConfig = field(default_factory=MarksConfig)
    frames: list[int] = field(default_factory=list)
    xy_px: list[Float64[np.ndarray, "n 2"]] = field(default_factory=list)
    looks: list[Float32[np.ndarray, "n 128"]] = field(default_factory=list)

    def add(self, frame: int, grey: UInt8[np.ndarray, "h w"], hands: HandPixels) -> None:
        """Marks of one keyframe, none on or around hands: a held thing is no room."""
        sift = cv2.SIFT.create(nfeatures=self.config.per_picture, contrastThreshold=self.config.contrast)
        free = np.where(hands.covered | hands.near, 0, 255).astype(np.uint8)
        points, looks = sift.detectAndCompute(grey, free)
        self.frames.append(frame)
        self.xy_px.append(np.array([p.pt for p in points], dtype=np.float64).reshape(-1, 2))
        looks = np.zeros((0, 128), np.float32) if looks is None else looks
        self.looks.append(looks / np.maximum(np.linalg.norm(looks, axis=-1, keepdims=True), 1e-9))

    def tracks(
        self, focal_px: float, centre_px: Float64[np.ndarray, "2"], count: int, seed: int
    ) -> CornerTracks:
        """Marks chained over all keyframe pairs that agree on one motion; ``count`` pictures in the clip.

        ``xy_px`` must have been flattened to a pinhole picture of that focal length.
        """
        start = np.cumsum([0, *[len(xy) for xy in self.xy_px]])
        parent = np.arange(start[-1])
        K = np.array([[focal_px, 0, centre_px[0]], [0, focal_px, centre_px[1]], [0, 0, 1.0]])
        for a, b in self._pairs():
            for i, j in self._agreeing(a, b, K, seed):
                _join(parent, int(start[a] + i), int(start[b] + j))
        root = np.array([_root(parent, k) for k in range(len(parent))], dtype=np.int64)
        frame = np.repeat(self.frames, np.diff(start)).astype(np.int64)
        xy = np.concatenate(self.xy_px) if len(parent) else np.zeros((0, 2))
        return _clean(root, frame, xy, tuple(self.frames), count)

    def _pairs(self) -> list[tuple[int, int]]:
        """All pairs of a short clip; of a longer one those at growing distances, which reach as far."""
        count = len(self.frames)
        strides = range(1, count) if count <= self.config.all_pairs else self.config.strides
        return [(a, a + step) for a in range(count) for step in strides if a + step < count]

    def _agreeing(self, a: int, b: int, K: np.ndarray, seed: int) -> np.ndarray:
        """Pairs of marks (m, 2) that know each other best, both ways, and fit one essential matrix."""
        none, c = np.zeros((0, 2), dtype=np.int64), self.config
        if min(len(self.looks[a]), len(self.looks[b])) < c.min_agreeing:
            return none
        likeness = self.looks[a] @ self.looks[b].T
        near, back = likeness.argmax(axis=1), likeness.argmax(axis=0)
        second, first = np.partition(likeness, -2, axis=1)[:, -2:].T
        sure = 2 - 2 * first < c.ratio**2 * (2 - 2 * second)
        mark = np.flatnonzero(sure & (back[near] == np.arange(len(near))))
        pairs = np.stack([mark, near[mark]], axis=1)
        if len(pairs) < c.min_agreeing:
            return none
        cv2.setRNGSeed(seed)
        _, kept = cv2.findEssentialMat(
            self.xy_px[a][pairs[:, 0]], self.xy_px[b][pairs[:, 1]], K, cv2.USAC_MAGSAC, 0.999, c.epipolar_px
        )
        if kept is None or kept.sum() < c.min_agreeing:
            return none
        return np.asarray(pairs[kept[:, 0] > 0])


def both(followed: CornerTracks, marks: CornerTracks) -> CornerTracks:
    """Followed corners and chained marks as one set; marks take the numbers above."""
    first = int(followed.track.max(initial=-1)) + 1
    return CornerTracks(
        np.concatenate([followed.track, marks.track + first]),
        np.concatenate([followed.frame, marks.frame]),
        np.concatenate([followed.xy_px, marks.xy_px]),
        followed.keyframes,
        followed.frames,
    )


def _root(parent: np.ndarray, k: int) -> int:
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = int(parent[k])
    return k


def _join(parent: np.ndarray, a: int, b: int) -> None:
    parent[_root(parent, b)] = _root(parent, a)


def _clean(
    root: np.ndarray, frame: np.ndarray, xy: np.ndarray, keyframes: tuple[int, ...], count: int
) -> CornerTracks:
    """Chains with one mark per picture and at least three pictures, numbered from 0."""
    order = np.lexsort((frame, root))
    root, frame, xy = root[order], frame[order], xy[order]
    twice = root[1:][(root[1:] == root[:-1]) & (frame[1:] == frame[:-1])]
    names, number, often = np.unique(root, return_inverse=True, return_counts=True)
    good = (often >= 3) & ~np.isin(names, twice)
    rows = good[number]
    fresh = np.cumsum(good) - 1
    return CornerTracks(fresh[number[rows]], frame[rows], xy[rows], keyframes, count)

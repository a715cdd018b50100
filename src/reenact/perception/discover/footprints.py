"""Footprints: with a still camera, what is moved for good leaves a lasting change where it stood and where it ends.

Each pixel's first and last looks at the scene without hands are compared. A connected change is a thing that stood
there before or stands there after; it is there in whichever of the two it differs more from its surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from reenact.perception.discover.candidates import Candidate
from reenact.perception.discover.empty import EmptyScene, lasting_change
from reenact.perception.masks.seed import filled, outline_of
from reenact.perception.pictures.colour import ColourRatio, colour_bins, histogram, similarity
from reenact.perception.pictures.stack import PictureStack


@dataclass(frozen=True)
class FootprintConfig:
    """Areas are parts of the frame."""

    each_end: int = 5
    """Looks without hands whose median is the first (last) picture of a pixel."""
    min_area: float = 0.0006
    """Smaller changes are noise."""
    max_area: float = 0.15
    """Larger changes are no single object."""
    min_contrast: float = 0.08
    """Difference of similarity to the surroundings between before and after that tells when the thing was there."""


def footprints(empty: EmptyScene, config: FootprintConfig | None = None) -> list[Candidate]:
    """Things that were there at the start and not at the end, or the other way round; clearest first."""
    config = config or FootprintConfig()
    stack, looks, free = empty.stack, empty.looks, empty.free
    first, first_seen = _end_picture(stack.rgb[looks], free, config.each_end)
    last, last_seen = _end_picture(stack.rgb[looks][::-1], free[::-1], config.each_end)
    changed = lasting_change(first, last, empty.config) & first_seen & last_seen
    found: list[Candidate] = []
    for part in _parts(changed, config):
        candidate = _judge(part, changed, first, last, stack, looks, free, config)
        if candidate is not None:
            found.append(candidate)
    for picture, is_first in ((first, True), (last, False)):
        for part in _parts(_odd_colours(picture, changed), config):
            candidate = _judge(part, changed, first, last, stack, looks, free, config, is_first=is_first)
            if candidate is not None:
                candidate = replace(candidate, score=0.6 * candidate.score)  # often only a part of a thing
            if candidate is not None and not any(_same(candidate, other) for other in found):
                found.append(candidate)
    return sorted(found, key=lambda c: -c.score)


def _odd_colours(picture: np.ndarray, changed: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """Changed pixels whose colour is rare where nothing changed: parts places that overlap before and after."""
    bins = colour_bins(picture)
    ratio = ColourRatio.of(histogram(bins[changed]), histogram(bins[~changed])).at(bins)
    return np.asarray(changed & (cv2.blur(ratio, (3, 3)) > 0.8))


def _same(a: Candidate, b: Candidate) -> bool:
    both = float((a.mask & b.mask).sum())
    return a.reason == b.reason and both > 0.5 * float((a.mask | b.mask).sum())


def _end_picture(
    rgb: UInt8[np.ndarray, "n h w 3"], free: Bool[np.ndarray, "n h w"], each: int
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """Median of each pixel's first looks without hands, and where there were enough of them."""
    order = np.cumsum(free, axis=0)
    pick = free & (order <= each)
    rows = np.argsort(~pick, axis=0, kind="stable")[:each]
    values = np.take_along_axis(rgb, rows[..., None], axis=0)
    seen = pick.sum(axis=0) >= max(2, each // 2)
    return np.median(values, axis=0).astype(np.uint8), seen


def _parts(changed: np.ndarray, config: FootprintConfig) -> list[np.ndarray]:
    clean = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    clean = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(clean)
    low, high = config.min_area * clean.size, config.max_area * clean.size
    parts = []
    for k in range(1, count):
        if low <= stats[k, cv2.CC_STAT_AREA] <= high:
            outline = outline_of(labels == k)
            parts.append(filled(outline, *clean.shape) | (labels == k))
    return parts


def _judge(
    part: np.ndarray, changed: np.ndarray, first: np.ndarray, last: np.ndarray, stack: PictureStack,
    looks: np.ndarray, free: np.ndarray, config: FootprintConfig, is_first: bool | None = None,
) -> Candidate | None:  # fmt: skip
    size = max(3, int(np.sqrt(part.sum()) * 0.4) | 1)
    ring = cv2.dilate(part.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    ring &= ~cv2.dilate((part | changed).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    if ring.sum() < 20:
        return None
    alike = []
    for picture in (first, last):
        bins = colour_bins(picture)
        alike.append(similarity(histogram(bins[part]), histogram(bins[ring])))
    contrast = abs(alike[0] - alike[1])
    if contrast < config.min_contrast:
        return None
    was_first = alike[0] < alike[1]
    if is_first is not None and is_first != was_first:
        return None
    inside = free[:, part].mean(axis=1) > 0.98
    at = np.flatnonzero(inside)
    if len(at) == 0:
        return None
    frame = int(looks[at[0] if was_first else at[-1]])
    solid = float(part.sum()) / max(float(cv2.contourArea(cv2.convexHull(_points(part)))), 1.0)
    area = float(part.mean())
    score = float(np.clip(contrast * 1.5, 0, 1) * np.clip(solid, 0, 1) ** 0.5 * np.clip(area / 0.004, 0.3, 1))
    words = (
        "was there at the start and is gone at the end" if was_first else "came to where it stands at the end"
    )
    return Candidate(frame, part, score, "motion", f"It {words}.", float(stack.t_ns[frame]) * 1e-9)


def _points(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    return np.stack([columns, rows], axis=-1).astype(np.int32)

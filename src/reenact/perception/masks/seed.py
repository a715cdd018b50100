"""From a box to the pixels of the thing in it: GrabCut (Rother et al. 2004) with hands drawn as background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8


@dataclass(frozen=True)
class SeedConfig:
    """How a box is turned into a mask."""

    margin: float = 0.4
    """Context around the box, as a part of its longer side, that shows GrabCut what is not the object."""
    iterations: int = 4
    """Rounds of GrabCut."""
    core: float = 0.45
    """The middle part of the box (of width and height) where the first guess leans to the object."""
    reach: float = 0.5
    """How far a cut may go beyond a given outline (full width of the belt, as a part of the root of its area)."""
    min_share: float = 0.12
    """A mask that fills less of the box than this has failed; the ellipse in the box is taken, with less trust."""


@dataclass(frozen=True)
class SeedMask:
    """The result."""

    mask: Bool[np.ndarray, "h w"]
    trust: float
    """1 for a clear cut, less where the cut failed or fills the box to the edge."""


def mask_from_box(
    rgb: UInt8[np.ndarray, "h w 3"],
    box: Float[np.ndarray, "4"],
    not_object: Bool[np.ndarray, "h w"],
    config: SeedConfig | None = None,
    outline: Float[np.ndarray, "n 2"] | None = None,
) -> SeedMask:
    """Pixels of the thing in a box (pixels of this picture); ``not_object`` are hands and other objects.

    With an outline the cut starts from it, and stays near it.
    """
    config = config or SeedConfig()
    height, width = rgb.shape[:2]
    drawn = filled(outline, height, width) if outline is not None and len(outline) >= 3 else None
    x0, y0, x1, y1 = within(box, width, height)
    pad = max(4, round(config.margin * max(x1 - x0, y1 - y0)))
    if drawn is not None:  # the box is the outline's own: the cut may leave it
        grow = int(0.25 * config.reach * np.sqrt(drawn.sum())) + 1
        x0, y0, x1, y1 = within(np.array([x0 - grow, y0 - grow, x1 + grow, y1 + grow]), width, height)
    u0, v0, u1, v1 = max(0, x0 - pad), max(0, y0 - pad), min(width, x1 + pad + 1), min(height, y1 + pad + 1)
    window = np.full((v1 - v0, u1 - u0), cv2.GC_BGD, np.uint8)
    inner = (slice(y0 - v0, y1 - v0 + 1), slice(x0 - u0, x1 - u0 + 1))
    window[inner] = cv2.GC_PR_FGD
    barred = not_object[v0:v1, u0:u1]
    window[barred] = cv2.GC_BGD
    if drawn is None:
        start = ellipse_within(window.shape, x0 - u0, y0 - v0, x1 - u0, y1 - v0)
    else:
        start = drawn[v0:v1, u0:u1]
        reach = max(7, int(config.reach * np.sqrt(start.sum())) | 1)
        near = cv2.dilate(start.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
        window[~start & (window == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
        window[~near] = cv2.GC_BGD
    fallback = start & ~barred
    cut = grab_cut(np.ascontiguousarray(rgb[v0:v1, u0:u1]), window, config.iterations)
    box_area = (x1 - x0 + 1) * (y1 - y0 + 1)
    part = main_part(cut & ~barred, fallback)
    share = float(part.sum()) / box_area
    trust = 1.0
    too_little = config.min_share if drawn is None else 0.5 * float(fallback.sum()) / box_area
    if share < too_little:
        part, trust = fallback, 0.4
    elif share > 0.97:
        trust = 0.8
    mask = np.zeros((height, width), bool)
    mask[v0:v1, u0:u1] = part
    return SeedMask(mask, trust)


def box_of(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "4"]:
    """The box x0 y0 x1 y1 of a mask's pixels (centres); zeros for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return np.zeros(4)
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], np.float64)


def filled(outline: Float[np.ndarray, "n 2"], height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """The pixels within a closed outline."""
    canvas = np.zeros((height, width), np.uint8)
    cv2.fillPoly(canvas, [np.round(outline * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return canvas > 0


def convex_hull(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """Corners of the convex hull, in order."""
    return np.asarray(cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64))


def belt(mask: Bool[np.ndarray, "h w"], width_px: int) -> Bool[np.ndarray, "h w"]:
    """Pixels around a mask, two pixels off its edge and so many wide."""
    small = mask.astype(np.uint8)
    inner, outer = np.ones((5, 5), np.uint8), np.ones((5 + 2 * width_px,) * 2, np.uint8)
    return np.asarray((cv2.dilate(small, outer) > 0) & ~(cv2.dilate(small, inner) > 0))


def outline_of(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "n 2"]:
    """Outline of the largest part of a mask; empty for an empty mask."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.zeros((0, 2))
    return np.asarray(max(found, key=cv2.contourArea)[:, 0].astype(np.float64))


def within(
    box: Float[np.ndarray, "4"] | Int[np.ndarray, "4"], width: int, height: int
) -> tuple[int, int, int, int]:
    """A box's corners x0 y0 x1 y1 in whole pixels of a picture."""
    x0, y0, x1, y1 = (round(float(v)) for v in box)
    x0, y0 = min(max(x0, 0), width - 2), min(max(y0, 0), height - 2)
    return x0, y0, min(max(x1, x0 + 1), width - 1), min(max(y1, y0 + 1), height - 1)


def grab_cut(
    rgb: UInt8[np.ndarray, "h w 3"], window: UInt8[np.ndarray, "h w"], iterations: int
) -> Bool[np.ndarray, "h w"]:
    """The pixels that GrabCut takes for the thing, begun from ``window`` (its codes); none where it cannot begin."""
    if not (window == cv2.GC_PR_FGD).any() or not (window == cv2.GC_BGD).any():
        return window == cv2.GC_PR_FGD
    background, thing = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(rgb, window, (0, 0, 1, 1), background, thing, iterations, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # too few pixels of one kind for five Gaussians
        return np.zeros(window.shape, bool)
    return (window == cv2.GC_FGD) | (window == cv2.GC_PR_FGD)


def ellipse_within(shape: tuple[int, ...], x0: int, y0: int, x1: int, y1: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of the ellipse in a box."""
    canvas = np.zeros(shape, np.uint8)
    centre, axes = ((x0 + x1) // 2, (y0 + y1) // 2), (max(1, (x1 - x0) // 2), max(1, (y1 - y0) // 2))
    cv2.ellipse(canvas, centre, axes, 0, 0, 360, 1, -1)
    return canvas > 0


def main_part(cut: Bool[np.ndarray, "h w"], core: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The connected parts that reach well into the core, holes filled."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(cut.astype(np.uint8), connectivity=4)
    if count <= 1:
        return np.zeros(cut.shape, bool)
    inside = np.bincount(parts[core], minlength=count)
    inside[0] = 0
    best = int(inside.argmax())
    if inside[best] == 0:
        return np.zeros(cut.shape, bool)
    keep = [k for k in range(1, count) if inside[k] > 0.15 * inside[best] or k == best]
    kept = np.isin(parts, keep).astype(np.uint8)
    outlines, _ = cv2.findContours(kept, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(kept, outlines, -1, 1, -1)
    return (kept > 0) & (cut | (core & (stats[best, cv2.CC_STAT_AREA] > 0)))

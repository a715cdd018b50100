"""Objects from the user's boxes and clicks; a click grows to the thing around it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from reenact.perception.discover.hints import ObjectBox, ObjectClick
from reenact.perception.discover.names import colour_name
from reenact.perception.masks.seed import belt, box_of, convex_hull, filled, mask_from_box, outline_of
from reenact.perception.pictures.colour import colour_bins, histogram, similarity
from reenact.perception.pictures.hands import HandRegions
from reenact.perception.pictures.stack import PictureStack
from reenact.scene import FoundObjects

SIZES = (0.05, 0.065, 0.085, 0.11, 0.14, 0.18, 0.23, 0.3, 0.4)
"""Half sides of the squares tried around a click, frame heights."""

BELT_PX = 6
"""Width of the belt that a cut is compared with, small pixels."""


def from_hints(
    stack: PictureStack, regions: HandRegions, boxes: tuple[ObjectBox, ...], clicks: tuple[ObjectClick, ...],
    name: str, licence: str,
) -> FoundObjects:  # fmt: skip
    """One object per hint, boxes first. Their part in what happens is not known: role "unknown"."""
    count = len(stack.t_ns)
    frames, rows, outlines, names, sources, reasons = [], [], [], [], [], []
    for box in boxes:
        frame = box.frame % count
        given = np.array([box.x0_px, box.y0_px, box.x1_px, box.y1_px], np.float64)
        mask = mask_from_box(stack.rgb[frame], stack.box_to_small(given), regions.labels(frame) > 0).mask
        frames.append(frame)
        rows.append(given)
        outlines.append(np.zeros((0, 2)))
        names.append(box.label or f"{colour_name(stack.rgb[frame][mask])} object")
        sources.append("user_box")
        reasons.append(f"The user drew a box around it in frame {frame}.")
    for click in clicks:
        frame = click.frame % count
        at = stack.to_small(np.array([click.x_px, click.y_px]))
        mask = _around(stack, frame, at, regions.labels(frame) > 0)
        frames.append(frame)
        rows.append(stack.box_to_full(box_of(mask)))
        outlines.append(stack.to_full(outline_of(mask)))
        names.append(click.label or f"{colour_name(stack.rgb[frame][mask])} object")
        sources.append("user_click")
        reasons.append(f"The user clicked on it in frame {frame}.")
    total = len(frames)
    return FoundObjects(
        object_ids=tuple(f"object_{k}" for k in range(total)), names=tuple(names), roles=("unknown",) * total,
        seed_frame=np.array(frames, np.int64), seed_box_px=np.array(rows, np.float64).reshape(-1, 4),
        confidence=np.ones(total), sources=tuple(sources), reasons=tuple(reasons), backend=name, licence=licence,
        outline_px=np.concatenate(outlines), outline_start=np.cumsum([0] + [len(o) for o in outlines]).astype(np.int64),
    )  # fmt: skip


def _around(
    stack: PictureStack, frame: int, at: Float[np.ndarray, "2"], barred: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Of the cuts in squares around the click the one that differs most from what is around it, cut once more."""
    height, width = barred.shape
    column, row = int(np.clip(round(at[0]), 0, width - 1)), int(np.clip(round(at[1]), 0, height - 1))
    barred = barred.copy()
    barred[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = False
    bins = colour_bins(stack.rgb[frame])
    best: np.ndarray | None = None
    clearest = 0.0
    for size in SIZES:
        half = size * height
        box = np.array([at[0] - half, at[1] - half, at[0] + half, at[1] + half])
        cut = mask_from_box(stack.rgb[frame], box, barred)
        if cut.trust < 0.5 or not cut.mask[row, column]:
            continue
        clear = _stands_out(bins, cut.mask, barred)
        if clear > clearest:
            best, clearest = cut.mask, clear
    if best is not None:
        again = mask_from_box(stack.rgb[frame], box_of(best), barred)
        if again.mask[row, column] and _stands_out(bins, again.mask, barred) > clearest:
            best = again.mask
    if best is None:
        half = SIZES[0] * height
        box = np.array([at[0] - half, at[1] - half, at[0] + half, at[1] + half])
        best = mask_from_box(stack.rgb[frame], box, barred).mask
    if not best.any():
        best = np.zeros((height, width), bool)
        best[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = True
    return best


def _stands_out(
    bins: Int[np.ndarray, "h w"], mask: Bool[np.ndarray, "h w"], barred: Bool[np.ndarray, "h w"]
) -> float:
    """0..1: how much its colours differ from those of a belt around it, times how much of its convex hull it fills."""
    solid = float(mask.sum()) / max(float(filled(convex_hull(outline_of(mask)), *mask.shape).sum()), 1.0)
    ring = belt(mask, BELT_PX) & ~barred
    return solid * (1.0 - similarity(histogram(bins[mask]), histogram(bins[ring]))) if ring.any() else 0.0

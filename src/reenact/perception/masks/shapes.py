"""What may be an object's outline: pieces that belong together, no growth into a neighbour, what a hand takes along."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float64


def taken_along(whole: np.ndarray, hands: np.ndarray, shift: np.ndarray) -> Float64[np.ndarray, "2 3"]:
    """A covered object moves with the hand that covers more of it."""
    inside = whole > 0.5
    covers = [int((inside & ((hands == 1 + s) | (hands == 3 + s))).sum()) for s in (0, 1)]
    if max(covers) < 0.3 * float(inside.sum()):  # another thing hides it: it stays
        return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    dx, dy = shift[int(covers[1] > covers[0])]
    return np.array([[1.0, 0.0, float(dx)], [0.0, 1.0, float(dy)]])


def inside_share(whole: np.ndarray) -> float:
    """1, or less for an outline that lies at the window's side and so may leave the picture."""
    edge = max(whole[0].max(), whole[-1].max(), whole[:, 0].max(), whole[:, -1].max()) if whole.size else 0.0
    return 0.3 if float(edge) > 0.3 else 1.0


def held_small(mine: np.ndarray, carried: np.ndarray, most: float) -> Bool[np.ndarray, "h w"]:
    """The pixels that lie deepest in the carried outline, at most so many."""
    extra = int(mine.sum()) - int(most)
    if extra <= 0:
        return mine
    depth = np.sort(carried[mine])
    return np.asarray(mine & (carried >= depth[min(extra, len(depth) - 1)]))


def one_piece(
    mine: np.ndarray, free: np.ndarray, area: float, piece: float, between: float
) -> Bool[np.ndarray, "h w"]:
    """Of pieces that no hand separates, the one whose area fits best; else all.

    ``piece``: share of the outline from which on a part counts; ``between``: share of hand pixels in the gap that
    explains the gap."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mine.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mine
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] > piece * mine.sum()]
    if len(large) < 2:
        return mine
    gap = gap_between(np.isin(parts, large)) & ~mine
    if not gap.any() or float((gap & ~free).sum()) > between * float(gap.sum()):
        return mine
    best = min(large, key=lambda k: abs(np.log(float(stats[k, cv2.CC_STAT_AREA]) / max(area, 1.0))))
    return np.asarray(parts == best)


def gap_between(parts: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """What the convex hull of some regions holds besides them."""
    rows, columns = np.nonzero(parts)
    if len(rows) == 0:
        return np.zeros(parts.shape, bool)
    hull = np.zeros(parts.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.stack([columns, rows], axis=-1).astype(np.int32)), 1)
    return (hull > 0) & ~parts


def connected(mask: np.ndarray, core: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """The parts that touch the core; specks are dropped."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count <= 1:
        return mask
    touching = np.bincount(parts[core & mask], minlength=count) > 0
    touching[0] = False
    biggest = stats[1:, cv2.CC_STAT_AREA].max()
    touching &= stats[:, cv2.CC_STAT_AREA] > 0.04 * biggest
    return np.asarray(touching[parts])

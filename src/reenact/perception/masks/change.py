"""What changes over time inside a box: pixels that show another surface when the thing in it is elsewhere.

A thing that moves, a tool in a hand above all, is told from what lies behind it by looking at the same pixels at other
times. Only times count at which the first guess of the thing is mostly gone while the surroundings are the same, so a
thing that never moves, and a camera that does, give no evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from reenact.perception.masks.views import Views


@dataclass(frozen=True)
class ChangeConfig:
    """Colours are 0..1."""

    looks: int = 24
    """Other times looked at, spread over the clip."""
    surface: float = 0.045
    """Change of r + g chromaticity beyond which the surface is another one."""
    shade: float = 0.06
    """Change of brightness below which, with the same chromaticity, nothing changed at all."""
    dark: float = 0.33
    """Brightness falls further than this only where the surface is another one."""
    gone: float = 0.6
    """Times count at which at least this share of the most that ever changes in the box has changed."""
    least_share: float = 0.04
    """Less change of the box than this at any time, and the thing never moves."""
    same_around: float = 0.3
    """Share of the surroundings that may have changed."""
    edge: float = 1.0
    """A changed region whose rim has so many times more contrast now than then is the thing; else something came."""
    speck_px: int = 12
    """Smaller changed regions tell nothing."""
    least: int = 3
    """So many times must count."""


def change_within(
    views: Views, frame: int, window: tuple[slice, slice], inside: Bool[np.ndarray, "h w"],
    around: Bool[np.ndarray, "h w"], config: ChangeConfig | None = None,
) -> Float32[np.ndarray, "h w"] | None:  # fmt: skip
    """-1..1 for each pixel of the window: how sure it shows something that is elsewhere at other times (-1: it never
    changes); None where no time tells. ``inside``: the box; ``around``: pixels beside it; both free of hands."""
    config = config or ChangeConfig()
    now = _planes(views.stack.rgb[frame][window])
    edges_now, barred = (
        _edges(now),
        cv2.dilate((~(inside | around)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0,
    )
    looks: list[tuple[float, np.ndarray, np.ndarray]] = []
    for other in np.unique(np.linspace(0, len(views.frames) - 1, config.looks).astype(int)).tolist():
        at = views.frames[other]
        if at == frame:
            continue
        free = cv2.dilate((views.hands[at][window] > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
        if (inside & free).sum() < 0.5 * inside.sum() or (around & free).sum() < 0.3 * around.sum():
            continue
        then = _planes(views.stack.rgb[at][window])
        said = _compared(now, then, config)
        said = _without_newcomers(said, edges_now, _edges(then), free & ~barred, config)
        if (said[around & free] > 0).mean() < config.same_around:
            looks.append((float((said[inside & free] > 0).mean()), said, free))
    most = max((share for share, _, _ in looks), default=0.0)
    chosen = [(said, free) for share, said, free in looks if share >= config.gone * most]
    if most < config.least_share or len(chosen) < config.least:
        return None
    total = np.sum([np.where(free, said, 0.0) for said, free in chosen], axis=0)
    count = np.sum([free for _, free in chosen], axis=0)
    return (total / np.maximum(count, config.least)).astype(np.float32)


def _planes(rgb: np.ndarray) -> Float32[np.ndarray, "h w 3"]:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.8), np.float32) / np.float32(255)


def _compared(a: np.ndarray, b: np.ndarray, config: ChangeConfig) -> Float32[np.ndarray, "h w"]:
    """1 another surface, -1 the same, 0 the same or another with light or shade on it."""
    sum_a, sum_b = a.sum(axis=-1) + 0.06, b.sum(axis=-1) + 0.06
    chroma = np.abs(a[..., :2] / sum_a[..., None] - b[..., :2] / sum_b[..., None]).sum(axis=-1)
    chroma *= np.minimum(np.minimum(sum_a, sum_b) / 0.36, 1.0)  # dark pixels have no sure colour
    light = np.abs(sum_a - sum_b) / 3
    falls = np.minimum(sum_a, sum_b) < config.dark * np.maximum(sum_a, sum_b)
    other = (chroma > config.surface) | (falls & (light > 0.1))
    same = (chroma < 0.5 * config.surface) & (light < config.shade)
    return np.where(other, 1.0, np.where(same, -1.0, 0.0)).astype(np.float32)


def _edges(planes: Float32[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w"]:
    """Contrast at each pixel."""
    return np.asarray(
        sum(np.abs(cv2.Sobel(planes, cv2.CV_32F, dx, 1 - dx)).max(axis=-1) for dx in (0, 1)), np.float32
    )


def _without_newcomers(
    said: Float32[np.ndarray, "h w"], now: Float32[np.ndarray, "h w"], then: Float32[np.ndarray, "h w"],
    free: Bool[np.ndarray, "h w"], config: ChangeConfig,
) -> Float32[np.ndarray, "h w"]:  # fmt: skip
    """Regions that changed because something is there then, not because something is here now, say nothing."""
    changed = cv2.morphologyEx((said > 0).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(changed, connectivity=4)
    said = np.where(said > 0, 0.0, said).astype(np.float32)
    for k in range(1, count):
        if stats[k, cv2.CC_STAT_AREA] < config.speck_px:
            continue
        part = (parts == k).astype(np.uint8)
        rim = (
            (cv2.dilate(part, np.ones((3, 3), np.uint8)) > 0)
            & (cv2.erode(part, np.ones((3, 3), np.uint8)) == 0)
            & free
        )
        if rim.any() and float(now[rim].mean()) > config.edge * float(then[rim].mean()):
            said[part > 0] = 1.0
    return said

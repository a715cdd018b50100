"""What lies behind a followed thing: pixels that show it, lit or in shade, are not the thing's.

A pixel outside the thing's outline that nobody covers is what lies behind; if it looks the same later, it still is, and
if it keeps its colour but not its brightness, a shadow has fallen on it, such as that of the hand that carries the thing.
Only before a camera that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8


@dataclass(frozen=True)
class BackdropConfig:
    """Colours are 0..1; log-odds in nats."""

    same_light: float = 0.03
    """Brightness of a pixel that shows what lies behind changes by no more..."""
    same_chroma: float = 0.012
    """...and its r + g chromaticity by no more."""
    same: float = 1.5
    """Log-odds against such a pixel's being the thing's."""
    chroma: float = 0.025
    """A shadow changes r + g chromaticity by no more..."""
    darker: float = 0.92
    """...and makes it darker than this share of what it was..."""
    darkest: float = 0.25
    """...but not than this one."""
    coloured: float = 0.05
    """What lies behind must be so far from grey: any dark thing before a grey wall looks like a shadow on it."""
    shaded: float = 4.0
    """Log-odds against such a pixel's being the thing's."""
    like_shade: float = 0.2
    """A thing of which more than this share of pixels looks like shade on its surroundings is not told from shade."""
    still: float = 0.08
    """Before a still camera pixels without hands stay within this of their median over the clip..."""
    still_share: float = 0.6
    """...but for what moves: at least this share of them in every frame looked at."""
    looks: int = 16
    """Frames looked at for that."""


def soft(rgb: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w 3"]:
    """The picture a little blurred, 0..1."""
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.8), np.float32) / np.float32(255)


def stands_still(
    rgb: UInt8[np.ndarray, "t h w 3"], hands: UInt8[np.ndarray, "t h w"], config: BackdropConfig
) -> bool:
    """Do the same pixels show the same things all the time? ``hands``: nonzero where hands and arms are."""
    idx = np.unique(np.linspace(0, len(rgb) - 1, config.looks).astype(int))
    small = np.stack([cv2.resize(soft(rgb[i]), None, fx=0.5, fy=0.5) for i in idx])
    free = np.stack([hands[i, ::2, ::2] == 0 for i in idx])[:, : small.shape[1], : small.shape[2]]
    small = small[:, : free.shape[1], : free.shape[2]]
    near = np.abs(small - np.median(small, axis=0)).mean(axis=-1) < config.still
    return all(n[f].mean() >= config.still_share for n, f in zip(near, free, strict=True) if f.any())


class Backdrop:
    """What lies behind one thing, as far as it has been seen."""

    def __init__(
        self, picture: Float32[np.ndarray, "h w 3"], thing: Bool[np.ndarray, "h w"],
        hands: UInt8[np.ndarray, "h w"], config: BackdropConfig,
    ) -> None:  # fmt: skip
        self._config = config
        self._picture, self._known = picture.copy(), np.zeros(thing.shape, bool)
        self.learn(picture, thing, hands)
        self._shade_tells = self._unlike_shade(picture, thing)

    def learn(
        self, picture: Float32[np.ndarray, "h w 3"], thing: Bool[np.ndarray, "h w"], hands: UInt8[np.ndarray, "h w"]
    ) -> None:  # fmt: skip
        """Pixels not known so far that neither the thing nor a hand is near show what lies behind."""
        covered = cv2.dilate((thing | (hands > 0)).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        new = ~covered & ~self._known
        self._picture[new] = picture[new]
        self._known |= new

    def against(
        self, picture: Float32[np.ndarray, "h w 3"], window: tuple[slice, slice]
    ) -> Float32[np.ndarray, "h2 w2"]:
        """Log-odds (>= 0) against the pixels of a window being the thing's."""
        c, behind = self._config, self._picture[window]
        same, shaded = _compared(picture[window], behind, c)
        odds = np.where(same, c.same, np.where(shaded & self._shade_tells, c.shaded, 0.0))
        odds = np.where(self._known[window], odds, 0.0).astype(np.float32)
        kernel = np.ones((3, 3), np.uint8)  # single pixels are chance
        return np.asarray(cv2.dilate(cv2.erode(odds, kernel), kernel))

    def _unlike_shade(self, picture: np.ndarray, thing: np.ndarray) -> bool:
        """Compared with the usual colour around it, is the thing none of its shades?"""
        near = cv2.dilate(thing.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
        ring = near & self._known
        if not thing.any() or ring.sum() < 10:
            return False
        usual = np.broadcast_to(np.median(picture[ring], axis=0), (1, int(thing.sum()), 3))
        return float(_compared(picture[thing][None], usual, self._config)[1].mean()) < self._config.like_shade


def _compared(
    now: Float32[np.ndarray, "h w 3"], behind: Float32[np.ndarray, "h w 3"], config: BackdropConfig
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """The same; the same in shade."""
    sum_now, sum_behind = now.sum(axis=-1) + 0.03, behind.sum(axis=-1) + 0.03
    of_now, of_behind = now[..., :2] / sum_now[..., None], behind[..., :2] / sum_behind[..., None]
    turned, ratio = np.abs(of_now - of_behind).sum(axis=-1), sum_now / sum_behind
    same = (turned < config.same_chroma) & (np.abs(sum_now - sum_behind) / 3 < config.same_light)
    shaded = (turned < config.chroma) & (ratio < config.darker) & (ratio > config.darkest)
    return same, shaded & (np.abs(of_behind - 1 / 3).sum(axis=-1) > config.coloured)

"""The scene without hands before a still camera, and where a frame shows another surface than it; shadows do not count."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from reenact.perception.masks.views import Views
from reenact.perception.pictures.stack import PictureStack


@dataclass(frozen=True)
class EmptyConfig:
    """Colours are 0..1."""

    looks: int = 40
    """Frames looked at, spread over the clip."""
    hand_margin: float = 0.25
    """Pixels this close to a hand (in palms) do not count as a look at the scene."""
    min_chroma: float = 0.045
    """Change of r + g chromaticity that shadows do not make."""
    min_light: float = 0.14
    """Change of brightness that counts where the darker is below `shadow` of the lighter."""
    shadow: float = 0.33
    """A surface in shadow keeps its chromaticity and at least this part of its brightness."""
    min_known: float = 0.5
    """Share of the pixels that some look must show with no hand near; else it is no scene to compare with."""
    tint: float = 0.16
    """Relative difference of the dimming of the three channels up to which it may be a shadow's."""


class EmptyScene:
    """Each pixel's median over the looks with no hand near (over all where one always is)."""

    def __init__(self, views: Views, config: EmptyConfig | None = None) -> None:
        self.config = config = config or EmptyConfig()
        self.stack: PictureStack = views.stack
        self.looks: Int64[np.ndarray, " n"] = np.unique(
            np.linspace(0, len(self.stack.t_ns) - 1, config.looks).astype(np.int64)
        )
        """Frames that it was made of."""
        self.free: Bool[np.ndarray, "n h w"] = np.stack([_free(views, int(f), config) for f in self.looks])
        """Their pixels with no hand near."""
        self.known = float(self.free.any(axis=0).mean())
        """Share of the pixels that some look shows with no hand near."""
        self.picture: UInt8[np.ndarray, "h w 3"] = _median_where(self.stack.rgb[self.looks], self.free)
        self._evened = _Evened.of(self.picture)
        self._differs: dict[int, Bool[np.ndarray, "h w"]] = {}

    def differs(self, frame: int) -> Bool[np.ndarray, "h w"]:
        """Pixels of a frame that show another surface than the empty scene does."""
        if frame not in self._differs:
            self._differs[frame] = _changed(self._evened, _Evened.of(self.stack.rgb[frame]), self.config)
        return self._differs[frame]


def lasting_change(
    first: UInt8[np.ndarray, "h w 3"], last: UInt8[np.ndarray, "h w 3"], config: EmptyConfig | None = None
) -> Bool[np.ndarray, "h w"]:
    """Pixels whose surface changed; a shadow that comes or goes is no change."""
    return _changed(_Evened.of(first), _Evened.of(last), config or EmptyConfig())


@dataclass(frozen=True)
class _Evened:
    """A picture's channels, smoothed a little, 0..1, and their sum."""

    planes: tuple[Float32[np.ndarray, "h w"], ...]
    total: Float32[np.ndarray, "h w"]

    @staticmethod
    def of(picture: UInt8[np.ndarray, "h w 3"]) -> _Evened:
        smooth = cv2.GaussianBlur(picture, (0, 0), 1.0)
        r, g, b = (np.asarray(plane, np.float32) / np.float32(255) for plane in cv2.split(smooth))
        return _Evened((r, g, b), r + g + b)


def _changed(a: _Evened, b: _Evened, config: EmptyConfig) -> Bool[np.ndarray, "h w"]:
    sum_a, sum_b = a.total + 0.06, b.total + 0.06
    chroma = np.abs(a.planes[0] / sum_a - b.planes[0] / sum_b) + np.abs(
        a.planes[1] / sum_a - b.planes[1] / sum_b
    )
    low = np.minimum(sum_a, sum_b)
    chroma *= np.minimum(low / 0.36, 1.0)  # dark pixels have no sure colour
    darker = (low < config.shadow * np.maximum(sum_a, sum_b)) & (np.abs(sum_a - sum_b) > 3 * config.min_light)
    changed = (chroma > config.min_chroma) | darker
    return np.asarray(changed & ~_dimmed(a, b, config) & ~_dimmed(b, a, config))


def _dimmed(now: _Evened, before: _Evened, config: EmptyConfig) -> Bool[np.ndarray, "h w"]:
    """Pixels with less light in all three channels alike."""
    r, g, b = ((n + 0.008) / (o + 0.008) for n, o in zip(now.planes, before.planes, strict=True))
    mean = (r + g + b) / 3
    gap = np.maximum(np.maximum(r, g), b) - np.minimum(np.minimum(r, g), b)
    return np.asarray((gap < config.tint * mean) & (mean > 0.2) & (mean < 0.95))


def _free(views: Views, frame: int, config: EmptyConfig) -> Bool[np.ndarray, "h w"]:
    regions = views.regions
    return ~(regions.reach(frame, config.hand_margin) | regions.wedge(frame) | (views.hands[frame] > 0))


def _median_where(
    rgb: UInt8[np.ndarray, "n h w 3"], free: Bool[np.ndarray, "n h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    hidden = ~free & np.any(free, axis=0, keepdims=True)
    middle = ((len(rgb) - hidden.sum(axis=0)) // 2)[None]
    planes = []
    for channel in range(3):
        values = rgb[..., channel].astype(np.int16)
        values[hidden] = 999
        values.sort(axis=0)
        planes.append(np.take_along_axis(values, middle, axis=0)[0].astype(np.uint8))
    return np.stack(planes, axis=-1)

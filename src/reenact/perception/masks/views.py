"""What a sweep sees of each frame, made once and kept when several sweeps go over the same frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, Float32, Float64, Int, UInt8

from reenact.perception.masks.backdrop import BackdropConfig, soft, stands_still
from reenact.perception.pictures.colour import colour_bins
from reenact.perception.pictures.flow import DenseFlow, grey
from reenact.perception.pictures.hands import HandRegions
from reenact.perception.pictures.stack import PictureStack


@dataclass(frozen=True)
class View:
    """What a follower sees of one frame."""

    rgb: UInt8[np.ndarray, "h w 3"]
    bins: Int[np.ndarray, "h w"]
    guide: Float32[np.ndarray, "h w"]
    """Grey, 0..1."""
    hands: UInt8[np.ndarray, "h w"]
    """Labels of hands and arms, 0 elsewhere."""
    hands_before: UInt8[np.ndarray, "h w"]
    """The same in the frame before."""
    back: Float32[np.ndarray, "h w 2"]
    """Where each pixel was in the frame before (in the direction of the sweep)."""
    hand_shift: Float64[np.ndarray, "2 2"]
    """Motion of each hand since then, for things that they cover."""
    dt: float
    """Seconds since then."""
    soft: Float32[np.ndarray, "h w 3"]
    """The picture a little blurred, 0..1."""


class Views:
    """Views of every n-th frame of a stack."""

    def __init__(
        self, stack: PictureStack, regions: HandRegions, every: int = 1, *, keep: bool = False
    ) -> None:
        """``keep``: hold the flow once made (4 bytes a pixel and direction)."""
        self.stack, self.regions = stack, regions
        self.frames = list(range(0, len(stack.t_ns), max(1, every)))
        self.hands: UInt8[np.ndarray, "t h w"] = np.zeros(stack.rgb.shape[:3], np.uint8)
        """`MaskLabel` codes of hands and arms in the frames looked at."""
        self._bins: dict[int, np.ndarray] = {}
        for frame in self.frames:
            bins = colour_bins(stack.rgb[frame])
            self._bins[frame] = bins.astype(np.int16)
            self.hands[frame] = regions.labels(frame, bins)
        self.still = stands_still(stack.rgb, self.hands, BackdropConfig())
        """Does the camera stand still?"""
        self._flow = DenseFlow()
        self._kept: dict[tuple[int, int], Float16[np.ndarray, "h w 2"]] | None = {} if keep else None

    def bins(self, frame: int) -> Int[np.ndarray, "h w"]:
        """Colour bin of each pixel of a frame."""
        return self._bins[frame]

    def flow(self, frame: int, other: int) -> Float32[np.ndarray, "h w 2"]:
        """Where each pixel of a frame is in another one."""
        if self._kept is not None and (frame, other) in self._kept:
            return self._kept[(frame, other)].astype(np.float32)
        made = self._flow.between(grey(self.stack.rgb[frame]), grey(self.stack.rgb[other]))
        if self._kept is not None:
            self._kept[(frame, other)] = made.astype(np.float16)
        return made

    def view(self, frame: int, before: int) -> View:
        """This frame as seen when coming from another one."""
        stack, regions = self.stack, self.regions
        both = (regions.valid[frame] & regions.valid[before])[:, None]
        moved = regions.points[frame].mean(axis=1) - regions.points[before].mean(axis=1)
        return View(
            rgb=stack.rgb[frame], bins=self._bins[frame],
            guide=grey(stack.rgb[frame]).astype(np.float32) / 255.0,
            hands=self.hands[frame], hands_before=self.hands[before], back=self.flow(frame, before),
            hand_shift=np.where(both, moved, 0.0),
            dt=abs(float(stack.t_ns[frame] - stack.t_ns[before])) * 1e-9, soft=soft(stack.rgb[frame]),
        )  # fmt: skip

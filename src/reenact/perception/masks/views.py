"""What a sweep sees of each frame, made once and kept when several sweeps go over the same frames."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from reenact.perception.masks.follower import View
from reenact.perception.pictures.colour import colour_bins
from reenact.perception.pictures.flow import DenseFlow, grey
from reenact.perception.pictures.hands import HandRegions
from reenact.perception.pictures.stack import PictureStack


class Views:
    """Views of every n-th frame of a stack."""

    def __init__(
        self, stack: PictureStack, regions: HandRegions, every: int = 1, *, keep: bool = False
    ) -> None:
        """``keep``: hold each view once made (about 25 bytes a pixel and frame)."""
        self.stack, self.regions = stack, regions
        self.frames = list(range(0, len(stack.t_ns), max(1, every)))
        self.hands: UInt8[np.ndarray, "t h w"] = np.zeros(stack.rgb.shape[:3], np.uint8)
        """`MaskLabel` codes of hands and arms in the frames looked at."""
        self._bins: dict[int, np.ndarray] = {}
        for frame in self.frames:
            bins = colour_bins(stack.rgb[frame])
            self._bins[frame] = bins.astype(np.int16)
            self.hands[frame] = regions.labels(frame, bins)
        self._flow = DenseFlow()
        self._kept: dict[tuple[int, int], View] | None = {} if keep else None

    def view(self, frame: int, before: int) -> View:
        """This frame as seen when coming from another one."""
        if self._kept is not None and (frame, before) in self._kept:
            return self._kept[(frame, before)]
        view = self._make(frame, before)
        if self._kept is not None:
            self._kept[(frame, before)] = view
        return view

    def _make(self, frame: int, before: int) -> View:
        stack, regions = self.stack, self.regions
        now = grey(stack.rgb[frame])
        both = (regions.valid[frame] & regions.valid[before])[:, None]
        moved = regions.points[frame].mean(axis=1) - regions.points[before].mean(axis=1)
        return View(
            rgb=stack.rgb[frame], bins=self._bins[frame], guide=now.astype(np.float32) / 255.0,
            hands=self.hands[frame], back=self._flow.between(now, grey(stack.rgb[before])),
            hand_shift=np.where(both, moved, 0.0),
            dt=abs(float(stack.t_ns[frame] - stack.t_ns[before])) * 1e-9,
        )  # fmt: skip

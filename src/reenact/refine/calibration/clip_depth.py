"""The depth of a clip in metres: chunks joined, frames brought to the room behind, one scale over all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from reenact.refine.calibration.affine import AffineDepth, NothingInCommon
from reenact.refine.calibration.background import background_template, to_template
from reenact.refine.calibration.chunks import WHOLE, DepthChunk, Maps, apply_maps, join_chunks

TEMPLATE_FRAMES = 24
"""Frames from which the picture of the room behind everything is made."""


@dataclass(frozen=True)
class ClipDepth:
    """Reads a frame with all maps applied."""

    chunks: Sequence[DepthChunk]
    labels: Callable[[int], UInt8[np.ndarray, "h w"]]
    """Of the depth pictures' size."""
    chunk_maps: Sequence[Maps]
    frame_maps: Mapping[int, AffineDepth] = field(default_factory=dict)
    """To the room behind everything; frames without one are left alone."""
    scale: AffineDepth = field(default_factory=AffineDepth)
    """To metres."""

    def chunk_of(self, frame: int) -> int | None:
        """The first chunk that has the frame: it is fewest steps from the chunk that all are brought to."""
        return next((i for i, c in enumerate(self.chunks) if c.first <= frame < c.end), None)

    def __call__(self, frame: int) -> Float32[np.ndarray, "h w"] | None:
        """Depth, 0 where unknown; None where nothing is known."""
        i = self.chunk_of(frame)
        values = None if i is None else self.chunks[i].read(frame)
        if i is None or values is None:
            return None
        later = self.frame_maps.get(frame, AffineDepth()).then(self.scale)
        maps = {code: change.then(later) for code, change in self.chunk_maps[i].items()}
        used = maps if len(self.chunks) > 1 else {WHOLE: maps[WHOLE]}
        return apply_maps(values, self.labels(frame), used).astype(np.float32)

    def whole(self, frame: int) -> AffineDepth:
        """The map of the picture as a whole."""
        i = self.chunk_of(frame)
        first = self.chunk_maps[i][WHOLE] if i is not None else AffineDepth()
        return first.then(self.frame_maps.get(frame, AffineDepth())).then(self.scale)

    def in_metres(self, scale: float, sigma_relative: float, count: int) -> ClipDepth:
        """With a scale."""
        return replace(self, scale=AffineDepth(scale, 0.0, sigma_relative, count))


def join(
    chunks: Sequence[DepthChunk],
    labels: Callable[[int], UInt8[np.ndarray, "h w"]],
    codes: Sequence[int],
    *,
    still: bool,
    with_shift: bool,
) -> ClipDepth:
    """Chunks made one (DexMan B.1) and, for a still camera, every frame brought to the room behind everything.

    Args:
        codes: label codes that get maps of their own between chunks: hands and objects.
        with_shift: whether frames may be off by a shift, too (nets), or by a factor only (cameras).

    Raises:
        NothingInCommon: two chunks in a row do not overlap.
    """
    joined = ClipDepth(chunks, labels, join_chunks(chunks, labels, codes))
    if not still or not chunks:
        return joined
    end = chunks[-1].end

    def behind(frame: int) -> np.ndarray:
        return np.asarray(labels(frame) == 0)

    frames = np.unique(np.linspace(0, end - 1, min(end, TEMPLATE_FRAMES)).astype(int)).tolist()
    try:
        template, _ = background_template(joined, behind, frames, with_shift=with_shift)
    except NothingInCommon:
        return joined
    maps = {}
    for k in range(end):
        values = joined(k)
        if values is not None:
            maps[k] = to_template(np.where(behind(k), values, 0), template, with_shift)
    return replace(joined, frame_maps=maps)


def frame_table(depth: ClipDepth, frames: int) -> tuple[Float64[np.ndarray, " t"], Float64[np.ndarray, " t"]]:
    """Scale and shift of every frame as a whole, as `MetricScales` holds them."""
    maps = [depth.whole(k) for k in range(frames)]
    return np.array([m.scale for m in maps]), np.array([m.shift for m in maps])

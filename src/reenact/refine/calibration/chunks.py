"""Depth that a net gave in overlapping chunks, each with a scale and shift of its own, made one (DexMan, appendix B.1).

For object o in a frame that the chunks k - 1 and k share: min over alpha_k, beta_k of
|| alpha_k D_k^o + beta_k - D_(k-1)^o ||_2, applied to all pixels of o in chunk k and carried on from chunk to chunk.
Ours differs in two ways: outliers are weighed down, and all shared frames count, not one. The paper restricts this to
hands and objects; the rest of the picture (code -1) is brought along by one map of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from reenact.refine.calibration.affine import AffineDepth, NothingInCommon, fit_affine

WHOLE = -1
"""Code of all that has no map of its own."""
MOST_PIXELS = 6_000
"""Pixels of one fit; more say nothing new."""


@dataclass(frozen=True)
class DepthChunk:
    """Frames first .. first + count - 1, as one run of a depth net gave them."""

    first: int
    count: int
    read: Callable[[int], Float[np.ndarray, "h w"] | None]
    """By frame of the clip; None where the chunk knows nothing of it."""

    @property
    def end(self) -> int:
        """One past the last frame."""
        return self.first + self.count


Maps = dict[int, AffineDepth]
"""By label code; `WHOLE` for the rest."""


def join_chunks(
    chunks: Sequence[DepthChunk], labels: Callable[[int], UInt8[np.ndarray, "h w"]], codes: Sequence[int]
) -> list[Maps]:
    """Per chunk and label code, the map to the first chunk's depth.

    Each chunk must share frames with the one before. A code that no shared frame shows takes the map that the whole
    picture has between the two chunks.

    Raises:
        NothingInCommon: two chunks in a row share no frame, or no known pixel.
    """
    out: list[Maps] = [{code: AffineDepth() for code in (WHOLE, *codes)}]
    for before, chunk in itertools.pairwise(chunks):
        new, old, label = _shared(before, chunk, labels)
        whole = _fit(new, old)
        maps = {WHOLE: whole.then(out[-1][WHOLE])}
        for code in codes:
            mask = label == code
            try:
                maps[code] = _fit(new[mask], old[mask]).then(out[-1][code])
            except NothingInCommon:
                maps[code] = whole.then(out[-1][code])
        out.append(maps)
    return out


def apply_maps(
    depth: Float[np.ndarray, "h w"], label: UInt8[np.ndarray, "h w"], maps: Maps
) -> Float[np.ndarray, "h w"]:
    """A frame with each object under its own map, all else under that of the whole picture."""
    out = maps[WHOLE](depth)
    for code, change in maps.items():
        if code >= 0:
            out = np.where(label == code, change(depth), out)
    return out


def _shared(
    before: DepthChunk, chunk: DepthChunk, labels: Callable[[int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels of the frames that both have, flat: new depth, old depth, label."""
    new, old, label = [], [], []
    for k in range(chunk.first, min(before.end, chunk.end)):
        a, b = chunk.read(k), before.read(k)
        if a is not None and b is not None:
            new.append(a.ravel())
            old.append(b.ravel())
            label.append(labels(k).ravel())
    if not new:
        raise NothingInCommon(
            f"the depth chunk from frame {chunk.first} on shares no known frame with the one before "
            f"(up to frame {before.end - 1})",
            hint="chunks must overlap by a frame at least",
        )
    return np.concatenate(new), np.concatenate(old), np.concatenate(label)


def _fit(new: np.ndarray, old: np.ndarray) -> AffineDepth:
    every = max(len(new) // MOST_PIXELS, 1)
    return fit_affine(new[::every], old[::every])

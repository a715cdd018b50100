"""Depth brought to the depth of another: a scale and a shift, for a whole picture or object by object.

Object by object between overlapping chunks is DexMan's B.1: depths of one object in a shared frame are matched by
min |a D_k + b - D_(k-1)|, and the map is carried on from chunk to chunk.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from reenact.errors import NoResultError


class NothingInCommon(NoResultError):
    """Two depths share too few known pixels to be brought together."""


@dataclass(frozen=True)
class AffineDepth:
    """depth_other = scale * depth + shift."""

    scale: float = 1.0
    shift: float = 0.0
    sigma_relative: float = 0.0
    """Relative one-sigma of a mapped depth's common error."""
    count: int = 0
    """Pixels behind it."""

    def __call__(self, depth: Float[np.ndarray, "*s"]) -> Float[np.ndarray, "*s"]:
        """Mapped; 0 stays 0 (unknown)."""
        return np.where(depth > 0, self.scale * depth + self.shift, 0).astype(depth.dtype)

    def then(self, later: AffineDepth) -> AffineDepth:
        """This map, then another."""
        return AffineDepth(
            later.scale * self.scale,
            later.scale * self.shift + later.shift,
            float(np.hypot(self.sigma_relative, later.sigma_relative)),
            min(self.count, later.count) if self.count else later.count,
        )


def fit_affine(
    src: Float[np.ndarray, " n"],
    dst: Float[np.ndarray, " n"],
    *,
    with_shift: bool = True,
    min_count: int = 20,
    min_spread: float = 0.01,
) -> AffineDepth:
    """dst = scale * src + shift for most of the pairs; pairs with a 0 are left out.

    Depths that hardly differ (relative spread below `min_spread`: a flat thing seen from the front) cannot tell a
    scale from a shift; then only the scale is fitted.

    Raises:
        NothingInCommon: fewer than `min_count` pairs.
    """
    known = (src > 0) & (dst > 0) & np.isfinite(src) & np.isfinite(dst)
    a, b = np.asarray(src[known], np.float64), np.asarray(dst[known], np.float64)
    if len(a) < min_count:
        raise NothingInCommon(f"{len(a)} pixels have both depths", hint=f"at least {min_count} are needed")
    scale, shift = float(np.median(b / a)), 0.0
    spread = float(np.subtract(*np.percentile(a, [84, 16]))) / 2 / float(np.median(a))
    shifted = with_shift and spread > min_spread
    for _ in range(12):
        away = b - scale * a - shift
        noise = max(1.48 * float(np.median(np.abs(away))), 1e-9)
        weight = np.minimum(1.0, 1.5 * noise / np.maximum(np.abs(away), 1e-12)) * (np.abs(away) < 6 * noise)
        if weight.sum() < min_count / 2:
            break
        if shifted:
            mean_a, mean_b = np.average(a, weights=weight), np.average(b, weights=weight)
            scale = float((weight * (a - mean_a) * (b - mean_b)).sum() / (weight * (a - mean_a) ** 2).sum())
            shift = float(mean_b - scale * mean_a)
        else:
            scale = float((weight * a * b).sum() / (weight * a * a).sum())
    noise = 1.48 * float(np.median(np.abs(b - scale * a - shift)))
    independent = np.sqrt(min(len(a), 60))
    return AffineDepth(scale, shift, noise / float(np.median(b)) / float(independent), len(a))


@dataclass(frozen=True)
class DepthChunk:
    """Frames first .. first + n - 1, as one run of a depth net gave them."""

    first: int
    depth: Float[np.ndarray, "n h w"]


def align_chunks(
    chunks: Sequence[DepthChunk], labels: Callable[[int], UInt8[np.ndarray, "h w"]], codes: Sequence[int]
) -> list[dict[int, AffineDepth]]:
    """Per chunk and label code, the map to the first chunk's depth (DexMan B.1).

    Each chunk must share frames with the one before. A code that no shared frame shows keeps the map of the whole
    picture, as the paper's "background" does.

    Raises:
        NothingInCommon: two chunks in a row share no frame, or no known pixel.
    """
    out: list[dict[int, AffineDepth]] = [{code: AffineDepth() for code in (-1, *codes)}]
    for before, chunk in itertools.pairwise(chunks):
        shared = range(chunk.first, min(before.first + len(before.depth), chunk.first + len(chunk.depth)))
        if len(shared) == 0:
            raise NothingInCommon(f"the chunk from frame {chunk.first} does not overlap the one before")
        new = np.stack([chunk.depth[k - chunk.first] for k in shared])
        old = np.stack([before.depth[k - before.first] for k in shared])
        label = np.stack([labels(k) for k in shared])
        whole = fit_affine(new.ravel(), old.ravel())
        maps = {-1: whole.then(out[-1][-1])}
        for code in codes:
            mask = label == code
            try:
                maps[code] = fit_affine(new[mask], old[mask]).then(out[-1][code])
            except NothingInCommon:
                maps[code] = whole.then(out[-1][code])
        out.append(maps)
    return out


def apply_maps(
    depth: Float[np.ndarray, "h w"], label: UInt8[np.ndarray, "h w"], maps: dict[int, AffineDepth]
) -> Float[np.ndarray, "h w"]:
    """A frame with each object under its own map, all else under that of the whole picture (code -1)."""
    out = maps[-1](depth)
    for code, change in maps.items():
        if code >= 0:
            out = np.where(label == code, change(depth), out)
    return out


def background_template(
    depth: Callable[[int], Float[np.ndarray, "h w"] | None],
    background: Callable[[int], Bool[np.ndarray, "h w"]],
    frames: Sequence[int],
    rounds: int = 2,
) -> tuple[Float64[np.ndarray, "h w"], dict[int, AffineDepth]]:
    """What a still camera sees behind everything (median over frames; 0 where never seen), and per frame the scale and
    shift that bring it there. Frames' own scales drift with nets; the room does not.

    Raises:
        NothingInCommon: no frame has depth.
    """
    seen: dict[int, np.ndarray] = {}
    for k in frames:
        values = depth(k)
        if values is not None:
            seen[k] = np.where(background(k), values, 0).astype(np.float64)
    if not seen:
        raise NothingInCommon("no frame has depth of the background")
    maps = {k: AffineDepth() for k in seen}
    for _ in range(rounds):
        template = _median(np.stack([maps[k](values) for k, values in seen.items()]))
        maps = {k: to_template(values, template) for k, values in seen.items()}
        middle = float(np.median([m.scale for m in maps.values()]))
        # the template itself must not wander: the maps are the identity in the middle
        maps = {k: AffineDepth(m.scale / middle, m.shift, m.sigma_relative, m.count) for k, m in maps.items()}
    return template, maps


def to_template(values: Float[np.ndarray, "h w"], template: Float[np.ndarray, "h w"]) -> AffineDepth:
    """The map of a frame's background depth to the template; the identity with a wide sigma where they share nothing."""
    try:
        return fit_affine(values.ravel()[::3], template.ravel()[::3])
    except NothingInCommon:
        return AffineDepth(sigma_relative=0.1)


def _median(stack: np.ndarray) -> Float64[np.ndarray, "h w"]:
    """Over the frames that know a pixel."""
    known = np.where(stack > 0, stack, np.nan)
    out = np.zeros(stack.shape[1:])
    some = np.isfinite(known).any(0)
    out[some] = np.nanmedian(known[:, some], axis=0)
    return out

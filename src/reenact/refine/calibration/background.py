"""What a still camera sees behind everything: nets' frames drift in scale, the room does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.refine.calibration.affine import AffineDepth, NothingInCommon, fit_affine

UNSEEN_SIGMA = 0.1
"""Relative one-sigma of a frame that shares nothing with the template."""
MOST_PIXELS = 6_000
"""Pixels of one fit; more say nothing new."""


def background_template(
    depth: Callable[[int], Float[np.ndarray, "h w"] | None],
    background: Callable[[int], Bool[np.ndarray, "h w"]],
    frames: Sequence[int],
    rounds: int = 2,
    *,
    with_shift: bool = True,
) -> tuple[Float64[np.ndarray, "h w"], dict[int, AffineDepth]]:
    """The room (median over frames; 0 where never seen), and per frame the scale and shift that bring it there.

    with_shift: False for depth cameras, which may be off by a factor but know where 0 is.

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
        maps = {k: to_template(values, template, with_shift) for k, values in seen.items()}
        middle = float(np.median([m.scale for m in maps.values()]))
        # the template itself must not wander: the maps are the identity in the middle
        maps = {k: AffineDepth(m.scale / middle, m.shift, m.sigma_relative, m.count) for k, m in maps.items()}
    return template, maps


def to_template(
    values: Float[np.ndarray, "h w"], template: Float[np.ndarray, "h w"], with_shift: bool = True
) -> AffineDepth:
    """The map of a frame's background depth to the template; the identity with a wide sigma where they share nothing."""
    both = np.flatnonzero((values > 0) & (template > 0))
    both = both[:: max(len(both) // MOST_PIXELS, 1)]
    try:
        return fit_affine(values.ravel()[both], template.ravel()[both], with_shift=with_shift)
    except NothingInCommon:
        return AffineDepth(sigma_relative=UNSEEN_SIGMA)


def _median(stack: np.ndarray) -> Float64[np.ndarray, "h w"]:
    """Over the frames that know a pixel."""
    known = np.where(stack > 0, stack, np.nan)
    out = np.zeros(stack.shape[1:])
    some = np.isfinite(known).any(0)
    out[some] = np.nanmedian(known[:, some], axis=0)
    return out

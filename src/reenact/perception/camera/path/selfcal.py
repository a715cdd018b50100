"""The focal length from the camera's own motion: the mapper adjusts it, two halves of the tracks say how surely."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reenact.perception.camera.path.config import PathConfig
from reenact.perception.camera.path.mapping import PinholeLens, map_keyframes
from reenact.perception.camera.path.tracks import CornerTracks


@dataclass(frozen=True)
class FoundLens:
    """A focal length relative to the assumed one."""

    ratio: float
    """Found / assumed."""
    sigma: float
    """Relative one-sigma."""

    def applied(self, lens: PinholeLens) -> PinholeLens:
        """The lens with this focal length."""
        return replace(lens, focal_px=lens.focal_px * self.ratio)


def lens_from_motion(
    tracks: CornerTracks, lens: PinholeLens, prior_sigma: float, config: PathConfig
) -> tuple[FoundLens | None, str]:
    """The focal length of all tracks, believed if both halves agree with it and it is a usual one; and why."""
    c = config.lens
    side = np.random.default_rng([config.seed, 1]).random(int(tracks.track.max(initial=0)) + 1) < 0.5
    found = []
    for part in (tracks, tracks.only(side), tracks.only(~side)):
        solved = map_keyframes(part, lens, config.mapping, config.seed, refine_lens=True)
        if solved is None or len(solved.frames) < c.min_keyframes_share * len(tracks.keyframes):
            return None, "not all parts of the tracks could be solved with a free focal length"
        found.append(np.log(solved.focal_px / lens.focal_px))
    whole, halves = found[0], np.array(found[1:])
    sigma = float(max(np.abs(halves - whole).max(), c.floor_sigma))
    said = f"focal length {np.exp(whole):.3f} x the assumed one; halves {np.exp(halves[0]):.3f}, {np.exp(halves[1]):.3f}"
    if sigma > c.max_sigma:
        return None, f"{said}: they differ by more than {c.max_sigma:.0%}"
    if abs(whole) > c.max_prior_sigmas * prior_sigma:
        return None, f"{said}: more than {c.max_prior_sigmas} sigma from what lenses are like"
    return FoundLens(float(np.exp(whole)), sigma), said

"""Focal length of a clip from straight lines, and the gate that decides whether to believe it.

The scores of all frames are added, so frames that say nothing (blur, foliage) flatten out, and the peak is
refined with one lens for all. Where lines alone do not suffice, they may still sharpen the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from reenact.perception.camera.ladder import Ladder, LadderConfig, View
from reenact.perception.camera.manhattan import Refined
from reenact.perception.camera.segments import SegmentsConfig


@dataclass(frozen=True)
class LinesConfig:
    """What is looked at, and the gate."""

    segments: SegmentsConfig = field(default_factory=SegmentsConfig)
    """Which segments are used."""
    ladder: LadderConfig = field(default_factory=LadderConfig)
    """Which focal lengths are tried."""
    frames: int = 10
    """Frames of a clip that are looked at, evenly over its time."""
    second_look: int = 30
    """Frames looked at when those do not suffice and the camera moves (a still one shows the same lines again)."""
    support_segments: float = 4.0
    """A frame tells the focal length when its best rung explains that many segments more than both ends do."""
    support_share: float = 0.4
    """And at least this share of what the best frame's does: weak frames would only add scatter."""
    fit_trust: float = 0.6
    """Median fraction of fitting segments from which lines alone are believed (measured: rooms 0.61-0.77)."""
    fit_second: float = 0.36
    """Fraction from which they are believed with a second source; below they scatter over 17 to 93 degrees."""
    agree: float = 0.05
    """Largest relative robust one-sigma of the frames' own focal lengths."""
    min_frames: int = 3
    """Telling frames needed (fewer if the clip has fewer)."""
    min_views: int = 4
    """Telling frames of a moving camera needed to count as the second source: its views are independent."""
    sharper: float = 0.85
    """With the prior as second source, lines must narrow its sigma to this fraction."""
    sigma_floor: float = 0.03
    """Smallest relative sigma claimed for the focal length (errors where believed: 0.1 to 3.4 % on twelve clips)."""


@dataclass(frozen=True)
class FocalFinding:
    """What the lines say about the focal length."""

    trusted: bool
    focal_px: float
    """0 where nothing was found."""
    centre_px: tuple[float, float]
    """Where the optical axis meets the picture."""
    sigma: float
    """Relative one-sigma of the focal length."""
    centre_sigma_px: float
    """One-sigma of the centre, the worse of both axes."""
    fit: float
    """Median fraction of fitting segments at that focal length."""
    spread: float
    """Relative robust one-sigma of the telling frames' own focal lengths."""
    telling: int
    """Frames that tell the focal length by themselves."""
    reason: str
    """One sentence with the numbers that decided."""


def focal_from_lines(ladder: Ladder, config: LinesConfig, *, moving: bool) -> FocalFinding:
    """Focal length by lines alone, with the gate's verdict.

    Gate (measured on calibrated, far-person, kitchen, wall and foliage clips): fit >= ``fit_trust`` and
    frames agree within ``agree``: believed. Between ``fit_second`` and that: only if a moving camera saw it
    from ``min_views`` agreeing views. Otherwise not.
    """
    best = max((v.support for v in ladder.views), default=0.0)
    telling = [
        v for v in ladder.views if v.support >= max(config.support_segments, config.support_share * best)
    ]
    if not telling:
        reason = f"none of {ladder.looked} frames has lines that tell the focal length"
        return FocalFinding(False, 0.0, ladder.middle_px, 0.0, 0.0, 0.0, 0.0, 0, reason)
    joint = ladder.refined(telling, int(np.argmax(_explained(telling))), 1 if moving else len(telling))
    spread = _spread([ladder.alone(v, joint.lens[1:]) for v in telling])
    found = _finding(ladder, telling, joint, max(config.sigma_floor, spread))
    found = replace(found, spread=spread, telling=len(telling))
    log_focal = np.log(ladder.focal_px)
    trusted, why = _gate(
        found, ladder.looked, not log_focal[-2] < joint.lens[0] < log_focal[1], moving, config
    )
    numbers = (
        f"{found.fit:.2f} of the lines fit, {len(telling)} of {ladder.looked} frames tell the focal length"
        f" within {100 * spread:.1f} %"
    )
    return replace(found, trusted=trusted, reason=f"{numbers}: {why}")


def focal_with_prior(
    ladder: Ladder,
    config: LinesConfig,
    prior_focal_px: float,
    prior_sigma: float,
    *,
    segments_per_nat: float = 1.0,
) -> FocalFinding:
    """Focal length by lines and prior together: the prior is the second source that the gate asks for.

    Believed if ``fit_second`` of the lines fit and they narrow the prior to ``sharper`` of its width. All
    frames count as one, for most lines are seen again. Explaining ``segments_per_nat`` segments more makes a
    focal length e times likelier (at 1, the toy clips' errors were a quarter of the sigmas claimed).
    """
    if not ladder.views:
        reason = f"none of {ladder.looked} frames has enough lines"
        return FocalFinding(False, 0.0, ladder.middle_px, 0.0, 0.0, 0.0, 0.0, 0, reason)
    off = np.log(ladder.focal_px / prior_focal_px)
    log_p = _explained(ladder.views) / len(ladder.views) / segments_per_nat - 0.5 * (off / prior_sigma) ** 2
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    joint = ladder.refined(
        ladder.views, int(np.argmax(p)), len(ladder.views), float(np.log(prior_focal_px)), prior_sigma
    )
    sigma = float(np.sqrt(p @ (off - p @ off) ** 2))
    found = _finding(ladder, ladder.views, joint, max(config.sigma_floor, sigma))
    numbers = f"with the prior, {found.fit:.2f} of the lines fit, sigma {100 * sigma:.0f} %"
    if found.fit < config.fit_second:
        return replace(found, reason=f"{numbers}: too few fit, less than {config.fit_second}")
    if sigma > config.sharper * prior_sigma:
        return replace(found, reason=f"{numbers}: hardly better than the prior's {100 * prior_sigma:.0f} %")
    return replace(found, trusted=True, reason=f"{numbers}: believed")


def _finding(ladder: Ladder, views: Sequence[View], joint: Refined, sigma: float) -> FocalFinding:
    cx, cy = ladder.middle_px
    return FocalFinding(
        trusted=False,
        focal_px=float(np.exp(joint.lens[0])),
        centre_px=(cx + ladder.side_px * float(joint.lens[1]), cy + ladder.side_px * float(joint.lens[2])),
        sigma=float(np.hypot(sigma, joint.lens_sigma[0])),
        centre_sigma_px=ladder.side_px * float(joint.lens_sigma[1:].max()),
        fit=ladder.fit(views, joint),
        spread=0.0,
        telling=0,
        reason="",
    )


def _gate(f: FocalFinding, frames: int, at_end: bool, moving: bool, c: LinesConfig) -> tuple[bool, str]:
    if at_end:
        low, high = c.ladder.fov_deg
        return False, f"the best field of view lies at an end of {low:.0f}-{high:.0f} deg"
    if f.telling < min(c.min_frames, frames):
        return False, f"fewer than {c.min_frames} frames"
    if f.spread > c.agree:
        return False, f"they differ by more than {100 * c.agree:.0f} %"
    if f.fit >= c.fit_trust:
        return True, "believed"
    if f.fit < c.fit_second:
        return False, f"too few fit, less than {c.fit_second}"
    if moving and f.telling >= c.min_views:
        return True, "believed, for views of a moving camera are independent"
    return False, f"less than {c.fit_trust} fit, and lines alone have no second source"


def _explained(views: Sequence[View]) -> np.ndarray:
    """Segments that each rung explains, all views together."""
    return np.sum([v.scores * len(v.segments) for v in views], axis=0)


def _spread(log_focal: Sequence[float]) -> float:
    """Robust relative one-sigma: the interquartile range over 1.349; 0 for a single value."""
    low, high = np.quantile(log_focal, [0.25, 0.75])
    return float((high - low) / 1.349)

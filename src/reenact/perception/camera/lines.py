"""Focal length of a clip from straight lines, and the gate that decides whether to believe it.

Every frame scores a ladder of focal lengths, each with its best three orthogonal directions; the scores
of all frames are added, so frames that say nothing (blur, foliage) flatten out, and the peak is refined
with one lens for all: square pixels, focal length free, centre held near the middle by a prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import Camera, PinholeCamera
from reenact.perception.camera.manhattan import Lens, ManhattanConfig, draw_triples, on_sphere, refine, search
from reenact.perception.camera.segments import Segments, SegmentsConfig


@dataclass(frozen=True)
class LinesConfig:
    """The ladder of focal lengths and the gate."""

    segments: SegmentsConfig = field(default_factory=SegmentsConfig)
    """Which segments are used."""
    manhattan: ManhattanConfig = field(default_factory=ManhattanConfig)
    """How three directions are found in them."""
    frames: int = 10
    """Frames of a clip that are looked at, evenly over its time."""
    second_look: int = 30
    """Frames looked at when those do not suffice and the camera moves (a still one shows the same lines again)."""
    min_segments: int = 12
    """Frames with fewer segments are left out."""
    fov_deg: tuple[float, float] = (25.0, 120.0)
    """Horizontal fields of view tried; a peak at either end is not believed."""
    focal_steps: int = 24
    """Rungs of the ladder, evenly in the logarithm."""
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
    """Telling frames needed (1 if the clip has but one frame to look at)."""
    min_views: int = 4
    """Telling frames of a moving camera needed to count as the second source: its views are independent."""
    centre_sigma: float = 0.015
    """One-sigma of the true centre off the middle, as a fraction of the longer side (seen: 0.023). Held in the
    middle, it cost 2.8 % of focal length and 2.3 deg of gravity on the calibrated sequence; this loose, 0.5 %."""
    sigma_floor: float = 0.02
    """Smallest relative sigma claimed for the focal length."""


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
    """Median fraction of fitting segments at that focal length over the telling frames."""
    spread: float
    """Relative robust one-sigma of the telling frames' own focal lengths."""
    telling: int
    """Frames that tell the focal length."""
    frames: int
    """Frames with enough segments."""
    reason: str
    """One sentence with the numbers that decided."""


@dataclass(frozen=True, eq=False)
class _View:
    """One frame's ladder."""

    segments: Segments
    scores: Float64[np.ndarray, " f"]
    R_axes_camera: Float64[np.ndarray, "f 3 3"]

    @property
    def support(self) -> float:
        """Segments that the best rung explains beyond the better one of the two ends."""
        return float(
            (self.scores.max() - max(self.scores[:2].mean(), self.scores[-2:].mean())) * len(self.segments)
        )


def focal_from_lines(
    frames: Sequence[Segments], width_px: int, height_px: int, config: LinesConfig, *, moving: bool, seed: int
) -> FocalFinding:
    """Focal length in pixels of pictures of that size, with the gate's verdict.

    Gate (measured on calibrated, far-person, kitchen, wall and foliage clips): fit >= ``fit_trust`` and
    frames agree within ``agree``: believed. Between ``fit_second`` and that: only if a moving camera saw it
    from ``min_views`` agreeing views. Otherwise not.
    """
    ladder, middle = _ladder(width_px, config), ((width_px - 1) / 2, (height_px - 1) / 2)
    lens = _lens(width_px, height_px)
    usable = [s for s in frames if len(s) >= config.min_segments]
    views = [_view(s, lens, ladder, config, np.random.default_rng([seed, i])) for i, s in enumerate(usable)]
    best = max((v.support for v in views), default=0.0)
    telling = [v for v in views if v.support >= max(config.support_segments, config.support_share * best)]
    if not telling:
        reason = f"none of {len(frames)} frames has lines that tell the focal length"
        return FocalFinding(False, 0.0, middle, 0.0, 0.0, 0.0, 0.0, 0, len(views), reason)
    rung = int(np.argmax(sum(v.scores * len(v.segments) for v in telling)))
    repeats = 1 if moving else len(telling)  # a still camera sees the same lines again: they count once
    joint = refine(
        [v.segments for v in telling],
        lens,
        np.array([np.log(ladder[rung]), 0.0, 0.0]),
        np.array([np.inf, *[config.centre_sigma / np.sqrt(repeats)] * 2]),
        np.stack([v.R_axes_camera[rung] for v in telling]),
        config.manhattan,
        shared=False,
    )
    fits = _fits(telling, lens(joint.lens), joint.R_axes_camera, config.manhattan)
    spread = _spread([_own_log_focal(v, lens, ladder, joint.lens, config) for v in telling])
    side, own_sigma = max(width_px, height_px), joint.lens_sigma * np.sqrt(repeats)
    finding = FocalFinding(
        trusted=False,
        focal_px=float(np.exp(joint.lens[0])),
        centre_px=(middle[0] + side * float(joint.lens[1]), middle[1] + side * float(joint.lens[2])),
        sigma=float(np.hypot(max(config.sigma_floor, spread), own_sigma[0])),
        centre_sigma_px=side * float(own_sigma[1:].max()),
        fit=float(np.median(fits)),
        spread=spread,
        telling=len(telling),
        frames=len(views),
        reason="",
    )
    at_end = not np.log(ladder[-2]) < joint.lens[0] < np.log(ladder[1])
    trusted, why = _gate(finding, len(frames), at_end, moving, config)
    numbers = (
        f"{finding.fit:.2f} of the lines fit, {len(telling)} of {len(frames)} frames tell the focal length"
        f" within {100 * spread:.1f} %"
    )
    return replace(finding, trusted=trusted, reason=f"{numbers}: {why}")


def _gate(f: FocalFinding, frames: int, at_end: bool, moving: bool, c: LinesConfig) -> tuple[bool, str]:
    if at_end:
        return False, f"the best field of view lies at an end of {c.fov_deg[0]:.0f}-{c.fov_deg[1]:.0f} deg"
    if f.telling < min(c.min_frames, frames):
        return False, f"fewer than {c.min_frames} frames"
    if f.spread > c.agree:
        return False, f"they differ by more than {100 * c.agree:.0f} %"
    if f.fit >= c.fit_trust:
        return True, "believed"
    if f.fit < c.fit_second:
        return False, f"too few lines fit, less than {c.fit_second}"
    if moving and f.telling >= c.min_views:
        return True, "believed, for views of a moving camera are independent"
    return False, f"less than {c.fit_trust} fit, and there is no second source"


def _lens(width_px: int, height_px: int) -> Lens:
    """Parameters: log of the focal length in pixels, offsets of the centre in longer sides."""
    side, cx, cy = max(width_px, height_px), (width_px - 1) / 2, (height_px - 1) / 2

    def lens(theta: np.ndarray) -> PinholeCamera:
        f = float(np.exp(theta[0]))
        return PinholeCamera(
            f, f, cx + side * float(theta[1]), cy + side * float(theta[2]), width_px, height_px
        )

    return lens


def _ladder(width_px: int, config: LinesConfig) -> Float64[np.ndarray, " f"]:
    """Focal lengths from the narrowest field of view to the widest (falling)."""
    longest, shortest = (width_px / 2 / np.tan(np.deg2rad(fov) / 2) for fov in config.fov_deg)
    return np.geomspace(longest, shortest, config.focal_steps)


def _view(
    segments: Segments, lens: Lens, ladder: np.ndarray, config: LinesConfig, rng: np.random.Generator
) -> _View:
    triples = draw_triples(segments, config.manhattan.hypotheses, rng)
    noise_px, fit_angle_deg = config.manhattan.noise_px, config.manhattan.fit_angle_deg
    cameras = [lens(np.array([np.log(f), 0.0, 0.0])) for f in ladder]
    found = [search(on_sphere(segments, camera, noise_px), triples, fit_angle_deg) for camera in cameras]
    return _View(segments, np.array([s for _, s in found]), np.stack([R for R, _ in found]))


def _fits(views: Sequence[_View], camera: Camera, R: np.ndarray, config: ManhattanConfig) -> list[float]:
    spheres = [on_sphere(v.segments, camera, config.noise_px) for v in views]
    return [sphere.fit(r, config.fit_angle_deg) for sphere, r in zip(spheres, R, strict=True)]


def _own_log_focal(
    view: _View, lens: Lens, ladder: np.ndarray, joint: np.ndarray, config: LinesConfig
) -> float:
    """What the frame alone would say, given the common centre."""
    rung = int(np.argmax(view.scores))
    alone = refine(
        [view.segments],
        lens,
        np.array([np.log(ladder[rung]), joint[1], joint[2]]),
        np.array([np.inf, 0.0, 0.0]),
        view.R_axes_camera[rung][None],
        config.manhattan,
        shared=True,
    )
    return float(alone.lens[0])


def _spread(log_focal: Sequence[float]) -> float:
    """Robust relative one-sigma: the interquartile range over 1.349; 0 for a single value."""
    low, high = np.quantile(log_focal, [0.25, 0.75])
    return float((high - low) / 1.349)

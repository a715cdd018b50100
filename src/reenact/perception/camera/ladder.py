"""A ladder of focal lengths: each frame scores every rung with its best three orthogonal directions there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import Camera, PinholeCamera
from reenact.perception.camera.manhattan import (
    Lens,
    ManhattanConfig,
    Refined,
    draw_triples,
    on_sphere,
    refine,
    search,
)
from reenact.perception.camera.segments import Segments


@dataclass(frozen=True)
class LadderConfig:
    """The rungs, and which frames are put on them."""

    manhattan: ManhattanConfig = field(default_factory=ManhattanConfig)
    """How three directions are found."""
    min_segments: int = 12
    """Frames with fewer segments are left out."""
    fov_deg: tuple[float, float] = (25.0, 120.0)
    """Horizontal fields of view tried, narrowest and widest."""
    steps: int = 24
    """Rungs, evenly in the logarithm of the focal length."""
    centre_sigma: float = 0.015
    """One-sigma of the true centre off the middle, as a fraction of the longer side (seen: 0.023). Held in the
    middle, it cost 2.8 % of focal length and 2.3 deg of gravity on the calibrated sequence; this loose, 0.5 %."""


@dataclass(frozen=True, eq=False)
class View:
    """One frame's scores."""

    segments: Segments
    scores: Float64[np.ndarray, " f"]
    R_axes_camera: Float64[np.ndarray, "f 3 3"]

    @property
    def support(self) -> float:
        """Segments that the best rung explains beyond the better one of the two ends."""
        ends = max(self.scores[:2].mean(), self.scores[-2:].mean())
        return float((self.scores.max() - ends) * len(self.segments))


@dataclass(frozen=True, eq=False)
class Ladder:
    """All usable frames of a clip on one ladder."""

    width_px: int
    height_px: int
    focal_px: Float64[np.ndarray, " f"]
    """The rungs, falling (narrowest view first)."""
    views: list[View]
    looked: int
    """Frames that were given, usable or not."""
    config: LadderConfig

    @property
    def middle_px(self) -> tuple[float, float]:
        """Middle of the picture."""
        return (self.width_px - 1) / 2, (self.height_px - 1) / 2

    @property
    def side_px(self) -> int:
        """The longer side."""
        return max(self.width_px, self.height_px)

    def lens(self, theta: Float64[np.ndarray, "3"]) -> Camera:
        """Parameters: log of the focal length in pixels, offsets of the centre in longer sides. Square pixels."""
        f, (cx, cy) = float(np.exp(theta[0])), self.middle_px
        x, y = cx + self.side_px * float(theta[1]), cy + self.side_px * float(theta[2])
        return PinholeCamera(f, f, x, y, self.width_px, self.height_px)

    def refined(
        self,
        views: Sequence[View],
        rung: int,
        repeats: int,
        log_focal: float | None = None,
        focal_sigma: float = np.inf,
    ) -> Refined:
        """One lens for these views from that rung on, centre held near the middle.

        ``repeats``: how often each line was seen (a still camera sees the same ones again): they count once, and
        the sigmas given back are for once. ``log_focal`` and ``focal_sigma``: what was known before.
        """
        loose = np.sqrt(repeats)
        rung_log = float(np.log(self.focal_px[rung]))
        known = np.array([rung_log if log_focal is None else log_focal, 0.0, 0.0])
        sigma = np.array([focal_sigma, self.config.centre_sigma, self.config.centre_sigma]) / loose
        start = np.stack([v.R_axes_camera[rung] for v in views])
        segments, guess = [v.segments for v in views], np.array([rung_log, 0.0, 0.0])
        done = refine(
            segments, self.lens, known, sigma, start, self.config.manhattan, shared=False, first_guess=guess
        )
        return Refined(done.lens, done.lens_sigma * loose, done.R_axes_camera, done.turn_sigma * loose)

    def alone(self, view: View, centre: Float64[np.ndarray, "2"]) -> float:
        """Log of the focal length that the view alone would say, given the centre offsets."""
        rung = int(np.argmax(view.scores))
        known = np.array([np.log(self.focal_px[rung]), *centre])
        sigma = np.array([np.inf, 0.0, 0.0])
        start = view.R_axes_camera[rung][None]
        done = refine([view.segments], self.lens, known, sigma, start, self.config.manhattan, shared=True)
        return float(done.lens[0])

    def fit(self, views: Sequence[View], refined: Refined) -> float:
        """Median fraction of the views' segments that fit."""
        camera, c = self.lens(refined.lens), self.config.manhattan
        pairs = zip(views, refined.R_axes_camera, strict=True)
        return float(
            np.median([on_sphere(v.segments, camera, c.noise_px).fit(R, c.fit_angle_deg) for v, R in pairs])
        )


def climb(
    frames: Sequence[Segments], width_px: int, height_px: int, config: LadderConfig, seed: int
) -> Ladder:
    """Score all usable frames on all rungs."""
    longest, shortest = (width_px / 2 / np.tan(np.deg2rad(fov) / 2) for fov in config.fov_deg)
    ladder = Ladder(
        width_px, height_px, np.geomspace(longest, shortest, config.steps), [], len(frames), config
    )
    for i, segments in enumerate(s for s in frames if len(s) >= config.min_segments):
        ladder.views.append(
            _view(segments, ladder.lens, ladder.focal_px, config, np.random.default_rng([seed, i]))
        )
    return ladder


def _view(
    segments: Segments, lens: Lens, focal_px: np.ndarray, config: LadderConfig, rng: np.random.Generator
) -> View:
    c = config.manhattan
    triples = draw_triples(segments, c.hypotheses, rng)
    cameras = [lens(np.array([np.log(f), 0.0, 0.0])) for f in focal_px]
    found = [search(on_sphere(segments, camera, c.noise_px), triples, c.fit_angle_deg) for camera in cameras]
    return View(segments, np.array([s for _, s in found]), np.stack([R for R, _ in found]))

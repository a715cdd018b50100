"""Three orthogonal directions in the world from line segments: search by RANSAC, then least squares.

Segments are looked at on the unit sphere, so the same code serves pinhole and fisheye lenses. A segment
with middle ray m and plane normal n misses direction d by ``asin(n.d / |m x d|)``: the angle, seen from the
lens, between the segment and the way to the vanishing point of d. A frame's directions are the rows of a
rotation ``R_axes_camera``; which of them is up is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.cameras import Camera
from reenact.geometry.rotations import so3_exp
from reenact.perception.camera.segments import Segments


@dataclass(frozen=True)
class ManhattanConfig:
    """Search for the three directions in one frame, and their refinement over frames."""

    fit_angle_deg: float = 2.0
    """A segment fits when it misses the nearest of the three directions by less than this."""
    hypotheses: int = 400
    """Triples of segments tried; with a fifth of the segments on each axis about 10 are all-right."""
    noise_px: float = 0.7
    """One-sigma of a segment's ends across its direction, in working pixels (measured residuals: 0.2-0.6)."""
    steps: int = 12
    """Gauss-Newton steps."""


@dataclass(frozen=True, eq=False)
class SphereSegments:
    """Segments of one frame as a lens sees them."""

    middle: Float[np.ndarray, "n 3"]
    normal: Float[np.ndarray, "n 3"]
    weight: Float[np.ndarray, " n"]
    """One over the one-sigma of the segment's direction, 1/rad."""

    def misses(self, directions: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, "n k"]:
        """Sine of the angle (signed) by which each segment misses each direction."""
        along = self.middle @ directions.T
        return (self.normal @ directions.T) / np.sqrt(np.maximum(1 - along * along, 0.01))

    def fit(self, R_axes_camera: Float64[np.ndarray, "3 3"], fit_angle_deg: float) -> float:
        """Fraction of the segments that fit one of the three directions."""
        if len(self.middle) == 0:
            return 0.0
        return float((np.abs(self.misses(R_axes_camera)).min(axis=1) < np.deg2rad(fit_angle_deg)).mean())

    def score(
        self, R_axes_camera: Float[np.ndarray, "m 3 3"], fit_angle_deg: float
    ) -> Float[np.ndarray, " m"]:
        """Goodness in 0..1 of many rotations: share of (length-weighted) segments, the better the nearer."""
        share = np.minimum(self.weight, np.quantile(self.weight, 0.9))
        directions = (
            np.swapaxes(R_axes_camera, 0, 1).reshape(-1, 3).T
        )  # all first axes, all second, all third
        along, across = self.middle @ directions, self.normal @ directions
        missed2 = (across * across / np.maximum(1 - along * along, 0.01)).reshape(len(along), 3, -1)
        nearest2 = np.minimum(np.minimum(missed2[:, 0], missed2[:, 1]), missed2[:, 2])
        return (share / share.sum()) @ np.maximum(0, 1 - nearest2 / np.deg2rad(fit_angle_deg) ** 2)


def on_sphere(segments: Segments, camera: Camera, noise_px: float) -> SphereSegments:
    """Segments through a lens."""
    rays = camera.unproject(segments.ends_px)
    normal = np.cross(rays[:, 0], rays[:, 1])
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    middle = rays.sum(axis=1)
    middle /= np.linalg.norm(middle, axis=-1, keepdims=True)
    return SphereSegments(middle, normal, segments.lengths_px / (2 * noise_px * segments.pixel_px))


def draw_triples(segments: Segments, count: int, rng: np.random.Generator) -> np.ndarray:
    """Index triples, long segments more often: two that may share an axis, one of another axis."""
    p = segments.lengths_px / segments.lengths_px.sum()
    return rng.choice(len(segments), size=(count, 3), p=p)


def hypotheses(sphere: SphereSegments, triples: np.ndarray) -> Float64[np.ndarray, "m 3 3"]:
    """``R_axes_camera`` of every usable triple: two segments meet in one direction, the third lies along another."""
    a, b, c = (sphere.normal[triples[:, i]] for i in range(3))
    d1 = np.cross(a, b)
    size1 = np.linalg.norm(d1, axis=-1)
    d1 /= np.maximum(size1, 1e-12)[:, None]
    d2 = np.cross(d1, c)
    size2 = np.linalg.norm(d2, axis=-1)
    d2 /= np.maximum(size2, 1e-12)[:, None]
    usable = (size1 > 0.02) & (size2 > 0.05)
    return np.stack([d1, d2, np.cross(d1, d2)], axis=1)[usable]


def search(sphere: SphereSegments, triples: np.ndarray, fit_angle_deg: float) -> tuple[np.ndarray, float]:
    """Best ``R_axes_camera`` over the triples and its score in 0..1 (identity and 0 if none is usable)."""
    R = hypotheses(sphere, triples)
    if len(R) == 0:
        return np.eye(3), 0.0
    score = _quick_score(sphere, R, fit_angle_deg)
    best = int(np.argmax(score))
    return R[best], float(score[best])


def propose(
    sphere: SphereSegments, triples: np.ndarray, fit_angle_deg: float, count: int = 12
) -> Float64[np.ndarray, "m 3 3"]:
    """The best rotations over the triples that differ from each other by at least 4 degrees."""
    R = hypotheses(sphere, triples)
    if len(R) == 0:
        return R
    order = np.argsort(-_quick_score(sphere, R, fit_angle_deg), kind="stable")[:150]
    kept: list[int] = []
    for i in order:
        axes = np.abs(R[kept] @ R[i].T)  # same up to naming of the axes: each has a near-parallel partner
        if not kept or axes.max(axis=-1).min(axis=-1).max() < np.cos(np.deg2rad(4.0)):
            kept.append(int(i))
        if len(kept) == count:
            break
    return R[kept]


def _quick_score(sphere: SphereSegments, R: np.ndarray, fit_angle_deg: float) -> np.ndarray:
    quick = SphereSegments(*(x.astype(np.float32) for x in (sphere.middle, sphere.normal, sphere.weight)))
    return quick.score(R.astype(np.float32), fit_angle_deg)


Lens = Callable[[Float64[np.ndarray, " p"]], Camera]
"""Lens parameters to camera, e.g. (log focal, centre offsets)."""


@dataclass(frozen=True, eq=False)
class Refined:
    """Result of the least squares."""

    lens: Float64[np.ndarray, " p"]
    """Lens parameters."""
    lens_sigma: Float64[np.ndarray, " p"]
    """Their one-sigmas from residuals and priors; 0 where held."""
    R_axes_camera: Float64[np.ndarray, "k 3 3"]
    """One per frame; all the same where shared."""
    turn_sigma: float
    """One-sigma of the directions in rad from the residuals alone: the worst axis, the worst frame."""


def refine(
    frames: Sequence[Segments],
    lens: Lens,
    start: Float64[np.ndarray, " p"],
    prior_sigma: Float64[np.ndarray, " p"],
    R_axes_camera: Float64[np.ndarray, "k 3 3"],
    config: ManhattanConfig,
    *,
    shared: bool,
    first_guess: Float64[np.ndarray, " p"] | None = None,
) -> Refined:
    """Rotations of all frames (one if ``shared``) and one lens for all, begun at ``first_guess`` or ``start``.

    Minimises the Cauchy-weighted misses of the segments near a direction plus ``((lens - start) / sigma)²``;
    a sigma of 0 holds that parameter, infinity leaves it free. Which segment belongs to which direction is
    decided anew in each step, within a bound that shrinks to ``fit_angle_deg``.
    """
    R, free = R_axes_camera.copy(), prior_sigma > 0
    theta = np.array(start if first_guess is None else first_guess, dtype=np.float64)
    turns = 3 * (1 if shared else len(frames))
    pull = np.zeros(turns + len(theta))
    pull[turns:][free] = 1 / prior_sigma[free] ** 2
    used = np.concatenate([np.ones(turns, dtype=bool), free])
    goal = np.deg2rad(config.fit_angle_deg)
    bound = 3 * goal
    for _ in range(config.steps):
        bound = max(goal, 0.75 * bound)
        J, r = _linearise(frames, lens, theta, R, config.noise_px, bound, shared)
        weight = 1 / (1 + r * r)
        gradient = J.T @ (weight * r) + pull * np.concatenate([np.zeros(turns), theta - start])
        normal = (J.T @ (weight[:, None] * J) + np.diag(pull + 1e-6))[np.ix_(used, used)]
        step = np.zeros(len(pull))
        step[used] = -np.linalg.solve(normal, gradient[used])
        largest = float(np.abs(step).max())
        step *= min(1.0, 0.1 / largest) if largest > 0 else 1.0
        theta = theta + step[turns:]
        R = R @ so3_exp(np.broadcast_to(step[:turns].reshape(-1, 3), (len(frames), 3)))
    noise2 = (
        max(1.0, float(np.median(r * r)) / 0.455) if len(r) else 1.0
    )  # 0.455: median of chi-square, 1 dof
    sigma = np.zeros(len(pull))
    sigma[used] = np.sqrt(np.diag(np.linalg.inv(normal)) * noise2)
    return Refined(theta, sigma[turns:], R, float(sigma[:turns].max()))


def _linearise(
    frames: Sequence[Segments],
    lens: Lens,
    theta: np.ndarray,
    R: np.ndarray,
    noise_px: float,
    bound: float,
    shared: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Residuals in sigmas of the segments within ``bound``, and their numeric Jacobian (turns, then lens)."""
    eps = 1e-5
    nudges = so3_exp(eps * np.eye(3))
    here, there = lens(theta), [lens(theta + eps * axis) for axis in np.eye(len(theta))]
    columns = 3 * (1 if shared else len(frames)) + len(theta)
    all_J, all_r = [], []
    for k, segments in enumerate(frames):
        sphere = on_sphere(segments, here, noise_px)
        missed = np.abs(sphere.misses(R[k]))
        rows = np.flatnonzero(missed.min(axis=1) < bound)
        pick, weight = (rows, missed.argmin(axis=1)[rows]), sphere.weight[rows]
        r = sphere.misses(R[k])[pick] * weight
        J = np.zeros((len(rows), columns))
        first = 0 if shared else 3 * k
        for i in range(3):
            J[:, first + i] = (sphere.misses(R[k] @ nudges[i])[pick] * weight - r) / eps
        for i, camera in enumerate(there):
            moved = on_sphere(segments, camera, noise_px).misses(R[k])[pick] * weight
            J[:, i - len(theta)] = (moved - r) / eps
        all_J.append(J)
        all_r.append(r)
    return np.concatenate(all_J), np.concatenate(all_r)

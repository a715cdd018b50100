"""Gauss-Newton on one pose: the terms are linearised anew at every step, heavy residuals lose weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation

from reenact.perception.pose.terms import Term

_MAX_STEP, _MAX_TURN = 0.08, 0.35
_SETTLED = 1e-3
"""A step so short (sigmas) changes nothing. At 0.03, long thin things stopped on the way: along their line of sight a
sigma is many centimetres and the steps are small (knife of toy seed 5: 9 cm off instead of 4)."""
_WIDE = np.diag([0.5**2] * 3 + [(np.pi / np.sqrt(3)) ** 2] * 3)
"""Nothing known: half a metre, and a turn evenly spread over the circle."""


@dataclass(frozen=True)
class Solution:
    """A pose and how sure it is."""

    T_camera_object: Float64[np.ndarray, "4 4"]
    covariance: Float64[np.ndarray, "6 6"]
    """Of (dt, w), camera axes."""
    following: Float64[np.ndarray, "6 6"]
    """The same with what lasts from frame to frame taken for right: how surely it goes on from the poses before."""
    misfit: float
    """Root mean square of the residuals that measure (the prior left out), in sigmas; 0 without any."""


def solve_pose(
    T_start: Float[np.ndarray, "4 4"],
    terms_at: Callable[[Float64[np.ndarray, "4 4"]], Sequence[Term]],
    iterations: int,
) -> Solution:
    """From a start that is near enough for the terms to pull the right way."""
    T = np.array(T_start, float)
    terms = terms_at(T)
    for _ in range(iterations):
        H, g, misfit = _normal(terms)
        step = -np.linalg.solve(H + (1e-9 * np.trace(H) / 6 + 1e-6) * np.eye(6), g)
        T = moved(T, step)
        if float(step @ H @ step) < _SETTLED**2:
            break
        terms = terms_at(T)
    H, _, misfit = _normal(terms)
    u, _, vt = np.linalg.svd(T[:3, :3])
    T[:3, :3] = u @ vt
    following = bounded_inverse(H / max(1.0, misfit**2))
    said = [_said(term) for term in terms]
    if all(a is b for a, b in zip(said, terms, strict=True)):
        return Solution(T, following, following, misfit)
    return Solution(T, bounded_inverse(_normal(said)[0] / max(1.0, misfit**2)), following, misfit)


def moved(T: Float[np.ndarray, "4 4"], step: Float64[np.ndarray, " 6"]) -> Float64[np.ndarray, "4 4"]:
    """T changed by (dt, w), steps that are too long shortened."""
    shorten = min(
        1.0,
        _MAX_STEP / max(float(np.linalg.norm(step[:3])), 1e-12),
        _MAX_TURN / max(float(np.linalg.norm(step[3:])), 1e-12),
    )
    out = np.array(T, float)
    out[:3, :3] = Rotation.from_rotvec(step[3:] * shorten).as_matrix() @ out[:3, :3]
    out[:3, 3] += step[:3] * shorten
    return out


def bounded_inverse(information: Float64[np.ndarray, "6 6"]) -> Float64[np.ndarray, "6 6"]:
    """The covariance, never wider than knowing nothing."""
    covariance = np.linalg.inv(information + np.linalg.inv(_WIDE))
    return np.asarray((covariance + covariance.T) / 2)


def _normal(terms: Sequence[Term]) -> tuple[np.ndarray, np.ndarray, float]:
    H, g = np.zeros((6, 6)), np.zeros(6)
    square, count = 0.0, 0.0
    for term in terms:
        n = len(term.residual)
        if n == 0:
            continue
        share = min(1.0, term.effective / n)
        weight, left = _weight(term) * share, term.residual
        weighted = term.jacobian * weight[:, None]
        H += weighted.T @ term.jacobian
        g += weighted.T @ term.residual
        if term.shared is not None:  # solved for and put back (Schur's complement)
            common, stiff = _common(term, weight)
            pull = weighted.T @ term.shared
            H -= pull @ (pull.T / stiff if stiff.size == 1 else np.linalg.solve(stiff, pull.T))
            g -= pull @ common
            left = term.residual - term.shared @ common
        if term.name != "prior":
            square += float((weight * left**2).sum())
            count += share * n
    return H, g, float(np.sqrt(square / count)) if count > 0 else 0.0


def _said(term: Term) -> Term:
    """With the lasting unknowns among the common ones: what the covariance is taken from."""
    if term.lasting is None:
        return term
    every = [part for part in (term.shared, term.lasting) if part is not None]
    return replace(term, shared=np.hstack(every), lasting=None)


def _weight(term: Term) -> np.ndarray:
    """Less than 1 where a residual is too large to be noise."""
    size = np.maximum(np.abs(term.residual), 1e-12)
    weight = np.ones(len(size))
    if np.isfinite(term.robust):
        weight = np.minimum(1.0, term.robust / size)
    if np.isfinite(term.cut):
        weight = weight * np.minimum(1.0, (term.cut / size) ** 2)
    return weight


def _common(term: Term, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The term's common unknowns where the pose stays as it is, and their information with that of their prior."""
    assert term.shared is not None
    stiff = np.eye(term.shared.shape[1]) + term.shared.T @ (weight[:, None] * term.shared)
    pull = term.shared.T @ (weight * term.residual)
    return (pull / stiff[0] if stiff.size == 1 else np.linalg.solve(stiff, pull)), stiff

"""The one-sigma a user may trust: random error of the fit plus what no picture tells (hand size, focal length)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class UncertaintyConfig:
    """Relative one-sigmas that scale a whole clip."""

    prior_length_sigma: float = 0.06
    """Spread of adult hand length (research: perception 2.3): the floor of the scale error."""
    given_length_sigma: float = 0.02
    """For a hand length the user measured: tape error and landmark convention."""


def wrist_sigma_camera(
    covariance_camera: Float64[np.ndarray, "t 3 3"],
    wrist_camera: Float64[np.ndarray, "t 3"],
    length_sigma: float,
    focal_sigma: float,
    slow_sigma: Float64[np.ndarray, " t"],
) -> Float64[np.ndarray, "t 3"]:
    """One-sigma of the wrist along the camera's x, y, z (m).

    A wrong hand length scales the whole position. A wrong focal length scales depth only: sideways metres come from
    the hand's size and stay. The net's slow error of the distance (`slow_sigma`, relative) was measured with all that
    errs after smoothing, so the fit's own error along the ray counts only where it is larger. Smoothing is not
    credited further.
    """
    square = np.maximum((wrist_camera**2).sum(axis=-1), 1e-12)
    along = np.einsum("ti,tij,tj->t", wrist_camera, covariance_camera, wrist_camera) / square**2
    relative = length_sigma**2 + np.maximum(slow_sigma**2 - along, 0.0)
    variance = np.diagonal(covariance_camera, axis1=-2, axis2=-1) + relative[:, None] * wrist_camera**2
    variance = variance + (np.array([0.0, 0.0, focal_sigma]) * wrist_camera) ** 2
    return np.sqrt(variance)

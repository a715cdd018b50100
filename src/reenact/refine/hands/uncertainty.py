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
) -> Float64[np.ndarray, "t 3"]:
    """One-sigma of the wrist along the camera's x, y, z (m).

    A wrong hand length scales the whole position. A wrong focal length scales depth only: sideways metres come from
    the hand's size and stay. Smoothing is not credited: what it removes is small beside these, and errors of a net
    are not independent from frame to frame.
    """
    variance = np.diagonal(covariance_camera, axis1=-2, axis2=-1) + (length_sigma * wrist_camera) ** 2
    variance = variance + (np.array([0.0, 0.0, focal_sigma]) * wrist_camera) ** 2
    return np.sqrt(variance)

"""Poses that look alike: which turns of an object leave its looks unchanged, and the one nearest to another pose."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial import cKDTree

from reenact.geometry.rotations import rotation_angle, rotation_between, so3_exp


def turns(order: int, axis: Float[np.ndarray, " 3"] | None = None) -> Float64[np.ndarray, "n 3 3"]:
    """The rotations of a discrete symmetry of that order about an axis (z without one)."""
    axis = np.array([0.0, 0.0, 1.0]) if axis is None else np.asarray(axis, float)
    angles = 2 * np.pi * np.arange(max(order, 1)) / max(order, 1)
    return np.asarray(so3_exp(angles[:, None] * axis))


def nearest_equivalent(
    R: Float[np.ndarray, "3 3"],
    R_reference: Float[np.ndarray, "3 3"],
    symmetry_axis: Float[np.ndarray, " 3"],
    symmetry_order: int,
) -> Float64[np.ndarray, "3 3"]:
    """Of all rotations that look like R, the one that turns least from the reference.

    With a continuous axis a, that is the reference swung by the smallest turn that brings its axis onto R a.
    """
    if np.linalg.norm(symmetry_axis) > 0.5:
        swing = rotation_between(R_reference @ symmetry_axis, R @ symmetry_axis)
        return np.asarray(swing @ R_reference)
    alike = R @ turns(symmetry_order)
    return np.asarray(alike[int(np.argmin(rotation_angle(alike, R_reference[None])))])


def turn_between(
    R_a: Float[np.ndarray, "3 3"],
    R_b: Float[np.ndarray, "3 3"],
    symmetry_axis: Float[np.ndarray, " 3"],
    symmetry_order: int,
) -> float:
    """Angle between two rotations, turns that cannot be seen left out (rad)."""
    return float(rotation_angle(nearest_equivalent(R_a, R_b, symmetry_axis, symmetry_order), R_b))


def find_symmetry(
    points: Float64[np.ndarray, "n 3"], vertices: Float64[np.ndarray, "v 3"], tolerance: float = 0.02
) -> tuple[Float64[np.ndarray, " 3"], int]:
    """(continuous axis or zeros, turns about z that look alike) of a surface sampled at `points`.

    A turn about the middle of the bounding box looks alike when the turned points lie within `tolerance` of the size
    of the untouched ones (less what the spacing of the sample itself explains). Only the object's own axes are tried.
    """
    middle = (vertices.min(0) + vertices.max(0)) / 2
    local = points - middle
    tree = cKDTree(local)
    size = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    spacing = float(np.mean(tree.query(local, k=2)[0][:, 1]))

    def alike(axis: np.ndarray, degrees: float) -> bool:
        turned = local @ np.asarray(so3_exp(axis * np.deg2rad(degrees))).T
        away = tree.query(turned)[0]
        return (
            float(np.percentile(away, 95)) < tolerance * size + 1.5 * spacing
            and float(away.mean()) < 0.3 * tolerance * size + spacing
        )

    for axis in np.eye(3)[::-1]:
        if all(alike(axis, degrees) for degrees in (17.0, 47.0, 90.0, 133.0)):
            return axis, 1
    for order in (4, 2):
        if alike(np.array([0.0, 0.0, 1.0]), 360.0 / order):
            return np.zeros(3), order
    return np.zeros(3), 1

"""Poses that look alike: which turns of an object leave its looks unchanged, and the one nearest to another pose.

Only turns about the object's own axes through the middle of its bounding box are known; they generate a group (a box:
the half turns about all three; a can: any turn about its axis, and upside down).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.spatial import cKDTree

from reenact.geometry.rotations import rotation_angle, rotation_between, so3_exp, so3_log


@dataclass(frozen=True)
class Symmetry:
    """Of one object, in its own frame."""

    axis: Float64[np.ndarray, " 3"]
    """Unit axis of continuous symmetry, zeros without."""
    orders: Int64[np.ndarray, " 3"]
    """How many turns about x, y and z look alike (1: none, 2: half turns); 1 about a continuous axis."""

    @staticmethod
    def none() -> Symmetry:
        """Every turn is seen."""
        return Symmetry(np.zeros(3), np.ones(3, np.int64))

    @property
    def is_round(self) -> bool:
        """Whether there is a continuous axis."""
        return bool(np.linalg.norm(self.axis) > 0.5)

    @functools.cached_property
    def turns(self) -> Float64[np.ndarray, "n 3 3"]:
        """The group that the discrete turns generate, none first; of a round thing, what is left of it besides its axis."""
        steps = [
            np.rint(so3_exp(axis * 2 * np.pi / order))
            for axis, order in zip(np.eye(3), self.orders.tolist(), strict=True)
            if order > 1
        ]
        known = [np.eye(3)]
        for (
            R
        ) in known:  # grows while it is walked through; turns of the octahedron are whole numbers, so it ends
            known += [R @ s for s in steps if not any(np.array_equal(R @ s, other) for other in known)]
        if not self.is_round:
            return np.array(known)
        upside_down = [R for R in known if float(self.axis @ R @ self.axis) < -0.5]
        return np.array([np.eye(3), *upside_down[:1]])


@runtime_checkable
class Symmetric(Protocol):
    """A thing with a symmetry about its middle."""

    @property
    def symmetry(self) -> Symmetry:
        """Which turns cannot be seen."""

    @property
    def centre(self) -> Float64[np.ndarray, " 3"]:
        """Middle of the bounding box, object frame."""


def nearest_equivalent(
    R: Float[np.ndarray, "3 3"], R_reference: Float[np.ndarray, "3 3"], symmetry: Symmetry
) -> Float64[np.ndarray, "3 3"]:
    """Of all rotations that look like R, the one that turns least from the reference.

    With a continuous axis a, that is the reference swung by the smallest turn that brings its axis onto R a.
    """
    alike = R @ symmetry.turns
    if symmetry.is_round:
        axis = symmetry.axis
        alike = np.array([rotation_between(R_reference @ axis, S @ axis) @ R_reference for S in alike])
    return np.asarray(alike[int(np.argmin(rotation_angle(alike, R_reference[None])))])


def turned_in_place(
    T: Float[np.ndarray, "4 4"], R: Float[np.ndarray, "3 3"], centre: Float64[np.ndarray, " 3"]
) -> Float64[np.ndarray, "4 4"]:
    """The pose with another rotation; `centre` (object frame) stays where it is."""
    out = np.array(T, float)
    out[:3, :3] = R
    out[:3, 3] += (T[:3, :3] - R) @ centre
    return out


def turn_between(R_a: Float[np.ndarray, "3 3"], R_b: Float[np.ndarray, "3 3"], symmetry: Symmetry) -> float:
    """Angle between two rotations, turns that cannot be seen left out (rad)."""
    return float(rotation_angle(nearest_equivalent(R_a, R_b, symmetry), R_b))


def difference(
    T_a: Float[np.ndarray, "4 4"], T_b: Float[np.ndarray, "4 4"], model: Symmetric
) -> Float64[np.ndarray, " 6"]:
    """(dt, w) from pose a to pose b, turns that cannot be seen left out."""
    R = nearest_equivalent(T_b[:3, :3], T_a[:3, :3], model.symmetry)
    T_b = turned_in_place(T_b, R, model.centre)
    return np.concatenate([T_b[:3, 3] - T_a[:3, 3], so3_log(R @ T_a[:3, :3].T)])


def find_symmetry(
    points: Float64[np.ndarray, "n 3"], vertices: Float64[np.ndarray, "v 3"], tolerance: float = 0.02
) -> Symmetry:
    """The symmetry of a surface sampled at `points`.

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

    round_about = np.zeros(3)
    for axis in np.eye(3)[::-1]:
        if all(alike(axis, degrees) for degrees in (17.0, 47.0, 90.0, 133.0)):
            round_about = axis
            break
    orders = np.ones(3, np.int64)
    for k, axis in enumerate(np.eye(3)):
        if round_about[k] == 0:
            orders[k] = next((n for n in (4, 2) if alike(axis, 360.0 / n)), 1)
    return Symmetry(round_about, orders)

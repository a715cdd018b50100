"""Other poses that look nearly the same: what one picture cannot tell apart must not be called certain.

Two families: the mirror twin (seen from afar, a thing with a mirror plane looks the same when it leans toward the
camera instead of away: the picture of R is that of S_view R S_object, with S the reflections across the picture and
across the thing's plane) and half turns about the thing's own axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.rotations import so3_log
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.initial import Candidate
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner, score
from reenact.perception.pose.symmetry import nearest_equivalent, turn_between, turned_in_place

_STEP = 0.08
"""Share of the distance from which the solution is come to again: where that ends elsewhere, the outline has more than
one answer (a knife held 0.65 m away: five starts within 10 cm end up to 8 cm apart, with overlaps of 0.87 to 0.90)."""

_SAME = 0.015
"""Poses nearer than this (m) and turned by less than 0.2 rad are the same answer."""


def twin_poses(T_camera_object: Float[np.ndarray, "4 4"], model: ObjectModel) -> list[np.ndarray]:
    """Poses [4 4] that may look like this one and differ from it visibly; the middle stays where it is."""
    R, t = T_camera_object[:3, :3], T_camera_object[:3, 3]
    middle = R @ model.centre + t
    view = middle / max(float(np.linalg.norm(middle)), 1e-9)
    mirror_view = np.eye(3) - 2 * np.outer(view, view)
    turned = [mirror_view @ R @ np.diag(1 - 2 * axis) for axis in np.eye(3)]
    turned += [R @ np.diag(2 * axis - 1) for axis in np.eye(3)]
    out: list[np.ndarray] = []
    for R_twin in turned:
        if any(_turn(R_twin, other[:3, :3], model) < 0.3 for other in [T_camera_object, *out]):
            continue
        T = np.eye(4)
        T[:3, :3], T[:3, 3] = R_twin, middle - R_twin @ model.centre
        out.append(T)
    return out


def rivals(
    refiner: PoseRefiner, sighting: Sighting, T_camera_object: Float[np.ndarray, "4 4"], config: PoseConfig
) -> list[Candidate]:
    """Twins that fit, and where nothing measures the distance, the poses that one comes to from nearer and farther;
    all refined to this frame, best first."""
    here = score(refiner.fit(T_camera_object, sighting))
    starts = [
        T
        for T in twin_poses(T_camera_object, refiner.model)
        if score(refiner.fit(T, sighting)) > here - config.twin_reach
    ]
    if len(sighting.cloud) < 10 and not (sighting.resting and sighting.plane is not None):
        starts += [_moved(T_camera_object, factor) for factor in (1 - _STEP, 1 + _STEP)]
    found = []
    for T in starts:
        T = refiner.refine(T, sighting, rounds=2).T_camera_object
        change = difference(T_camera_object, T, refiner.model)
        if np.linalg.norm(change[:3]) > _SAME or np.linalg.norm(change[3:]) > 0.2:
            fit = refiner.fit(T, sighting)
            found.append(Candidate(T, fit, score(fit)))
    return sorted(found, key=lambda c: -c.value)


def _moved(T: Float[np.ndarray, "4 4"], factor: float) -> Float64[np.ndarray, "4 4"]:
    """As far away times the factor, along its ray."""
    out = np.array(T, float)
    out[:3, 3] *= factor
    return out


def ambiguity(
    T_camera_object: Float[np.ndarray, "4 4"],
    value: float,
    others: Sequence[Candidate],
    model: ObjectModel,
    scale: float,
) -> tuple[Float64[np.ndarray, "6 6"], float]:
    """(what the rivals add to the covariance of the pose (camera axes), the pose's own share of belief).

    value: the pose's score; each rival has the odds exp((its score - value) / scale).
    """
    odds = np.exp(np.clip(np.array([c.value - value for c in others]) / scale, -30, 3))
    share = odds / (1 + odds.sum())
    out = np.zeros((6, 6))
    for weight, candidate in zip(share, others, strict=True):
        change = difference(T_camera_object, candidate.T_camera_object, model)
        out += weight * np.outer(change, change)
    return out, float(1 / (1 + odds.sum()))


def difference(
    T_a: Float[np.ndarray, "4 4"], T_b: Float[np.ndarray, "4 4"], model: ObjectModel
) -> Float64[np.ndarray, " 6"]:
    """(dt, w) from pose a to pose b, turns that cannot be seen left out."""
    R = nearest_equivalent(T_b[:3, :3], T_a[:3, :3], model.symmetry)
    T_b = turned_in_place(T_b, R, model.centre)
    return np.concatenate([T_b[:3, 3] - T_a[:3, 3], so3_log(R @ T_a[:3, :3].T)])


def _turn(R_a: np.ndarray, R_b: np.ndarray, model: ObjectModel) -> float:
    return turn_between(R_a, R_b, model.symmetry)

"""Other poses that look nearly the same: what one picture cannot tell apart must not be called certain.

Three families: the mirror twin (seen from afar, a thing with a mirror plane looks the same when it leans toward the
camera instead of away: the picture of R is that of S_view R S_object, with S the reflections across the picture and
across the thing's plane), half turns about the thing's own axes, and rolls of a long thing about its length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.rotations import so3_exp
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.fit import score
from reenact.perception.pose.initial import SAME_PLACE, SAME_TURN, Candidate
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner, Prior
from reenact.perception.pose.symmetry import difference, turn_between, turned_in_place

_STEP, _PINNED = 0.1, 0.01
"""Shares of the distance: so much nearer and farther the best pose is looked for that holds this distance so well. Of a
long thing the outline is nearly the same where it lies farther and less aslant, and the bend of the cost at one answer does
not show it (a knife held 0.65 m away: five starts within 10 cm end up to 8 cm apart, with overlaps of 0.87 to 0.90)."""


_LONG = 0.6
"""A thing is long whose second extent is at most this share of its first."""
_ROLLS = (0.4, -0.4, 0.9, -0.9)
"""Rolls that are tried (rad)."""


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
    refiner: PoseRefiner,
    sighting: Sighting,
    T_camera_object: Float[np.ndarray, "4 4"],
    config: PoseConfig,
    others: Sequence[np.ndarray] = (),
) -> list[Candidate]:
    """Twins and other poses (`others`, camera frame) that fit, where long things end that start rolled about their length,
    and where nothing measures the distance, the best poses nearer and farther; all refined to this frame, best first."""
    here = score(refiner.fit(T_camera_object, sighting))
    starts = [
        T
        for T in [*twin_poses(T_camera_object, refiner.model), *others]
        if score(refiner.fit(T, sighting)) > here - config.twin_reach
    ]
    starts += rolled(T_camera_object, refiner.model)
    tries: list[tuple[np.ndarray, Prior | None]] = [(T, None) for T in starts]
    if len(sighting.cloud) < 10 and not (sighting.resting and sighting.plane is not None):
        tries += [_pinned(T_camera_object, factor, refiner.model) for factor in (1 - _STEP, 1 + _STEP)]
    found = []
    for T, pin in tries:
        T = refiner.refine(T, sighting, pin, rounds=1).T_camera_object
        if score(refiner.fit(T, sighting)) < here - config.twin_reach:
            continue
        T = refiner.refine(T, sighting, pin, rounds=1).T_camera_object
        change = difference(T_camera_object, T, refiner.model)
        if not _same(change, 1 / 3):
            fit = refiner.fit(T, sighting)
            found.append(Candidate(T, fit, score(fit)))
    return sorted(found, key=lambda c: -c.value)


def rolled(T_camera_object: Float[np.ndarray, "4 4"], model: ObjectModel) -> list[np.ndarray]:
    """The pose [4 4] of a long thing rolled about its length, which a picture tells badly."""
    extent = np.ptp(model.vertices, axis=0)
    axis = np.eye(3)[int(np.argmax(extent))]
    R = T_camera_object[:3, :3]
    if np.sort(extent)[1] > _LONG * extent.max() or _turn(R @ so3_exp(_ROLLS[0] * axis), R, model) < 0.1:
        return []
    return [
        turned_in_place(T_camera_object, R @ np.asarray(so3_exp(angle * axis)), model.centre)
        for angle in _ROLLS
    ]


def _same(change: np.ndarray, share: float = 1.0) -> bool:
    """Whether a change of pose is within that share of what counts as another answer."""
    return bool(
        np.linalg.norm(change[:3]) < share * SAME_PLACE and np.linalg.norm(change[3:]) < share * SAME_TURN
    )


def _pinned(
    T: Float[np.ndarray, "4 4"], factor: float, model: ObjectModel
) -> tuple[Float64[np.ndarray, "4 4"], Prior]:
    """As far away times the factor, along its ray, and a prior of that distance only."""
    out = np.array(T, float)
    out[:3, 3] *= factor
    offset = out[:3, :3] @ model.centre
    middle = offset + out[:3, 3]
    far = float(np.linalg.norm(middle))
    # how the distance of the middle goes with (dt, w)
    along = np.concatenate([middle, np.cross(offset, middle)]) / far
    information = np.outer(along, along) / (_PINNED * far) ** 2 + 1e-3 * np.eye(6)
    return out, Prior(out, np.asarray(np.linalg.inv(information)))


def ambiguity(
    T_camera_object: Float[np.ndarray, "4 4"],
    value: float,
    others: Sequence[Candidate],
    model: ObjectModel,
    scale: float,
) -> tuple[Float64[np.ndarray, "6 6"], float]:
    """(what the rivals add to the covariance of the pose (camera axes), the share of belief in it and in those that are
    nearly the same).

    value: the pose's score; each rival has the odds exp((its score - value) / scale).
    """
    odds = np.exp(np.clip(np.array([c.value - value for c in others]) / scale, -30, 3))
    share = odds / (1 + odds.sum())
    out, belief = np.zeros((6, 6)), 1 / (1 + float(odds.sum()))
    for weight, candidate in zip(share, others, strict=True):
        change = difference(T_camera_object, candidate.T_camera_object, model)
        out += weight * np.outer(change, change)
        belief += float(weight) if _same(change) else 0.0
    return out, belief


def _turn(R_a: np.ndarray, R_b: np.ndarray, model: ObjectModel) -> float:
    return turn_between(R_a, R_b, model.symmetry)

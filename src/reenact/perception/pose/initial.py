"""The first pose of an object: rotations are tried all around, placed by mask, depth or plane, and the best refined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float64
from scipy.spatial.transform import Rotation

from reenact.geometry.rotations import rotation_between, so3_exp
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Plane, Sighting
from reenact.perception.pose.covering import SeenBox, place
from reenact.perception.pose.fit import Fit, poor, score
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.symmetry import difference
from reenact.perception.pose.terms import Anchored
from reenact.perception.pose.window import normalised, to_full

UPRIGHT_BONUS = 0.03
"""Of the overlap: things usually stand as their mesh does."""
_LONG = 1.6
"""A mask so much longer than wide (spread along over spread across) says how a long thing lies."""
SAME_PLACE, SAME_TURN = 0.015, 0.2
"""Poses nearer than this (m) and turned by less (rad) are the same answer."""
_DRAWN = 40
"""So many of the rotations that are tried are drawn at least, and half of them: those whose boxes cover the mask's best."""
_NUDGE = 0.45
"""Turn of the small search (rad): a neighbouring local minimum."""
_NUDGES = 2
"""Of these, so many are refined once more."""


@dataclass(frozen=True)
class Candidate:
    """A pose of the search and its fit."""

    T_camera_object: Float64[np.ndarray, "4 4"]
    fit: Fit
    value: float


def first_pose(
    refiner: PoseRefiner,
    sighting: Sighting,
    config: PoseConfig,
    near: Float[np.ndarray, "3 3"] | None = None,
) -> Candidate | None:
    """The best pose in one frame; None where the mask is too small for any.

    near: a rotation (camera frame) known to be close to the right one; far ones must then fit clearly better.
    """
    return next(iter(first_poses(refiner, sighting, config, near)), None)


def first_poses(
    refiner: PoseRefiner,
    sighting: Sighting,
    config: PoseConfig,
    near: Float[np.ndarray, "3 3"] | None = None,
) -> list[Candidate]:
    """The different poses that fit one frame best, best first; none where the mask is too small."""
    found = ranked(refiner, sighting, rotations(refiner.model, sighting.plane, config, near), config)
    if not found or near is not None or sighting.plane is None or not poor(found[0].fit):
        return found
    others = ranked(refiner, sighting, rotations(refiner.model, None, config, None), config)
    others = [replace(c, value=c.value - 0.05) for c in others]  # a level plane is not given up for nothing
    return different(found + others, refiner.model)


def best_of(
    refiner: PoseRefiner, sighting: Sighting, tries: list[tuple[np.ndarray, float]], config: PoseConfig
) -> Candidate | None:
    """The best refined pose of those that start with the given rotations (each with a bonus to its score)."""
    return next(iter(ranked(refiner, sighting, tries, config)), None)


def different(candidates: Sequence[Candidate], model: ObjectModel) -> list[Candidate]:
    """Best first, without those that are a better one over again (turns that cannot be seen left out)."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.value):
        changes = [difference(candidate.T_camera_object, k.T_camera_object, model) for k in kept]
        if not any(np.linalg.norm(c[:3]) < SAME_PLACE and np.linalg.norm(c[3:]) < SAME_TURN for c in changes):
            kept.append(candidate)
    return kept


def ranked(
    refiner: PoseRefiner, sighting: Sighting, tries: list[tuple[np.ndarray, float]], config: PoseConfig
) -> list[Candidate]:
    """The different refined poses of those that start with the given rotations, best first."""
    mask = sighting.label == sighting.code
    if not sighting.mask_valid or mask.sum() < config.min_area_px:
        return []
    seen = SeenBox.of(mask, refiner.camera)
    if sighting.plane is None or not sighting.resting:
        tries = _along_mask(refiner, sighting, tries)
    covering = [(place(refiner, sighting, R, seen), bonus) for R, bonus in tries]
    covering.sort(key=lambda c: -seen.overlap(*refiner.extent(c[0])) - c[1])
    tried = []
    for T, bonus in covering[: max(_DRAWN, len(covering) // 2)]:
        fit = refiner.fit(T, sighting)
        tried.append(Candidate(T, fit, score(fit) + bonus))
    tried = sorted(tried, key=lambda c: -c.value)[: config.search_keep]
    tried = different([_refined(refiner, sighting, c, 1) for c in tried], refiner.model)
    tried = [_refined(refiner, sighting, c, 4) for c in tried[: config.search_finish]]
    return different(tried, refiner.model)


def _along_mask(
    refiner: PoseRefiner, sighting: Sighting, tries: list[tuple[np.ndarray, float]]
) -> list[tuple[np.ndarray, float]]:
    """The tries, and where object and mask are long, the tries swung about the line of sight so that both lie the same
    way, either way round: what is left to try is only how the object leans and rolls."""
    mask = sighting.label == sighting.code
    rows, columns = np.nonzero(mask)
    flat = normalised(
        refiner.camera, to_full(np.stack([columns, rows], 1)[::5].astype(float), mask.shape, refiner.camera)
    )
    lies, long = _principal(flat)
    if long < _LONG:
        return tries
    sight = np.array([*flat.mean(0), 1.0])
    sight /= np.linalg.norm(sight)
    out = []
    for R, bonus in tries:
        turn, drawn_long = _principal((refiner.model.points[::10] @ R.T)[:, :2])
        out.append((R, bonus))
        if drawn_long > _LONG:
            out += [(np.asarray(so3_exp(sight * (lies - turn + half))) @ R, bonus) for half in (0.0, np.pi)]
    return out


def _principal(flat: np.ndarray) -> tuple[float, float]:
    """Direction of the longest extent (rad) and its length over that across."""
    values, axes = np.linalg.eigh(np.cov(flat.T))
    return float(np.arctan2(axes[1, 1], axes[0, 1])), float(np.sqrt(values[1] / max(values[0], 1e-12)))


def _refined(refiner: PoseRefiner, sighting: Sighting, candidate: Candidate, rounds: int) -> Candidate:
    bonus = candidate.value - score(candidate.fit)
    T = refiner.refine(candidate.T_camera_object, sighting, rounds=rounds).T_camera_object
    fit = refiner.fit(T, sighting)
    return Candidate(T, fit, score(fit) + bonus)


def rotations(
    model: ObjectModel, plane: Plane | None, config: PoseConfig, near: Float[np.ndarray, "3 3"] | None
) -> list[tuple[np.ndarray, float]]:
    """Rotations to try, each with its bonus."""
    round_about = model.symmetry.is_round
    all_around = config.search_rotations // (4 if round_about else 1)
    if near is not None:
        out = [(R @ near, 0.0 if i == 0 else -0.02 - 0.03 * turn) for i, (R, turn) in enumerate(_around())]
    elif plane is not None and plane.level_known:
        out = _standing(model, plane, config, bool(round_about))
    else:
        out = [(R, 0.0) for R in even_rotations(all_around)]
    return out


def even_rotations(count: int) -> Float64[np.ndarray, "n 3 3"]:
    """Spread evenly over all rotations: super-Fibonacci spirals (Alexa, CVPR 2022, algorithm 1)."""
    phi, psi = np.sqrt(2.0), 1.533751168755204288118041
    s = np.arange(count) + 0.5
    r, R = np.sqrt(s / count), np.sqrt(1.0 - s / count)
    a, b = 2 * np.pi * s / phi, 2 * np.pi * s / psi
    quat_xyzw = np.stack([r * np.sin(a), r * np.cos(a), R * np.sin(b), R * np.cos(b)], 1)
    return np.asarray(Rotation.from_quat(quat_xyzw).as_matrix())


def _around() -> list[tuple[np.ndarray, float]]:
    """No turn, then turns by 30, 60, 90 and 180 degrees about 13 axes; each with its share of a half turn."""
    axes = np.array(
        [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if (x, y, z) > (0, 0, 0)]
    )
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    out = [(np.eye(3), 0.0)]
    for degrees in (30, -30, 60, -60, 90, 180):
        out += [(np.asarray(so3_exp(axis * np.deg2rad(degrees))), abs(degrees) / 180) for axis in axes]
    return out


def _standing(
    model: ObjectModel, plane: Plane, config: PoseConfig, round_about: bool
) -> list[tuple[np.ndarray, float]]:
    """On one of its six sides, turned about the upright."""
    out = []
    for i, up in enumerate(np.concatenate([np.eye(3)[::-1], -np.eye(3)[::-1]])):
        base = rotation_between(up, plane.normal)
        along = round_about and abs(float(up @ model.symmetry.axis)) > 0.99
        turns = 1 if along else config.search_turns if i == 0 else config.search_turns // 2
        for angle in 2 * np.pi * np.arange(turns) / turns:
            bonus = UPRIGHT_BONUS if i == 0 else 0.0
            out.append((np.asarray(so3_exp(plane.normal * angle)) @ base, bonus))
    return out


def nudged(
    refiner: PoseRefiner,
    sighting: Sighting,
    T_camera_object: Float[np.ndarray, "4 4"],
    anchors: Anchored | None,
) -> Candidate:
    """The best of a pose and its small turns about what is seen of the object, each refined."""
    pivot = np.median(sighting.cloud, axis=0) if len(sighting.cloud) >= 10 else T_camera_object[:3, 3]
    found = []
    for axis in np.concatenate([np.eye(3), -np.eye(3)]):
        turn = np.asarray(so3_exp(axis * _NUDGE))
        T = np.array(T_camera_object, float)
        T[:3, :3], T[:3, 3] = turn @ T[:3, :3], pivot + turn @ (T[:3, 3] - pivot)
        T = refiner.refine(T, sighting, None, anchors, rounds=1).T_camera_object
        fit = refiner.fit(T, sighting)
        found.append(Candidate(T, fit, score(fit)))
    found.sort(key=lambda c: -c.value)
    for k, candidate in enumerate(found[:_NUDGES]):
        T = refiner.refine(candidate.T_camera_object, sighting, None, anchors, rounds=1).T_camera_object
        fit = refiner.fit(T, sighting)
        found[k] = Candidate(T, fit, score(fit))
    return max(found, key=lambda c: c.value)

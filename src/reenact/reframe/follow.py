"""What the eyes follow: the midpoint of both hands, and the place where something is being done.

A hand that is lost does not take the midpoint with it at once: its last (or next) place counts less and less with the
time to it, forward and backward alike, so nothing jumps and nothing lags.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.scene import HandTracks, ObjectTracks

PALM = (0, 5, 9, 13, 17)
"""Wrist and knuckles: their mean is the palm's centre."""

LEAST_TRUST = 0.05
"""A hand counts by its confidence, but never less than this: one that is alone must still be followed."""


@dataclass(frozen=True)
class Followed:
    """Raw, before smoothing."""

    midpoint: Float64[np.ndarray, "t 3"]
    """Between the hands."""
    target: Float64[np.ndarray, "t 3"]
    """The interaction: the hands and the objects near them."""
    presence: Float64[np.ndarray, " t"]
    """1 where a hand is known, falling with the time to the nearest such frame."""


def follow(
    hands: HandTracks,
    objects: ObjectTracks | None,
    t_seconds: Float64[np.ndarray, " t"],
    fade_s: float,
    reach: float,
) -> Followed:
    """Places to follow. At least one hand must be valid in one frame.

    Args:
        hands: in the scene's frame.
        objects: those within about `reach` of a hand draw the target toward them.
        t_seconds: instants.
        fade_s: time in which the weight of a hand that is not known falls to 1/e.
        reach: distance (m) at which an object's weight falls to 1/e of a hand's.
    """
    palms = hands.joints_world[:, :, list(PALM)].mean(axis=2)
    places = np.stack([_filled(palms[:, s], hands.valid[:, s], t_seconds) for s in (0, 1)], axis=1)
    presence = np.stack([_nearness(hands.valid[:, s], t_seconds, fade_s) for s in (0, 1)], axis=1)
    trust = np.stack(
        [_filled(hands.confidence[:, s, None], hands.valid[:, s], t_seconds) for s in (0, 1)], axis=1
    )
    weights = presence * np.maximum(trust[..., 0], LEAST_TRUST)
    total = np.maximum(weights.sum(axis=1), 1e-300)
    midpoint = (weights[..., None] * places).sum(axis=1) / total[:, None]
    target = (
        midpoint
        if objects is None
        else _with_objects(midpoint, places, weights / total[:, None], objects, reach)
    )
    return Followed(midpoint, target, presence.max(axis=1))


def _filled(places: np.ndarray, valid: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Places between known frames on a straight line, held before the first and after the last."""
    if not valid.any():
        return np.zeros_like(places)
    return np.stack([np.interp(t, t[valid], column) for column in places[valid].T], axis=1)


def _nearness(valid: Bool[np.ndarray, " t"], t: np.ndarray, fade_s: float) -> np.ndarray:
    """exp(-time to the nearest known frame / fade); 0 where there is none at all."""
    if not valid.any():
        return np.zeros(len(t))
    known = t[valid]
    after = np.minimum(np.searchsorted(known, t), len(known) - 1)
    away = np.minimum(np.abs(known[after] - t), np.abs(t - known[np.maximum(after - 1, 0)]))
    return np.asarray(np.exp(-np.minimum(away / fade_s, 300.0)))


def _with_objects(
    midpoint: np.ndarray, places: np.ndarray, share: np.ndarray, objects: ObjectTracks, reach: float
) -> np.ndarray:
    total, weight = midpoint.copy(), np.ones(len(midpoint))
    for k in range(len(objects.object_ids)):
        vertices, _ = objects.mesh(k)
        T = objects.T_world_object[:, k]
        middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2 if len(vertices) else np.zeros(3)
        centre = T[:, :3, :3] @ middle + T[:, :3, 3]
        away = np.linalg.norm(places - centre[:, None], axis=2)
        near = (share * np.exp(-((away / reach) ** 2))).max(axis=1) * objects.valid[:, k]
        total += near[:, None] * np.where(objects.valid[:, k, None], centre, 0.0)
        weight += near
    return np.asarray(total / weight[:, None])

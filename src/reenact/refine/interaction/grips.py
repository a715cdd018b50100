"""How each hand holds each object: which points touch, and the frame of the fingers that do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.alignment import kabsch
from reenact.geometry.rotations import rotation_angle
from reenact.hands.joints import MCPS, WRIST, finger_joints
from reenact.refine.contacts.distances import PAIRS, HandObjectGeometry
from reenact.refine.states.observations import smooth_rigid


@dataclass(frozen=True)
class GripConfig:
    """What makes a touch, and when fingers move in the hand."""

    touch_sigma: float = 0.005
    """Error of a distance averaged over a whole grip (m)."""
    free_range: float = 0.04
    """Where a point that does not touch may be (m)."""
    smooth_s: float = 0.5
    """The fingers' motion in the hand is smoothed with this cut-off (s)."""
    palm_weight: float = 0.15
    """Weight of the palm's joints beside touching fingers in the grip frame."""
    least_motion: float = 0.004
    """Fingers that move less about their mean (m) hold still: the grip frame is then the hand's."""
    least_turn: float = 0.10
    """The same for their turn (rad)."""


@dataclass(frozen=True)
class Grips:
    """One hand and one object over the clip."""

    held: Float64[np.ndarray, " t"]
    """Probability that the hand holds the object."""
    touching: Float64[np.ndarray, "t k=6"]
    """Probability that each point touches, as part of a grip."""
    T_hand_grip: Float64[np.ndarray, "t 4 4"]
    """Frame of the touching fingers, in the hand's; identity where nothing is held or fingers keep still."""


def find_grips(
    held: Float64[np.ndarray, " t"],
    geometry: HandObjectGeometry,
    shape: Float64[np.ndarray, "t j=21 3"],
    t_seconds: Float64[np.ndarray, " t"],
    config: GripConfig,
) -> Grips:
    """Judge each stretch of holding as a whole."""
    touching = np.zeros((len(held), 6))
    T = np.tile(np.eye(4), (len(held), 1, 1))
    for begin, end in stretches(held > 0.5):
        weight = held[begin:end]
        mean = np.average(geometry.distance[begin:end], axis=0, weights=weight)
        likely = _touch(mean, geometry.between[begin:end].mean(axis=0), config)
        touching[begin:end] = weight[:, None] * likely
        T[begin:end] = _finger_frame(shape[begin:end], likely, t_seconds[begin:end], config)
    return Grips(held, touching, T)


def stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges where the mask holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _touch(mean: np.ndarray, between: np.ndarray, config: GripConfig) -> np.ndarray:
    """Probability per point; the pair with the object between them that fits best touches in any case."""
    odds = (
        np.log(config.free_range / (config.touch_sigma * np.sqrt(2 * np.pi)))
        - 0.5 * (mean / config.touch_sigma) ** 2
    )
    likely = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    a, b = (np.array(k) for k in zip(*PAIRS, strict=True))
    pair = np.abs(mean[a] + mean[b]) / 2 + 0.3 * np.abs(mean[a] - mean[b]) + np.where(between > 0, 1.0, 0.0)
    best = int(pair.argmin())
    if pair[best] < 0.03:
        likely[[a[best], b[best]]] = np.maximum(likely[[a[best], b[best]]], 0.8)
    return np.asarray(likely)


def _finger_frame(shape: np.ndarray, likely: np.ndarray, t: np.ndarray, config: GripConfig) -> np.ndarray:
    """Motion of the touching fingers about their mean, or none where it is no more than noise."""
    weight = np.zeros(21)
    for finger in range(5):
        weight[list(finger_joints(finger)[1:])] = likely[finger]
    palm = [WRIST, *MCPS]
    weight[palm] = np.maximum(weight[palm], max(config.palm_weight, likely[5]))
    mean = shape.mean(axis=0)
    T = kabsch(np.broadcast_to(mean, shape.shape), shape, np.broadcast_to(weight, shape.shape[:2]))
    T = smooth_rigid(T, np.ones(len(T)), t, config.smooth_s) if len(T) > 4 else T
    middle = np.average(mean, axis=0, weights=weight)
    moved = np.linalg.norm(T[:, :3, :3] @ middle + T[:, :3, 3] - middle, axis=1)
    turned = rotation_angle(np.eye(3), T[:, :3, :3])
    if np.quantile(moved, 0.8) < config.least_motion and np.quantile(turned, 0.8) < config.least_turn:
        return np.tile(np.eye(4), (len(T), 1, 1))
    return np.asarray(T)

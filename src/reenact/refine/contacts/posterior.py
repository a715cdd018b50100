"""Touching or not, per hand point and object: a two-state chain over distance and relative motion, with hysteresis.

A point touches when its skin is at the surface and does not move over it; contacts begin and end seldom. Windows and
rates are in metres and seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.hands.joints import MCPS, TIPS


@dataclass(frozen=True)
class ContactConfig:
    """What a contact looks like."""

    sigma: float = 0.005
    """Error of a refined distance (m): hand model and poses."""
    free_range: float = 0.08
    """A point that does not touch is anywhere within this (m)."""
    slide_sigma: float = 0.06
    """Speed of a touching point over the surface (m/s): noise and a little sliding."""
    free_speed: float = 0.25
    """Speed of a point that is about (m/s)."""
    dwell_s: float = 0.4
    """Typical time between changes (s)."""
    look_s: float = 0.10
    """Neighbouring frames share their errors: one independent look per this time (s)."""
    speed_window_s: float = 0.10
    """Speeds are taken over this time (s)."""


@dataclass(frozen=True)
class PublishedContactConfig:
    """DexMan's thresholds (its contact reward): distance from a joint to the nearest vertex."""

    tip: float = 0.03
    """Fingertips (m)."""
    palm: float = 0.05
    """Palm keypoints, the knuckles (m)."""


def touch_probability(
    distance: Float64[np.ndarray, "t k=6"],
    place: Float64[np.ndarray, "t k=6 3"],
    t_seconds: Float64[np.ndarray, " t"],
    config: ContactConfig,
) -> Float64[np.ndarray, "t k=6"]:
    """Posterior of touching; `place` is the nearest surface point in the object's frame (m)."""
    step = float(np.median(np.diff(t_seconds))) if len(t_seconds) > 1 else config.look_s
    near = np.log(config.free_range / (config.sigma * np.sqrt(2 * np.pi)))
    odds = near - 0.5 * (distance / config.sigma) ** 2
    half = max(1, round(config.speed_window_s / (2 * step)))
    ahead, back = (
        np.minimum(np.arange(len(place)) + half, len(place) - 1),
        np.maximum(np.arange(len(place)) - half, 0),
    )
    span = np.maximum(t_seconds[ahead] - t_seconds[back], step)[:, None]
    speed = np.linalg.norm(place[ahead] - place[back], axis=-1) / span
    slide, free = speed / config.slide_sigma, speed / config.free_speed
    odds = odds + 3 * np.log(config.free_speed / config.slide_sigma) - 0.5 * (slide**2 - free**2)
    odds = np.clip(odds, -12.0, 6.0) * min(step / config.look_s, 1.0)
    return _two_states(odds, float(np.exp(-step / config.dwell_s)))


def _two_states(odds: np.ndarray, stay: float) -> np.ndarray:
    """Forward-backward of a symmetric two-state chain from the log odds of each frame."""
    switch = 0.5 * (1 - stay)
    p = 1 / (1 + np.exp(-odds))
    forward, backward = np.empty_like(p), np.full_like(p, 0.5)
    prior = np.full(p.shape[1:], 0.5)
    for i in range(len(p)):
        forward[i] = _bayes(prior, p[i])
        prior = forward[i] * (1 - switch) + (1 - forward[i]) * switch
    for i in range(len(p) - 2, -1, -1):
        later = _bayes(backward[i + 1], p[i + 1])
        backward[i] = later * (1 - switch) + (1 - later) * switch
    return _bayes(forward, backward)


def _bayes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    both = a * b
    return np.asarray(both / np.maximum(both + (1 - a) * (1 - b), 1e-300))


def touching_since(
    touching: Bool[np.ndarray, "t s k o"], t_ns: Int64[np.ndarray, " t"]
) -> Int64[np.ndarray, "t s k o"]:
    """Time at which each present contact began; the frame's own time where there is none."""
    since = np.empty(touching.shape, np.int64)
    current = np.full(touching.shape[1:], t_ns[0] if len(t_ns) else 0)
    before = np.zeros(touching.shape[1:], bool)
    for i, now in enumerate(t_ns):
        current = np.where(touching[i] & before, current, now)
        since[i], before = current, touching[i]
    return since


def published_touching(
    joints_object: Float64[np.ndarray, "t j=21 3"],
    vertices: Float64[np.ndarray, "v 3"],
    config: PublishedContactConfig | None = None,
) -> Bool[np.ndarray, "t k=6"]:
    """DexMan's rule: a fingertip within 3 cm, or a palm keypoint within 5 cm, of a vertex touches."""
    from scipy.spatial import cKDTree

    config = config or PublishedContactConfig()
    tree = cKDTree(vertices)
    distance = tree.query(joints_object[:, [*TIPS, *MCPS]].reshape(-1, 3))[0].reshape(len(joints_object), -1)
    palm = distance[:, 5:].min(axis=1, keepdims=True)
    return np.concatenate([distance[:, :5] < config.tip, palm < config.palm], axis=1)

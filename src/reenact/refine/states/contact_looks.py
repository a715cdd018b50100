"""What single looks say of contact: whether a hand's points are at the object's surface and have it between them.

Log odds per look and frame from measured distances, against a hand that is merely about; and, from the same distances,
what `stretches` judges over a whole stretch.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.contacts.distances import PAIRS, HandObjectGeometry, measure_across
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.observations import HandObservation, RigidTrack
from reenact.refine.states.stretches import Opposition, Travel


def contacts(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    grid: SignedDistanceGrid | None,
    eye: Float64[np.ndarray, "t 3"],
    config: EvidenceConfig,
) -> np.ndarray:
    """Log odds per look of being held by left, right, both; [t 3]."""
    out = np.full((len(track.T), 3), -config.most_against)
    sigma = np.array([distance_sigma(track, hand, config) if hand is not None else 1.0 for hand in hands])
    deep = [
        depth_spread(track, hand, seen, eye)
        if hand is not None and seen is not None
        else np.zeros((len(track.T), 6))
        for hand, seen in zip(hands, geometry, strict=True)
    ]
    for side in (0, 1):
        seen, hand = geometry[side], hands[side]
        if seen is not None and hand is not None:
            out[:, side] = held_odds(seen, hand, float(sigma[side]), config, deep[side]) * hand.rigid.known
    left, right = geometry
    out = out * track.known[:, None]
    if left is not None and right is not None:
        _, between = measure_across(left, right, grid)
        pair = np.repeat(left.distance, 6, axis=1), np.tile(right.distance, (1, 6))
        apart = np.sqrt(
            0.5 * (sigma**2).sum()
            + 0.25 * (np.repeat(deep[0], 6, axis=1) ** 2 + np.tile(deep[1], (1, 6)) ** 2)
        )
        across = _grip(
            *pair, between, (apart, apart), config, max(h.slow_tip for h in hands if h is not None)
        )
        touch = [
            nearest_touch(g, float(s), d, config) for g, s, d in zip((left, right), sigma, deep, strict=True)
        ]
        out[:, 2] = np.maximum(
            out[:, 0] + np.minimum(out[:, 1], touch[1]), 2 * np.minimum(across, np.minimum(*touch))
        )
        out[:, 2] = np.maximum(out[:, 2], -config.most_against)
    return out


def opposed(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    looks: np.ndarray,
    config: EvidenceConfig,
) -> tuple[Opposition | None, ...]:
    """Per side, what tells over a stretch whether the hand has the object between its points; None where it is not seen."""
    return tuple(
        Opposition.of(
            seen.distance, seen.between, looks * track.known * hand.rigid.known,
            distance_sigma(track, hand, config), config.opposition, hand.slow_tip,
        )
        if hand is not None and seen is not None
        else None
        for hand, seen in zip(hands, geometry, strict=True)
    )  # fmt: skip


def travels(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    aloft: np.ndarray,
    step: np.ndarray,
    eye: Float64[np.ndarray, "t 3"],
    config: EvidenceConfig,
) -> tuple[Travel | None, ...]:
    """Per side, with the mean normal at the hand's nearest points; None where the hand is not seen."""
    out: list[Travel | None] = []
    for hand, seen in zip(hands, geometry, strict=True):
        if hand is None or seen is None:
            out.append(None)
            continue
        near = np.exp(
            -np.maximum(seen.distance - seen.distance.min(axis=1, keepdims=True), 0.0) / config.push_near
        )
        normal = (near[..., None] * seen.normal).sum(axis=1)
        world = step[:, None] * np.einsum("tij,tj->ti", track.smooth[:, :3, :3], normal)
        place = track.smooth[:, :3, 3]
        from_hand = None
        if hand.slow_tip:
            ray = (place - eye).mean(axis=0)
            gap = (place - hand.rigid.smooth[:, :3, 3]) * (step * hand.rigid.known * track.known)[:, None]
            from_hand = gap, ray / max(float(np.linalg.norm(ray)), 1e-9)
        length = max(float(np.median(step)), 1e-3)
        out.append(Travel.of(place, world, aloft, length, config.travel, from_hand))
    return tuple(out)


def touches(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    eye: Float64[np.ndarray, "t 3"],
    config: EvidenceConfig,
) -> np.ndarray:
    """Log odds per look that the nearest point of each hand touches; [t 2]."""
    out = np.full((len(track.T), 2), -config.most_against)
    for side, (hand, seen) in enumerate(zip(hands, geometry, strict=True)):
        if hand is not None and seen is not None:
            deep = depth_spread(track, hand, seen, eye)
            odds = nearest_touch(seen, distance_sigma(track, hand, config), deep, config)
            out[:, side] = odds * track.known * hand.rigid.known
    return out


def new_share(hand: HandObservation | None, config: EvidenceConfig) -> float:
    """Share of what speaks for contact that is new with each look: a depth that lets hand and object meet stays a while."""
    if hand is None or not hand.depth_sigma.any():
        return 1.0
    return min(config.contact_correlation_s / config.fitted_correlation_s, 1.0)


def distance_sigma(track: RigidTrack, hand: HandObservation, config: EvidenceConfig) -> float:
    """Noise of a smoothed contact distance (m)."""
    turn = 0.08 * hand.rigid.sigma_turn * np.sqrt(hand.rigid.gain)
    own = 0.04 * track.sigma_turn * np.sqrt(track.gain)
    parts = (track.smooth_sigma, hand.rigid.smooth_sigma, turn, own, config.distance_bias, hand.slow_tip)
    return float(np.sqrt(np.sum(np.square(parts))))


def held_odds(
    seen: HandObjectGeometry,
    hand: HandObservation,
    sigma: float,
    config: EvidenceConfig,
    deep: Float64[np.ndarray, "t k=6"] | None = None,
) -> np.ndarray:
    """Log odds per look that one hand holds the object between two of its points; `sigma` as of `distance_sigma`."""
    a, b = (np.array(k) for k in zip(*PAIRS, strict=True))
    deep = np.zeros((1, 6)) if deep is None else deep
    within = float(np.sqrt(hand.tip_sigma**2 + config.distance_bias**2 + hand.slow_tip**2))
    # a shift in depth moves both points; how far the surface is from each goes with its own normal
    mean = np.sqrt(within**2 + 0.25 * (deep[:, a] + deep[:, b]) ** 2)
    half = np.sqrt(sigma**2 + 0.25 * (deep[:, a] - deep[:, b]) ** 2)
    return _grip(seen.distance[:, a], seen.distance[:, b], seen.between, (mean, half), config, hand.slow_tip)


def nearest_touch(
    seen: HandObjectGeometry, sigma: float, deep: Float64[np.ndarray, "t k=6"], config: EvidenceConfig
) -> np.ndarray:
    """Log odds of touching of the nearest point, given how far a shift in depth would move each."""
    k = seen.distance.argmin(axis=1)
    rows = np.arange(len(k))
    return touch_odds(seen.distance[rows, k], np.sqrt(sigma**2 + deep[rows, k] ** 2), config)


def depth_spread(
    track: RigidTrack, hand: HandObservation, seen: HandObjectGeometry, eye: Float64[np.ndarray, "t 3"]
) -> Float64[np.ndarray, "t k=6"]:
    """How much of the hand's error of depth shows in each point's distance: less where the line of sight grazes (m)."""
    if not hand.slow_tip:
        return np.zeros(seen.distance.shape)
    ray = track.smooth[:, :3, 3] - eye
    ray = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]
    local = np.einsum("tji,tj->ti", track.smooth[:, :3, :3], ray)
    return np.asarray(hand.depth_sigma[:, None] * np.einsum("tki,ti->tk", seen.normal, local))


def touch_odds(
    distance: Float64[np.ndarray, "*b"], sigma: float | Float64[np.ndarray, "*b"], config: EvidenceConfig
) -> Float64[np.ndarray, "*b"]:
    """Log odds of touching (distance nil but for noise) against being anywhere within the free range."""
    z = distance / sigma
    odds = np.log(config.free_range / (sigma * np.sqrt(2 * np.pi))) - 0.5 * z**2
    return np.asarray(np.maximum(odds, -config.most_against))


def _grip(
    first: np.ndarray,
    second: np.ndarray,
    between: np.ndarray,
    sigmas: tuple[np.ndarray, np.ndarray],
    config: EvidenceConfig,
    slow: float = 0.0,
) -> np.ndarray:
    """Log odds that the best pair of points holds the object between them.

    A hand seen a little to one side is nearer with one finger and farther with the other: the mean of a pair is known
    better than its difference. `sigmas`: of the mean, of half the difference.
    """
    mean, half = 0.5 * (first + second), 0.5 * (first - second)
    width = float(np.hypot(config.between_width, slow))
    odds = -0.5 * ((mean / sigmas[0]) ** 2 + (half / sigmas[1]) ** 2)
    odds = odds + sum(np.log(config.free_range / (s * np.sqrt(2 * np.pi))) for s in sigmas)
    outside = config.one_sided / (1 + np.exp(-np.clip((between + 0.003) / width, -30, 30)))
    return np.asarray(np.maximum((odds - outside).max(axis=1), -config.most_against))

"""What speaks for each state: per frame and per stretch, in nats, each term whitened by the tracks' own noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import inverse
from reenact.hands.joints import TIPS
from reenact.refine.contacts.distances import (
    PAIRS,
    HandObjectGeometry,
    joints_in_object,
    measure,
    measure_across,
)
from reenact.refine.states.edges import Signal
from reenact.refine.states.intervals import ConstantCost, PlaceCost
from reenact.refine.states.observations import HandObservation, RigidTrack
from reenact.refine.states.stretches import Opposition, OppositionConfig, Travel, TravelConfig

_MEDIAN_OF_FIT = 0.87
"""Median over mean of a chi-square of five."""


@dataclass(frozen=True)
class EvidenceConfig:
    """Scales of the evidence. Lengths in metres, times in seconds."""

    evidence_hz: float = 30.0
    """Frames nearer in time than one over this share one frame's worth of evidence: noise is never quite white."""
    contact_correlation_s: float = 0.10
    """Contact distances are smoothed and drift; one independent look per this time."""
    distance_bias: float = 0.004
    """Error of a contact distance that smoothing does not remove: hand model, depth of each thing (m)."""
    free_range: float = 0.15
    """A hand that is about but does not touch is anywhere within this (m)."""
    free_height: float = 0.15
    """A held thing is anywhere within this over the table (m)."""
    most_against: float = 8.0
    """No single look speaks against contact by more (nats)."""
    most_aloft: float = 16.0
    """No single look at its height speaks against lying by more (nats): what carries it may be unknown."""
    one_sided: float = 5.0
    """Taken off where the object is not between the touching points (nats per look)."""
    between_width: float = 0.002
    """How gradually that sets in (m)."""
    hand_share: float = 0.7
    """Share of the hand's error that comes and goes within a second or so."""
    shape_slack: float = 0.002
    """Fingers of a hand that holds move by this (m)."""
    shape_share: float = 0.3
    """Weight of the grip's shape: fingers are correlated, and so are their errors."""
    near_tip: float = 0.03
    """Fingertips farther than this from the object do not count for the shape of a grip (m)."""
    depth_slack: float = 0.03
    """Slow relative error of depth that is not motion; smaller once drift has been taken out."""
    depth_correlation_s: float = 0.5
    """How slow: one independent depth per this time."""
    fitted_correlation_s: float = 0.25
    """One independent look at contact of a hand that was put where it can touch, per this time."""
    touched_rest_rate: float = 8.0
    """Price of rest while a hand touches, where no support is known (nats/s): a thing that a hand holds still in the air
    rests, too, and only a table would tell."""
    push_near: float = 0.02
    """Points that are farther from the object than the nearest one count e times less per this in the direction of a
    push (m)."""
    opposition: OppositionConfig = field(default_factory=OppositionConfig)
    travel: TravelConfig = field(default_factory=TravelConfig)


@dataclass(frozen=True)
class ObjectEvidence:
    """All that is known about one object; times weights so that rates do not depend on the frame rate."""

    moving: Float64[np.ndarray, " t"]
    """Fit of a smooth motion per frame: nil in expectation where it is one, negative where it is not."""
    still: Float64[np.ndarray, " t"]
    """What `place` and `turn` cost per frame by noise alone, so that a good fit costs nothing."""
    place: PlaceCost
    turn: ConstantCost
    base: Float64[np.ndarray, "t s=2"]
    """Per side and frame: what the three costs of `relative` are by noise alone."""
    relative: tuple[tuple[PlaceCost, ConstantCost, ConstantCost] | None, ...]
    """Per side: place, turn and grip shape in the hand's frame; None where the hand is never seen."""
    contact: Float64[np.ndarray, "t 3"]
    """Log odds of being held by left, right, both, per frame."""
    opposition: tuple[Opposition | None, ...]
    """Per side: whether the hand's points have the object between them over a stretch."""
    travel: tuple[Travel | None, ...]
    """Per side: whether the object goes where the hand would push it; None where no support is known."""
    path: Signal
    """The object's place."""
    grips: tuple[tuple[Signal, Signal] | None, ...]
    """Per side: the hand's place in the object's frame, and its fingertips in its own."""
    touch: Float64[np.ndarray, "t s=2"]
    """Log odds of being touched at all by each hand, per frame."""
    seen: Float64[np.ndarray, " t"]
    hand_seen: Bool[np.ndarray, "t s=2"]
    aloft: Float64[np.ndarray, " t"]
    """What speaks against lying or sliding, per frame: nothing is under it (<= 0)."""


def gather(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    grid: SignedDistanceGrid | None,
    T_world_camera: Float64[np.ndarray, "t 4 4"],
    t_seconds: Float64[np.ndarray, " t"],
    config: EvidenceConfig,
    height: Float64[np.ndarray, " t"] | None = None,
    height_sigma: float = 0.0,
    supported: bool = True,
) -> ObjectEvidence:
    """Evidence about one object; `height` is that of its lowest point over what could carry it, where that is known.

    `supported`: something is known that could carry it, at least roughly; else rest under a hand is not believed easily.
    """
    step = _frame_steps(t_seconds)
    share = np.minimum(step * config.evidence_hz, 1.0)
    weight = share * track.weight
    ray = _rays(track, T_world_camera)
    information = _information(track, ray, config) * weight[:, None, None]
    geometry = [
        None if hand is None else measure(joints_in_object(hand.joints(hand.rigid.smooth), track.smooth), grid, hand.length)
        for hand in hands
    ]  # fmt: skip
    base = np.zeros((len(t_seconds), 2))
    relative: list[tuple[PlaceCost, ConstantCost, ConstantCost] | None] = []
    grips: list[tuple[Signal, Signal] | None] = [None, None]
    for side, hand in enumerate(hands):
        seen = geometry[side]
        if hand is None or seen is None:
            relative.append(None)
            continue
        costs, base[:, side], signals = _relative(
            track, hand, seen, weight, share, T_world_camera[:, :3, 3], config
        )
        relative.append(costs)
        grips[side] = signals
    looks = np.minimum(step / config.contact_correlation_s, 1.0)
    sure = np.array([_new_share(hand, config) for hand in hands])
    odds = _contacts(track, hands, geometry, grid, config)
    contact = np.where(odds > 0, odds * np.append(sure, sure.min()), odds) * looks[:, None]
    aloft = _aloft(track, height, height_sigma, looks, config)
    touch = _touches(track, hands, geometry, config) * looks[:, None]
    still = _by_noise(track, information, weight, config)
    if not supported:
        still = still - config.touched_rest_rate * step * (touch.max(axis=1) > 0)
    return ObjectEvidence(
        moving=_smooth_motion(track, information, weight, config),
        place=PlaceCost.of(track.T[:, :3, 3], information),
        turn=ConstantCost.of(track.T[:, :3, :3].reshape(-1, 9), weight / (2 * _turn_variance(track, config))),
        still=still,
        base=base,
        relative=tuple(relative),
        contact=contact,
        opposition=_opposed(track, hands, geometry, looks, config),
        travel=_travels(track, geometry, aloft if height is not None else None, step, config),
        path=Signal(track.T[:, :3, 3], weight / track.sigma**2),
        grips=tuple(grips),
        touch=touch,
        seen=weight,
        hand_seen=np.stack(
            [np.zeros(len(weight), bool) if h is None else h.rigid.weight > 0 for h in hands], axis=1
        ),
        aloft=aloft,
    )


def _aloft(
    track: RigidTrack, height: np.ndarray | None, sigma: float, looks: np.ndarray, config: EvidenceConfig
) -> np.ndarray:
    """Log odds of being carried by the table at this height against being held anywhere within the free height."""
    if height is None:
        return np.zeros(len(track.T))
    spread = float(np.sqrt(sigma**2 + track.smooth_sigma**2 + config.distance_bias**2))
    odds = (
        np.log(config.free_height / (spread * np.sqrt(2 * np.pi)))
        - 0.5 * (np.maximum(height, 0.0) / spread) ** 2
    )
    return np.asarray(np.clip(odds, -config.most_aloft, 0.0) * looks * track.known)


def _frame_steps(t: np.ndarray) -> np.ndarray:
    return np.gradient(t) if len(t) > 1 else np.full(len(t), 1 / 30)


def _rays(track: RigidTrack, T_world_camera: np.ndarray) -> np.ndarray:
    """From camera to object, in metres, [t 3]."""
    return np.asarray(track.smooth[:, :3, 3] - T_world_camera[:, :3, 3])


def _information(track: RigidTrack, ray: np.ndarray, config: EvidenceConfig) -> np.ndarray:
    """Inverse covariance of an observed place: as measured across the line of sight, with depth's slack along it."""
    length = np.linalg.norm(ray, axis=1)
    unit = ray / np.maximum(length, 1e-9)[:, None]
    along = unit[:, :, None] * unit[:, None, :]
    looks = _slow_looks(config)
    noise = track.sigma**2 + looks * track.slow**2
    across, deep = 1 / noise, 1 / (noise + looks * (config.depth_slack * length) ** 2)
    return np.asarray(across * (np.eye(3) - along) + deep[:, None, None] * along)


def _new_share(hand: HandObservation | None, config: EvidenceConfig) -> float:
    """Share of what speaks for contact that is new with each look: a depth that lets hand and object meet stays a while."""
    if hand is None or not hand.depth_sigma.any():
        return 1.0
    return min(config.contact_correlation_s / config.fitted_correlation_s, 1.0)


def _slow_looks(config: EvidenceConfig) -> float:
    """Frames' worth of evidence in which a slow error is the same."""
    return max(config.depth_correlation_s * config.evidence_hz, 1.0)


def _turn_variance(track: RigidTrack, config: EvidenceConfig) -> float:
    """Of one frame's turn, its slow error counted once per stretch in which it is the same."""
    return track.sigma_turn**2 + _slow_looks(config) * track.slow_turn**2


def _smooth_motion(
    track: RigidTrack, information: np.ndarray, weight: np.ndarray, config: EvidenceConfig
) -> np.ndarray:
    """How well each frame lies on the smooth path; residuals are less than the noise, by how much is measured."""
    noise = _by_noise(track, information, weight, config)
    off = track.T[:, :3, 3] - track.smooth[:, :3, 3]
    place = np.einsum("ti,tij,tj->t", off, information, off)
    angle = rotation_angle(track.smooth[:, :3, :3], track.T[:, :3, :3])
    turn = weight * angle**2 / _turn_variance(track, config)
    fit = 0.5 * (place + turn)
    seen = weight > 0
    usual = float(np.median(fit[seen] / noise[seen])) / _MEDIAN_OF_FIT if seen.any() else 1.0
    return np.asarray(noise - fit / np.clip(usual, 0.2, 1.0))


def _by_noise(
    track: RigidTrack, information: np.ndarray, weight: np.ndarray, config: EvidenceConfig
) -> np.ndarray:
    """Half the expected whitened square of place and turn together."""
    turn = 1.5 * weight * track.sigma_turn**2 / _turn_variance(track, config)
    return np.asarray(0.5 * track.sigma**2 * np.trace(information, axis1=1, axis2=2) + turn)


def _relative(
    track: RigidTrack,
    hand: HandObservation,
    seen: HandObjectGeometry,
    weight: np.ndarray,
    share: np.ndarray,
    eye: np.ndarray,
    config: EvidenceConfig,
) -> tuple[tuple[PlaceCost, ConstantCost, ConstantCost], np.ndarray, tuple[Signal, Signal]]:
    """The object, and the fingertips near it, in the frame of the hand; what predicting from the hand loses; and the
    tracks that tell when a hold begins and ends."""
    rigid = hand.rigid
    inside = inverse(rigid.smooth) @ track.T
    touching = seen.distance.min(axis=1) < 0.1
    lever = float(np.median(np.linalg.norm(inside[touching, :3, 3], axis=1))) if touching.any() else 0.1
    turn = rigid.sigma_turn**2 * rigid.gain
    place = track.sigma**2 + rigid.sigma**2 * rigid.gain + turn * lever**2 + config.distance_bias**2
    turned = track.sigma_turn**2 + turn
    tips = hand.shape_raw[:, TIPS].reshape(len(inside), -1)
    close = (seen.distance[:, :5] < config.near_tip).mean(axis=1)
    shape_weight = (
        config.shape_share * share * rigid.weight * close / (hand.tip_sigma**2 + config.shape_slack**2)
    )
    both = weight * rigid.known**2
    information = _seen_from_hand(hand, eye, place + _slow_looks(config) * track.slow**2, config)
    unsure_turn = turned + _slow_looks(config) * track.slow_turn**2
    costs = (
        PlaceCost.of(inside[:, :3, 3], information * both[:, None, None]),
        ConstantCost.of(inside[:, :3, :3].reshape(-1, 9), both / (2 * unsure_turn)),
        ConstantCost.of(tips, shape_weight),
    )
    # of the hand's part of the variance, only a share changes within a stretch; the rest is in the stretch's constant
    share_place = (track.sigma**2 + config.hand_share * (place - track.sigma**2)) / place
    share_turn = (track.sigma_turn**2 + config.hand_share * (turned - track.sigma_turn**2)) / turned
    # three axes, less what is not known along the line of sight
    axes = place * np.trace(information, axis1=1, axis2=2)
    by_noise = 0.5 * (axes * share_place + 3 * share_turn * turned / unsure_turn) * both
    base = by_noise + 7.5 * shape_weight * hand.tip_sigma**2
    signals = Signal(inside[:, :3, 3], both / place), Signal(tips, share * rigid.weight / hand.tip_sigma**2)
    return costs, base, signals


def _seen_from_hand(
    hand: HandObservation, eye: np.ndarray, variance: float, config: EvidenceConfig
) -> np.ndarray:
    """Inverse covariance [t 3 3] of the object's place in the hand's frame: less is known along the line of sight."""
    ray = hand.rigid.smooth[:, :3, 3] - eye
    unit = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]
    unit = np.einsum("tji,tj->ti", hand.rigid.smooth[:, :3, :3], unit)
    along = unit[:, :, None] * unit[:, None, :]
    looks = _slow_looks(config)
    deep = 1 / (variance + looks * hand.depth_sigma**2)
    return np.asarray((np.eye(3) - along) / variance + deep[:, None, None] * along)


def _contacts(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    grid: SignedDistanceGrid | None,
    config: EvidenceConfig,
) -> np.ndarray:
    """Log odds per look of being held by left, right, both; [t 3]."""
    out = np.full((len(track.T), 3), -config.most_against)
    sigma = np.array([distance_sigma(track, hand, config) if hand is not None else 1.0 for hand in hands])
    for side in (0, 1):
        seen, hand = geometry[side], hands[side]
        if seen is not None and hand is not None:
            out[:, side] = held_odds(seen, hand, float(sigma[side]), config) * hand.rigid.known
    left, right = geometry
    out = out * track.known[:, None]
    if left is not None and right is not None:
        _, between = measure_across(left, right, grid)
        pair = np.repeat(left.distance, 6, axis=1), np.tile(right.distance, (1, 6))
        apart = float(np.hypot(*sigma) / np.sqrt(2))
        across = _grip(*pair, between, (apart, apart), config)
        touch = [
            touch_odds(g.distance.min(axis=1), s, config) for g, s in zip((left, right), sigma, strict=True)
        ]
        out[:, 2] = np.maximum(
            out[:, 0] + np.minimum(out[:, 1], touch[1]), 2 * np.minimum(across, np.minimum(*touch))
        )
        out[:, 2] = np.maximum(out[:, 2], -config.most_against)
    return out


def _opposed(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    looks: np.ndarray,
    config: EvidenceConfig,
) -> tuple[Opposition | None, ...]:
    return tuple(
        Opposition.of(
            seen.distance, seen.between, looks * track.known * hand.rigid.known,
            distance_sigma(track, hand, config), config.opposition,
        )
        if hand is not None and seen is not None
        else None
        for hand, seen in zip(hands, geometry, strict=True)
    )  # fmt: skip


def _travels(
    track: RigidTrack,
    geometry: list[HandObjectGeometry | None],
    aloft: np.ndarray | None,
    step: np.ndarray,
    config: EvidenceConfig,
) -> tuple[Travel | None, ...]:
    """Per side, with the mean normal at the hand's nearest points; None where nothing is known that it could slide on."""
    out: list[Travel | None] = []
    for seen in geometry:
        if seen is None or aloft is None:
            out.append(None)
            continue
        near = np.exp(
            -np.maximum(seen.distance - seen.distance.min(axis=1, keepdims=True), 0.0) / config.push_near
        )
        normal = (near[..., None] * seen.normal).sum(axis=1)
        world = step[:, None] * np.einsum("tij,tj->ti", track.smooth[:, :3, :3], normal)
        place = track.smooth[:, :3, 3]
        out.append(Travel.of(place, world, aloft, max(float(np.median(step)), 1e-3), config.travel))
    return tuple(out)


def _touches(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    geometry: list[HandObjectGeometry | None],
    config: EvidenceConfig,
) -> np.ndarray:
    """Log odds per look that the nearest point of each hand touches; [t 2]."""
    out = np.full((len(track.T), 2), -config.most_against)
    for side, (hand, seen) in enumerate(zip(hands, geometry, strict=True)):
        if hand is not None and seen is not None:
            odds = touch_odds(seen.distance.min(axis=1), distance_sigma(track, hand, config), config)
            out[:, side] = odds * track.known * hand.rigid.known
    return out


def distance_sigma(track: RigidTrack, hand: HandObservation, config: EvidenceConfig) -> float:
    """Noise of a smoothed contact distance (m)."""
    turn = 0.08 * hand.rigid.sigma_turn * np.sqrt(hand.rigid.gain)
    own = 0.04 * track.sigma_turn * np.sqrt(track.gain)
    parts = (track.smooth_sigma, hand.rigid.smooth_sigma, turn, own, config.distance_bias)
    return float(np.sqrt(np.sum(np.square(parts))))


def held_odds(
    seen: HandObjectGeometry, hand: HandObservation, sigma: float, config: EvidenceConfig
) -> np.ndarray:
    """Log odds per look that one hand holds the object between two of its points; `sigma` as of `distance_sigma`."""
    a, b = (np.array(k) for k in zip(*PAIRS, strict=True))
    within = float(np.hypot(hand.tip_sigma, config.distance_bias))
    return _grip(seen.distance[:, a], seen.distance[:, b], seen.between, (within, sigma), config)


def touch_odds(
    distance: Float64[np.ndarray, "*b"], sigma: float, config: EvidenceConfig
) -> Float64[np.ndarray, "*b"]:
    """Log odds of touching (distance nil but for noise) against being anywhere within the free range."""
    z = distance / sigma
    odds = np.log(config.free_range / (sigma * np.sqrt(2 * np.pi))) - 0.5 * z**2
    return np.asarray(np.maximum(odds, -config.most_against))


def _grip(
    first: np.ndarray,
    second: np.ndarray,
    between: np.ndarray,
    sigmas: tuple[float, float],
    config: EvidenceConfig,
) -> np.ndarray:
    """Log odds that the best pair of points holds the object between them.

    A hand seen a little to one side is nearer with one finger and farther with the other: the mean of a pair is known
    better than its difference. `sigmas`: of the mean, of half the difference.
    """
    mean, half = 0.5 * (first + second), 0.5 * (first - second)
    odds = -0.5 * ((mean / sigmas[0]) ** 2 + (half / sigmas[1]) ** 2)
    odds = odds + sum(np.log(config.free_range / (s * np.sqrt(2 * np.pi))) for s in sigmas)
    outside = config.one_sided / (1 + np.exp(-np.clip((between + 0.003) / config.between_width, -30, 30)))
    return np.asarray(np.maximum((odds - outside).max(axis=1), -config.most_against))

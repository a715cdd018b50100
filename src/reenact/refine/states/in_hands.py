"""What speaks for an object's going with a hand: its place, its turn and the grip's shape, seen from that hand.

Each is judged against a stretch's best constant, slow errors counted once per time in which they are the same. Hands that
were lifted out of one picture err slowly by a centimetre and more, so a constant tells little of them; but slow errors do
not change fast, and what changes within a fifth of a second is told by that (`StepCost`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.filters import MAD_TO_SIGMA
from reenact.geometry.transforms import inverse
from reenact.hands.joints import TIPS
from reenact.refine.contacts.distances import HandObjectGeometry
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.edges import Signal
from reenact.refine.states.intervals import ConstantCost, PlaceCost, StepCost, running_sums
from reenact.refine.states.observations import HandObservation, RigidTrack

LEAST_APART = 0.001
"""Noise of a distance across the line of sight is never believed to be smaller (m)."""
Costs = tuple[PlaceCost | ConstantCost | StepCost, ...]
"""Of a stretch, to be added up."""


@dataclass(frozen=True)
class InHand:
    """One object seen from one hand."""

    costs: Costs
    """Of a stretch in which the object goes with the hand."""
    base: Float64[np.ndarray, " t"]
    """What the costs are per frame by noise alone."""
    signals: tuple[Signal, Signal]
    """The tracks that tell when a hold begins and ends: the object's place, and the fingertips."""
    together: StepCost | None
    """Log odds, over a stretch, that the hand goes where the object goes because it is at it, against resting or going its
    own way; None where contact itself is told well enough."""


def in_hand(
    track: RigidTrack,
    hand: HandObservation,
    seen: HandObjectGeometry,
    weights: tuple[Float64[np.ndarray, " t"], Float64[np.ndarray, " t"]],
    eye: Float64[np.ndarray, "t 3"],
    step: float,
    config: EvidenceConfig,
) -> InHand:
    """`weights`: of the object per frame, and of a frame by its time alone; `step`: time between frames (s)."""
    weight, share = weights
    rigid, looks = hand.rigid, config.slow_looks
    inside = inverse(rigid.smooth) @ track.T
    lever = _lever(inside, seen)
    turn = rigid.sigma_turn**2 * rigid.gain
    place = track.sigma**2 + rigid.sigma**2 * rigid.gain + turn * lever**2 + config.distance_bias**2
    turned = track.sigma_turn**2 + turn
    slow_place = track.slow**2 + rigid.slow**2 + (lever * rigid.slow_turn) ** 2
    unsure_turn = turned + looks * (track.slow_turn**2 + rigid.slow_turn**2)
    tips = hand.shape_raw[:, TIPS].reshape(len(inside), -1)
    near = share * rigid.weight * track.known * (seen.distance[:, :5] < config.near_tip).mean(axis=1)
    loose = hand.tip_sigma**2 + config.shape_slack**2 + looks * hand.slow_tip**2
    shape_weight = config.shape_share * near / loose
    both = weight * rigid.known**2
    information = _from_hand(hand, eye, place + looks * slow_place, looks)
    costs: Costs = (
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
    together = None
    if hand.slow_tip > 0:
        together = _together(track, hand, (both, eye), place + slow_place, step, config)
        more, by_steps = _steps(
            hand, inside[:, :3, 3], tips, (both, near), eye, (place, slow_place), step, config
        )
        costs, base = (*costs, *more), base + by_steps
    told = share * rigid.weight / (hand.tip_sigma**2 + hand.slow_tip**2)
    apart = Signal(inside[:, :3, 3], both / place)
    if hand.slow_tip > 0:
        apart = _apart_in_picture(track, hand, both, eye)
    return InHand(costs, base, (apart, Signal(tips, told)), together)


def _apart_in_picture(track: RigidTrack, hand: HandObservation, both: np.ndarray, eye: np.ndarray) -> Signal:
    """The object's place from the hand, both as they appear from the camera: no error of depth is in it."""
    ray = hand.rigid.smooth[:, :3, 3] - eye
    ray = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]
    gap = track.T[:, :3, 3] - hand.rigid.T[:, :3, 3]
    gap = gap - (gap * ray).sum(axis=1)[:, None] * ray
    both = np.where(hand.rigid.weight > 0, both, 0.0)
    used = both > 0
    bend = np.diff(gap[used], n=2, axis=0)
    sigma = float(MAD_TO_SIGMA * np.median(np.abs(bend))) / np.sqrt(6) if len(bend) else 1.0
    return Signal(gap, both / max(sigma, LEAST_APART) ** 2)


def _lever(inside: np.ndarray, seen: HandObjectGeometry) -> float:
    """How far the object's middle is from the hand's while they are near (m)."""
    touching = seen.distance.min(axis=1) < 0.1
    return float(np.median(np.linalg.norm(inside[touching, :3, 3], axis=1))) if touching.any() else 0.1


def _from_hand(hand: HandObservation, eye: np.ndarray, variance: float, looks: float) -> np.ndarray:
    """Inverse covariance [t 3 3] of the object's place in the hand's frame: less is known along the line of sight, by the
    error of the hand's depth, `looks` times as variable per frame as it is."""
    ray = hand.rigid.smooth[:, :3, 3] - eye
    unit = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]
    unit = np.einsum("tji,tj->ti", hand.rigid.smooth[:, :3, :3], unit)
    along = unit[:, :, None] * unit[:, None, :]
    deep = 1 / (variance + looks * hand.depth_sigma**2)
    return np.asarray((np.eye(3) - along) / variance + deep[:, None, None] * along)


def _steps(
    hand: HandObservation,
    places: np.ndarray,
    tips: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray],
    eye: np.ndarray,
    variances: tuple[float, float],
    step: float,
    config: EvidenceConfig,
) -> tuple[Costs, np.ndarray]:
    """Changes of place and of grip within `step_s`, against what noise and slow errors (`variances` of a place) change in
    that time; and what they cost by noise alone."""
    noise, slow = variances
    lag = max(1, round(config.step_s / step))
    wander = 2 * (1 - np.exp(-lag * step / config.depth_correlation_s))
    information = _from_hand(hand, eye, 2 * noise + wander * slow, wander)
    n, tip = tips.shape[1], 2 * hand.tip_sigma**2 + wander * hand.slow_tip**2
    by_tip = np.broadcast_to(config.shape_share / tip * np.eye(n), (len(tips), n, n))
    costs = (
        StepCost.of(places, information, weights[0], lag),
        StepCost.of(tips, by_tip, weights[1], lag),
    )
    by_place = noise * np.trace(information, axis1=1, axis2=2) * weights[0]
    by_shape = config.shape_share * n * hand.tip_sigma**2 / tip * weights[1]
    return costs, np.asarray((by_place + by_shape) / lag)


def _together(
    track: RigidTrack,
    hand: HandObservation,
    seen: tuple[np.ndarray, np.ndarray],
    variance: float,
    step: float,
    config: EvidenceConfig,
) -> StepCost:
    """Motions within `step_s`, both as they appear from the camera, at the object's distance."""
    both, eye = seen
    lag = max(1, round(config.step_s / step))
    odds = np.zeros(len(both))
    if len(both) <= lag:
        return StepCost(running_sums(odds), lag)
    ray = track.smooth[:-lag, :3, 3] - eye[:-lag]
    ray = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]

    def across(motion: np.ndarray) -> np.ndarray:
        return np.asarray(motion - (motion * ray).sum(axis=1)[:, None] * ray)

    # where the object's middle would go with the hand
    inside = np.einsum(
        "tji,tj->ti",
        hand.rigid.smooth[:-lag, :3, :3],
        track.smooth[:-lag, :3, 3] - hand.rigid.smooth[:-lag, :3, 3],
    )
    carried = (
        np.einsum("tij,tj->ti", hand.rigid.smooth[lag:, :3, :3], inside) + hand.rigid.smooth[lag:, :3, 3]
    )
    by_hand = across(carried - track.smooth[:-lag, :3, 3])
    by_itself = across(track.smooth[lag:, :3, 3] - track.smooth[:-lag, :3, 3])
    wander = 2 * (1 - np.exp(-lag * step / config.depth_correlation_s))
    near, free = wander * variance, wander * variance + (config.free_speed * config.step_s) ** 2
    off, own = ((by_hand - by_itself) ** 2).sum(axis=1), (by_hand**2).sum(axis=1)
    apart = np.logaddexp(-0.5 * own / near, -0.5 * own / free - np.log(free / near))
    odds[lag:] = (-0.5 * off / near - apart) * np.minimum(both[lag:], both[:-lag]) / lag
    return StepCost(running_sums(odds), lag)

"""What speaks for each state: per frame and per stretch, in nats, each term whitened by the tracks' own noise.

Here: motion of the object in the scene and in each hand's frame, and its height; contact comes from `contact_looks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.geometry.rotations import rotation_angle
from reenact.refine.contacts.distances import joints_in_object, measure
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.contact_looks import contacts, new_share, opposed, touches, travels
from reenact.refine.states.edges import Signal
from reenact.refine.states.in_hands import Costs, in_hand
from reenact.refine.states.intervals import ConstantCost, PlaceCost, StepCost
from reenact.refine.states.observations import HandObservation, RigidTrack
from reenact.refine.states.picture import PictureMotion
from reenact.refine.states.sight import Absence, gone
from reenact.refine.states.stretches import Opposition, Travel

_MEDIAN_OF_FIT = 0.87
"""Median over mean of a chi-square of five."""


@dataclass(frozen=True)
class ObjectEvidence:
    """All that is known about one object; times weights so that rates do not depend on the frame rate."""

    moving: Float64[np.ndarray, " t"]
    """Fit of a smooth motion per frame: nil in expectation where it is one, negative where it is not."""
    still: Float64[np.ndarray, " t"]
    """What `place` and `turn` cost per frame by noise alone, so that a good fit costs nothing."""
    absence: Absence
    """What not being seen costs a thing at rest."""
    place: PlaceCost
    turn: ConstantCost
    base: Float64[np.ndarray, "t s=2"]
    """Per side and frame: what the costs of `relative` are by noise alone."""
    relative: tuple[Costs | None, ...]
    """Per side: what going with the hand costs; None where the hand is never seen."""
    together: tuple[StepCost | None, ...]
    """Per side: whether the hand goes where the object goes."""
    contact: Float64[np.ndarray, "t 3"]
    """Log odds of being held by left, right, both, per frame."""
    opposition: tuple[Opposition | None, ...]
    """Per side: whether the hand's points have the object between them over a stretch."""
    travel: tuple[Travel | None, ...]
    """Per side: whether the object goes where the hand would push it."""
    path: Signal
    """The object's place."""
    grips: tuple[tuple[Signal, Signal] | None, ...]
    """Per side: the hand's place in the object's frame, and its fingertips in its own."""
    touch: Float64[np.ndarray, "t s=2"]
    """Log odds of being touched at all by each hand, per frame."""
    seen: Float64[np.ndarray, " t"]
    hand_seen: Bool[np.ndarray, "t s=2"]
    hand_gone: Float64[np.ndarray, "t s=2"]
    """How far each hand has been out of sight for long, before and after: 0 to 1."""
    aloft: Float64[np.ndarray, " t"]
    """What speaks against lying or sliding, per frame: nothing is under it (<= 0)."""
    motion: Float64[np.ndarray, " t"]
    """Log odds, per frame, of motion against rest by the points followed on it; 0 where none tell."""
    with_hand: Float64[np.ndarray, "t s=2"]
    """Log odds, per frame, of each hand's going with it in the picture; 0 where nothing tells."""


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
    picture: PictureMotion | None = None,
) -> ObjectEvidence:
    """Evidence about one object; `height` is that of its lowest point over what could carry it, where that is known.

    `supported`: something is known that could carry it, at least roughly; else rest under a hand is not believed easily.
    `picture`: motion of the points followed on it, where there are any.
    """
    step, eye = _frame_steps(t_seconds), T_world_camera[:, :3, 3]
    share = np.minimum(step * config.evidence_hz, 1.0)
    weight = share * track.weight
    ray = _rays(track, T_world_camera)
    information = _information(track, ray, config) * weight[:, None, None]
    geometry = [
        None if hand is None else measure(joints_in_object(hand.joints(hand.rigid.smooth), track.smooth), grid, hand.length)
        for hand in hands
    ]  # fmt: skip
    held = [
        in_hand(track, hand, seen, (weight, share), eye, float(np.median(step)), config)
        if hand is not None and seen is not None
        else None
        for hand, seen in zip(hands, geometry, strict=True)
    ]  # fmt: skip
    looks = np.minimum(step / config.contact_correlation_s, 1.0)
    sure = np.array([new_share(hand, config) for hand in hands])
    odds = contacts(track, hands, geometry, grid, eye, config)
    contact = np.where(odds > 0, odds * np.append(sure, sure.min()), odds) * looks[:, None]
    aloft = _aloft(track, height, height_sigma, looks, config)
    touch = touches(track, hands, geometry, eye, config) * looks[:, None]
    still = _by_noise(track, information, weight, config)
    if not supported:
        still = still - config.touched_rest_rate * step * (touch.max(axis=1) > 0)
    return ObjectEvidence(
        moving=_smooth_motion(track, information, weight, config),
        place=PlaceCost.of(track.T[:, :3, 3], information),
        turn=ConstantCost.of(track.T[:, :3, :3].reshape(-1, 9), weight / (2 * _turn_variance(track, config))),
        still=still,
        absence=Absence.of(track, hands, grid, eye, t_seconds, step, config),
        base=np.stack([np.zeros(len(step)) if h is None else h.base for h in held], axis=1),
        relative=tuple(None if h is None else h.costs for h in held),
        together=tuple(None if h is None else h.together for h in held),
        contact=contact,
        opposition=opposed(track, hands, geometry, looks, config),
        travel=travels(track, hands, geometry, aloft, step, eye, config),
        path=Signal(track.T[:, :3, 3], weight / track.sigma**2),
        grips=tuple(None if h is None else h.signals for h in held),
        touch=touch,
        seen=weight,
        hand_seen=np.stack(
            [np.zeros(len(weight), bool) if h is None else h.rigid.weight > 0 for h in hands], axis=1
        ),
        hand_gone=np.stack([gone(h, t_seconds, config) for h in hands], axis=1),
        aloft=aloft,
        motion=np.zeros(len(step)) if picture is None else picture.moves,
        with_hand=np.zeros((len(step), 2)) if picture is None else picture.with_hand,
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
    looks = config.slow_looks
    noise = track.sigma**2 + looks * track.slow**2
    across, deep = 1 / noise, 1 / (noise + looks * (config.depth_slack * length) ** 2)
    return np.asarray(across * (np.eye(3) - along) + deep[:, None, None] * along)


def _turn_variance(track: RigidTrack, config: EvidenceConfig) -> float:
    """Of one frame's turn, its slow error counted once per stretch in which it is the same."""
    return track.sigma_turn**2 + config.slow_looks * track.slow_turn**2


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

"""From the solver's bodies to the scene's records: objects, hands, contacts, where they are, states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import erf

from reenact.hands.joints import SIDES
from reenact.refine.contacts.posterior import ContactConfig, touch_probability, touching_since
from reenact.refine.interaction.bodies import HANDS
from reenact.refine.interaction.config import InteractionConfig
from reenact.refine.interaction.flags import Flag, FlagConfig, find_flags
from reenact.refine.interaction.posterior import about_origins, perceived_sigma, scale_sigma, with_scale
from reenact.refine.interaction.refine import Refined, refine
from reenact.scene import (
    CameraTrack,
    ContactPlaces,
    ContactTracks,
    HandTracks,
    InteractionState,
    InteractionStates,
    ObjectTracks,
    PointTracks,
    PoseCovariance,
    Source,
    SupportPlane,
)

HAND_NAMES = tuple(f"{side} hand" for side in SIDES)


@dataclass(frozen=True)
class InteractionResultConfig:
    """Settings of refinement and of what is made of it."""

    interaction: InteractionConfig = field(default_factory=InteractionConfig)
    contacts: ContactConfig = field(default_factory=ContactConfig)
    flags: FlagConfig = field(default_factory=FlagConfig)
    near: float = 0.03
    """Confidence of a refined pose is the probability that its place in the scene is right within this (m, DexMan's
    distance of contact: beyond it nothing can be said of what touches what); the scene's own scale does not count."""
    longest_fill_s: float = 1.0
    """Unseen stretches are filled up to this length (s); longer ones only where a thing lies still or is held."""
    torn: float = 0.10
    """Before a camera whose path is not known, a pose that the solution puts farther than this (m) from where it was seen
    is not claimed: how the camera went is no smooth motion of the thing."""


@dataclass(frozen=True)
class InteractionResult:
    """The records, and doubts about them."""

    objects: ObjectTracks
    hands: HandTracks
    covariance: PoseCovariance
    """Of the objects, then of the hands' middles (`HAND_NAMES`)."""
    contacts: ContactTracks
    places: ContactPlaces
    states: InteractionStates
    flags: tuple[Flag, ...]
    refined: Refined


def refine_interaction(
    objects: ObjectTracks,
    hands: HandTracks,
    camera: CameraTrack,
    support: SupportPlane | None,
    t_ns: Int64[np.ndarray, " t"],
    config: InteractionResultConfig | None = None,
    covariance: PoseCovariance | None = None,
    points: PointTracks | None = None,
) -> InteractionResult:
    """Refine a clip and write it down as records; `covariance` is that of the raw poses, where perception gives one, and
    `points` were followed on the objects in the picture."""
    config = config or InteractionResultConfig()
    t = (t_ns - t_ns[0]) * 1e-9
    refined = refine(objects, hands, camera, support, t, config.interaction, covariance, points)
    states = _states(refined, camera)
    sure = about_origins(refined.covariance[:, HANDS:], refined.T_world_object(), refined.middles)
    new_objects = _objects(objects, refined, states, camera, t, config)
    new_hands = _hands(hands, refined, t, config)
    contacts, places = _contacts(refined, new_objects, new_hands, t_ns, t, config)
    sizes = [
        np.ptp(objects.mesh(o)[0], axis=0) if len(objects.mesh(o)[0]) else np.zeros(3)
        for o in range(len(states.state[0]))
    ]
    geometry = [[refined.geometry(s, o) for s in (0, 1)] for o in range(len(sizes))]
    flags = find_flags(
        objects.object_ids, np.array(sizes).reshape(-1, 3), refined.observed, refined.bodies.T, geometry, refined.grips,
        config.flags,
    )  # fmt: skip
    by_size = scale_sigma(hands, camera, config.interaction.posterior)
    eye, origins = refined.observed.eye, refined.T_world_object()[..., :3, 3]
    own = perceived_sigma(covariance, origins, eye) if covariance is not None else np.full(len(sizes), np.inf)
    sure = with_scale(sure, origins, eye, np.minimum(own, by_size))
    sure_hands = with_scale(
        refined.covariance[:, :HANDS], refined.bodies.T[:, :HANDS, :3, 3], eye, np.full(HANDS, by_size)
    )
    refined_covariance = PoseCovariance(
        object_ids=(*objects.object_ids, *HAND_NAMES),
        covariance=np.concatenate([sure, sure_hands], axis=1),
        valid=np.concatenate([new_objects.valid, new_hands.valid], axis=1),
    )
    return InteractionResult(
        new_objects, new_hands, refined_covariance, contacts, places, states, flags, refined
    )


def gaps(seen: np.ndarray, t: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, " t"]:
    """Length of the unseen stretch that each frame is in (s), 0 where seen."""
    idx = np.flatnonzero(seen)
    if len(idx) == 0:
        return np.full(len(t), np.inf)
    after = np.searchsorted(idx, np.arange(len(t)))
    before = np.clip(after - 1, 0, None)
    end = np.where(after < len(idx), t[idx[np.minimum(after, len(idx) - 1)]], t[-1])
    start = np.where(idx[before] <= np.arange(len(t)), t[idx[before]], t[0])
    return np.where(seen, 0.0, end - start)


def probably_within(covariance: Float64[np.ndarray, "t o 6 6"], near: float) -> Float64[np.ndarray, "t o"]:
    """Probability that a place is off by less than `near` (m) in the direction that is least sure."""
    worst = np.linalg.eigvalsh(covariance[..., :3, :3])[..., -1]
    return np.asarray(erf(near / np.sqrt(2 * np.maximum(worst, 1e-12))))


def _states(refined: Refined, camera: CameraTrack) -> InteractionStates:
    """Before a camera whose path is not known, nobody can tell rest from motion; holds are told in the hand's frame."""
    t = len(camera.valid)
    state = (
        np.stack([s.state for s in refined.states], axis=1) if refined.states else np.zeros((t, 0), np.uint8)
    )
    known = np.stack([s.known for s in refined.states], axis=1) if refined.states else np.zeros((t, 0), bool)
    confidence = (
        np.stack([s.confidence for s in refined.states], axis=1) if refined.states else np.zeros((t, 0))
    )
    loose = (state == InteractionState.STATIC) | (state == InteractionState.MOVING)
    known = known & (camera.valid[:, None] | ~loose)
    state = np.where(known, state, np.uint8(InteractionState.UNKNOWN)).astype(np.uint8)
    source = np.where(known, Source.SMOOTHED, Source.UNKNOWN).astype(np.uint8)
    # of a state that is not said nothing is believed
    return InteractionStates(
        state=state, confidence=np.where(known, confidence, 0.0), valid=known, source=source
    )


def _objects(
    objects: ObjectTracks,
    refined: Refined,
    states: InteractionStates,
    camera: CameraTrack,
    t: np.ndarray,
    config: InteractionResultConfig,
) -> ObjectTracks:
    seen = refined.observed.weight[:, HANDS:] > 0
    gap = (
        np.stack([gaps(seen[:, o], t) for o in range(seen.shape[1])], axis=1)
        if seen.shape[1]
        else np.zeros(seen.shape)
    )
    tied = states.valid & (states.state != InteractionState.MOVING)  # still or held: unseen is not unknown
    valid = np.isfinite(gap) & ((gap <= config.longest_fill_s) | tied)
    T = refined.T_world_object()
    apart = np.linalg.norm(T[..., :3, 3] - objects.T_world_object[..., :3, 3], axis=-1)
    valid &= camera.valid[:, None] | (tied & ~objects.valid) | (objects.valid & (apart <= config.torn))
    return replace(
        objects,
        T_world_object=np.where(valid[..., None, None], T, np.eye(4)),
        valid=valid,
        confidence=np.where(valid, probably_within(refined.covariance[:, HANDS:], config.near), 0.0),
        source=np.where(valid, np.where(seen, Source.SMOOTHED, Source.FILLED), Source.UNKNOWN).astype(
            np.uint8
        ),
    )


def _hands(hands: HandTracks, refined: Refined, t: np.ndarray, config: InteractionResultConfig) -> HandTracks:
    joints, valid, source = hands.joints_world.copy(), hands.valid.copy(), hands.source.copy()
    confidence = hands.confidence.copy()
    for side in range(len(SIDES)):
        hand = refined.hands[side]
        if hand is None:
            continue
        seen = hands.valid[:, side]
        fill = ~seen & (gaps(seen, t) <= config.longest_fill_s)
        valid[:, side] = seen | fill
        joints[:, side] = np.where(valid[:, side, None, None], hand.joints(refined.bodies.T[:, side]), 0.0)
        source[:, side] = np.where(seen, Source.SMOOTHED, np.where(fill, Source.FILLED, Source.UNKNOWN))
        confidence[:, side] = np.where(fill, 0.3, np.where(seen, hands.confidence[:, side], 0.0))
    return replace(hands, joints_world=joints, valid=valid, source=source, confidence=confidence)


def _contacts(
    refined: Refined,
    objects: ObjectTracks,
    hands: HandTracks,
    t_ns: np.ndarray,
    t: np.ndarray,
    config: InteractionResultConfig,
) -> tuple[ContactTracks, ContactPlaces]:
    count, frames = objects.valid.shape[1], len(t)
    distance, place = np.ones((frames, 2, 6, count)), np.zeros((frames, 2, 6, count, 3))
    likely = np.zeros((frames, 2, 6, count))
    for o in range(count):
        for side in (0, 1):
            geometry = refined.geometry(side, o)
            if geometry is None or refined.grids[o] is None:
                continue
            distance[:, side, :, o] = geometry.distance
            place[:, side, :, o] = geometry.place + refined.middles[o]
            likely[:, side, :, o] = touch_probability(geometry.distance, geometry.place, t, config.contacts)
    meshed = np.array([grid is not None for grid in refined.grids], bool)
    valid = hands.valid[:, :, None] & objects.valid[:, None] & meshed
    touching = (likely > 0.5) & valid[:, :, None]
    trust = np.abs(2 * likely - 1).min(axis=2) * hands.confidence[:, :, None]
    source = np.where(valid, Source.SMOOTHED, Source.UNKNOWN).astype(np.uint8)
    contacts = ContactTracks(
        touching=touching,
        distance=distance,
        confidence=np.where(valid, trust, 0.0),
        valid=valid,
        source=source,
    )
    return contacts, ContactPlaces(place_object=place, since_ns=touching_since(touching, t_ns), valid=valid)

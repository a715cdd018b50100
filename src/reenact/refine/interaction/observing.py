"""Observations made ready for each round: smoothed, weighted by trust, cleared of depth drift, hands put in reach.

In: raw tracks and stated errors. Out: what the state machine reads (`Seen`) and what the solver starts from (`Observed`,
`Bodies`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.interaction.bodies import HANDS, Bodies, Observed, undrifted
from reenact.refine.interaction.config import InteractionConfig
from reenact.refine.interaction.hand_errors import hand_errors, trust_of_hand
from reenact.refine.interaction.reach import brought
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.observations import HandObservation, RigidTrack, observe_hand, rigid_track
from reenact.refine.states.picture import PictureConfig, PictureMotion, picture_motion
from reenact.scene import CameraTrack, HandTracks, ObjectTracks, PointTracks, PoseCovariance


@dataclass(frozen=True)
class Seen:
    """The clip's observations as one round takes them."""

    hands: tuple[HandObservation | None, HandObservation | None]
    """Left and right; None where a hand is hardly ever seen."""
    tracks: tuple[RigidTrack, ...]
    """Of the objects' middles."""


def observe(
    objects: ObjectTracks,
    hands: HandTracks,
    middles: np.ndarray,
    trust: np.ndarray,
    slow: Sequence[tuple[float, float]],
    t: np.ndarray,
    config: InteractionConfig,
) -> Seen:
    """Smoothed observations of raw tracks; `slow` is each object's stated slow error of place (m) and turn (rad)."""
    observe = config.observe
    T = objects.T_world_object.copy()
    T[..., :3, 3] += (T[..., :3, :3] @ middles[..., None])[..., 0]
    left, right = (
        observe_hand(
            hands.joints_world[:, s], hands.valid[:, s], t, s, float(hands.hand_length[s]), observe,
            hand_errors(hands, s, config.hands), trust_of_hand(hands, s, config.hands),
        )
        if hands.valid[:, s].sum() >= 5
        else None
        for s in (0, 1)
    )  # fmt: skip
    tracks = tuple(
        replace(
            rigid_track(T[:, o], objects.valid[:, o], t, observe, trust[:, o]),
            slow=slow[o][0],
            slow_turn=slow[o][1],
        )
        for o in range(T.shape[1])
    )
    return Seen((left, right), tracks)


def motions(
    points: PointTracks | None,
    seen: Seen,
    camera: CameraTrack,
    hands: HandTracks,
    t: np.ndarray,
    config: PictureConfig,
) -> list[PictureMotion | None]:
    """Each object's motion in the picture, where points were followed."""
    if points is None:
        return [None] * len(seen.tracks)
    eye = camera.scene_T_camera()[:, :3, 3]
    return [
        picture_motion(
            points, o, camera, hands, np.linalg.norm(track.smooth[:, :3, 3] - eye, axis=1), t, config
        )
        for o, track in enumerate(seen.tracks)
    ]


def trust_of(objects: ObjectTracks, covariance: PoseCovariance | None) -> np.ndarray:
    """Weight of each seen pose against the clip's usual one, [t o]: by the covariance of its place."""
    trust = objects.valid.astype(np.float64)
    if covariance is None or covariance.covariance.shape[:2] != objects.valid.shape:
        return trust
    variance = np.trace(covariance.covariance[..., :3, :3], axis1=-2, axis2=-1)
    for o in range(trust.shape[1]):
        rows = objects.valid[:, o] & covariance.valid[:, o] & (variance[:, o] > 0)
        if rows.any():
            usual = np.median(variance[rows, o])
            trust[rows, o] = np.clip(usual / variance[rows, o], 0.02, 1.0)
    return trust


def slow_errors(objects: ObjectTracks, covariance: PoseCovariance | None) -> list[tuple[float, float]]:
    """Stated errors of each object's place across the line of sight and of its turn: the middle one of three axes."""
    out: list[tuple[float, float]] = []
    for o in range(objects.valid.shape[1]):
        rows = objects.valid[:, o] if covariance is None else objects.valid[:, o] & covariance.valid[:, o]
        if covariance is None or not rows.any():
            out.append((0.0, 0.0))
            continue
        C = covariance.covariance[rows, o]
        place, turn = (np.linalg.eigvalsh(C[:, k : k + 3, k : k + 3])[:, 1] for k in (0, 3))
        out.append((float(np.sqrt(np.median(place))), float(np.sqrt(np.median(turn)))))
    return out


def start(
    seen: Seen,
    t: np.ndarray,
    camera: CameraTrack,
    hands: HandTracks,
    trust: np.ndarray,
    config: InteractionConfig,
) -> tuple[Observed, Bodies]:
    """All bodies as the solver takes them, and its first guess: the smoothed tracks, no error of depth."""
    rigid = [h.rigid if h is not None else None for h in seen.hands] + list(seen.tracks)
    valid = [trust_of_hand(hands, s, config.hands) for s in (0, 1)]
    valid += [trust[:, o] for o in range(len(seen.tracks))]
    blank, eye = np.tile(np.eye(4), (len(t), 1, 1)), camera.scene_T_camera()[:, :3, 3]
    step = np.gradient(t) if len(t) > 1 else np.full(len(t), 1 / 30)
    share = np.minimum(step * config.states.evidence.evidence_hz, 1.0)
    observed = Observed(
        T=np.stack([r.T if r is not None else blank for r in rigid], axis=1),
        weight=np.stack(
            [share * v if r is not None else 0 * share for r, v in zip(rigid, valid, strict=True)], axis=1
        ),
        sigma=np.array([r.sigma if r is not None else 1.0 for r in rigid]),
        sigma_turn=np.array([r.sigma_turn if r is not None else 1.0 for r in rigid]),
        eye=eye,
        t_seconds=t,
        present=np.array([r is not None and bool(v.any()) for r, v in zip(rigid, valid, strict=True)]),
        own_drift=np.array([_relative_depth_sigma(h, eye) for h in seen.hands] + [0.0] * len(seen.tracks)),
    )
    smooth = np.stack([r.smooth if r is not None else blank for r in rigid], axis=1)
    return observed, Bodies(smooth, np.zeros(len(t)), np.zeros(smooth.shape[:2]), np.zeros(len(t)))


def cleared_of_drift(
    seen: Seen, observed: Observed, bodies: Bodies, t: np.ndarray, config: InteractionConfig
) -> Seen:
    """The observations once more with the estimated depth errors taken out."""
    T = undrifted(observed, bodies)
    weight = observed.weight[:, HANDS:]
    trust = weight / np.maximum(weight.max(axis=0, initial=0.0), 1e-9)
    tracks = tuple(
        replace(
            rigid_track(T[:, HANDS + o], trust[:, o] > 0, t, config.observe, trust[:, o]),
            slow=track.slow,
            slow_turn=track.slow_turn,
        )
        for o, track in enumerate(seen.tracks)
    )
    seen_hands = observed.weight[:, :HANDS]
    trust_hands = seen_hands / np.maximum(seen_hands.max(axis=0, initial=0.0), 1e-9)
    left, right = (
        replace(
            hand,
            rigid=replace(
                rigid_track(T[:, s], observed.weight[:, s] > 0, t, config.observe, trust_hands[:, s]),
                slow=hand.rigid.slow, slow_turn=hand.rigid.slow_turn,
            ),
        )
        if hand is not None
        else None
        for s, hand in enumerate(seen.hands)
    )  # fmt: skip
    return Seen((left, right), tracks)


def _relative_depth_sigma(hand: HandObservation | None, eye: np.ndarray) -> float:
    """Stated error of a hand's distance, as a share of it."""
    if hand is None:
        return 0.0
    away = np.linalg.norm(hand.rigid.smooth[:, :3, 3] - eye, axis=1)
    return float(np.median(hand.depth_sigma) / np.median(away))


def in_reach(
    seen: Seen,
    grids: Sequence[SignedDistanceGrid | None],
    eye: np.ndarray,
    t: np.ndarray,
    evidence: EvidenceConfig,
    config: InteractionConfig,
) -> tuple[Seen, np.ndarray]:
    """Hands whose depth is not known well put where they can touch what they seem to; and by how much (m), [t 2]."""
    shifts, hands = np.zeros((len(t), HANDS)), list(seen.hands)
    for side, hand in enumerate(seen.hands):
        if hand is not None:
            hands[side], shifts[:, side] = brought(hand, seen.tracks, grids, eye, t, evidence, config.reach)
    return Seen((hands[0], hands[1]), seen.tracks), shifts


def first_guess(seen: Seen, bodies: Bodies, shifts: np.ndarray, observed: Observed) -> Bodies:
    """The hands where they were put, which is their own error of depth."""
    T, own = bodies.T.copy(), bodies.own.copy()
    for side, hand in enumerate(seen.hands):
        if hand is not None:
            T[:, side] = hand.rigid.smooth
            length = np.linalg.norm(T[:, side, :3, 3] - observed.eye, axis=1)
            own[:, side] = (length - shifts[:, side]) / length - 1
    return replace(bodies, T=T, own=own)

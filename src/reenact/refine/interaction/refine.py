"""Interaction-aware refinement of a clip: states and poses in turn, each from the other's better guess.

In: raw object tracks, hands, camera, and the support plane where one is known. Out: refined objects and hands, contacts,
states, and flags with reasons. Nothing is dropped: what is not known is marked so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.contacts.distances import HandObjectGeometry, build_grids, joints_in_object, measure
from reenact.refine.interaction.bodies import Bodies, Observed, undrifted
from reenact.refine.interaction.grips import GripConfig, Grips, find_grips
from reenact.refine.interaction.posterior import PosteriorConfig, pose_covariances
from reenact.refine.interaction.reach import ReachConfig, brought, stated_depth_sigma
from reenact.refine.interaction.solve import Problem, SolveConfig, solve
from reenact.refine.interaction.standing import find_stands, heights_over
from reenact.refine.interaction.terms_contact import ContactTermConfig
from reenact.refine.interaction.terms_tracks import TrackTermConfig
from reenact.refine.states.config import EvidenceConfig, StateConfig
from reenact.refine.states.evidence import gather
from reenact.refine.states.machine import ObjectStates, infer
from reenact.refine.states.observations import (
    HandObservation,
    ObservationConfig,
    RigidTrack,
    observe_hand,
    rigid_track,
)
from reenact.scene import CameraTrack, HandTracks, ObjectTracks, PoseCovariance, SupportPlane

HANDS = 2
"""Bodies 0 and 1 are the left and the right hand."""


@dataclass(frozen=True)
class InteractionConfig:
    """Everything that shapes the refinement."""

    observe: ObservationConfig = field(default_factory=ObservationConfig)
    states: StateConfig = field(default_factory=StateConfig)
    reach: ReachConfig = field(default_factory=ReachConfig)
    grips: GripConfig = field(default_factory=GripConfig)
    tracks: TrackTermConfig = field(default_factory=TrackTermConfig)
    contact: ContactTermConfig = field(default_factory=ContactTermConfig)
    solve: SolveConfig = field(default_factory=SolveConfig)
    posterior: PosteriorConfig = field(default_factory=PosteriorConfig)
    rounds: int = 2
    """Times that states are inferred and poses solved for."""
    height_sigma: float = 0.008
    """Error of a height over the table once drift has been taken out (m)."""
    settled_depth_slack: float = 0.01
    """Relative depth error that is left once drift has been taken out."""
    vague_support: float = 0.04
    """A support plane whose height is less sure than this (m, one sigma) is as good as none: what stands on it would
    otherwise be free to slide along the line of sight, and every object with it."""


@dataclass(frozen=True)
class Refined:
    """What the rounds end with; bodies are hands, then objects, with poses of their middles."""

    observed: Observed
    bodies: Bodies
    hands: tuple[HandObservation | None, HandObservation | None]
    grids: tuple[SignedDistanceGrid | None, ...]
    middles: Float64[np.ndarray, "o 3"]
    """Middle of each object's mesh in its own frame; the grids are shifted by it."""
    states: tuple[ObjectStates, ...]
    grips: tuple[tuple[Grips | None, ...], ...]
    """By object, then side."""
    tracks: tuple[RigidTrack, ...]
    covariance: Float64[np.ndarray, "t n 6 6"]
    """Of the bodies: translation of the middle (m), rotation vector on the left (rad), scene's axes."""

    def T_world_object(self) -> Float64[np.ndarray, "t o 4 4"]:
        """Object poses in the meshes' own frames."""
        T = self.bodies.T[:, HANDS:].copy()
        T[..., :3, 3] -= (T[..., :3, :3] @ self.middles[..., None])[..., 0]
        return T

    def geometry(self, side: int, o: int) -> HandObjectGeometry | None:
        """Refined hand against refined object."""
        hand = self.hands[side]
        if hand is None:
            return None
        joints = joints_in_object(hand.joints(self.bodies.T[:, side]), self.bodies.T[:, HANDS + o])
        return measure(joints, self.grids[o], hand.length)


def refine(
    objects: ObjectTracks,
    hands: HandTracks,
    camera: CameraTrack,
    support: SupportPlane | None,
    t_seconds: Float64[np.ndarray, " t"],
    config: InteractionConfig | None = None,
    covariance: PoseCovariance | None = None,
) -> Refined:
    """The whole clip at once. `covariance` says which frames are believed more than others; how much, the clip does."""
    config = config or InteractionConfig()
    count = len(objects.object_ids)
    meshes = [objects.mesh(o) for o in range(count)]
    middles = np.stack([(v.max(axis=0) + v.min(axis=0)) / 2 if len(v) else np.zeros(3) for v, _ in meshes])
    grids = tuple(
        replace(g, origin=g.origin - middles[o]) if g is not None else None
        for o, g in enumerate(build_grids(meshes))
    )
    hulls = [None] * HANDS + [_hull(v - middles[o]) if len(v) else None for o, (v, _) in enumerate(meshes)]
    trust = _trust(objects, covariance)
    seen = _observe(objects, hands, middles, trust, _slow_errors(objects, covariance), t_seconds, config)
    observed, bodies = _start(seen, t_seconds, camera, hands, trust, config)
    states: tuple[ObjectStates, ...] = ()
    grips: tuple[tuple[Grips | None, ...], ...] = ()
    if support is not None and not (support.valid and support.sigma_offset <= config.vague_support):
        support = None
    terms = (
        config.tracks if support is not None else replace(config.tracks, drift=config.tracks.drift_unanchored)
    )
    for n in range(config.rounds):
        cleared = _cleared(seen, observed, bodies, t_seconds, config) if n else seen
        evidence = config.states.evidence if n == 0 else _settled(config)
        cleared, shifts = _in_reach(cleared, grids, observed.eye, t_seconds, evidence, config)
        table = _mended(support, bodies)
        states = tuple(
            infer(
                gather(track, cleared.hands, grids[o], camera.scene_T_camera(), t_seconds, evidence,
                       heights_over(o, cleared.tracks, hulls[HANDS:], table) if n else None, config.height_sigma,
                       supported=support is not None),
                t_seconds, config.states,
            )
            for o, track in enumerate(cleared.tracks)
        )  # fmt: skip
        if n == 0:
            bodies = _first_guess(cleared, bodies, shifts, observed)
        around = bodies.T
        grips = tuple(
            _grips(seen.hands, around, o, grids[o], states[o], t_seconds, config) for o in range(count)
        )
        still = np.column_stack([np.zeros((len(t_seconds), HANDS)), *(s.probability[:, 0] for s in states)])
        stands = (
            find_stands(still, around, hulls, support.normal_world, t_seconds, HANDS)
            if support is not None
            else []
        )
        problem = Problem(observed, seen.hands, grids, tuple(hulls), still, grips, tuple(stands), support)
        bodies = solve(problem, bodies, terms, config.contact, config.solve)
    sure = pose_covariances(problem, bodies, terms, config.contact, config.posterior)
    return Refined(observed, bodies, seen.hands, grids, middles, states, grips, seen.tracks, sure)


@dataclass(frozen=True)
class _Seen:
    hands: tuple[HandObservation | None, HandObservation | None]
    tracks: tuple[RigidTrack, ...]


def _observe(
    objects: ObjectTracks,
    hands: HandTracks,
    middles: np.ndarray,
    trust: np.ndarray,
    slow: Sequence[tuple[float, float]],
    t: np.ndarray,
    config: InteractionConfig,
) -> _Seen:
    observe = config.observe
    T = objects.T_world_object.copy()
    T[..., :3, 3] += (T[..., :3, :3] @ middles[..., None])[..., 0]
    left, right = (
        observe_hand(
            hands.joints_world[:, s], hands.valid[:, s], t, s, float(hands.hand_length[s]), observe,
            stated_depth_sigma(hands, s, config.reach),
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
    return _Seen((left, right), tracks)


def _trust(objects: ObjectTracks, covariance: PoseCovariance | None) -> np.ndarray:
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


def _slow_errors(objects: ObjectTracks, covariance: PoseCovariance | None) -> list[tuple[float, float]]:
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


def _start(
    seen: _Seen,
    t: np.ndarray,
    camera: CameraTrack,
    hands: HandTracks,
    trust: np.ndarray,
    config: InteractionConfig,
) -> tuple[Observed, Bodies]:
    rigid = [h.rigid if h is not None else None for h in seen.hands] + list(seen.tracks)
    valid = [hands.valid[:, s].astype(np.float64) for s in (0, 1)]
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


def _cleared(
    seen: _Seen, observed: Observed, bodies: Bodies, t: np.ndarray, config: InteractionConfig
) -> _Seen:
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
    left, right = (
        replace(hand, rigid=rigid_track(T[:, s], observed.weight[:, s] > 0, t, config.observe)) if hand is not None else None
        for s, hand in enumerate(seen.hands)
    )  # fmt: skip
    return _Seen((left, right), tracks)


def _mended(support: SupportPlane | None, bodies: Bodies) -> SupportPlane | None:
    """The plane at the height that the last solve found."""
    return None if support is None else replace(support, offset=support.offset + float(bodies.table.mean()))


def _settled(config: InteractionConfig) -> EvidenceConfig:
    return replace(config.states.evidence, depth_slack=config.settled_depth_slack)


def _relative_depth_sigma(hand: HandObservation | None, eye: np.ndarray) -> float:
    """Stated error of a hand's distance, as a share of it."""
    if hand is None:
        return 0.0
    away = np.linalg.norm(hand.rigid.smooth[:, :3, 3] - eye, axis=1)
    return float(np.median(hand.depth_sigma) / np.median(away))


def _in_reach(
    seen: _Seen,
    grids: Sequence[SignedDistanceGrid | None],
    eye: np.ndarray,
    t: np.ndarray,
    evidence: EvidenceConfig,
    config: InteractionConfig,
) -> tuple[_Seen, np.ndarray]:
    """Hands whose depth is not known well put where they can touch what they seem to; and by how much (m), [t 2]."""
    shifts, hands = np.zeros((len(t), HANDS)), list(seen.hands)
    for side, hand in enumerate(seen.hands):
        if hand is not None:
            hands[side], shifts[:, side] = brought(hand, seen.tracks, grids, eye, t, evidence, config.reach)
    return _Seen((hands[0], hands[1]), seen.tracks), shifts


def _first_guess(seen: _Seen, bodies: Bodies, shifts: np.ndarray, observed: Observed) -> Bodies:
    """The hands where they were put, which is their own error of depth."""
    T, own = bodies.T.copy(), bodies.own.copy()
    for side, hand in enumerate(seen.hands):
        if hand is not None:
            T[:, side] = hand.rigid.smooth
            length = np.linalg.norm(T[:, side, :3, 3] - observed.eye, axis=1)
            own[:, side] = (length - shifts[:, side]) / length - 1
    return replace(bodies, T=T, own=own)


def _grips(
    hands: Sequence[HandObservation | None],
    T: np.ndarray,
    o: int,
    grid: SignedDistanceGrid | None,
    states: ObjectStates,
    t: np.ndarray,
    config: InteractionConfig,
) -> tuple[Grips | None, ...]:
    out: list[Grips | None] = []
    for side, hand in enumerate(hands):
        held = states.probability[:, 2 + side] + states.probability[:, 4]
        if hand is None or not (held > 0.5).any():
            out.append(None)
            continue
        geometry = measure(joints_in_object(hand.joints(T[:, side]), T[:, HANDS + o]), grid, hand.length)
        out.append(find_grips(held, geometry, hand.shape, t, config.grips))
    return tuple(out)


def _hull(vertices: np.ndarray) -> np.ndarray:
    """Corners of the convex hull: what can be lowest."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return np.asarray(vertices[ConvexHull(vertices).vertices])
    except QhullError:  # flat or too few points
        return vertices

"""Interaction-aware refinement of a clip: states and poses in turn, each from the other's better guess.

In: raw object tracks, hands, camera, and the support plane where one is known. Out: refined objects and hands, contacts,
states, and flags with reasons. Nothing is dropped: what is not known is marked so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.contacts.distances import HandObjectGeometry, build_grids, joints_in_object, measure
from reenact.refine.interaction.bodies import HANDS, Bodies, Observed
from reenact.refine.interaction.config import InteractionConfig
from reenact.refine.interaction.grips import Grips, find_grips
from reenact.refine.interaction.observing import (
    cleared_of_drift,
    first_guess,
    in_reach,
    motions,
    observe,
    slow_errors,
    start,
    trust_of,
)
from reenact.refine.interaction.posterior import pose_covariances
from reenact.refine.interaction.solve import Problem, solve
from reenact.refine.interaction.standing import find_stands, heights_over, over_own_rest
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.evidence import ObjectEvidence, gather
from reenact.refine.states.machine import ObjectStates, infer
from reenact.refine.states.observations import HandObservation, RigidTrack
from reenact.scene import CameraTrack, HandTracks, ObjectTracks, PointTracks, PoseCovariance, SupportPlane

_Height: TypeAlias = Float64[np.ndarray, " t"] | None
_Hull: TypeAlias = Float64[np.ndarray, "v 3"] | None


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
    points: PointTracks | None = None,
) -> Refined:
    """The whole clip at once. `covariance` says which frames are believed more than others; how much, the clip does.
    `points`: followed on the objects; they tell when these move."""
    config = config or InteractionConfig()
    count = len(objects.object_ids)
    middles, grids, hulls = _shapes(objects)
    trust = trust_of(objects, covariance)
    seen = observe(objects, hands, middles, trust, slow_errors(objects, covariance), t_seconds, config)
    pictures = motions(points, seen, camera, hands, t_seconds, config.states.evidence.picture)
    observed, bodies = start(seen, t_seconds, camera, hands, trust, config)
    states: tuple[ObjectStates, ...] = ()
    grips: tuple[tuple[Grips | None, ...], ...] = ()
    plane = support if support is not None and support.valid else None
    if support is not None and not (support.valid and support.sigma_offset <= config.vague_support):
        support = None
    looked: list[ObjectEvidence] = []
    terms = (
        config.tracks if support is not None else replace(config.tracks, drift=config.tracks.drift_unanchored)
    )
    if covariance is not None:
        terms = replace(terms, drift=min(terms.drift, config.tracks.drift_own_depth))
    for n in range(config.rounds):
        cleared = cleared_of_drift(seen, observed, bodies, t_seconds, config) if n else seen
        evidence = config.states.evidence if n == 0 else _settled(config)
        cleared, shifts = in_reach(cleared, grids, observed.eye, t_seconds, evidence, config)
        heights: list[_Height] = [None] * count
        if n and support is not None:
            table = _mended(support, bodies)
            heights = [heights_over(o, cleared.tracks, hulls[HANDS:], table) for o in range(count)]
        elif n:
            over = [heights_over(o, cleared.tracks, hulls[HANDS:], plane) for o in range(count)]
            heights = _over_own_rests(over, states, looked, t_seconds)
        looked = [
            gather(track, cleared.hands, grids[o], camera.scene_T_camera(), t_seconds, evidence,
                   heights[o], config.height_sigma, support is not None or heights[o] is not None, pictures[o])
            for o, track in enumerate(cleared.tracks)
        ]  # fmt: skip
        states = tuple(infer(e, t_seconds, config.states) for e in looked)
        if n == 0:
            bodies = first_guess(cleared, bodies, shifts, observed)
        around = bodies.T
        grips = tuple(
            _grips(seen.hands, around, o, grids[o], states[o], t_seconds, config) for o in range(count)
        )
        still = np.column_stack([np.zeros((len(t_seconds), HANDS)), *(s.probability[:, 0] for s in states)])
        up = None if support is None else support.normal_world
        stands = [] if up is None else find_stands(still, around, hulls, up, t_seconds, HANDS)
        problem = Problem(observed, seen.hands, grids, tuple(hulls), still, grips, tuple(stands), support)
        bodies = solve(problem, bodies, terms, config.contact, config.solve)
    sure = pose_covariances(problem, bodies, terms, config.contact, config.posterior)
    return Refined(observed, bodies, seen.hands, grids, middles, states, grips, seen.tracks, sure)


def _shapes(
    objects: ObjectTracks,
) -> tuple[Float64[np.ndarray, "o 3"], tuple[SignedDistanceGrid | None, ...], list[_Hull]]:
    """Middles of the meshes, their grids about these, and hulls by body (hands have none)."""
    meshes = [objects.mesh(o) for o in range(len(objects.object_ids))]
    middles = np.stack([(v.max(axis=0) + v.min(axis=0)) / 2 if len(v) else np.zeros(3) for v, _ in meshes])
    grids = tuple(
        replace(g, origin=g.origin - middles[o]) if g is not None else None
        for o, g in enumerate(build_grids(meshes))
    )
    hulls = [_hull(v - middles[o]) if len(v) else None for o, (v, _) in enumerate(meshes)]
    return middles, grids, [None] * HANDS + hulls


def _over_own_rests(
    over: Sequence[_Height],
    states: Sequence[ObjectStates],
    looked: Sequence[ObjectEvidence],
    t_seconds: Float64[np.ndarray, " t"],
) -> list[_Height]:
    """Heights over where each object itself rests, where no plane is known well enough."""
    return [
        None if h is None else over_own_rest(h, s.probability[:, 0], e.touch.max(axis=1), t_seconds)
        for h, s, e in zip(over, states, looked, strict=True)
    ]


def _mended(support: SupportPlane, bodies: Bodies) -> SupportPlane:
    """The plane at the height that the last solve found."""
    return replace(support, offset=support.offset + float(bodies.table.mean()))


def _settled(config: InteractionConfig) -> EvidenceConfig:
    return replace(config.states.evidence, depth_slack=config.settled_depth_slack)


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

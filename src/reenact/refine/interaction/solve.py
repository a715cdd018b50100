"""The solver: Gauss-Newton over all frames, hands and objects at once, terms reweighted at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.interaction.blocks import BlockSystem
from reenact.refine.interaction.bodies import COMMON, PER_BODY, Bodies, Observed
from reenact.refine.interaction.grips import Grips
from reenact.refine.interaction.standing import Stand
from reenact.refine.interaction.terms_contact import (
    ContactTermConfig,
    add_stacked,
    add_support,
    add_table,
    add_touch,
)
from reenact.refine.interaction.terms_tracks import (
    TrackTermConfig,
    add_data,
    add_drift,
    add_held,
    add_smooth,
    add_still,
)
from reenact.refine.states.observations import HandObservation
from reenact.scene import SupportPlane

HANDS = 2


@dataclass(frozen=True)
class SolveConfig:
    """Settings of the solver."""

    steps: int = 6
    """Most Gauss-Newton steps."""
    enough: float = 2e-4
    """Stop when no body moves by more (m, rad)."""
    patience: float = 100.0
    """Degrees of freedom of the observation noise at the first step; falls to the terms' own."""
    damping: float = 1e-6
    """Share of the diagonal that is added to it."""


@dataclass(frozen=True)
class Problem:
    """Everything that the terms need besides the unknowns."""

    observed: Observed
    hands: tuple[HandObservation | None, HandObservation | None]
    grids: tuple[SignedDistanceGrid | None, ...]
    hulls: tuple[Float64[np.ndarray, "_ 3"] | None, ...]
    """By body."""
    still: Float64[np.ndarray, "t n"]
    """Probability that a body lies still."""
    grips: tuple[tuple[Grips | None, ...], ...]
    stands: tuple[Stand, ...]
    support: SupportPlane | None


def solve(
    problem: Problem, bodies: Bodies, tracks: TrackTermConfig, contact: ContactTermConfig, config: SolveConfig
) -> Bodies:
    """The bodies that fit all terms best, from a first guess."""
    for n in range(config.steps):
        # far samples are believed at first: a first guess that is off must not cast out what is right
        patient = replace(tracks, tail=max(tracks.tail, config.patience * 0.4**n))
        step = assemble(problem, bodies, patient, contact).solve(config.damping)
        bodies = bodies.moved(step)
        poses = step[:, COMMON:].reshape(len(step), -1, PER_BODY)[..., :6]
        if np.abs(poses).max(initial=0.0) < config.enough and patient.tail == tracks.tail:
            break
    return bodies


def assemble(
    problem: Problem, bodies: Bodies, tracks: TrackTermConfig, contact: ContactTermConfig
) -> BlockSystem:
    """All terms at an estimate."""
    seen = problem.observed
    count = bodies.T.shape[1]
    system = BlockSystem(len(bodies.T), COMMON + PER_BODY * count)
    add_data(system, bodies, seen, tracks)
    add_drift(system, bodies, seen, tracks)
    add_smooth(system, bodies, seen, tracks)
    for n in range(HANDS, count):
        pair = believed(problem.still[:, n])
        add_still(system, bodies, n, pair, seen, tracks)
        for side in range(HANDS):
            _add_hand(system, problem, bodies, side, n, tracks, contact)
    add_table(system, bodies, seen, problem.support, contact)
    for stand in problem.stands:
        _add_stand(system, problem, bodies, stand, contact)
    return system


def believed(probability: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, " i"]:
    """Weight of a tie between successive frames: none up to even odds, whole from nine in ten.

    Ties are so stiff that a tenth of one still binds: a state that is merely possible must not.
    """
    return np.clip((np.minimum(probability[:-1], probability[1:]) - 0.5) / 0.4, 0.0, 1.0)


def _add_hand(
    system: BlockSystem,
    problem: Problem,
    bodies: Bodies,
    side: int,
    n: int,
    tracks: TrackTermConfig,
    contact: ContactTermConfig,
) -> None:
    hand, grip, grid = problem.hands[side], problem.grips[n - HANDS][side], problem.grids[n - HANDS]
    if hand is None:
        return
    if grip is not None:
        pair = believed(grip.held)
        add_held(system, bodies, side, n, grip.T_hand_grip, pair, problem.observed, tracks)
    if grid is not None:
        touching = grip.touching if grip is not None else np.zeros((len(bodies.T), 6))
        add_touch(system, bodies, side, n, hand.shape, hand.length, grid, touching, problem.observed, contact)


def _add_stand(
    system: BlockSystem, problem: Problem, bodies: Bodies, stand: Stand, contact: ContactTermConfig
) -> None:
    hull = problem.hulls[stand.body]
    if hull is None or problem.support is None:
        return
    if stand.under is None:
        add_support(system, bodies, stand.body, hull, stand.weight, problem.support, contact)
        return
    below = problem.hulls[stand.under]
    if below is not None:
        up = problem.support.normal_world
        add_stacked(system, bodies, stand.body, hull, stand.under, below, stand.weight, up, contact)

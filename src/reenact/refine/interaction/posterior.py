"""How sure the refined poses are: the curvature of all terms at the solution (Laplace's approximation), per frame.

Depth's scale error, shared and own, is among the unknowns, so what it leaves open along the line of sight is in the
answer; so is what a grip, a table or smoothness takes away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import hat
from reenact.refine.interaction.bodies import PER_BODY, Bodies, pose_of
from reenact.refine.interaction.solve import Problem, assemble
from reenact.refine.interaction.terms_contact import ContactTermConfig
from reenact.refine.interaction.terms_tracks import TrackTermConfig


@dataclass(frozen=True)
class PosteriorConfig:
    """From curvature to covariance."""

    farthest: float = 3.0
    """One-sigma of what nothing is known of (m, rad; scale errors, too): keeps the matrix from being singular."""


def pose_covariances(
    problem: Problem,
    bodies: Bodies,
    tracks: TrackTermConfig,
    contact: ContactTermConfig,
    config: PosteriorConfig,
) -> Float64[np.ndarray, "t n 6 6"]:
    """Of every body: translation of its middle (m), then rotation vector applied on the left (rad), scene's axes."""
    count = bodies.T.shape[1]
    system = assemble(problem, bodies, tracks, contact)
    prior = np.full(1 + PER_BODY * count, 1 / config.farthest**2)
    blocks = system.covariance(prior)
    return np.stack([blocks[:, pose_of(n), pose_of(n)] for n in range(count)], axis=1)


def about_origins(
    covariance: Float64[np.ndarray, "t o 6 6"],
    T_world_object: Float64[np.ndarray, "t o 4 4"],
    middles: Float64[np.ndarray, "o 3"],
) -> Float64[np.ndarray, "t o 6 6"]:
    """The same for the objects' own origins, which a turn about the middle moves along."""
    arm = -(T_world_object[..., :3, :3] @ middles[..., None])[..., 0]  # from the middle to the origin
    change = np.tile(np.eye(6), (*arm.shape[:2], 1, 1))
    change[..., :3, 3:] = -hat(arm)
    moved = change @ covariance @ np.swapaxes(change, -1, -2)
    return np.asarray((moved + np.swapaxes(moved, -1, -2)) / 2)

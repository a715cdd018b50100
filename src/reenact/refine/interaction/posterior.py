"""How sure the refined poses are: the curvature of all terms at the solution (Laplace's approximation), per frame.

Depth's scale error, shared and own, is among the unknowns, so what it leaves open along the line of sight is in the
answer; so is what a grip, a table or smoothness takes away. A wrong size of the whole scene (`scale_sigma`) no term can
see: `with_scale` adds it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import hat
from reenact.geometry.transforms import apply, inverse
from reenact.refine.interaction.bodies import COMMON, PER_BODY, Bodies, Observed, pose_of
from reenact.refine.interaction.solve import Problem, assemble
from reenact.refine.interaction.terms_contact import ContactTermConfig
from reenact.refine.interaction.terms_tracks import TrackTermConfig
from reenact.scene import CameraTrack, HandTracks, PoseCovariance


@dataclass(frozen=True)
class PosteriorConfig:
    """From curvature to covariance."""

    inflation: float = 1.15
    """Factor on all one-sigmas of the solver: on toy clips (seeds 100 to 102, low and middle noise) errors are that much
    larger than the curvature says, across the line of sight and along it."""
    assumed_hand: float = 0.06
    """Relative one-sigma of the scene's size where hands of an assumed length made its metres."""
    stated_hand: float = 0.02
    """The same where the user gave the hand's length."""
    usual_noise: float = 0.015
    """Fast noise of places, relative to the distance, up to which slow errors are as large as `TrackTermConfig` says: that
    of the middle level of the toy suite."""
    drift_over_noise: float = 5.0
    """Who measures worse than that from frame to frame drifts more as well: by so many times the excess. An assumption,
    set on toy clips of the high noise level (seeds 103 to 110, three activities), where all errors grow together."""
    own_drift_over_noise: float = 1.6
    """The same of what each thing drifts by itself."""
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
    shown = float(np.sqrt((bodies.shared**2).mean()))
    noise = relative_noise(problem.observed, bodies)
    system = assemble(problem, bodies, as_uncertain(tracks, shown, noise, config), contact)
    prior = np.full(COMMON + PER_BODY * count, 1 / config.farthest**2)
    blocks = system.covariance(prior)
    blocks = config.inflation**2 * blocks
    return np.stack([blocks[:, pose_of(n), pose_of(n)] for n in range(count)], axis=1)


def relative_noise(seen: Observed, bodies: Bodies) -> float:
    """Fast noise of the places seen, over their distance from the camera (median over all things that are there)."""
    if not seen.present.any():
        return 0.0
    far = np.linalg.norm(bodies.T[..., :3, 3][:, seen.present] - seen.eye[:, None], axis=-1)
    return float(np.median(seen.sigma[seen.present] / np.maximum(np.median(far, axis=0), 0.05)))


def as_uncertain(
    tracks: TrackTermConfig, shown: float, noise: float, config: PosteriorConfig
) -> TrackTermConfig:
    """The terms with slow errors of depth as large as they may be: a clip that drifts by more than expected (`shown`,
    relative), or is noisier, is less sure by that."""
    excess = max(0.0, noise - config.usual_noise)
    return replace(
        tracks,
        drift=max(tracks.drift + config.drift_over_noise * excess, shown),
        own_drift=tracks.own_drift + config.own_drift_over_noise * excess,
    )


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


def scale_sigma(hands: HandTracks, camera: CameraTrack, config: PosteriorConfig) -> float:
    """Relative one-sigma of all distances from the camera together: by the hand's length and the lens, and never more
    than the hands' own (which measured depth makes smaller)."""
    size = {"adult_prior": config.assumed_hand, "user": config.stated_hand}.get(hands.hand_length_source, 0.0)
    T = inverse(camera.scene_T_camera())
    far = np.asarray(apply(T[:, None], hands.joints_world[:, :, :1]))[..., 0, 2]
    known = hands.valid & (far > 0.05)
    own = float(np.median(hands.sigma_camera[known, 2] / far[known])) if known.any() else np.inf
    return min(float(np.hypot(size, camera.focal_sigma)), own)


def perceived_sigma(
    covariance: PoseCovariance, places: Float64[np.ndarray, "t o 3"], eye: Float64[np.ndarray, "t 3"]
) -> Float64[np.ndarray, " o"]:
    """Relative one-sigma of each object's distance as perceived (median over its frames); infinite where never."""
    ray = places - eye[:, None]
    far = np.maximum(np.linalg.norm(ray, axis=-1), 0.05)
    along = np.sqrt(np.einsum("toi,toij,toj->to", ray, covariance.covariance[..., :3, :3], ray)) / far**2
    known = covariance.valid & (along > 0)
    return np.array(
        [np.median(along[known[:, o], o]) if known[:, o].any() else np.inf for o in range(known.shape[1])]
    )


def with_scale(
    covariance: Float64[np.ndarray, "t n 6 6"],
    places: Float64[np.ndarray, "t n 3"],
    eye: Float64[np.ndarray, "t 3"],
    sigma_relative: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, "t n 6 6"]:
    """Wider along the line of sight by what a wrong scale of the whole scene does; it is the same for all of it, so what
    things are to each other is as sure as before."""
    ray = sigma_relative[:, None] * (places - eye[:, None])
    out = covariance.copy()
    out[..., :3, :3] += ray[..., :, None] * ray[..., None, :]
    return out

"""Hands put at the depth at which they can touch what they seem to touch, before anything is inferred from contact.

A hand found in one picture may be several centimetres too near or too far: its own records say so (`sigma_camera`). That
error changes slowly and is the same for all its joints. So the shift along the line of sight is followed through the clip
as a hidden state: a priori as wide as stated, drifting with `period_s`; likelier where the hand, at that depth, would touch
or hold an object. Where it is nowhere near one in the picture, nothing is changed and the hand stays as unsure as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.contacts.distances import joints_in_object, measure
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.contact_looks import distance_sigma, held_odds, touch_odds
from reenact.refine.states.observations import HandObservation, RigidTrack


@dataclass(frozen=True)
class ReachConfig:
    """How the shift is followed."""

    node: float = 0.010
    """Shifts are tried this far apart (m): about one sigma of a contact distance."""
    reach: float = 2.5
    """And up to so many sigmas."""
    most_nodes: int = 41
    looks_hz: float = 10.0
    """How often; in between it is interpolated."""
    period_s: float = 2.5
    """The error changes no faster than with about this period (s), as in `TrackTermConfig.drift_period_s`."""
    touching: float = 0.3
    """Share of the time that a hand near an object in the picture touches it."""
    touch_less: float = 2.0
    """A touch from one side says less than a grip (nats)."""


def brought(
    hand: HandObservation,
    tracks: Sequence[RigidTrack],
    grids: Sequence[SignedDistanceGrid | None],
    eye: Float64[np.ndarray, "t 3"],
    t_seconds: Float64[np.ndarray, " t"],
    evidence: EvidenceConfig,
    config: ReachConfig,
) -> tuple[HandObservation, Float64[np.ndarray, " t"]]:
    """The hand moved along its lines of sight, less unsure where it touches; and by how much (m)."""
    stated = float(np.median(hand.depth_sigma))
    none = np.zeros(len(t_seconds))
    if stated == 0 or len(t_seconds) < 3 or not any(g is not None for g in grids):
        return hand, none
    step = float(np.median(np.diff(t_seconds)))
    last = len(t_seconds) - 1
    rows = np.unique(np.append(np.arange(0, last, max(1, round(1 / (config.looks_hz * step)))), last))
    half = int(np.clip(np.ceil(config.reach * stated / config.node), 1, config.most_nodes // 2))
    shift = np.linspace(-config.reach * stated, config.reach * stated, 2 * half + 1)
    ray = hand.rigid.smooth[:, :3, 3] - eye
    ray = ray / np.maximum(np.linalg.norm(ray, axis=1), 1e-9)[:, None]
    says = np.zeros((len(rows), len(shift)))
    joints = hand.joints(hand.rigid.smooth)[rows]
    for track, grid in zip(tracks, grids, strict=True):
        if grid is not None:
            says += _says(hand, track, grid, joints, ray[rows], rows, shift, evidence, config)
    looks = np.minimum(np.gradient(t_seconds[rows]) / evidence.contact_correlation_s, 1.0)
    mean, sigma = _followed(says * looks[:, None], t_seconds[rows], shift, stated, config)
    by = np.interp(t_seconds, t_seconds[rows], mean)
    unsure = np.interp(t_seconds, t_seconds[rows], sigma)
    rigid = replace(hand.rigid, T=_moved(hand.rigid.T, by, ray), smooth=_moved(hand.rigid.smooth, by, ray))
    return replace(hand, rigid=rigid, depth_sigma=np.minimum(unsure, hand.depth_sigma)), by


def _says(
    hand: HandObservation,
    track: RigidTrack,
    grid: SignedDistanceGrid,
    joints: np.ndarray,
    ray: np.ndarray,
    rows: np.ndarray,
    shift: np.ndarray,
    evidence: EvidenceConfig,
    config: ReachConfig,
) -> np.ndarray:
    """Log likelihood [r n] of each shift by one object: of touching it or not, whichever."""
    sigma = distance_sigma(track, hand, evidence)
    out = np.zeros((len(rows), len(shift)))
    for n, d in enumerate(shift):
        seen = measure(joints_in_object(joints + d * ray[:, None], track.smooth[rows]), grid, hand.length)
        odds = np.maximum(
            held_odds(seen, hand, sigma, evidence),
            touch_odds(seen.distance.min(axis=1), sigma, evidence) - config.touch_less,
        )
        out[:, n] = np.logaddexp(np.log(1 - config.touching), np.log(config.touching) + odds)
    return out * (track.known * hand.rigid.known)[rows, None]


def _followed(
    says: np.ndarray, t: np.ndarray, shift: np.ndarray, stated: float, config: ReachConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean and sigma of the shift [r]: forward and backward over the grid of shifts."""
    prior = -0.5 * (shift / stated) ** 2
    prior = prior - np.logaddexp.reduce(prior)
    ahead, back = np.zeros_like(says), np.zeros_like(says)
    ahead[0] = prior + says[0]
    moves = []
    for dt in np.diff(t):
        keep = np.exp(-2 * np.pi * dt / config.period_s)
        spread = max(stated * np.sqrt(1 - keep**2), float(shift[1] - shift[0]) / 2)
        move = -0.5 * ((shift[None] - keep * shift[:, None]) / spread) ** 2
        moves.append(move - np.logaddexp.reduce(move, axis=1, keepdims=True))
    for k, move in enumerate(moves):
        ahead[k + 1] = np.logaddexp.reduce(ahead[k][:, None] + move, axis=0) + says[k + 1]
    for k in range(len(moves) - 1, -1, -1):
        back[k] = np.logaddexp.reduce(moves[k] + (says[k + 1] + back[k + 1])[None], axis=1)
    both = ahead + back
    chance = np.exp(both - np.logaddexp.reduce(both, axis=1, keepdims=True))
    mean = chance @ shift
    return mean, np.sqrt(np.maximum(chance @ shift**2 - mean**2, 0.0))


def _moved(T: np.ndarray, by: np.ndarray, ray: np.ndarray) -> np.ndarray:
    out = T.copy()
    out[:, :3, 3] += by[:, None] * ray
    return out

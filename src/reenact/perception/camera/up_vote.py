"""Which of many proposals for up is right: a vote of lines, of how cameras are held, and of the clip's other frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class GravityConfig:
    """What makes a proposal likely, and the gate."""

    min_segments: int = 12
    """Frames with fewer segments are left out."""
    fit: float = 0.36
    """Smallest median fraction of fitting segments."""
    cone_deg: float = 60.0
    """Up lies within this angle of the picture's up (measured need: one of six frames was 51 deg wrong)."""
    pitch_mean_deg: float = -20.0
    """Cameras that watch hands look down a little."""
    pitch_sigma_deg: float = 25.0
    """One-sigma of that."""
    roll_sigma_deg: float = 12.0
    """Cameras are held level within this one-sigma."""
    vote_sigma_deg: float = 25.0
    """How far from the clip's usual up (in camera axes) a moving camera's frame may be, one-sigma."""
    segments_per_nat: float = 1.5
    """Explaining that many segments more makes a proposal e times likelier; edges come in pairs and bundles."""
    apart_deg: float = 5.0
    """Proposals nearer than this are the same."""
    sigma_most_deg: float = 20.0
    """Largest sigma, with the other proposals' distances and probabilities in it, that is still believed."""
    focal_step: float = 0.08
    """Relative steps in which an unsure focal length is tried, over two sigmas either way."""
    sigma_floor_deg: float = 0.5
    """Smallest sigma claimed (measured with the lens known: 0.2 deg median, 0.4 deg worst)."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """Ways that up could be in one frame (or in all frames of a still camera), the likeliest first."""

    up_camera: Float64[np.ndarray, "m 3"]
    R_axes_camera: Float64[np.ndarray, "m 3 3"]
    focal_factor: Float64[np.ndarray, " m"]
    """Focal length over the lens's nominal one."""
    log_p: Float64[np.ndarray, " m"]


def distinct(R: np.ndarray, log_lines: np.ndarray, factor: np.ndarray, config: GravityConfig) -> Proposals:
    """All six ways along each rotation's directions, likeliest first, near-copies left out."""
    up = np.concatenate([R, -R], axis=1).reshape(-1, 3)
    log_p = np.repeat(log_lines, 6) + _log_prior(up, config)
    order = np.argsort(-log_p, kind="stable")
    order = order[log_p[order] > max(log_p.max(initial=-1e8) - 20, -1e8)]
    kept: list[int] = []
    near = np.cos(np.deg2rad(config.apart_deg))
    for i in order:
        if not kept or (up[kept] @ up[i]).max() < near:
            kept.append(int(i))
    rows = np.array(kept, dtype=int)
    return Proposals(up[rows], R[rows // 6], factor[rows // 6], log_p[rows])


def _log_prior(up: np.ndarray, c: GravityConfig) -> np.ndarray:
    """Of each candidate, from the camera's pitch and roll if it were up; outside the cone hardly possible."""
    pitch = np.rad2deg(np.arcsin(np.clip(up[..., 2], -1, 1)))
    roll = np.rad2deg(np.arctan2(up[..., 0], -up[..., 1]))
    log_p = -0.5 * (((pitch - c.pitch_mean_deg) / c.pitch_sigma_deg) ** 2 + (roll / c.roll_sigma_deg) ** 2)
    return np.where(-up[..., 1] >= np.cos(np.deg2rad(c.cone_deg)), log_p, -1e9)


def vote(
    proposals: Sequence[Proposals], config: GravityConfig
) -> tuple[list[int], Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
    """Of each group: index of the chosen proposal, its probability, and the others' root mean square angle (rad).

    Two rounds: each group alone, then, with three groups or more, also by the clip's usual up.
    """
    first = np.stack([p.up_camera[int(np.argmax(p.log_p))] for p in proposals])
    usual = first[np.argmax(np.median(first @ first.T, axis=1))]  # the one nearest to most others
    best, probability, doubt = [], [], []
    for p in proposals:
        off = np.arccos(np.clip(p.up_camera @ usual, -1, 1)) / np.deg2rad(config.vote_sigma_deg)
        log_p = p.log_p - 0.5 * off**2 * (len(proposals) > 2)
        chosen = int(np.argmax(log_p))
        share = np.exp(log_p - log_p[chosen])
        share /= share.sum()
        angle = np.arccos(np.clip(p.up_camera @ p.up_camera[chosen], -1, 1))
        best.append(chosen)
        probability.append(share[chosen])
        doubt.append(np.sqrt(share @ angle**2))
    return best, np.array(probability), np.array(doubt)

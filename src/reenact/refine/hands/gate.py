"""Which fitted hands are believed. Nothing is dropped without a reason, and the reasons are counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.geometry.filters import MAD_TO_SIGMA, median_filter_time
from reenact.geometry.rotations import matrix_from_quat, quat_continuous, quat_from_matrix, rotation_angle
from reenact.hands.image import box_side_px


class GateReason(IntEnum):
    """Why a hand of a frame is kept or not; the first reason that applies, in this order."""

    KEPT = 0
    NOT_SEEN = 1
    """The landmark net gave nothing."""
    REPROJECTION = 2
    """No anatomical hand of this size projects to these landmarks."""
    DEPTH = 3
    """Nearer or farther than a camera films hands."""
    DUPLICATE = 4
    """Left and right sit on the same hand in the image; the worse fit goes."""
    JUMP = 5
    """Far off the motion around it."""
    INCONSISTENT = 6
    """Believable by itself, but no hand's motion goes through it and its neighbours."""


@dataclass(frozen=True)
class GateConfig:
    """Thresholds in fractions of the hand's box, metres, radians and seconds."""

    max_reprojection: float = 0.06
    """RMS over box side (research: perception 2.3; after the articulated fit clear hands have 0.01..0.03)."""
    min_depth: float = 0.12
    """Metres along the optical axis; nearer, a hand no longer fits the picture."""
    max_depth: float = 6.0
    """Metres; farther, a hand is under about 20 px of a 720p image and landmarks are noise."""
    duplicate_distance: float = 0.25
    """Mean distance of same-named landmarks of the two hands over the smaller box side."""
    jump_window_s: float = 0.5
    """Running-median window; at least five frames."""
    jump_sigmas: float = 4.0
    """Multiples of the running median absolute deviation (Hampel 1974)."""
    jump_lateral: float = 0.03
    """Deviations across the view below this many metres times `jump_sigmas` are motion, never jumps."""
    jump_depth: float = 0.06
    """The same along the view, as a fraction of depth."""
    jump_rotation: float = 0.35
    """The same for the wrist's rotation (rad)."""
    max_refined_reprojection: float = 0.12
    """A frame that the whole-clip fit leaves this far off its landmarks is dropped and the fit repeated."""


def gate_single_frames(
    seen: Bool[np.ndarray, "t s=2"],
    reprojection: Float64[np.ndarray, "t s=2"],
    depth: Float64[np.ndarray, "t s=2"],
    landmarks_px: Float64[np.ndarray, "t s=2 j=21 2"],
    config: GateConfig,
) -> UInt8[np.ndarray, "t s=2"]:
    """`GateReason` of each hand from its own frame."""
    reasons = np.where(seen, GateReason.KEPT, GateReason.NOT_SEEN).astype(np.uint8)
    _mark(reasons, reprojection > config.max_reprojection, GateReason.REPROJECTION)
    _mark(reasons, (depth < config.min_depth) | (depth > config.max_depth), GateReason.DEPTH)
    smaller = box_side_px(landmarks_px).min(axis=1)
    apart = np.linalg.norm(landmarks_px[:, 0] - landmarks_px[:, 1], axis=-1).mean(axis=-1)
    same = (reasons == GateReason.KEPT).all(axis=1) & (apart < config.duplicate_distance * smaller)
    worse = reprojection == reprojection.max(axis=1, keepdims=True)
    worse[:, 0] &= ~worse.all(axis=1)
    _mark(reasons, same[:, None] & worse, GateReason.DUPLICATE)
    return reasons


def _mark(reasons: np.ndarray, failed: np.ndarray, reason: GateReason) -> None:
    reasons[(reasons == GateReason.KEPT) & failed] = reason


def find_jumps(
    t_scene: Float64[np.ndarray, "t 3"],
    R_scene_wrist: Float64[np.ndarray, "t 3 3"],
    T_scene_camera: Float64[np.ndarray, "t 4 4"],
    valid: Bool[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
    config: GateConfig,
) -> Bool[np.ndarray, " t"]:
    """True where position or rotation leaves the running median by more than motion and noise explain."""
    if valid.sum() < 3:
        return np.zeros(len(valid), dtype=bool)
    window = max(config.jump_window_s, 4.5 * float(np.median(np.diff(t_seconds))))
    off = t_scene - median_filter_time(t_scene, t_seconds, window, valid)
    view = t_scene - T_scene_camera[:, :3, 3]
    depth = np.maximum(np.linalg.norm(view, axis=-1), 1e-6)
    along = np.einsum("tc,tc->t", off, view / depth[:, None])
    across = np.linalg.norm(off - along[:, None] * view / depth[:, None], axis=-1)
    q = quat_continuous(quat_from_matrix(R_scene_wrist))
    middle = matrix_from_quat(median_filter_time(_signs_followed(q, valid), t_seconds, window, valid))
    turned = rotation_angle(R_scene_wrist, middle)
    jump = np.zeros(len(valid), dtype=bool)
    for deviation, floor in (
        (across, config.jump_lateral),
        (np.abs(along), config.jump_depth * depth),
        (turned, config.jump_rotation),
    ):
        spread = MAD_TO_SIGMA * median_filter_time(deviation, t_seconds, window, valid)
        jump |= deviation > config.jump_sigmas * np.maximum(spread, floor)
    return jump & valid


def _signs_followed(q: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Signs made continuous over the valid rows only, so that a gap's filler cannot flip them."""
    out = q.copy()
    out[valid] = quat_continuous(q[valid])
    return out


def count_reasons(reasons: UInt8[np.ndarray, "t s=2"]) -> dict[str, dict[str, int]]:
    """Frames per side and reason, for the report; the counts of a side add up to the clip's frames."""
    return {
        side: {reason.name.lower(): int((reasons[:, s] == reason).sum()) for reason in GateReason}
        for s, side in enumerate(("left", "right"))
    }

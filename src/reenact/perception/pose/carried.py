"""Whether the poses of a thing, taken together, can be true: what moves is carried, and a known mesh fits what is seen.

A tool of which only the head was outlined can be laid so that its head covers the outline and the rest hides behind
it; then no hand is where the tool is while it moves. Only what is seen across the line of sight counts, so a hand's
unsure depth does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import WRIST
from reenact.perception.pose.evidence import ClipEvidence
from reenact.scene import MaskLabel


@dataclass(frozen=True)
class CarriedConfig:
    """Lengths in metres at the object's distance. Chosen on rendered clips of seeds 21, 23 and 24 and two real ones."""

    window_s: float = 0.3
    """Time over which motion is looked at."""
    moves: float = 0.04
    """A thing whose middle goes this far across the line of sight within that time moves."""
    goes: float = 0.4
    """A hand carries it only if its wrist goes this part of that way itself."""
    reach: float = 0.05
    """A joint of such a hand, or a pixel of another thing, this near to the drawn object may carry it."""
    reach_fitted: float = 0.12
    """The same for a fitted shape, which lacks handles."""
    least_s: float = 0.25
    """It must be seen moving for so long in all for anything to be said."""
    plain: float = 0.5
    """An outline of which hands hide no more than this share ought to have a pose."""
    least_fitting: float = 0.4
    """A mesh that is known must fit the outline in this share of such frames, or its poses are not believed in any."""
    least_share: float = 0.8
    """Share of the moving frames in which something must be near for its poses to be believed."""


def fitting_share(
    valid: Bool[np.ndarray, " t"],
    object_idx: int,
    evidence: ClipEvidence,
    config: CarriedConfig | None = None,
) -> float | None:
    """Share of the frames that plainly show an object in which it has a pose; None where fewer than three do."""
    masks = evidence.masks
    plain = masks.valid[:, object_idx] & (
        masks.occluded_share[:, object_idx] <= (config or CarriedConfig()).plain
    )
    return float(valid[plain].mean()) if plain.sum() >= 3 else None


def carried_share(
    T_world_object: Float64[np.ndarray, "t 4 4"],
    valid: Bool[np.ndarray, " t"],
    vertices: Float64[np.ndarray, "v 3"],
    object_idx: int,
    evidence: ClipEvidence,
    reach: float,
    config: CarriedConfig | None = None,
) -> float | None:
    """Share of the frames in which an object plainly moves that show a moving hand or another thing within reach (m)
    of it; None where it does not move for long with both hands known, or the camera moves on an unknown path."""
    config = config or CarriedConfig()
    hands, t = evidence.hands, evidence.t_seconds
    if hands is None or not evidence.camera.path_known or len(t) < 2:
        return None
    T_camera_world = inverse(evidence.camera.scene_T_camera())
    T = T_camera_world @ T_world_object
    joints = np.asarray(apply(T_camera_world[:, None], hands.joints_world))
    middle = np.asarray(apply(T_world_object, ((vertices.min(0) + vertices.max(0)) / 2)[None]))[:, 0]
    distance = np.asarray(apply(T_camera_world, middle[:, None]))[:, 0, 2]
    seen = valid & (distance > 0.05)
    if not seen.any():
        return None
    far = float(np.median(distance[seen]))
    moving = _moves(middle, seen, T_camera_world, t, far, config.window_s, config.moves)
    moving &= hands.valid.all(axis=1)  # a hand that was not found may carry it
    if moving.sum() * float(np.median(np.diff(t))) < config.least_s:
        return None
    wrists, least = hands.joints_world[:, :, WRIST], config.goes * config.moves
    goes = [
        _moves(wrists[:, s], hands.valid[:, s], T_camera_world, t, far, config.window_s, least)
        for s in (0, 1)
    ]
    near = []
    for k in np.flatnonzero(moving).tolist():
        carriers = [joints[k, s] for s in (0, 1) if goes[s][k]]
        near.append(_is_near(np.asarray(apply(T[k], vertices)), carriers, k, object_idx, evidence, reach))
    return float(np.mean(near))


def _moves(
    points_world: Float64[np.ndarray, "t 3"],
    known: Bool[np.ndarray, " t"],
    T_camera_world: Float64[np.ndarray, "t 4 4"],
    t: Float64[np.ndarray, " t"],
    far: float,
    window_s: float,
    least: float,
) -> Bool[np.ndarray, " t"]:
    """Known rows around which a point goes at least so far across that row's line of sight, metres at a distance."""
    out = np.zeros(len(t), bool)
    for k in np.flatnonzero(known):
        near = known & (np.abs(t - t[k]) <= window_s / 2 + 1e-6)
        local = np.asarray(apply(T_camera_world[k], points_world[near]))
        across = local[:, :2] / np.maximum(local[:, 2:], 0.05) * far
        out[k] = float(np.linalg.norm(np.ptp(across, axis=0))) > least
    return out


def _is_near(
    shown: Float64[np.ndarray, "v 3"],
    carriers: list[Float64[np.ndarray, "21 3"]],
    frame: int,
    object_idx: int,
    evidence: ClipEvidence,
    reach: float,
) -> bool:
    """Is one of the hands, or the outline of another thing, within reach of the picture of an object (camera frame)?"""
    camera = evidence.camera.camera()
    if (shown[:, 2] < 0.05).any():
        return True
    hull = cv2.convexHull(np.asarray(camera.project(shown)).astype(np.float32))
    points = [np.asarray(camera.project(hand[hand[:, 2] > 0.05])) for hand in carriers]
    label = evidence.labels(frame)
    rows, columns = np.nonzero(
        (label >= MaskLabel.FIRST_OBJECT) & (label != MaskLabel.FIRST_OBJECT + object_idx)
    )
    scale = np.array([camera.width_px / label.shape[1], camera.height_px / label.shape[0]])
    points.append((np.stack([columns, rows], axis=-1)[::7] + 0.5) * scale - 0.5)
    reach_px = reach * float(evidence.camera.params[0]) / float(np.median(shown[:, 2]))
    at = np.concatenate(points)
    return any(cv2.pointPolygonTest(hull, (float(x), float(y)), True) > -reach_px for x, y in at)

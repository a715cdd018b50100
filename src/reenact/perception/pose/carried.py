"""Whether something carries a thing that moves: a pose under which it flies through the air by itself is not believed.

A tool whose head alone was outlined can be laid so that its head covers the outline and the rest hides behind it; then
no hand is where the tool is while it moves. Only what is seen across the line of sight counts, so the hand's unsure depth
does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import WRIST
from reenact.perception.pose.evidence import ClipEvidence
from reenact.scene import MaskLabel


@dataclass(frozen=True)
class CarriedConfig:
    """Lengths in metres at the object's distance."""

    window_s: float = 0.3
    """Time over which motion is looked at."""
    moves: float = 0.04
    """A thing whose middle goes this far across the line of sight within that time moves."""
    goes: float = 0.4
    """A hand carries it only if it goes this part of that way itself."""
    reach: float = 0.05
    """A joint of a hand, or a pixel of another thing, this near to the drawn object may carry it."""
    least_s: float = 0.25
    """It must be seen moving for so long in all for anything to be said."""
    carried: float = 0.35
    """Share of the moving frames in which something must be near."""


def carried_share(
    T_world_object: Float64[np.ndarray, "t 4 4"], valid: Bool[np.ndarray, " t"],
    vertices: Float64[np.ndarray, "v 3"], object_idx: int, evidence: ClipEvidence, config: CarriedConfig | None = None,
) -> float | None:  # fmt: skip
    """Share of the frames in which an object plainly moves that show a hand or another thing at it; None where it does
    not move for long, no hand is known, or the camera moves."""
    config = config or CarriedConfig()
    hands = evidence.hands
    if hands is None or evidence.camera.motion == "moving":
        return None
    T = inverse(evidence.camera.scene_T_camera()) @ T_world_object
    middle = np.asarray(apply(T, ((vertices.min(0) + vertices.max(0)) / 2)[None]))[:, 0]
    across = middle[:, :2] / np.maximum(middle[:, 2:], 0.05) * np.median(middle[:, 2])
    told = valid & hands.valid.any(1) & (middle[:, 2] > 0.05)
    moving = told & _moves(across, valid, evidence.t_seconds, config, config.moves)
    wrists = np.asarray(apply(inverse(evidence.camera.scene_T_camera()), hands.joints_world[:, :, WRIST]))
    flat = wrists[..., :2] / np.maximum(wrists[..., 2:], 0.05) * np.median(middle[:, 2])
    goes = np.stack(
        [_moves(flat[:, s], hands.valid[:, s], evidence.t_seconds, config, config.goes * config.moves) for s in (0, 1)], 1
    )
    step = float(np.median(np.diff(evidence.t_seconds))) if len(valid) > 1 else 0.0
    if moving.sum() * step < config.least_s:
        return None
    return float(np.mean([_is_near(T[k], vertices, int(k), object_idx, evidence, goes[k], config) for k in np.flatnonzero(moving)]))


def _moves(
    across: Float64[np.ndarray, "t 2"], valid: Bool[np.ndarray, " t"], t: Float64[np.ndarray, " t"], config: CarriedConfig, least: float
) -> Bool[np.ndarray, " t"]:
    out = np.zeros(len(t), bool)
    for k in np.flatnonzero(valid):
        near = valid & (np.abs(t - t[k]) <= config.window_s / 2 + 1e-6)
        out[k] = float(np.linalg.norm(np.ptp(across[near], axis=0))) > least
    return out


def _is_near(
    T_camera_object: np.ndarray, vertices: np.ndarray, frame: int, object_idx: int, evidence: ClipEvidence,
    goes: Bool[np.ndarray, " 2"], config: CarriedConfig,
) -> bool:
    """Is a hand, or the outline of another thing, within reach of the object's picture?"""
    import cv2

    camera, hands = evidence.camera.camera(), evidence.hands
    assert hands is not None
    shown = np.asarray(apply(T_camera_object, vertices))
    if (shown[:, 2] < 0.05).any():
        return True
    hull = cv2.convexHull(np.asarray(camera.project(shown)).astype(np.float32))
    reach_px = config.reach * float(camera.params[0] if hasattr(camera, "params") else camera.fx) / float(np.median(shown[:, 2]))
    to_camera = inverse(evidence.camera.scene_T_camera()[frame])
    points = [
        np.asarray(camera.project(p[p[:, 2] > 0.05]))
        for side in np.flatnonzero(hands.valid[frame] & goes)
        for p in [np.asarray(apply(to_camera, hands.joints_world[frame, side]))]
    ]
    label = evidence.labels(frame)
    code = MaskLabel.FIRST_OBJECT + object_idx
    rows, columns = np.nonzero((label >= MaskLabel.FIRST_OBJECT) & (label != code))
    scale = np.array([camera.width_px / label.shape[1], camera.height_px / label.shape[0]])
    points.append((np.stack([columns, rows], axis=-1)[::7] + 0.5) * scale - 0.5)
    at = np.concatenate(points).astype(np.float32)
    return any(cv2.pointPolygonTest(hull, (float(x), float(y)), True) > -reach_px for x, y in at)

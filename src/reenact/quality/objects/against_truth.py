"""The objects of one clip against its truth: which is which, and every measure of this room on each pair.

A perceived object has its own frame (its mesh was fitted); it is given the true one's in the first frame in which both
are known, as DexMan's B.6 aligns tracks there. Distances between middles are not aligned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.transforms import apply, inverse
from reenact.quality.objects.labels import agreement, confusion, precision_recall, ratios, state_f1
from reenact.quality.objects.occluders import occluding_points
from reenact.quality.objects.pictures import score_pictures, surface_points
from reenact.quality.objects.poses import add_s, add_s_auc, jumps, stability, turn_errors
from reenact.scene import ObjectTracks, Scene

SAME_WITHIN = 0.30
"""Middles farther apart than this on average are not one thing (m)."""
PICTURE_EVERY, PICTURE_WIDTH_PX = 5, 160
"""VSD and failure rate are taken in every fifth frame of a small picture."""
SURFACE_POINTS, PICTURE_POINTS = 300, 4000


@dataclass(frozen=True)
class ObjectErrors:
    """One object. Means are over the frames in which its pose is known; None: nothing to measure."""

    name: str
    true_name: str
    known: float
    """Share of the frames with a pose."""
    middle_cm: float
    """Distance of the middle from the true one, not aligned."""
    turn_deg: float
    """Angle from truth, from the first common frame on."""
    add_s_auc: float
    """0 to 10 cm; frames without a pose count as wrong."""
    vsd_auc: float | None
    failure_rate: float | None
    temporal_stability: float | None
    largest_jump_cm: float | None
    """Near changes of state."""
    state_f1: float | None
    state_agreement: float | None
    contact_precision: float | None
    contact_recall: float | None
    penetration_mm: float | None
    """Mean depth of the touching hand points that are inside, by our own contacts; outside counts 0."""


@dataclass(frozen=True)
class MatchedObject:
    """Errors, and the distance of the middles over time [t] where known."""

    object_idx: int
    errors: ObjectErrors
    middle: Float64[np.ndarray, " t"]
    valid: Bool[np.ndarray, " t"]


def objects_against_truth(scene: Scene, truth: Scene) -> list[MatchedObject]:
    """Measures of each object that can be told to be a true one, nearest pairs first; both scenes share their frames.

    Scenes must both know their objects; those of the scene that match nothing are left out. Each scene has its own
    world: what is compared is where things are before the camera, frame by frame.
    """
    assert scene.objects is not None
    assert truth.objects is not None
    T_truth_scene = truth.camera.scene_T_camera() @ inverse(scene.camera.scene_T_camera())
    T = T_truth_scene[:, None] @ scene.objects.T_world_object
    scene = replace(scene, objects=replace(scene.objects, T_world_object=T))
    assert scene.objects is not None
    mine, true = _middles(scene.objects), _middles(truth.objects)
    known = scene.objects.valid[:, :, None] & truth.objects.valid[:, None]
    apart = np.linalg.norm(mine[:, :, None] - true[:, None], axis=-1)
    count = known.sum(axis=0)
    mean = np.where(count > 0, (apart * known).sum(axis=0) / np.maximum(count, 1), np.inf)
    found = []
    while mean.size and mean.min() <= SAME_WITHIN:
        k, o = (int(i) for i in np.unravel_index(mean.argmin(), mean.shape))
        found.append(
            MatchedObject(k, _errors(scene, truth, k, o, apart[:, k, o]), apart[:, k, o], known[:, k, o])
        )
        mean[k], mean[:, o] = np.inf, np.inf
    return found


def _middles(objects: ObjectTracks) -> Float64[np.ndarray, "t o 3"]:
    middles = np.zeros((*objects.valid.shape, 3))
    for k in range(len(objects.object_ids)):
        vertices, _ = objects.mesh(k)
        middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2 if len(vertices) else np.zeros(3)
        middles[:, k] = apply(objects.T_world_object[:, k], middle[None])[:, 0]
    return middles


def _errors(scene: Scene, truth: Scene, k: int, o: int, apart: np.ndarray) -> ObjectErrors:
    assert scene.objects is not None
    assert truth.objects is not None
    true = truth.objects.T_world_object[:, o]
    valid = scene.objects.valid[:, k] & truth.objects.valid[:, o]
    first = int(np.argmax(valid))
    T = scene.objects.T_world_object[:, k]
    T = T @ (inverse(T[first]) @ true[first])
    vertices, faces = truth.objects.mesh(o)
    points = surface_points(vertices, faces, SURFACE_POINTS)
    stable = stability(T, true, valid)
    vsd, failed = _pictures(truth, T, true, valid, o)
    return ObjectErrors(
        name=scene.objects.names[k],
        true_name=truth.objects.names[o],
        known=float(valid.mean()),
        middle_cm=float(apart[valid].mean() * 100),
        turn_deg=float(np.rad2deg(turn_errors(T, true)[valid].mean())),
        add_s_auc=add_s_auc(add_s(T, true, points), valid),
        vsd_auc=vsd,
        failure_rate=failed,
        temporal_stability=float(stable.mean()) if len(stable) else None,
        **_state_errors(scene, truth, k, o, T, true, valid),
        **_contact_errors(scene, truth, k, o),
    )


def _pictures(
    truth: Scene, T: np.ndarray, true: np.ndarray, valid: np.ndarray, o: int
) -> tuple[float | None, float | None]:
    assert truth.objects is not None
    some = slice(None, None, PICTURE_EVERY)
    camera = truth.camera.camera()
    points = surface_points(*truth.objects.mesh(o), PICTURE_POINTS)
    small = camera.scaled(PICTURE_WIDTH_PX / camera.width_px)
    frames = range(*some.indices(len(T)))
    scores = score_pictures(
        T[some], true[some], valid[some], points, small, truth.camera.scene_T_camera()[some],
        occluding_points(truth.hands, truth.objects, o, frames),
    )  # fmt: skip
    return (scores.vsd_auc(), scores.failure_rate()) if scores.shown.any() else (None, None)


def _state_errors(
    scene: Scene, truth: Scene, k: int, o: int, T: np.ndarray, true: np.ndarray, valid: np.ndarray
) -> dict[str, float | None]:
    if scene.states is None or truth.states is None:
        return {"state_f1": None, "state_agreement": None, "largest_jump_cm": None}
    said = np.where(scene.states.valid[:, k], scene.states.state[:, k], 0).astype(np.uint8)
    states = truth.states.state[:, o]
    counts = confusion(said, states)
    changes = (np.diff(states.astype(int)) != 0) | (np.diff(said.astype(int)) != 0)
    leaps = jumps(T, true, valid, changes)
    return {
        "state_f1": state_f1(counts),
        "state_agreement": agreement(counts),
        "largest_jump_cm": float(leaps.max() * 100) if len(leaps) else None,
    }


def _contact_errors(scene: Scene, truth: Scene, k: int, o: int) -> dict[str, float | None]:
    if scene.contacts is None or truth.contacts is None:
        return {"contact_precision": None, "contact_recall": None, "penetration_mm": None}
    said = scene.contacts.touching[..., k] & scene.contacts.valid[:, :, None, k]
    true = truth.contacts.touching[..., o]
    asked = np.broadcast_to(truth.contacts.valid[:, :, None, o], true.shape)
    precision, recall = ratios([precision_recall(said, true, asked)])
    depth = np.maximum(-scene.contacts.distance[..., k][said], 0.0)
    return {
        "contact_precision": precision if np.isfinite(precision) else None,
        "contact_recall": recall if np.isfinite(recall) else None,
        "penetration_mm": float(depth.mean() * 1000) if len(depth) else None,
    }

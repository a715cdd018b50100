"""What a clip without depth says of its table's height: hands that take things, low fingers, known and usual sizes, and
before a moving camera the points of the room.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reenact.geometry.transforms import apply
from reenact.hands.joints import TIPS, WRIST
from reenact.perception.pose.all_objects import model_of
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.feet import foot_ray, known_feet, taken
from reenact.perception.pose.floor import room_floor
from reenact.perception.pose.sightings import ClipEvidence, ClipSightings
from reenact.perception.shape.contract import ShapeEstimate
from reenact.refine.calibration.height import HeightClue, lowest_point, usual_size
from reenact.refine.calibration.support import SupportConfig


def height_clues(
    evidence: ClipEvidence, config: SupportConfig, given: Sequence[ShapeEstimate | None]
) -> list[HeightClue]:
    """All clues; the scene's z must be up.

    given: per object the shape that the user gave, or None; a shorter list leaves the rest unknown.
    """
    clues: list[HeightClue] = []
    camera, pose, hands_sigma = evidence.camera.camera(), PoseConfig(), hands_scale(evidence, config)
    for i in range(evidence.masks.valid.shape[1]):
        sightings = ClipSightings(evidence, i, pose)
        shape = given[i] if i < len(given) else None
        if shape is not None:
            known = known_feet(model_of(shape, pose), sightings, camera, pose, evidence.camera.focal_sigma)
            clues += [HeightClue(*known, "object")] if known is not None else []
        else:
            clues += [c for c in (_usual(sightings, evidence, config),) if c is not None]
        clues += [c for c in (_low(sightings, hands_sigma, config),) if c is not None]
        clues += [c for c in (_taken(sightings, evidence, hands_sigma, config),) if c is not None]
    return clues + [c for c in (_room(evidence, hands_sigma),) if c is not None]


def _room(evidence: ClipEvidence, hands_sigma: float) -> HeightClue | None:
    """From the map of a moving camera's path. Its unit was told by the same hands: what they err by is shared with their
    other clues; what the path adds to that (how it was told) is its own."""
    if evidence.room is None:
        return None
    floor = room_floor(evidence.room, evidence.camera, evidence.hands)
    if floor is None:
        return None
    shared = min(hands_sigma, evidence.room.scale_sigma)
    added = float(np.sqrt(evidence.room.scale_sigma**2 - shared**2))
    own = float(np.hypot(floor.own_sigma, added * floor.drop))
    return HeightClue(floor.height, own, "room", shared * floor.drop)


def hands_scale(evidence: ClipEvidence, config: SupportConfig) -> float:
    """Relative one-sigma of how far the hands are, which all of them share."""
    hands = evidence.hands
    if hands is None or not hands.valid.any():
        return config.size_spread
    frames, sides = np.nonzero(hands.valid)
    T = evidence.camera.scene_T_camera()[frames]
    local = np.einsum("kji,knj->kni", T[:, :3, :3], hands.joints_world[frames, sides] - T[:, None, :3, 3])
    z = np.maximum(np.abs(local[:, WRIST, 2]), 0.05)
    length = (
        np.linalg.norm(local[:, TIPS[2]] - local[:, WRIST], axis=1) / z * float(evidence.camera.params[0])
    )
    stated = float(np.median(hands.sigma_camera[frames, sides, 2] / z))
    blur = config.hands_blur_px / max(float(np.median(length)), 1.0)
    return float(np.hypot(max(stated, config.hands_scale), blur))


def _low(sightings: ClipSightings, hands_sigma: float, config: SupportConfig) -> HeightClue | None:
    """From fingers at an object; hands that hang elsewhere say nothing of its support."""
    lowest, below = [], []
    for k in range(len(sightings)):
        T, fingers = sightings[k].T_world_camera, sightings.fingers(k)[0]
        if len(fingers):
            lowest.append(float(np.asarray(apply(T, fingers))[:, 2].min()))
            below.append(abs(float(T[2, 3]) - lowest[-1]))
    shared = hands_sigma * float(np.median(below)) if below else 0.0
    return lowest_point(np.array(lowest), shared, config)


def _taken(
    sightings: ClipSightings, evidence: ClipEvidence, hands_sigma: float, config: SupportConfig
) -> HeightClue | None:
    """From the foot of a thing at the moments in which hands take it or put it down."""
    found = taken(sightings, evidence.camera.camera())
    if not found:
        return None
    height, fall, drop = np.median(np.array(found), axis=0)
    return HeightClue(
        float(height), float(config.held_sigma * max(fall, 0.3)), "object", hands_sigma * float(abs(drop))
    )


def _usual(sightings: ClipSightings, evidence: ClipEvidence, config: SupportConfig) -> HeightClue | None:
    frames = np.flatnonzero(sightings.resting & evidence.masks.valid[:, sightings.object_idx])
    if len(frames) == 0:
        return None
    s = sightings[int(frames[len(frames) // 2])]
    mask = s.label == s.code
    if mask.sum() < sightings.min_area_px:
        return None
    ray = foot_ray(mask, evidence.camera.camera(), s.T_world_camera)
    pixel = evidence.camera.width_px / mask.shape[1] / float(evidence.camera.params[0])
    fall = -float(ray[2] / np.linalg.norm(ray))
    if fall < 0.1:
        return None  # it stands on no table below the camera
    return usual_size(float(s.T_world_camera[2, 3]), fall, float(np.sqrt(mask.sum())) * pixel, config)

"""Stage `support`: the table. In: clip, camera, hands, found, masks, depth. Out: the `support` record.

From dense depth where there is any; else, where gravity is known, from things whose size the user gave, from the feet
of things that hands take, from how low the hands come, and from the points of the room that the path of a moving camera
was found by. No plane is no failure: the record then says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reenact.geometry.transforms import apply
from reenact.perception.depth.stored import StoredDepth
from reenact.perception.pose.sightings import ClipEvidence
from reenact.perception.pose.window import normalised, to_full
from reenact.perception.shape.contract import ShapeEstimate
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.refine.calibration.height import plane_from_clues
from reenact.refine.calibration.support import SupportConfig, no_plane, plane_from_depth
from reenact.scene import CameraTrack, FoundObjects, MaskLabel, SupportPlane
from reenact.stages.clip import load_clip
from reenact.stages.depth import is_dense
from reenact.stages.masks import load_masks
from reenact.stages.notes import write_notes
from reenact.stages.objects import PlacedObjectsConfig, given_shapes
from reenact.stages.scene import load_camera_path, load_hands
from reenact.stages.support_clues import height_clues

FRAMES = 8
"""Frames whose depth is looked at."""
STRIDE = 6
"""Every so many pixels in both directions."""


@dataclass(frozen=True)
class SupportStageConfig:
    """The thresholds, and the shapes that the user gave (a known size is a ruler)."""

    support: SupportConfig = field(default_factory=SupportConfig)
    objects: PlacedObjectsConfig = field(default_factory=PlacedObjectsConfig)


def run(call: StageCall[SupportStageConfig]) -> None:
    """See the module's docstring."""
    found = load_record(FoundObjects, call.inputs["found"], "found")
    given = given_shapes(found, call.config.objects)
    clip = load_clip(call.inputs["clip"])
    camera = load_record(CameraTrack, call.inputs["camera"], "camera")
    hands = load_hands(call.inputs)
    masks = load_masks(call.inputs["masks"])
    with StoredDepth(call.inputs["depth"]) as depth:
        dense = depth if depth.metric and is_dense(depth.record.backend) else None
        evidence = ClipEvidence(
            camera, clip.t_seconds, masks.tracks, lambda k: masks.labels[k], dense, None, hands,
            room=load_camera_path(call.inputs),
        )  # fmt: skip
        plane, notes = find_support(evidence, call.config.support, given)
    save_record(plane, call.out, "support")
    write_notes(call.out, notes)


def find_support(
    evidence: ClipEvidence, config: SupportConfig, given: Sequence[ShapeEstimate | None] = ()
) -> tuple[SupportPlane, dict[str, Any]]:
    """The plane and how it came about."""
    world = evidence.camera.world_frame == "world"
    up = np.array([0.0, 0.0, 1.0]) if world else None
    if evidence.depth is not None and config.height is None:
        points, sigma, things = _depth_points(evidence)
        plane = plane_from_depth(points, sigma, up, config, things)
        if plane.valid:
            return plane, {"from": "depth", "points": len(points)}
    if not world:
        return no_plane(), {"problem": "neither depth nor gravity is known"}
    clues = height_clues(evidence, config, given)
    plane = plane_from_clues(clues, evidence.camera.gravity_sigma, config)
    notes = {
        "clues": [{"height": c.height, "sigma": c.sigma, "shared": c.shared, "what": c.what} for c in clues]
    }
    return plane, notes if plane.valid else {**notes, "problem": "nothing says how high the support is"}


def _depth_points(evidence: ClipEvidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Background points with their sigma, and points of hands and objects, scene's frame."""
    camera, T = evidence.camera.camera(), evidence.camera.scene_T_camera()
    t = len(evidence.t_seconds)
    points, sigmas, things = [np.zeros((0, 3))], [np.zeros(0)], [np.zeros((0, 3))]
    for k in np.unique(np.linspace(0, t - 1, min(FRAMES, t)).astype(int)):
        found = evidence.depth(int(k)) if evidence.depth is not None else None
        if found is None:
            continue
        metres, relative = found
        rows, columns = np.mgrid[: metres.shape[0] : STRIDE, : metres.shape[1] : STRIDE].reshape(2, -1)
        z = metres[rows, columns].astype(np.float64)
        label = evidence.labels(int(k))
        seen = label[rows * label.shape[0] // metres.shape[0], columns * label.shape[1] // metres.shape[1]]
        pixels = to_full(np.stack([columns, rows], 1).astype(np.float64), metres.shape, camera)
        local = np.concatenate([normalised(camera, pixels), np.ones((len(z), 1))], 1) * z[:, None]
        world = np.asarray(apply(T[k], local))
        ground = (z > 0) & ((seen == MaskLabel.BACKGROUND) | (seen == MaskLabel.TABLE))
        points.append(world[ground])
        sigmas.append(np.maximum(relative * z[ground], 0.002))
        things.append(world[(z > 0) & ((seen >= MaskLabel.FIRST_OBJECT) | (seen == 1) | (seen == 2))])
    return np.concatenate(points), np.concatenate(sigmas), np.concatenate(things)

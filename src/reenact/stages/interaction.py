"""Stage `interaction`: hands and objects made to agree. In: clip, camera, hands, support, objects, points.

Out: the records `objects` (refined), `refined_covariance`, `hands_interaction`, `contacts`, `contact_places` and
`states`; notes with the noise found, the flags and their reasons. Where no object was placed only the notes are written.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from reenact.pipeline.stage import StageCall
from reenact.records import load_record, record_exists, save_record
from reenact.refine.interaction.results import (
    InteractionResult,
    InteractionResultConfig,
    refine_interaction,
)
from reenact.scene import CameraTrack, ObjectTracks, PointTracks, PoseCovariance, SupportPlane
from reenact.stages.clip import load_clip
from reenact.stages.notes import write_notes
from reenact.stages.scene import load_hands


def run(call: StageCall[InteractionResultConfig]) -> None:
    """See the module's docstring."""
    folder = call.inputs["objects"]
    objects = (
        load_record(ObjectTracks, folder, "objects_raw") if record_exists(folder, "objects_raw") else None
    )
    if objects is None or not objects.valid.any():
        write_notes(call.out, {"objects": 0, "flags": []})
        return
    clip = load_clip(call.inputs["clip"])
    result = refine_interaction(
        objects,
        load_hands(call.inputs),
        load_record(CameraTrack, call.inputs["camera"], "camera"),
        load_record(SupportPlane, call.inputs["support"], "support"),
        clip.t_ns,
        call.config,
        load_record(PoseCovariance, folder, "pose_covariance"),
        load_record(PointTracks, call.inputs["points"], "points"),
    )
    save_record(result.objects, call.out, "objects")
    save_record(result.covariance, call.out, "refined_covariance")
    save_record(result.hands, call.out, "hands_interaction")
    save_record(result.contacts, call.out, "contacts")
    save_record(result.places, call.out, "contact_places")
    save_record(result.states, call.out, "states")
    write_notes(call.out, _notes(result))


def _notes(result: InteractionResult) -> dict[str, object]:
    seen = result.refined.observed
    return {
        "objects": len(result.objects.object_ids),
        "sigma_hands": [float(s) for s in seen.sigma[:2]],
        "sigma_objects": [float(s) for s in seen.sigma[2:]],
        "depth_drift_largest": float(np.abs(result.refined.bodies.shared).max(initial=0.0)),
        "known_share": float(result.states.valid.mean()),
        "flags": [dataclasses.asdict(flag) for flag in result.flags],
    }

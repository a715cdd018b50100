"""Stage `hands`: metric hands. In: clip, camera, landmarks. Out: the `hands_raw` and `hands` records.

Raises `NoSteadyHands` when the gates leave no hand in any frame.
"""

from __future__ import annotations

from reenact.errors import NoResultError
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.refine.hands.reconstruct import HandReconstructionConfig, reconstruct_hands
from reenact.scene import CameraTrack, HandLandmarks
from reenact.stages.clip import load_clip
from reenact.stages.notes import write_notes


class NoSteadyHands(NoResultError):
    """Hands were seen, but none of them passed the gates."""


def run(call: StageCall[HandReconstructionConfig]) -> None:
    """See the module's docstring."""
    clip = load_clip(call.inputs["clip"])
    camera = load_record(CameraTrack, call.inputs["camera"], "camera")
    landmarks = load_record(HandLandmarks, call.inputs["landmarks"], "landmarks")
    result = reconstruct_hands(landmarks, camera, clip.t_ns, call.config)
    if not result.refined.valid.any():
        raise NoSteadyHands(
            f"hands were seen in {int(landmarks.valid.any(axis=1).sum())} frames of {clip.clip_id}, none fits a hand",
            hint="give the camera (--fov-deg or --intrinsics) or the hand length; see notes.json for the reasons",
        )
    save_record(result.raw, call.out, "hands_raw")
    save_record(result.refined, call.out, "hands")
    write_notes(call.out, result.diagnostics)

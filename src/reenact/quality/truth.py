"""A reconstructed scene against the truth of the same frames: hands, focal length, gravity.

The two scenes have world frames of their own; what they share is the camera of each frame, so that is where they meet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reenact.errors import InputError
from reenact.geometry.transforms import apply, inverse
from reenact.quality.hands import HandErrors, measure_errors
from reenact.scene import HandTracks, Scene


class NoSuchTruth(InputError):
    """The truth is of other frames, or has no hands."""


@dataclass(frozen=True)
class SceneErrors:
    """How far a scene is from the truth. None where nothing supports a number."""

    raw: HandErrors | None
    """Per-frame hands, before filling and smoothing."""
    by_depth: HandErrors | None
    """Hands put right by measured depth."""
    with_objects: HandErrors | None
    """Hands adjusted together with the objects."""
    refined: HandErrors | None
    found_share: float
    """Share of true, visible hands (frame, side) that the refined track has."""
    false_hands: int
    """Hands (frame, side) the refined track has and the truth has not."""
    focal_error_percent: float
    """Estimated over true focal length, minus one."""
    gravity_error_deg: float | None
    """Angle between estimated and true up in the first camera's axes; None where up is not claimed."""


def measure_scene(scene: Scene, truth: Scene) -> SceneErrors:
    """All errors. Raises `NoSuchTruth` when the frames do not match."""
    if truth.hands is None or len(truth.clip.t_ns) != len(scene.clip.t_ns):
        raise NoSuchTruth(
            f"truth of {len(truth.clip.t_ns)} frames for a scene of {len(scene.clip.t_ns)}",
            hint="the truth must be of the same clip, frame by frame",
        )
    true_hands = truth_in_scene(scene, truth)
    refined = scene.hands
    found = refined.valid if refined is not None else np.zeros_like(true_hands.valid)

    def errors(hands: HandTracks | None) -> HandErrors | None:
        return measure_errors(hands, true_hands, scene.camera) if hands is not None else None

    return SceneErrors(
        raw=errors(scene.hands_raw),
        by_depth=errors(scene.hands_depth),
        with_objects=errors(scene.hands_interaction),
        refined=errors(refined),
        found_share=float((found & true_hands.valid).sum() / max(true_hands.valid.sum(), 1)),
        false_hands=int((found & ~true_hands.valid).sum()),
        focal_error_percent=float(scene.camera.params[0] / truth.camera.params[0] - 1) * 100,
        gravity_error_deg=_gravity_error(scene, truth),
    )


def truth_in_scene(scene: Scene, truth: Scene) -> HandTracks:
    """The true hands in the scene's own frame, camera by camera."""
    assert truth.hands is not None
    T = scene.camera.scene_T_camera() @ inverse(truth.camera.T_world_camera)
    joints = apply(T[:, None], truth.hands.joints_world)
    return replace(truth.hands, joints_world=joints, world_frame=scene.camera.world_frame)


def _gravity_error(scene: Scene, truth: Scene) -> float | None:
    if scene.camera.world_frame != "world":
        return None
    up = scene.camera.T_world_camera[0, 2, :3]  # world z in camera axes
    true_up = truth.camera.T_world_camera[0, 2, :3]
    return float(np.degrees(np.arccos(np.clip(up @ true_up, -1.0, 1.0))))

"""People to the action space and back: 21 keypoints per hand and the camera's place <-> wrists and fingertips.

Encode and decode undo each other on wrist pose and fingertips to rounding; the other sixteen joints are not part of
the space. A frame without a valid hand is masked, and its keypoints are never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.actions.errors import BadActions
from reenact.actions.slots import CAMERA, UNIFIED, ActionSpec
from reenact.actions.vector import ActionVector, Known, pose_known
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import FINGERS, SIDES, TIPS, wrist_transform
from reenact.hands.skeleton import HandSkeleton


@dataclass(frozen=True)
class HumanKeypoints:
    """What the space says of a person. Axis s: 0 left, 1 right. Rows that are not valid mean nothing."""

    T_camera_wrist: Float64[np.ndarray, "t s=2 4 4"]
    """Wrist frames (CONVENTIONS.md) in the ego camera at the same instant."""
    tips_camera: Float64[np.ndarray, "t s=2 f=5 3"]
    """Fingertips, thumb to pinky, ego camera (m)."""
    valid_wrist: Bool[np.ndarray, "t s=2"]
    valid_tips: Bool[np.ndarray, "t s=2 f=5"]
    T_world_camera: Float64[np.ndarray, "t 4 4"]
    valid_camera: Bool[np.ndarray, " t"]


def encode_human(
    joints_world: Float64[np.ndarray, "t s=2 j=21 3"],
    valid: Bool[np.ndarray, "t s=2"],
    t_ns: Int64[np.ndarray, " t"],
    T_world_camera: Float64[np.ndarray, "t 4 4"] | None = None,
    camera_valid: Bool[np.ndarray, " t"] | None = None,
    spec: ActionSpec = UNIFIED,
) -> ActionVector:
    """Keypoints in the world (or in any frame) to the space.

    Args:
        joints_world: OpenPose-21, metres; anything (also NaN) where not valid.
        valid: which hands are there.
        t_ns: instants.
        T_world_camera: the ego camera; None when the joints are in its frame already.
        camera_valid: where that is known; wrists are masked elsewhere, fingertips need no camera.
        spec: the space wanted; slots a person does not have stay masked.

    Raises:
        BadActions: arrays that do not agree in length.
    """
    t = len(t_ns)
    if np.shape(joints_world) != (t, 2, 21, 3) or np.shape(valid) != (t, 2):
        raise BadActions(f"joints {np.shape(joints_world)}, valid {np.shape(valid)} for {t} instants",
                         hint=f"expected {(t, 2, 21, 3)} and {(t, 2)}")  # fmt: skip
    rest = np.stack([HandSkeleton.adult(s).rest_joints_wrist for s in (0, 1)])
    joints = np.where(valid[..., None, None], joints_world, rest)
    placed = np.ones(t, bool) if camera_valid is None else np.asarray(camera_valid)
    T_camera = np.broadcast_to(np.eye(4), (t, 4, 4)) if T_world_camera is None else T_world_camera
    if np.shape(T_camera) != (t, 4, 4) or placed.shape != (t,):
        raise BadActions(f"camera {np.shape(T_camera)}, valid {placed.shape} for {t} instants")
    T_camera = np.where(placed[:, None, None], T_camera, np.eye(4))
    known: dict[str, Known] = {}
    for s, side in enumerate(SIDES):
        T_world_wrist = wrist_transform(joints[:, s], s)
        known |= pose_known(f"wrist_{side}", inverse(T_camera) @ T_world_wrist, valid[:, s] & placed)
        tips = apply(inverse(T_world_wrist), joints[:, s, list(TIPS)])
        known |= {f"tip_{side}_{name}": (tips[:, f], valid[:, s]) for f, name in enumerate(FINGERS)}
    if T_world_camera is not None:
        known |= pose_known("camera", T_camera, placed)
    return ActionVector.assemble(spec, t_ns, {name: v for name, v in known.items() if spec.has(name)})


def decode_human(vector: ActionVector) -> HumanKeypoints:
    """The space to wrist poses and fingertips: the mirror of `encode_human`. Slots it lacks count as masked."""
    full = vector.onto(ActionSpec(UNIFIED.slots + CAMERA))
    T_world_camera, valid_camera = full.pose("camera")
    poses, tips, valid_wrist, valid_tips = [], [], [], []
    for side in SIDES:
        T, ok = full.pose(f"wrist_{side}")
        local = [full.read(f"tip_{side}_{name}") for name in FINGERS]
        tips.append(apply(T, np.stack([p for p, _ in local], axis=1)))
        valid_tips.append(np.stack([k & ok for _, k in local], axis=1))
        poses.append(T)
        valid_wrist.append(ok)
    return HumanKeypoints(
        T_camera_wrist=np.stack(poses, axis=1),
        tips_camera=np.stack(tips, axis=1),
        valid_wrist=np.stack(valid_wrist, axis=1),
        valid_tips=np.stack(valid_tips, axis=1),
        T_world_camera=T_world_camera,
        valid_camera=valid_camera,
    )

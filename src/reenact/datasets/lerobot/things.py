"""`object.<slot>.*` and `human.ego.*`: objects of a run by number, in the scene's frame and in that of the ego camera.

Clips of one dataset share their columns but not their objects: slot k is the clip's object k, and slots that a clip does
not fill are not valid.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64

from reenact.datasets.lerobot.features import Feature
from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.geometry.transforms import inverse
from reenact.scene import CameraTrack, InteractionStates, ObjectTracks

POSE_NAMES = ("x", "y", "z", "qw", "qx", "qy", "qz")
Column = tuple[Feature, np.ndarray]


def pose_values(T: Float64[np.ndarray, "t 4 4"]) -> Float64[np.ndarray, "t 7"]:
    """Position and quaternion (wxyz, continuous)."""
    return np.concatenate([T[:, :3, 3], quat_continuous(quat_from_matrix(T[:, :3, :3]))], axis=1)


def object_columns(
    objects: ObjectTracks | None,
    states: InteractionStates | None,
    ego: CameraTrack | None,
    rows: np.ndarray,
    slots: int,
) -> Iterator[Column]:
    """Pose, confidence, validity and state of each slot; with an ego camera also the pose in its axes.

    Rows without a pose hold the last known one (the identity before the first): meaningless, but no leap.
    """
    for k in range(slots):
        there = objects is not None and k < len(objects.object_ids)
        T, valid, confidence = (
            np.tile(np.eye(4), (len(rows), 1, 1)),
            np.zeros(len(rows), bool),
            np.zeros(len(rows)),
        )
        state = np.zeros(len(rows), np.uint8)
        if there and objects is not None:
            valid, confidence = objects.valid[rows, k], objects.confidence[rows, k]
            T = _held(objects.T_world_object[rows, k], valid)
            if states is not None:
                state = np.where(states.valid[rows, k], states.state[rows, k], 0).astype(np.uint8)
        yield Feature(f"object.{k}.pose", "float32", (7,), POSE_NAMES), pose_values(T)
        yield Feature(f"object.{k}.valid", "bool", (1,)), valid
        yield Feature(f"object.{k}.confidence", "float32", (1,)), confidence
        yield Feature(f"object.{k}.state", "uint8", (1,)), state
        if ego is not None:
            T_ego = inverse(ego.T_world_camera[rows]) @ T
            yield Feature(f"object.{k}.ego_pose", "float32", (7,), POSE_NAMES), pose_values(np.asarray(T_ego))


def ego_columns(ego: CameraTrack, rows: np.ndarray) -> Iterator[Column]:
    """`human.ego.pose` and `.confidence` of the virtual camera."""
    yield Feature("human.ego.pose", "float32", (7,), POSE_NAMES), pose_values(ego.T_world_camera[rows])
    yield Feature("human.ego.confidence", "float32", (1,)), ego.confidence[rows]


def _held(T: np.ndarray, valid: np.ndarray) -> np.ndarray:
    if not valid.any():
        return np.tile(np.eye(4), (len(T), 1, 1))
    last = np.maximum.accumulate(np.where(valid, np.arange(len(T)), -1))
    return np.asarray(np.where((last >= 0)[:, None, None], T[np.maximum(last, 0)], np.eye(4)))

"""MANO numbers without the MANO model: rotations into a record, fingertips out of vertices.

Joints from parameters need the licensed model (mano.is.tue.mpg.de); nothing here stands in for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float64

from reenact.datasets.readers.episode import ManoParameters, PartialHands
from reenact.datasets.readers.errors import DamagedSource
from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import TIPS

VERTICES = 778


def mano_parameters(
    hands: Mapping[int, tuple[np.ndarray, np.ndarray, np.ndarray]],
    frames: int,
    T_world_source: Float64[np.ndarray, "4 4"] | Float64[np.ndarray, "t 4 4"],
    *,
    flat_hand_mean: str = "unknown",
    left_model: str = "left",
    valid: Mapping[int, np.ndarray] | None = None,
) -> ManoParameters:
    """A record from side -> (axis-angle [t 48] or rotations [t 16 3 3], translation [t 3], betas [t 10])."""
    R = np.tile(np.eye(3), (frames, 2, 16, 1, 1))
    trans, betas, known = np.zeros((frames, 2, 3)), np.zeros((frames, 2, 10)), np.zeros((frames, 2), bool)
    for side, (pose, translation, shape) in hands.items():
        pose = np.asarray(pose, np.float64)
        if len(pose) != frames:
            raise DamagedSource(f"a hand has {len(pose)} poses, {frames} expected")
        R[:, side] = pose if pose.shape[1:] == (16, 3, 3) else so3_exp(pose.reshape(frames, 16, 3))
        trans[:, side], betas[:, side], known[:, side] = translation, shape, True
        if valid is not None:
            known[:, side] = valid[side]
    return ManoParameters(
        R_source_root=R[:, :, 0],
        R_joints=R[:, :, 1:],
        translation=trans,
        betas=betas,
        valid=known,
        T_world_source=np.broadcast_to(T_world_source, (frames, 4, 4)).astype(np.float64),
        left_model=left_model,
        flat_hand_mean=flat_hand_mean,
    )


def tips_from_vertices(
    vertices: Mapping[int, Float[np.ndarray, "t v 3"]], tip_vertices: tuple[int, ...], frames: int
) -> PartialHands:
    """The five fingertips from 778 MANO vertices in the world; the other joints stay unknown."""
    joints, known = np.zeros((frames, 2, 21, 3)), np.zeros((frames, 2, 21), bool)
    for side, points in vertices.items():
        if points.shape != (frames, VERTICES, 3):
            raise DamagedSource(f"hand vertices have shape {points.shape}", hint=f"({frames}, {VERTICES}, 3)")
        joints[:, side, list(TIPS)] = points[:, list(tip_vertices)]
        known[:, side, list(TIPS)] = True
    return PartialHands(
        joints_world=joints,
        joint_valid=known,
        joint_confidence=known.astype(np.float64),
        T_world_wrist=np.tile(np.eye(4), (frames, 2, 1, 1)),
        wrist_valid=np.zeros((frames, 2), bool),
        wrist_frame="not given",
    )

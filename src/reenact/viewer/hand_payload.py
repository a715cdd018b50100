"""Hands for the page: skin once, then 33 affine moves per hand and frame; landmarks over the video."""

from __future__ import annotations

from typing import Any

import numpy as np

from reenact.hands.joints import SIDES, wrist_transform
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton
from reenact.scene import HandLandmarks, HandTracks
from reenact.viewer.encode import packed

BONES_PER_VERTEX = 6


def hands_payload(hands: HandTracks) -> dict[str, Any]:
    """Skin, its moves [t 2 33 12] in the scene's frame, and the validity of each hand and frame."""
    moves = np.stack([_moves(hands, side) for side in range(len(SIDES))], axis=1)
    return {
        "skin": [_skin(HandMesh.load(side)) for side in range(len(SIDES))],
        "moves": packed(moves),
        "valid": packed(hands.valid, "uint8"),
        "source": packed(hands.source, "uint8"),
    }


def _moves(hands: HandTracks, side: int) -> np.ndarray:
    """Affine moves [t 33 12] from the rest skin to each frame's hand; zeros where there is no hand."""
    joints, valid = hands.joints_world[:, side], hands.valid[:, side]
    moves = np.zeros((len(joints), 33, 12))
    if not valid.any():
        return moves
    T = wrist_transform(joints[valid], side)
    local = (joints[valid] - T[:, None, :3, 3]) @ T[:, :3, :3]
    skeleton = HandSkeleton.adult(side, float(hands.hand_length[side]))
    local_moves = HandMesh.load(side).moves(skeleton, skeleton.fit_angles(local))
    moves[valid] = (T[:, None, :3, :3] @ local_moves).reshape(-1, 33, 12)
    moves[valid, :, 3::4] += T[:, None, :3, 3]
    return moves


def _skin(mesh: HandMesh) -> dict[str, Any]:
    order = np.argsort(-mesh.weights, axis=1)[:, :BONES_PER_VERTEX]
    weights = np.take_along_axis(mesh.weights, order, axis=1)
    return {
        "rest": packed(mesh.vertices_rest),
        "faces": packed(mesh.faces, "uint16"),
        "boneIdx": packed(order, "uint8"),
        "boneWeight": packed(weights / weights.sum(axis=1, keepdims=True)),
    }


def landmarks_payload(landmarks: HandLandmarks) -> dict[str, Any]:
    """Pixels [t 2 21 2] of the upright full-size frame."""
    return {"px": packed(landmarks.landmarks_px), "valid": packed(landmarks.valid, "uint8")}

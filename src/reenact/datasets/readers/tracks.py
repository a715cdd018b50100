"""From a reader's plain arrays to scene records, with the checks that catch a wrong unit or a wrong hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.datasets.readers.errors import LensUnsure, UnitUnsure
from reenact.hands.joints import JOINT_NAMES_21, hand_length
from reenact.hands.skeleton import ADULT_HAND_LENGTH
from reenact.scene import CameraTrack, HandTracks, ObjectTracks, Source

HAND_LENGTHS = (0.10, 0.28)
"""Wrist to middle tip of people from small child to giant (m); outside, the unit or the joint order is wrong."""
UNPUBLISHED_SIGMA = 0.01
"""One-sigma of a wrist (m) given to sets that publish none; named in `provenance.unknown`."""


def hand_tracks(
    joints_world: Float[np.ndarray, "t s=2 j=21 3"],
    valid: Bool[np.ndarray, "t s=2"],
    *,
    world_frame: str,
    truth: bool,
    confidence: Float64[np.ndarray, "t s=2"] | None = None,
    sigma: float = UNPUBLISHED_SIGMA,
) -> HandTracks:
    """Hands as a record. `truth`: motion capture or a fit the set calls ground truth, else a device's estimate.

    Raises:
        UnitUnsure: the bones are as long as no hand's.
    """
    joints = np.where(valid[..., None, None], joints_world, 0.0).astype(np.float64)
    lengths = [_length(joints[:, s][valid[:, s]], s) for s in (0, 1)]
    return HandTracks(
        joints_world=joints,
        valid=valid,
        confidence=np.where(valid, 1.0 if confidence is None else confidence, 0.0).astype(np.float64),
        source=np.where(valid, Source.TRUTH if truth else Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=np.full((len(joints), 2, 3), sigma),
        reprojection=np.zeros((len(joints), 2)),
        hand_length=np.array(lengths),
        hand_length_source="truth" if truth else "measured",
        world_frame=world_frame,
        joint_names=JOINT_NAMES_21,
    )


def _length(joints: np.ndarray, side: int) -> float:
    if len(joints) == 0:
        return ADULT_HAND_LENGTH
    length = float(np.median(hand_length(joints)))
    if not HAND_LENGTHS[0] <= length <= HAND_LENGTHS[1]:
        guess = (
            "millimetres" if 100 < length < 280 else "centimetres" if 10 < length < 28 else "another order"
        )
        raise UnitUnsure(
            f"the {('left', 'right')[side]} hand is {length:.4g} long from wrist to middle tip",
            hint=f"0.10 to 0.28 m expected; looks like {guess}",
        )
    return length


def camera_track(
    T_world_camera: Float64[np.ndarray, "t 4 4"],
    *,
    model: str,
    params: Sequence[float] | np.ndarray,
    width_px: int,
    height_px: int,
    world_frame: str,
    truth: bool = True,
    valid: Bool[np.ndarray, " t"] | None = None,
    still: bool = False,
) -> CameraTrack:
    """A camera as a record; `world_frame` "world" means that the source knows where up is."""
    t = len(T_world_camera)
    if width_px <= 0 or height_px <= 0:
        raise LensUnsure("the image size of the camera is not known", hint="it belongs to the intrinsics")
    known = np.ones(t, bool) if valid is None else valid
    up = world_frame == "world"
    kind = Source.TRUTH if truth else Source.OBSERVED
    return CameraTrack(
        model=model,
        params=np.asarray(params, np.float64),
        width_px=int(width_px),
        height_px=int(height_px),
        intrinsics_source="truth",
        focal_sigma=0.0,
        T_world_camera=np.where(known[:, None, None], T_world_camera, np.eye(4)),
        valid=known,
        confidence=known.astype(np.float64),
        source=np.where(known, kind, Source.UNKNOWN).astype(np.uint8),
        motion="still" if still else "moving",
        motion_heights_per_s=0.0,
        world_frame=world_frame,
        gravity_source="truth" if up else "unknown",
        gravity_sigma=0.0 if up else float(np.pi),
    )


def pinhole_params(K: Float[np.ndarray, "3 3"]) -> Float64[np.ndarray, "4"]:
    """fx fy cx cy of a 3x3 matrix without skew; raises `LensUnsure` for others (also for its transpose)."""
    K = np.asarray(K, np.float64)
    skew = abs(K[0, 1]) + abs(K[1, 0]) + abs(K[2, 0]) + abs(K[2, 1]) + abs(K[2, 2] - 1)
    if skew > 1e-3 or K[0, 0] <= 0 or K[1, 1] <= 0 or K[0, 2] == 0:
        raise LensUnsure(f"the camera matrix is {np.round(K, 2).tolist()}", hint="fx 0 cx; 0 fy cy; 0 0 1")
    return np.array([K[0, 0], K[1, 1], K[0, 2], K[1, 2]])


def object_tracks(
    ids: Sequence[str],
    T_world_object: Float64[np.ndarray, "t o 4 4"],
    *,
    names: Sequence[str] | None = None,
    valid: Bool[np.ndarray, "t o"] | None = None,
    meshes: Sequence[tuple[np.ndarray, np.ndarray] | None] | None = None,
    truth: bool = True,
) -> ObjectTracks:
    """Objects as a record; an object without a mesh has none (zero vertices)."""
    known = np.ones(T_world_object.shape[:2], bool) if valid is None else valid
    parts = [
        m if m is not None else (np.zeros((0, 3)), np.zeros((0, 3), np.int64))
        for m in (meshes or [None] * len(ids))
    ]
    kind = Source.TRUTH if truth else Source.OBSERVED
    return ObjectTracks(
        object_ids=tuple(ids),
        names=tuple(names or ids),
        T_world_object=np.where(known[..., None, None], T_world_object, np.eye(4)),
        valid=known,
        confidence=known.astype(np.float64),
        source=np.where(known, kind, Source.UNKNOWN).astype(np.uint8),
        mesh_vertices=np.concatenate([np.asarray(v, np.float64) for v, _ in parts])
        if parts
        else np.zeros((0, 3)),
        mesh_faces=np.concatenate([np.asarray(f, np.int64) for _, f in parts])
        if parts
        else np.zeros((0, 3), np.int64),
        vertex_start=np.cumsum([0, *(len(v) for v, _ in parts)]).astype(np.int64),
        face_start=np.cumsum([0, *(len(f) for _, f in parts)]).astype(np.int64),
    )


def one_hand(values: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """[t ...] of one hand as [t 2 ...], and the [t 2] mask that knows only that side."""
    out = np.zeros((len(values), 2, *values.shape[1:]))
    out[:, side] = values
    valid = np.zeros((len(values), 2), bool)
    valid[:, side] = True
    return out, valid

"""The person behind the hands: sleeves, torso and head as simple bodies that follow the arms.

In: an `MjSpec` to add to, then `Arms` over time. Out: mocap poses per frame and the forearm's turn for the hand mesh.
Only looks depend on this; no truth does.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import quat_from_matrix, rotation_between
from reenact.hands.joints import LEFT
from reenact.toy import textures
from reenact.toy.arms import FOREARM, SHOULDER_HALF_WIDTH, UPPER_ARM, Arms
from reenact.toy.rooms import TABLE_TOP, add_material, add_mesh, add_texture
from reenact.toy.surfaces import Surface, lathe_surface
from reenact.toy.wrists import Vector

CHEST = np.array([0.0, -0.44, TABLE_TOP + 0.40])
"""Middle between the shoulder joints of the upright person (m)."""
EYES = CHEST + np.array([0.0, 0.13, 0.22])
"""Between the eyes of the upright person (m)."""
SLEEVE_END = 0.62
"""Fraction of the forearm that the sleeve covers."""

_CAPSULE = mujoco.mjtGeom.mjGEOM_CAPSULE
_ELLIPSOID = mujoco.mjtGeom.mjGEOM_ELLIPSOID
_SHIRTS = ((0.20, 0.27, 0.42), (0.45, 0.16, 0.17), (0.23, 0.36, 0.27), (0.55, 0.55, 0.58), (0.16, 0.16, 0.18))


def add_person(spec: Any, rng: np.random.Generator, present: tuple[bool, bool], head: bool) -> None:
    """Torso, head (left out when the camera is in it) and the sleeves of the hands that are there."""
    shirt = _SHIRTS[int(rng.integers(len(_SHIRTS)))]
    add_texture(spec, "cloth", textures.cloth(rng, 256, shirt, stripes=int(rng.choice([0, 0, 9]))))
    add_material(spec, "shirt", "cloth", repeat=(1.0, 1.0), gloss=0.02)
    add_texture(spec, "sleeve", textures.cloth(rng, 256, shirt))
    add_material(spec, "sleeve", "sleeve", gloss=0.02)
    add_material(spec, "face", rgb=(0.80, 0.58, 0.46))
    add_material(spec, "hair", rgb=tuple(rng.uniform(0.05, 0.25) * np.array([1.0, 0.8, 0.6])))
    torso = spec.worldbody.add_body(name="torso", mocap=True)
    add_mesh(spec, "torso", _trunk())
    torso.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname="torso",
        material="shirt",
        contype=0,
        conaffinity=0,
        density=0,
    )
    across = (-SHOULDER_HALF_WIDTH * 0.8, 0, 0.0, SHOULDER_HALF_WIDTH * 0.8, 0, 0.0)
    torso.add_geom(
        type=_CAPSULE, fromto=across, size=[0.062, 0, 0], material="shirt", contype=0, conaffinity=0
    )
    if head:
        torso.add_geom(
            type=_CAPSULE,
            fromto=(0, 0, 0.0, 0, 0.02, 0.14),
            size=[0.05, 0, 0],
            material="face",
            contype=0,
            conaffinity=0,
        )
        _geom(torso, _ELLIPSOID, (0, 0.05, 0.23), (0.073, 0.090, 0.115), "face")
        _geom(torso, _ELLIPSOID, (0, 0.03, 0.255), (0.080, 0.092, 0.105), "hair")
    for side in (0, 1):
        if present[side]:
            _sleeve(spec, side)


def _trunk() -> Surface:
    """Hips to neck: a turned profile pressed flat from front to back."""
    half_width = np.array([0.0, 0.155, 0.165, 0.150, 0.160, 0.180, 0.185, 0.150, 0.065, 0.050, 0.0])
    height = np.array([-0.62, -0.60, -0.50, -0.34, -0.22, -0.12, -0.04, 0.035, 0.065, 0.085, 0.086])
    turned = lathe_surface(np.column_stack([half_width, height]))
    flat = np.array([1.0, 0.62, 1.0])
    normals = turned.normals / flat
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return Surface(turned.vertices * flat + [0, -0.02, 0], turned.faces, normals, turned.uv)


def _sleeve(spec: Any, side: int) -> None:
    pieces = {
        f"upper_arm_{side}": _limb(0.0, UPPER_ARM, (0.056, 0.047), True),
        f"forearm_{side}": _limb(0.0, SLEEVE_END * FOREARM, (0.047, 0.041), False),
    }
    for name, surface in pieces.items():
        body = spec.worldbody.add_body(name=name, mocap=True)
        add_mesh(spec, name, surface)
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=name,
            material="sleeve",
            contype=0,
            conaffinity=0,
            density=0,
        )


def _limb(begin: float, end: float, radii: tuple[float, float], round_end: bool) -> Surface:
    """A tapering sleeve along z with a round near end; the far end is round (elbow) or cut (cuff)."""
    turn = np.linspace(0, np.pi / 2, 6)
    near = np.column_stack([radii[0] * np.sin(turn), begin - radii[0] * np.cos(turn)])
    far = np.column_stack([radii[1] * np.cos(turn), end + radii[1] * np.sin(turn)])
    if not round_end:
        far = np.array([[radii[1], end], [radii[1] * 0.7, end + 0.001], [0.0, end + 0.001]])
    return lathe_surface(np.concatenate([near, far]), segments=32)


def _geom(body: Any, kind: Any, pos: Vector, size: Vector, material: str) -> None:
    body.add_geom(type=kind, pos=pos, size=size, material=material, contype=0, conaffinity=0)


def pose_person(model: Any, data: Any, arms: Arms, frame: int) -> None:
    """Put torso and sleeves where they are in one frame."""
    _place(model, data, "torso", CHEST + arms.lean[frame], np.eye(3))
    for side in (0, 1):
        shoulder, elbow, wrist = (
            arms.shoulders[frame, side],
            arms.elbows[frame, side],
            arms.wrists[frame, side],
        )
        _place(model, data, f"upper_arm_{side}", shoulder, _along(elbow - shoulder))
        _place(model, data, f"forearm_{side}", elbow, _along(wrist - elbow))


def _along(direction: np.ndarray) -> np.ndarray:
    return rotation_between(np.array([0.0, 0.0, 1.0]), direction / np.linalg.norm(direction))


def _place(model: Any, data: Any, body: str, position: np.ndarray, R: np.ndarray) -> None:
    body_id = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, body)
    if body_id >= 0:
        slot = model.body_mocapid[body_id]
        data.mocap_pos[slot], data.mocap_quat[slot] = position, quat_from_matrix(R)


def forearm_turns(
    arms: Arms, T_world_wrist: Float64[np.ndarray, "t s=2 4 4"]
) -> Float64[np.ndarray, "t s=2 3 3"]:
    """`R_wrist_forearm`: how the forearm is turned against the hand, without twist."""
    out = np.zeros((len(arms.wrists), 2, 3, 3))
    for side in (0, 1):
        direction = arms.wrists[:, side] - arms.elbows[:, side]
        direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
        local = np.einsum("tji,tj->ti", T_world_wrist[:, side, :3, :3], direction)
        distal = np.array([1.0 if side == LEFT else -1.0, 0.0, 0.0])
        out[:, side] = rotation_between(np.tile(distal, (len(local), 1)), local)
    return out

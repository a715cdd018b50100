"""`HandMesh`: the free hand's skin, one closed surface that follows a `HandSkeleton`.

In: a skeleton and its 20 angles. Out: vertices, in the wrist frame or wherever `T_frame_wrist` puts them. The same
surface is used for display, contact and depth.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64, Int64
from safetensors.numpy import load_file
from scipy.sparse import csr_array

from reenact.errors import InputError
from reenact.hands.joints import LEFT, SIDES
from reenact.hands.rest import rest_transforms
from reenact.hands.skeleton import ADULT_HAND_LENGTH, HandSkeleton
from reenact.hands.skinning import SKIN_BONES, blend, skin_moves, skin_operator

MESH_PATH = Path(__file__).with_name("free_hand.safetensors")


class SideMismatch(InputError):
    """Skin of one side, skeleton of the other."""


@dataclass(frozen=True)
class HandMesh:
    """A real left or right hand's rest surface and skin weights; build with `HandMesh.load`."""

    side: int
    """0 left, 1 right."""
    vertices_rest: Float64[np.ndarray, "v 3"]
    """The default adult at `rest.REST_ANGLES`, in the wrist frame (m)."""
    faces: Int64[np.ndarray, "f 3"]
    """Counter-clockwise seen from outside, on both sides."""
    weights: Float64[np.ndarray, "v 33"]
    """Share of each skin bone (see `skinning`); rows sum to one."""

    @staticmethod
    @functools.lru_cache(maxsize=2)
    def load(side: int) -> HandMesh:
        """The mesh shipped with the package. The right hand is the left one mirrored, faces turned around."""
        stored = load_file(MESH_PATH)
        vertices = stored["vertices_left_rest"].astype(np.float64)
        faces = stored["faces_left"].astype(np.int64)
        weights = np.zeros((len(vertices), SKIN_BONES))
        np.put_along_axis(
            weights, stored["bone_idx"].astype(np.int64), stored["bone_weight"].astype(np.float64), 1
        )
        weights /= weights.sum(1, keepdims=True)
        if side != LEFT:
            vertices, faces = vertices * [-1.0, 1.0, 1.0], faces[:, ::-1].copy()
        for array in (vertices, faces, weights):
            array.flags.writeable = False
        return HandMesh(side=side, vertices_rest=vertices, faces=faces, weights=weights)

    def pose(
        self,
        skeleton: HandSkeleton,
        angles: Float[np.ndarray, "*b 20"],
        T_frame_wrist: Float[np.ndarray, "*b 4 4"] | None = None,
        R_wrist_forearm: Float[np.ndarray, "*b 3 3"] | None = None,
    ) -> Float64[np.ndarray, "*b v 3"]:
        """Vertices of the posed skin (m).

        Args:
            skeleton: same side as the mesh; its hand length scales the skin.
            angles: as `HandSkeleton.joints_wrist` takes them.
            T_frame_wrist: puts the hand in another frame; the wrist frame itself when left out.
            R_wrist_forearm: turn of the forearm against the hand, identity = straight wrist.

        Raises:
            SideMismatch: a left skeleton for a right mesh, or the other way round.
        """
        if skeleton.side != self.side:
            raise SideMismatch(
                f"a {SIDES[self.side]} hand's skin was given a {SIDES[skeleton.side]} skeleton",
                hint="load the mesh with the skeleton's side",
            )
        moves = self.moves(skeleton, angles, R_wrist_forearm)
        if T_frame_wrist is not None:  # 33 bones are moved, not thousands of vertices
            T = np.asarray(T_frame_wrist, dtype=np.float64)[..., None, :3, :]
            moves = T[..., :3] @ moves
            moves[..., 3] += T[..., 3]
        return blend(self._operator, moves)

    @functools.cached_property
    def _operator(self) -> csr_array:
        return skin_operator(self.vertices_rest, self.weights)

    def moves(
        self,
        skeleton: HandSkeleton,
        angles: Float[np.ndarray, "*b 20"],
        R_wrist_forearm: Float[np.ndarray, "*b 3 3"] | None = None,
    ) -> Float64[np.ndarray, "*b 33 3 4"]:
        """The affine move of every skin bone from the rest skin to a pose, in the wrist frame."""
        T_bones = skeleton.bone_transforms(angles)
        T_forearm = np.broadcast_to(np.eye(4), (*T_bones.shape[:-3], 1, 4, 4)).copy()
        if R_wrist_forearm is not None:
            T_forearm[..., 0, :3, :3] = R_wrist_forearm
        T_posed = np.concatenate([T_bones, T_forearm], axis=-3)
        return skin_moves(T_posed, rest_transforms(self.side), skeleton.hand_length / ADULT_HAND_LENGTH)


def vertex_normals(
    vertices: Float[np.ndarray, "*b v 3"], faces: Int64[np.ndarray, "f 3"]
) -> Float64[np.ndarray, "*b v 3"]:
    """Unit outward normals, faces weighted by area."""
    corners = vertices[..., faces, :]
    face_normals = np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(np.moveaxis(normals, -2, 0), faces[:, corner], np.moveaxis(face_normals, -2, 0))
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)

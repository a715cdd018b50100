"""UmeTrack hands (HOT3D): a personal hand profile and 22 angles to joints and mesh; needs no licensed model.

The profile is in millimetres and made for a left hand; a right hand mirrors the first column of its wrist matrix.
Checked on `hot3d_quest3`: the mesh projects onto the published boxes within 1-4 px, the palm touches the mouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.orders import ARIA_TO_OPENPOSE, reorder
from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import RIGHT

_NONE = 255
_FINGER_ANGLES = 20
"""The last two of 22 angles bend the wrist, which the wrist pose already gives."""
_THUMB_BASE_JOINT = 1
_BONES = 17


@dataclass(frozen=True)
class UmeTrackProfile:
    """A person's hand, millimetres, left."""

    axes: Float64[np.ndarray, "22 3"]
    rests: Float64[np.ndarray, "22 3"]
    bones: Int64[np.ndarray, " 22"]
    parents: Int64[np.ndarray, " 22"]
    landmarks: Float64[np.ndarray, "21 3"]
    landmark_bones: Int64[np.ndarray, "21 3"]
    landmark_weights: Float64[np.ndarray, "21 3"]
    vertices: Float64[np.ndarray, "v 3"]
    weights: Float64[np.ndarray, "v 17"]
    faces: Int64[np.ndarray, "f 3"]

    @staticmethod
    def from_json(profile: dict[str, Any]) -> UmeTrackProfile:
        """From `umetrack_hand_user_profile.json` or a clip's `__hand_shapes.json__`; raises `DamagedSource`."""
        model = profile.get("hand_model", profile)
        if float(np.asarray(model.get("hand_scale", 1.0)).reshape(-1)[0]) != 1.0:
            raise DamagedSource(f"hand_scale is {model['hand_scale']}", hint="profiles of HOT3D have 1")

        def take(name: str, shape: tuple[int, ...], kind: type) -> Any:
            values: np.ndarray = np.asarray(model[name], dtype=np.float64).astype(kind)
            if any(want not in (-1, got) for want, got in zip(shape, values.shape, strict=True)):
                raise DamagedSource(f"{name} has shape {values.shape}", hint=f"{shape}")
            return values

        return UmeTrackProfile(
            axes=take("joint_rotation_axes", (22, 3), float),
            rests=take("joint_rest_positions", (22, 3), float),
            bones=take("joint_frame_index", (22,), int),
            parents=take("joint_parent", (22,), int),
            landmarks=take("landmark_rest_positions", (21, 3), float),
            landmark_bones=take("landmark_rest_bone_indices", (21, 3), int),
            landmark_weights=take("landmark_rest_bone_weights", (21, 3), float),
            vertices=take("mesh_vertices", (-1, 3), float),
            weights=take("dense_bone_weights", (-1, _BONES), float),
            faces=take("mesh_triangles", (-1, 3), int),
        )

    def bone_transforms(
        self, angles: Float64[np.ndarray, "t 22"]
    ) -> tuple[Float64[np.ndarray, "t 17 4 4"], Float64[np.ndarray, "t 20 4 4"]]:
        """Skinning transforms of bones (mm, wrist frame) and of joints."""
        t = len(angles)
        bones, joints = np.tile(np.eye(4), (t, _BONES, 1, 1)), np.tile(np.eye(4), (t, _FINGER_ANGLES, 1, 1))
        for j in range(_FINGER_ANGLES):
            local = np.tile(np.eye(4), (t, 1, 1))
            local[:, :3, :3] = so3_exp(self.axes[j] * angles[:, j, None])
            local[:, :3, 3] = self.rests[j] - local[:, :3, :3] @ self.rests[j]
            parent = self.parents[j]
            joints[:, j] = local if parent == _NONE or parent >= _FINGER_ANGLES else joints[:, parent] @ local
            if self.bones[j] != _NONE:
                bones[:, self.bones[j]] = joints[:, j]
        return bones, joints

    def joints_wrist(self, angles: Float64[np.ndarray, "t 22"]) -> Float64[np.ndarray, "t j=21 3"]:
        """OpenPose-21 (m) in the wrist frame of a left hand. The thumb's base, which the 21 landmarks lack, is the
        centre of the profile's own first thumb joint."""
        bones, joints = self.bone_transforms(angles)
        moved = np.einsum("tlkij,lj->tlki", bones[:, self.landmark_bones], _homogeneous(self.landmarks))
        points = (moved[..., :3] * self.landmark_weights[..., None]).sum(2)
        out, known = reorder(points, ARIA_TO_OPENPOSE, 21)
        if list(np.flatnonzero(~known)) != [1]:
            raise DamagedSource("landmarks lack more than the thumb's base")
        out[:, 1] = (joints[:, _THUMB_BASE_JOINT] @ _homogeneous(self.rests[_THUMB_BASE_JOINT]))[:, :3]
        return out * 1e-3

    def vertices_wrist(self, angles: Float64[np.ndarray, "t 22"]) -> Float64[np.ndarray, "t v 3"]:
        """The skin (m) in the wrist frame of a left hand."""
        bones, _ = self.bone_transforms(angles)
        blended = np.einsum("vb,tbij->tvij", self.weights, bones)
        return (blended @ _homogeneous(self.vertices)[..., None])[..., :3, 0] * 1e-3


def wrist_matrix(T_world_wrist: Float64[np.ndarray, "t 4 4"], side: int) -> Float64[np.ndarray, "t 4 4"]:
    """The map that takes profile points to the world: on a right hand it holds the mirror."""
    out = T_world_wrist.copy()
    if side == RIGHT:
        out[:, :3, 0] *= -1
    return out


def _homogeneous(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)

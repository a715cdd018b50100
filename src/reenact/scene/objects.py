"""`ObjectTracks`: rigid objects over a clip: shape once, pose per frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class ObjectTracks(Record):
    """o rigid objects over t frames. Meshes are stored end to end; `vertex_start[i]:vertex_start[i+1]` is object i."""

    SCHEMA = "reenact.object_tracks"
    VERSION = 1

    object_ids: tuple[str, ...]
    names: tuple[str, ...]
    T_world_object: Float64[np.ndarray, "t o 4 4"]
    valid: Bool[np.ndarray, "t o"]
    confidence: Float64[np.ndarray, "t o"]
    source: UInt8[np.ndarray, "t o"]
    mesh_vertices: Float64[np.ndarray, "v 3"]
    """Metres, each in its own object's frame."""
    mesh_faces: Int64[np.ndarray, "f 3"]
    """Counter-clockwise seen from outside; indices count from the object's own first vertex."""
    vertex_start: Int64[np.ndarray, " o1"]
    face_start: Int64[np.ndarray, " o1"]

    def check(self) -> None:
        count = self.T_world_object.shape[1]
        self.require(
            len(self.object_ids) == count, "object_ids", f"has {len(self.object_ids)} ids", f"{count}"
        )
        self.require(len(set(self.object_ids)) == count, "object_ids", f"{self.object_ids} repeat")
        self.require(len(self.names) == count, "names", f"has {len(self.names)} names", f"{count}")
        for field, total in (("vertex_start", len(self.mesh_vertices)), ("face_start", len(self.mesh_faces))):
            starts = getattr(self, field)
            ok = (
                len(starts) == count + 1
                and starts[0] == 0
                and starts[-1] == total
                and (np.diff(starts) >= 0).all()
            )
            self.require(
                bool(ok), field, f"is {starts.tolist()}", f"{count + 1} rising numbers from 0 to {total}"
            )
        self.require_fraction("confidence")
        self.require_transforms("T_world_object")

    def mesh(self, object_idx: int) -> tuple[Float64[np.ndarray, "v 3"], Int64[np.ndarray, "f 3"]]:
        """Vertices (object frame, m) and faces of one object."""
        v0, v1 = self.vertex_start[object_idx : object_idx + 2]
        f0, f1 = self.face_start[object_idx : object_idx + 2]
        return self.mesh_vertices[v0:v1], self.mesh_faces[f0:f1]


@dataclass(frozen=True, kw_only=True)
class PoseCovariance(Record):
    """How sure the poses of `ObjectTracks` are: covariance of a twist applied on the left, in the scene's axes.

    Order: translation of the object's origin (m), then rotation vector (rad).
    """

    SCHEMA = "reenact.pose_covariance"
    VERSION = 1

    object_ids: tuple[str, ...]
    covariance: Float64[np.ndarray, "t o 6 6"]
    valid: Bool[np.ndarray, "t o"]

    def check(self) -> None:
        skew = np.abs(self.covariance - np.swapaxes(self.covariance, -1, -2)).max(initial=0.0)
        self.require(skew < 1e-9, "covariance", f"is not symmetric (by {skew:.1e})")
        diagonal = np.diagonal(self.covariance, axis1=-2, axis2=-1)
        self.require(bool((diagonal >= 0).all()), "covariance", "has negative variances")

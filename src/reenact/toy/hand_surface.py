"""The hand's skin as points with names, for grasps, contacts and penetration.

In: joint angles and wrist transforms. Out: skin points and which part of the hand each belongs to.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from reenact.hands.joints import LEFT
from reenact.hands.mesh import HandMesh
from reenact.hands.rest import rest_transforms
from reenact.hands.skeleton import HandSkeleton

PALM = 5
"""Part code of the palm; 0..4 are the fingers, thumb first."""
FOREARM = 6


@dataclass(frozen=True)
class HandSurface:
    """One hand's skin points: all vertices of its mesh, or some of them (`keep`)."""

    skeleton: HandSkeleton
    mesh: HandMesh
    part: Int64[np.ndarray, " v"]
    """0..4 finger, 5 hand body, 6 forearm."""
    bone: Int64[np.ndarray, " v"]
    """0 hand body, 1..15 finger bone that carries the point."""
    palmar: Float64[np.ndarray, " v"]
    """Cosine between the point's outward direction and the palm side of its bone."""

    @staticmethod
    @functools.lru_cache(maxsize=16)
    def adult(side: int, hand_length: float) -> HandSurface:
        """The free hand at a given length, all vertices."""
        mesh = HandMesh.load(side)
        return HandSurface(HandSkeleton.adult(side, hand_length), mesh, *_classify(mesh))

    def keep(self, idx: Int64[np.ndarray, " n"]) -> HandSurface:
        """The same hand with only these points."""
        mesh = HandMesh(
            self.mesh.side, self.mesh.vertices_rest[idx], self.mesh.faces[:0], self.mesh.weights[idx]
        )
        return HandSurface(self.skeleton, mesh, self.part[idx], self.bone[idx], self.palmar[idx])

    def thinned(self, cell: float) -> Int64[np.ndarray, " n"]:
        """Indices of one point per cube of `cell` metres of the rest hand, forearm left out."""
        hand = np.flatnonzero(self.part != FOREARM)
        cubes = np.floor(self.mesh.vertices_rest[hand] / cell).astype(np.int64)
        _, first = np.unique(cubes, axis=0, return_index=True)
        return hand[np.sort(first)]

    def points(
        self, angles: Float64[np.ndarray, "*b 20"], T_frame_wrist: Float64[np.ndarray, "*b 4 4"]
    ) -> Float64[np.ndarray, "*b v 3"]:
        """Skin points in the frame of `T_frame_wrist` (m)."""
        return self.mesh.pose(self.skeleton, angles, T_frame_wrist)

    @functools.cached_property
    def tip_pads(self) -> tuple[Int64[np.ndarray, " n"], ...]:
        """Indices of the palm-side skin of each last phalanx, thumb to pinky."""
        return tuple(np.flatnonzero((self.bone == 3 + 3 * f) & (self.palmar > 0.3)) for f in range(5))

    @functools.cached_property
    def palm_pad(self) -> Int64[np.ndarray, " n"]:
        """Indices of the palm's skin."""
        return np.flatnonzero((self.part == PALM) & (self.palmar > 0.5))


def _classify(mesh: HandMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    weights = mesh.weights
    carried = np.zeros((len(weights), 16))
    carried[:, 0] = weights[:, 0]
    carried[:, 1:] = weights[:, 1:16] + 0.5 * weights[:, 16:31]
    for b in range(1, 16):
        parent = 0 if (b - 1) % 3 == 0 else b - 1
        carried[:, parent] += 0.5 * weights[:, 15 + b]
    bone = carried.argmax(axis=1)
    part = np.where(bone == 0, PALM, (bone - 1) // 3)
    distal = mesh.vertices_rest[:, 0] * (1.0 if mesh.side == LEFT else -1.0)
    part = np.where((part == PALM) & (distal < 0.0), FOREARM, part)
    T = rest_transforms(mesh.side)[bone]
    local = np.einsum("vji,vj->vi", T[:, :3, :3], mesh.vertices_rest - T[:, :3, 3])
    across = np.hypot(local[:, 1], np.where(bone == 0, 0.0, local[:, 2]))
    return part, bone, -local[:, 1] / np.maximum(across, 1e-9)

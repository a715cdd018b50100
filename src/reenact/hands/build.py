"""Makes the free hand's mesh file: marching cubes over the implicit surface, relaxed, with skin weights.

Run ``python -m reenact.hands.build`` (needs scikit-image, the ``toy`` extra) after changing anatomy, skeleton or
skinning; a test compares the stored file with a fresh build. Nothing of this runs when the hand is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from reenact.hands.anatomy import hand_distance
from reenact.hands.mesh import MESH_PATH
from reenact.hands.rest import MM, rest_hand
from reenact.hands.skinning import skin_weights

GRID_MM = (
    (-212.0, -20.0, 12.0),  # x: forearm coarse
    (-20.0, 206.0, 5.2),  # palm and fingers
)
GRID_Y_MM, GRID_Z_MM = (-88.0, 44.0, 4.5), (-84.0, 104.0, 4.5)
RELAX_STEPS = 30
SMOOTH_WEIGHTS_STEPS = 3
INFLUENCES = 6
"""Most bones one vertex follows."""


@dataclass(frozen=True)
class BuiltHand:
    """The left hand's rest mesh."""

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray


def build_hand() -> BuiltHand:
    """Builds mesh and weights from scratch; deterministic, about 2 s."""
    rest = rest_hand()

    def distance(points: np.ndarray) -> np.ndarray:
        return hand_distance(rest, points)

    vertices, faces = _march(distance)
    neighbours = vertex_neighbours(faces, len(vertices))
    vertices = _relax(vertices, neighbours, distance)
    weights = skin_weights(vertices, rest)
    for _ in range(SMOOTH_WEIGHTS_STEPS):
        weights = 0.5 * weights + 0.5 * neighbours @ weights
    return BuiltHand(vertices, faces, _keep_strongest(weights))


def _march(distance: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    from skimage.measure import marching_cubes

    x = np.unique(np.concatenate([np.arange(*part) for part in GRID_MM])) * MM
    axes = [x, np.arange(*GRID_Y_MM) * MM, np.arange(*GRID_Z_MM) * MM]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = distance(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    in_cells, faces, _, _ = marching_cubes(values, 0.0, allow_degenerate=False)
    vertices = np.stack([np.interp(in_cells[:, i], np.arange(len(a)), a) for i, a in enumerate(axes)], axis=1)
    faces = np.ascontiguousarray(faces, dtype=np.int64)
    if signed_volume(vertices, faces) < 0:
        faces = faces[:, ::-1]
    return vertices, np.ascontiguousarray(faces)


def signed_volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Volume enclosed (m^3), positive when faces turn counter-clockwise seen from outside."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def vertex_neighbours(faces: np.ndarray, count: int) -> Any:
    """Row-normalised adjacency (scipy sparse [v v])."""
    from scipy.sparse import coo_array

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    adjacency = coo_array((np.ones(len(edges)), edges.T), shape=(count, count)).tocsr()
    adjacency.data[:] = 1.0
    return adjacency.multiply(1.0 / adjacency.sum(1)[:, None]).tocsr()


def _relax(vertices: np.ndarray, neighbours: Any, distance: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Evens out the triangles: towards the mean of the neighbours, then back onto the surface."""
    for _ in range(RELAX_STEPS):
        vertices = vertices + 0.5 * (neighbours @ vertices - vertices)
        for _ in range(2):
            value, slope = distance(vertices), _gradient(distance, vertices)
            step = value / np.maximum((slope * slope).sum(1), 0.05)
            vertices = vertices - np.clip(step, -3 * MM, 3 * MM)[:, None] * slope
    return vertices


def _gradient(
    distance: Callable[[np.ndarray], np.ndarray], points: np.ndarray, h: float = 1e-4
) -> np.ndarray:
    shifts = np.concatenate([np.eye(3), -np.eye(3)]) * h
    values = distance((points + shifts[:, None]).reshape(-1, 3)).reshape(2, 3, len(points))
    return ((values[0] - values[1]) / (2 * h)).T


def _keep_strongest(weights: np.ndarray) -> np.ndarray:
    cut = np.sort(weights, axis=1)[:, -INFLUENCES][:, None]
    weights = np.where((weights >= cut) & (weights > 1e-3), weights, 0.0)
    return weights / weights.sum(1, keepdims=True)


def save_hand(hand: BuiltHand, path: Path) -> None:
    """Writes the compact file ``HandMesh.load`` reads: the strongest weights only, stored sparsely."""
    bone = np.argsort(-hand.weights, axis=1, kind="stable")[:, :INFLUENCES]
    tensors: dict[str, np.ndarray] = {
        "vertices_left_rest": hand.vertices.astype(np.float32),
        "faces_left": hand.faces.astype(np.uint16),
        "bone_idx": bone.astype(np.uint8),
        "bone_weight": np.take_along_axis(hand.weights, bone, axis=1).astype(np.float32),
    }
    save_file(tensors, path, metadata={"made_by": "reenact.hands.build (Apache-2.0)"})
    path.chmod(0o644)  # it is package data, readable by whoever installs it


if __name__ == "__main__":
    made = build_hand()
    save_hand(made, MESH_PATH)
    print(
        f"{MESH_PATH}: {len(made.vertices)} vertices, {len(made.faces)} faces, {MESH_PATH.stat().st_size} bytes"
    )

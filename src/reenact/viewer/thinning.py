"""Fewer faces for the page: corners that share a cell of a grid become one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int64


def thinned(
    vertices: Float[np.ndarray, "v 3"], faces: Int64[np.ndarray, "f 3"], most_faces: int
) -> tuple[Float64[np.ndarray, "_w 3"], Int64[np.ndarray, "_g 3"]]:
    """A mesh of at most `most_faces` faces; unchanged where it has no more.

    Vertex clustering (Rossignac and Borrel, 1993): the cell grows until it suffices. No vertex moves farther than the
    cell's diagonal. For looking at, not for measuring.
    """
    vertices = np.asarray(vertices, np.float64)
    if len(faces) <= most_faces:
        return vertices, faces
    size = float(np.ptp(vertices, axis=0).max())
    cells = float(np.sqrt(most_faces))
    while True:
        merged, left = _clustered(vertices, faces, size / cells)
        if len(left) <= most_faces:
            return merged, left
        cells *= 0.9


def _clustered(vertices: np.ndarray, faces: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    keys = np.floor((vertices - vertices.min(axis=0)) / cell).astype(np.int64)
    _, index, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    index = index.ravel()
    merged = np.stack([np.bincount(index, column) for column in vertices.T], axis=1) / counts[:, None]
    left = index[faces]
    whole = (left[:, 0] != left[:, 1]) & (left[:, 1] != left[:, 2]) & (left[:, 2] != left[:, 0])
    left = left[whole]
    first = np.argmin(left, axis=1)[:, None]
    ordered = np.take_along_axis(
        left, (first + np.arange(3)) % 3, axis=1
    )  # the same face starts at the same corner
    return merged, np.unique(ordered, axis=0)

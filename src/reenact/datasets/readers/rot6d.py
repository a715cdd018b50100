"""The three flattenings of a six-number rotation found in the wild; the same six numbers mean three rotations.

`cols`: first column, then second (ours; HaMeR, ActionNet). `interleaved`: row by row of the 3x2 matrix of the first
two columns (`view(-1, 3, 2)`). `rows`: first row, then second (PyTorch3D's `matrix_to_rotation_6d`; PH2D).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.datasets.readers.errors import DamagedSource
from reenact.geometry.rotations import matrix_from_rot6d_cols

FLATTENINGS = ("cols", "interleaved", "rows")


def matrix_from_rot6d(values: Float[np.ndarray, "*b 6"], flattening: str) -> Float64[np.ndarray, "*b 3 3"]:
    """Rotation from six numbers of a named flattening (Gram-Schmidt on the two vectors).

    Raises:
        DamagedSource: unknown flattening, or numbers whose two vectors are not near unit length and orthogonal.
    """
    values = np.asarray(values, np.float64)
    batch = values.shape[:-1]
    if flattening == "interleaved":
        vectors = np.swapaxes(values.reshape(*batch, 3, 2), -1, -2)
    elif flattening in ("cols", "rows"):
        vectors = values.reshape(*batch, 2, 3)
    else:
        raise DamagedSource(f"flattening {flattening!r}", hint=f"one of {', '.join(FLATTENINGS)}")
    gram = vectors @ np.swapaxes(vectors, -1, -2)
    if np.abs(gram - np.eye(2)).max(initial=0.0) > 1e-2:
        raise DamagedSource(
            f"six-number rotations read as {flattening!r} are not orthonormal",
            hint="another flattening, or another column range",
        )
    R = matrix_from_rot6d_cols(vectors.reshape(*batch, 6))
    return np.swapaxes(R, -1, -2) if flattening == "rows" else R


def rot6d_from_matrix(R: Float[np.ndarray, "*b 3 3"], flattening: str) -> Float64[np.ndarray, "*b 6"]:
    """The inverse, for writers and tests."""
    R = np.asarray(R, np.float64)
    batch = R.shape[:-2]
    if flattening == "cols":
        return np.swapaxes(R[..., :, :2], -1, -2).reshape(*batch, 6)
    if flattening == "interleaved":
        return R[..., :, :2].reshape(*batch, 6)
    if flattening == "rows":
        return R[..., :2, :].reshape(*batch, 6)
    raise DamagedSource(f"flattening {flattening!r}", hint=f"one of {', '.join(FLATTENINGS)}")

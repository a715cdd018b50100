"""One code for numpy arrays and torch tensors: which namespace an array belongs to.

``Array`` stands for any array of the Python array standard. Functions ask ``namespace(x)`` for the
module to compute with and ``like(x)`` for the dtype and device of new constants.
"""

from __future__ import annotations

from typing import Any

import array_api_compat

Array = Any
"""A numpy array or a torch tensor (jaxtyping annotations add dtype and shape)."""


def namespace(*arrays: Array) -> Any:
    """The array-standard namespace shared by the arguments; raises ``TypeError`` when they are mixed."""
    return array_api_compat.array_namespace(*arrays)


def like(x: Array) -> dict[str, Any]:
    """``dtype=`` and ``device=`` for constants that are to be used together with ``x``."""
    return {"dtype": x.dtype, "device": array_api_compat.device(x)}


def as_array(values: Any, x: Array) -> Array:
    """``values`` (nested lists, a scalar or an array) in the namespace, dtype and device of ``x``."""
    return namespace(x).asarray(values, **like(x))


def norm(x: Array, *, keepdims: bool = False) -> Array:
    """Euclidean length over the last axis."""
    return namespace(x).linalg.vector_norm(x, axis=-1, keepdims=keepdims)


def dot(a: Array, b: Array, *, keepdims: bool = False) -> Array:
    """Scalar product over the last axis, broadcasting the others."""
    return namespace(a, b).sum(a * b, axis=-1, keepdims=keepdims)


def normalized(x: Array) -> Array:
    """``x`` at unit length over the last axis; a zero vector stays zero."""
    xp = namespace(x)
    length = norm(x, keepdims=True)
    return x / xp.where(length > 0, length, xp.ones_like(length))


def transposed(x: Array) -> Array:
    """The last two axes exchanged."""
    return namespace(x).matrix_transpose(x)

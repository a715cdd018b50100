"""Rigid transforms as 4x4 matrices ``T_a_b`` (``p_a = T_a_b @ p_b``), over leading batch axes.

Composition is ``@``. Tangent vectors are (translation, rotation), six numbers, metres then radians.
"""

from __future__ import annotations

from jaxtyping import Bool, Float

from reenact.geometry.arrays import Array, as_array, dot, like, namespace, transposed
from reenact.geometry.rotations import hat, matrix_from_quat, quat_from_matrix, slerp, so3_exp, so3_log


def make_T(R: Float[Array, "*#b 3 3"], t: Float[Array, "*#b 3"]) -> Float[Array, "*b 4 4"]:
    """Transform from rotation and translation; batch axes broadcast."""
    xp = namespace(R, t)
    batch = xp.broadcast_arrays(R[..., 0], t)[0].shape[:-1]
    top = xp.concat(
        [xp.broadcast_to(R, (*batch, 3, 3)), xp.broadcast_to(t[..., None], (*batch, 3, 1))], axis=-1
    )
    bottom = xp.broadcast_to(as_array([[0.0, 0.0, 0.0, 1.0]], R), (*batch, 1, 4))
    return xp.concat([top, bottom], axis=-2)


def identity(x: Float[Array, "*b 4 4"]) -> Float[Array, "4 4"]:
    """A fresh identity transform of the kind of array that ``x`` is."""
    return namespace(x).eye(4, **like(x))


def rotation_of(T: Float[Array, "*b 4 4"]) -> Float[Array, "*b 3 3"]:
    """The rotation block."""
    return T[..., :3, :3]


def translation_of(T: Float[Array, "*b 4 4"]) -> Float[Array, "*b 3"]:
    """The translation column."""
    return T[..., :3, 3]


def inverse(T: Float[Array, "*b 4 4"]) -> Float[Array, "*b 4 4"]:
    """``T_b_a`` from ``T_a_b`` (transpose of the rotation, not a general inverse)."""
    Rt = transposed(rotation_of(T))
    return make_T(Rt, -(Rt @ translation_of(T)[..., None])[..., 0])


def apply(T: Float[Array, "*#b 4 4"], points: Float[Array, "*#b n 3"]) -> Float[Array, "*b n 3"]:
    """Points in frame b to frame a by ``T_a_b``; batch axes broadcast."""
    return points @ transposed(rotation_of(T)) + translation_of(T)[..., None, :]


def rotate(T: Float[Array, "*#b 4 4"], vectors: Float[Array, "*#b n 3"]) -> Float[Array, "*b n 3"]:
    """Directions in frame b to frame a by ``T_a_b`` (no translation)."""
    return vectors @ transposed(rotation_of(T))


def se3_exp(xi: Float[Array, "*b 6"]) -> Float[Array, "*b 4 4"]:
    """Transform of a constant twist over unit time; ``xi`` = (translation, rotation)."""
    v, w = xi[..., :3], xi[..., 3:]
    return make_T(so3_exp(w), (_left_jacobian(w) @ v[..., None])[..., 0])


def se3_log(T: Float[Array, "*b 4 4"]) -> Float[Array, "*b 6"]:
    """The twist (translation, rotation) with ``se3_exp(se3_log(T)) == T``."""
    xp = namespace(T)
    w = so3_log(rotation_of(T))
    v = (_left_jacobian_inverse(w) @ translation_of(T)[..., None])[..., 0]
    return xp.concat([v, w], axis=-1)


def _left_jacobian(w: Array) -> Array:
    """``I + (1-cos θ)/θ² W + (θ-sin θ)/θ³ W²`` (Barfoot, State Estimation for Robotics, eq. 7.85)."""
    xp = namespace(w)
    theta2 = dot(w, w)[..., None, None]
    small = theta2 < 1e-4
    theta = xp.sqrt(xp.where(small, xp.ones_like(theta2), theta2))
    half = xp.sin(theta / 2) / (theta / 2)
    b = xp.where(small, 0.5 - theta2 / 24 + theta2**2 / 720, 0.5 * half * half)
    c = xp.where(small, 1 / 6 - theta2 / 120 + theta2**2 / 5040, (theta - xp.sin(theta)) / theta**3)
    W = hat(w)
    return xp.eye(3, **like(w)) + b * W + c * (W @ W)


def _left_jacobian_inverse(w: Array) -> Array:
    """``I - W/2 + (1/θ² - cot(θ/2)/(2θ)) W²``."""
    xp = namespace(w)
    theta2 = dot(w, w)[..., None, None]
    small = theta2 < 1e-4
    theta = xp.sqrt(xp.where(small, xp.ones_like(theta2), theta2))
    exact = 1 / theta**2 - xp.cos(theta / 2) / (2 * theta * xp.sin(theta / 2))
    c = xp.where(small, 1 / 12 + theta2 / 720 + theta2**2 / 30240, exact)
    W = hat(w)
    return xp.eye(3, **like(w)) - 0.5 * W + c * (W @ W)


def interpolate(
    T0: Float[Array, "*#b 4 4"], T1: Float[Array, "*#b 4 4"], u: Float[Array, "*#b"] | float
) -> Float[Array, "*b 4 4"]:
    """Rotation by slerp (shortest way), translation on the straight line; ``u`` in 0..1."""
    u = as_array(u, T0)
    q = slerp(quat_from_matrix(rotation_of(T0)), quat_from_matrix(rotation_of(T1)), u)
    t0, t1 = translation_of(T0), translation_of(T1)
    return make_T(matrix_from_quat(q), t0 + (t1 - t0) * u[..., None])


def is_transform(T: Float[Array, "*b 4 4"], atol: float = 1e-6) -> Bool[Array, "*b"]:
    """True where finite, orthonormal within ``atol``, right-handed, and the last row is (0, 0, 0, 1)."""
    xp = namespace(T)
    R = rotation_of(T)
    off = xp.max(xp.abs(transposed(R) @ R - xp.eye(3, **like(T))), axis=(-2, -1))
    last = xp.max(xp.abs(T[..., 3, :] - as_array([0.0, 0.0, 0.0, 1.0], T)), axis=-1)
    finite = xp.all(xp.isfinite(T), axis=(-2, -1))
    return finite & (off <= atol) & (last <= atol) & (xp.linalg.det(R) > 0)

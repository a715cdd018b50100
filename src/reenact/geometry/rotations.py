"""Rotations: matrices, quaternions (wxyz), rotation vectors and the 6-D form, over leading batch axes.

Matrices ``R_a_b`` take coordinates in b to a. Quaternions are wxyz. All functions work on numpy arrays
and torch tensors alike and are differentiable in torch away from a half turn.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.arrays import Array, as_array, dot, like, namespace, norm, normalized, transposed


def hat(w: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """The skew matrix with ``hat(w) @ v == cross(w, v)``."""
    xp = namespace(w)
    x, y, z = w[..., 0], w[..., 1], w[..., 2]
    o = xp.zeros_like(x)
    return xp.reshape(xp.stack([o, -z, y, z, o, -x, -y, x, o], axis=-1), (*w.shape, 3))


def so3_exp(w: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """Rotation by ``|w|`` radians about ``w`` (Rodrigues); exact to rounding at every angle."""
    a, b = _sinc_terms(dot(w, w))
    W = hat(w)
    eye = namespace(w).eye(3, **like(w))
    return eye + a[..., None, None] * W + b[..., None, None] * (W @ W)


def so3_log(R: Float[Array, "*b 3 3"]) -> Float[Array, "*b 3"]:
    """Rotation vector with angle in [0, pi]; goes through the quaternion, so it holds near 0 and near pi."""
    q = quat_from_matrix(R)
    xp = namespace(q)
    w, v = q[..., :1], q[..., 1:]
    squared = dot(v, v, keepdims=True)
    small = squared < 1e-12
    length = xp.sqrt(xp.where(small, xp.ones_like(squared), squared))
    near_zero = 2 + squared / 3  # 2 asin(s)/s
    return v * xp.where(small, near_zero, 2 * xp.atan2(length, w) / length)


def _sinc_terms(theta2: Array) -> tuple[Array, Array]:
    """``sin(θ)/θ`` and ``(1-cos θ)/θ²`` from θ², by series below 1e-4 rad."""
    xp = namespace(theta2)
    small = theta2 < 1e-8
    theta = xp.sqrt(xp.where(small, xp.ones_like(theta2), theta2))
    half_sinc = xp.sin(theta / 2) / (theta / 2)
    a = xp.where(small, 1 - theta2 / 6, xp.sin(theta) / theta)
    b = xp.where(small, 0.5 - theta2 / 24, 0.5 * half_sinc * half_sinc)
    return a, b


def quat_from_matrix(R: Float[Array, "*b 3 3"]) -> Float[Array, "*b 4"]:
    """Unit quaternion wxyz with w >= 0 (Shepperd: always divides by the largest component)."""
    xp = namespace(R)
    m = [[R[..., i, j] for j in range(3)] for i in range(3)]
    d0, d1, d2 = m[0][0], m[1][1], m[2][2]
    sizes = [1 + d0 + d1 + d2, 1 + d0 - d1 - d2, 1 - d0 + d1 - d2, 1 - d0 - d1 + d2]  # 4 w², 4 x², 4 y², 4 z²
    wx, wy, wz = m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]
    xy, xz, yz = m[0][1] + m[1][0], m[0][2] + m[2][0], m[1][2] + m[2][1]
    rows = [[sizes[0], wx, wy, wz], [wx, sizes[1], xy, xz], [wy, xy, sizes[2], yz], [wz, xz, yz, sizes[3]]]
    best, size = xp.stack(rows[0], axis=-1), sizes[0]
    for row, other in zip(rows[1:], sizes[1:], strict=True):
        larger = other > size
        best = xp.where(larger[..., None], xp.stack(row, axis=-1), best)
        size = xp.where(larger, other, size)
    q = normalized(best)
    return xp.where(q[..., :1] < 0, -q, q)


def matrix_from_quat(q: Float[Array, "*b 4"]) -> Float[Array, "*b 3 3"]:
    """Rotation matrix of a wxyz quaternion, which is normalised first."""
    xp = namespace(q)
    q = normalized(q)
    w, x, y, z = (q[..., i] for i in range(4))
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def quat_continuous(q: Float[Array, "*b t 4"]) -> Float[Array, "*b t 4"]:
    """The same rotations with signs chosen so that w >= 0 at the first frame and no frame jumps to -q."""
    xp = namespace(q)
    flips = xp.astype(dot(q[..., 1:, :], q[..., :-1, :]) < 0, xp.int64)
    first = xp.astype(q[..., :1, 0] < 0, xp.int64)
    odd = xp.cumulative_sum(xp.concat([first, flips], axis=-1), axis=-1) % 2 == 1
    return xp.where(odd[..., None], -q, q)


def rot6d_cols_from_matrix(R: Float[Array, "*b 3 3"]) -> Float[Array, "*b 6"]:
    """First column, then second column: ``(R00, R10, R20, R01, R11, R21)`` (Zhou et al., CVPR 2019)."""
    return namespace(R).concat([R[..., :, 0], R[..., :, 1]], axis=-1)


def matrix_from_rot6d_cols(d: Float[Array, "*b 6"]) -> Float[Array, "*b 3 3"]:
    """Gram-Schmidt on the two columns; any two independent 3-vectors give a proper rotation."""
    xp = namespace(d)
    a = normalized(d[..., :3])
    b = d[..., 3:]
    b = normalized(b - dot(a, b, keepdims=True) * a)
    return xp.stack([a, b, xp.linalg.cross(a, b, axis=-1)], axis=-1)


def rotation_angle(R_a: Float[Array, "*#b 3 3"], R_b: Float[Array, "*#b 3 3"]) -> Float[Array, "*b"]:
    """Geodesic distance in radians, in [0, pi]; does not saturate for large errors."""
    return norm(so3_log(transposed(R_a) @ R_b))


def slerp(
    q0: Float[Array, "*#b 4"], q1: Float[Array, "*#b 4"], u: Float[Array, "*#b"] | float
) -> Float[Array, "*b 4"]:
    """Shortest-way spherical interpolation of unit quaternions; ``u=0`` gives q0, ``u=1`` gives ±q1."""
    xp = namespace(q0, q1)
    u = as_array(u, q0)[..., None]
    q1 = xp.where(dot(q0, q1, keepdims=True) < 0, -q1, q1)
    angle = 2 * xp.atan2(norm(q1 - q0, keepdims=True), norm(q1 + q0, keepdims=True))
    small = angle < 1e-6
    sine = xp.sin(xp.where(small, xp.ones_like(angle), angle))
    a = xp.where(small, 1 - u, xp.sin((1 - u) * angle) / sine)
    b = xp.where(small, u, xp.sin(u * angle) / sine)
    return normalized(a * q0 + b * q1)


def project_to_so3(M: Float[Array, "*b 3 3"]) -> Float[Array, "*b 3 3"]:
    """Nearest rotation in the Frobenius norm (SVD, determinant made +1)."""
    xp = namespace(M)
    U, _, Vt = xp.linalg.svd(M, full_matrices=True)
    sign = xp.sign(xp.linalg.det(U @ Vt))
    ones = xp.ones_like(sign)
    return (U * xp.stack([ones, ones, sign], axis=-1)[..., None, :]) @ Vt


def rotation_mean(
    R: Float[Array, "*b n 3 3"], weights: Float[Array, "*b n"] | None = None
) -> Float[Array, "*b 3 3"]:
    """Chordal L2 mean: the rotation nearest to the weighted arithmetic mean of the matrices."""
    xp = namespace(R)
    if weights is not None:
        R = R * weights[..., None, None]
    return project_to_so3(xp.sum(R, axis=-3))


def rotation_between(a: Float[Array, "*b 3"], b: Float[Array, "*b 3"]) -> Float[Array, "*b 3 3"]:
    """The smallest rotation with ``R @ a`` along ``b``; opposite vectors turn about any perpendicular."""
    xp = namespace(a, b)
    a, b = normalized(a), normalized(b)
    x, y = as_array([1.0, 0.0, 0.0], a), as_array([0.0, 1.0, 0.0], a)
    away = xp.where(xp.abs(a[..., :1]) < 0.9, x, y)
    axis = xp.linalg.cross(a, b, axis=-1)
    sine = norm(axis, keepdims=True)
    spare = normalized(xp.linalg.cross(a, away, axis=-1))
    unit = xp.where(sine > 1e-12, axis / xp.where(sine > 1e-12, sine, xp.ones_like(sine)), spare)
    return so3_exp(unit * xp.atan2(sine, dot(a, b, keepdims=True)))


def random_rotation(rng: np.random.Generator, n: int | tuple[int, ...] = ()) -> Float64[np.ndarray, "*b 3 3"]:
    """Rotations uniform on SO(3) (normalised Gaussian quaternions), batch shape ``n``."""
    shape = (n,) if isinstance(n, int) else tuple(n)
    return matrix_from_quat(rng.normal(size=(*shape, 4)))

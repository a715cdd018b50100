"""Best rigid or similarity transform between two matched point sets (Kabsch 1976, Umeyama 1991)."""

from __future__ import annotations

from jaxtyping import Float

from reenact.errors import ReenactError
from reenact.geometry.arrays import Array, dot, namespace, transposed
from reenact.geometry.rotations import project_to_so3
from reenact.geometry.transforms import make_T


class NothingToAlign(ReenactError):
    """All weights are zero, or there are fewer than three points: no transform is determined."""


def kabsch(
    src: Float[Array, "*b n 3"], dst: Float[Array, "*b n 3"], weights: Float[Array, "*b n"] | None = None
) -> Float[Array, "*b 4 4"]:
    """``T_dst_src`` minimising ``sum w |dst - T src|²``; always a proper rotation, never a reflection.

    Raises:
        NothingToAlign: fewer than three points, or weights that sum to zero.
    """
    mean_src, mean_dst, cov, _ = _moments(src, dst, weights)
    R = project_to_so3(cov)
    return make_T(R, mean_dst - (R @ mean_src[..., None])[..., 0])


def umeyama(
    src: Float[Array, "*b n 3"], dst: Float[Array, "*b n 3"], weights: Float[Array, "*b n"] | None = None
) -> tuple[Float[Array, "*b"], Float[Array, "*b 4 4"]]:
    """``(scale, T)`` minimising ``sum w |dst - (scale R src + t)|²``; T holds R and t, scale is apart.

    Umeyama, PAMI 1991, eqs. 40-42. Raises ``NothingToAlign`` as ``kabsch`` does.
    """
    mean_src, mean_dst, cov, variance_src = _moments(src, dst, weights)
    xp = namespace(src)
    R = project_to_so3(cov)
    scale = xp.sum(R * cov, axis=(-2, -1)) / xp.where(
        variance_src > 0, variance_src, xp.ones_like(variance_src)
    )
    t = mean_dst - scale[..., None] * (R @ mean_src[..., None])[..., 0]
    return scale, make_T(R, t)


def _moments(src: Array, dst: Array, weights: Array | None) -> tuple[Array, Array, Array, Array]:
    """Weighted means, covariance ``sum w dst srcᵀ`` of the centred points, and the variance of src."""
    xp = namespace(src, dst)
    if src.shape[-2] < 3:
        raise NothingToAlign(f"{src.shape[-2]} points", hint="at least three matched points are needed")
    if weights is None:
        weights = xp.ones_like(src[..., 0])
    total = xp.sum(weights, axis=-1, keepdims=True)
    if bool(xp.any(total <= 0)):
        raise NothingToAlign("the weights of a point set sum to zero", hint="leave such sets out")
    w = (weights / total)[..., None]
    mean_src, mean_dst = xp.sum(w * src, axis=-2), xp.sum(w * dst, axis=-2)
    a, b = src - mean_src[..., None, :], dst - mean_dst[..., None, :]
    return mean_src, mean_dst, transposed(w * b) @ a, xp.sum(dot(a, a, keepdims=True) * w, axis=(-2, -1))

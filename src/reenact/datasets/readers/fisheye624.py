"""Aria's and Quest's Fisheye624 lens, and the nearest lens that our records hold (Kannala-Brandt, four terms).

Radial polynomial of six terms, two tangential, four thin-prism (projectaria_tools, camera models).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.datasets.readers.errors import LensUnsure


def project_fisheye624(
    points: Float[np.ndarray, "*b 3"], params: Float[np.ndarray, " p"]
) -> Float64[np.ndarray, "*b 2"]:
    """Pixels; params are f cx cy (15 in all) or fx fy cx cy (16), then k0..k5 p0 p1 s0..s3."""
    focal, centre, k, p, s = _split(params)
    xy, z = points[..., :2], points[..., 2]
    r = np.maximum(np.linalg.norm(xy, axis=-1), 1e-12)
    theta = np.arctan2(r, z)
    radial = theta * (1 + sum(k[i] * theta ** (2 * i + 2) for i in range(6)))
    u = xy * (radial / r)[..., None]
    r2 = (u * u).sum(-1)
    tangent = 2 * (u @ p)[..., None] * u + r2[..., None] * p
    prism = np.stack([s[0] * r2 + s[1] * r2**2, s[2] * r2 + s[3] * r2**2], axis=-1)
    return (u + tangent + prism) * focal + centre


def nearest_kb4(params: Float[np.ndarray, " p"], theta_max: float) -> tuple[Float64[np.ndarray, "8"], float]:
    """fx fy cx cy k1..k4 by least squares over rays up to `theta_max` (rad), and the worst error in pixels."""
    focal, centre, _, _, _ = _split(params)
    theta, phi = np.meshgrid(np.linspace(0.01, theta_max, 40), np.linspace(0, 2 * np.pi, 24, endpoint=False))
    rays = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    pixels = project_fisheye624(rays, params)
    radius = np.linalg.norm((pixels - centre) / focal, axis=-1)
    powers = np.stack([theta ** (2 * i + 3) for i in range(4)], axis=-1).reshape(-1, 4)
    k, *_ = np.linalg.lstsq(powers, (radius - theta).reshape(-1), rcond=None)
    fitted = theta * (1 + sum(k[i] * theta ** (2 * i + 2) for i in range(4)))
    direction = np.stack([np.cos(phi), np.sin(phi)], axis=-1)
    worst = float(np.linalg.norm(fitted[..., None] * direction * focal + centre - pixels, axis=-1).max())
    return np.concatenate([focal, centre, k]), worst


def _split(params: np.ndarray) -> tuple[np.ndarray, ...]:
    params = np.asarray(params, np.float64)
    if len(params) not in (15, 16):
        raise LensUnsure(f"a Fisheye624 lens of {len(params)} numbers", hint="15 or 16")
    head = len(params) - 12
    focal = params[: head - 2] if head == 4 else np.repeat(params[0], 2)
    rest = params[head:]
    return focal, params[head - 2 : head], rest[:6], rest[6:8], rest[8:]

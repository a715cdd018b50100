"""Camera models: pinhole and fisheye (Kannala-Brandt, four terms), OpenCV axes (x right, y down, z forward).

Pixel (0, 0) is the centre of the top left pixel, as in OpenCV; the image spans [-0.5, width - 0.5).
Projection never returns NaN: where a point cannot be seen the pixel is finite but meaningless and
``in_front`` is False.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.errors import InputError
from reenact.geometry.arrays import Array, namespace, norm, normalized

C = TypeVar("C", bound="_Intrinsics")
_NEAR = 1e-6  # metres: nearer than this in z counts as not in front of a pinhole camera


class BadCamera(InputError):
    """Intrinsics that no camera has: focal length not positive, image without pixels, unknown model."""


@dataclass(frozen=True)
class _Intrinsics:
    """Focal lengths and centre in pixels, image size in pixels; what both models share."""

    fx: float
    fy: float
    cx: float
    cy: float
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        if not (self.fx > 0 and self.fy > 0 and math.isfinite(self.fx) and math.isfinite(self.fy)):
            raise BadCamera(f"focal lengths ({self.fx}, {self.fy})", hint="both must be finite and > 0 px")
        if self.width_px < 1 or self.height_px < 1:
            raise BadCamera(f"image size {self.width_px} x {self.height_px}", hint="both must be >= 1 px")

    @property
    def K(self) -> Float64[np.ndarray, "3 3"]:
        """The 3x3 matrix of focal lengths and centre."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    @property
    def params(self) -> Float64[np.ndarray, " p"]:
        """fx fy cx cy, then k1 k2 k3 k4 for the fisheye: what records store."""
        skip = ("width_px", "height_px")
        return np.array([getattr(self, f.name) for f in fields(self) if f.name not in skip], dtype=np.float64)

    def scaled(self: C, sx: float, sy: float | None = None) -> C:
        """The camera of the image resized by (sx, sy), with pixel centres kept right as cv2.resize does."""
        sy = sx if sy is None else sy
        values: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        values |= {"fx": self.fx * sx, "fy": self.fy * sy}
        values |= {"cx": (self.cx + 0.5) * sx - 0.5, "cy": (self.cy + 0.5) * sy - 0.5}
        values |= {"width_px": round(self.width_px * sx), "height_px": round(self.height_px * sy)}
        return type(self)(**values)

    def _in_frame(self, pixels: Array) -> Array:
        x, y = pixels[..., 0], pixels[..., 1]
        return (x >= -0.5) & (x < self.width_px - 0.5) & (y >= -0.5) & (y < self.height_px - 0.5)

    def _normalized(self, pixels: Array) -> tuple[Array, Array]:
        return (pixels[..., 0] - self.cx) / self.fx, (pixels[..., 1] - self.cy) / self.fy

    def _pixels(self, x: Array, y: Array) -> Array:
        return namespace(x).stack([x * self.fx + self.cx, y * self.fy + self.cy], axis=-1)


@dataclass(frozen=True)
class PinholeCamera(_Intrinsics):
    """Perspective camera without distortion."""

    model = "pinhole"

    @classmethod
    def from_fov(cls, horizontal_fov: float, width_px: int, height_px: int) -> PinholeCamera:
        """Square pixels, centre in the middle; ``horizontal_fov`` in radians, in (0, pi)."""
        if not 0 < horizontal_fov < math.pi:
            raise BadCamera(f"horizontal field of view {horizontal_fov} rad", hint="it must lie in (0, pi)")
        f = width_px / (2 * math.tan(horizontal_fov / 2))
        return cls(f, f, (width_px - 1) / 2, (height_px - 1) / 2, width_px, height_px)

    @property
    def horizontal_fov(self) -> float:
        """Angle in radians between the left and right edge at the height of the centre."""
        left, right = self.cx + 0.5, self.width_px - 0.5 - self.cx
        return math.atan2(left, self.fx) + math.atan2(right, self.fx)

    def project(self, points_camera: Float[Array, "*b 3"]) -> Float[Array, "*b 2"]:
        """Pixels of points in metres; meaningless (finite) where ``in_front`` is False."""
        xp = namespace(points_camera)
        z = points_camera[..., 2]
        z = xp.where(z > _NEAR, z, xp.ones_like(z))
        return self._pixels(points_camera[..., 0] / z, points_camera[..., 1] / z)

    def unproject(self, pixels: Float[Array, "*b 2"]) -> Float[Array, "*b 3"]:
        """Unit rays in camera axes through the pixels."""
        x, y = self._normalized(pixels)
        xp = namespace(x)
        return normalized(xp.stack([x, y, xp.ones_like(x)], axis=-1))

    def in_front(self, points_camera: Float[Array, "*b 3"]) -> Bool[Array, "*b"]:
        """True where the point has a projection at all."""
        return points_camera[..., 2] > _NEAR

    def in_image(self, pixels: Float[Array, "*b 2"]) -> Bool[Array, "*b"]:
        """True where the pixel lies on the image."""
        return self._in_frame(pixels)


@dataclass(frozen=True)
class FisheyeCamera(_Intrinsics):
    """Kannala-Brandt model: image radius θ(1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸), θ the angle off the axis.

    The coefficients are those of ``cv2.fisheye``; unlike there, rays beyond 90 degrees project too, up to
    ``theta_max``, the angle where the radius stops growing (or just below pi).
    """

    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    k4: float = 0.0

    model = "fisheye_kb4"

    @classmethod
    def from_fov(cls, horizontal_fov: float, width_px: int, height_px: int) -> FisheyeCamera:
        """Ideal equidistant lens (all k zero); ``horizontal_fov`` in radians, in (0, 2 pi)."""
        if not 0 < horizontal_fov < 2 * math.pi:
            raise BadCamera(f"horizontal field of view {horizontal_fov} rad", hint="it must lie in (0, 2 pi)")
        f = width_px / horizontal_fov
        return cls(f, f, (width_px - 1) / 2, (height_px - 1) / 2, width_px, height_px)

    @cached_property
    def theta_max(self) -> float:
        """Largest angle off the axis (rad) at which the model is still one-to-one."""
        slope = [9 * self.k4, 0, 7 * self.k3, 0, 5 * self.k2, 0, 3 * self.k1, 0, 1.0]  # d radius / d θ
        roots = np.roots(slope)
        real = roots[np.abs(roots.imag) < 1e-9].real
        return float(min([math.pi - 1e-3, *real[real > 1e-6]]))

    @property
    def horizontal_fov(self) -> float:
        """Angle in radians between the rays of the left and right edge at the height of the centre."""
        edges = np.array([[-0.5, self.cy], [self.width_px - 0.5, self.cy]])
        rays = self.unproject(edges)
        return float(np.sum(np.arctan2(np.abs(rays[:, 0]), rays[:, 2])))

    def project(self, points_camera: Float[Array, "*b 3"]) -> Float[Array, "*b 2"]:
        """Pixels of points in metres; meaningless (finite) where ``in_front`` is False."""
        xp = namespace(points_camera)
        xy, z = points_camera[..., :2], points_camera[..., 2]
        r = norm(xy)
        on_axis = r < 1e-12
        safe = xp.where(on_axis, xp.ones_like(r), r)
        theta = xp.clip(xp.atan2(r, z), 0.0, self.theta_max)
        scale = xp.where(on_axis, xp.zeros_like(r), self._radius(theta) / safe)
        return self._pixels(xy[..., 0] * scale, xy[..., 1] * scale)

    def unproject(self, pixels: Float[Array, "*b 2"]) -> Float[Array, "*b 3"]:
        """Unit rays; pixels outside the lens circle (``in_image`` False) are taken to its rim."""
        x, y = self._normalized(pixels)
        xp = namespace(x)
        radius = norm(xp.stack([x, y], axis=-1))
        theta = self._angle(radius)
        safe = xp.where(radius < 1e-12, xp.ones_like(radius), radius)
        scale = xp.where(radius < 1e-12, xp.ones_like(radius), xp.sin(theta) / safe)
        return normalized(xp.stack([x * scale, y * scale, xp.cos(theta)], axis=-1))

    def in_front(self, points_camera: Float[Array, "*b 3"]) -> Bool[Array, "*b"]:
        """True where the point has a projection: within ``theta_max`` of the axis, not at the centre."""
        xp = namespace(points_camera)
        theta = xp.atan2(norm(points_camera[..., :2]), points_camera[..., 2])
        return (theta < self.theta_max) & (norm(points_camera) > _NEAR)

    def in_image(self, pixels: Float[Array, "*b 2"]) -> Bool[Array, "*b"]:
        """True where the pixel lies on the image and inside the circle that the lens can reach."""
        x, y = self._normalized(pixels)
        radius = norm(namespace(x).stack([x, y], axis=-1))
        return self._in_frame(pixels) & (radius < self._radius(self.theta_max))

    def _radius(self, theta: Any) -> Any:
        s = theta * theta
        return theta * (1 + s * (self.k1 + s * (self.k2 + s * (self.k3 + s * self.k4))))

    def _slope(self, theta: Array) -> Array:
        s = theta * theta
        return 1 + s * (3 * self.k1 + s * (5 * self.k2 + s * (7 * self.k3 + s * 9 * self.k4)))

    def _angle(self, radius: Array) -> Array:
        """θ of an image radius: Newton kept inside a shrinking bracket, so it cannot run away."""
        xp = namespace(radius)
        low, high = xp.zeros_like(radius), xp.ones_like(radius) * self.theta_max
        theta = xp.clip(radius, 0.0, self.theta_max)
        for _ in range(30):
            off = self._radius(theta) - radius
            low, high = xp.where(off < 0, theta, low), xp.where(off < 0, high, theta)
            slope = self._slope(theta)
            step = theta - off / xp.where(slope > 1e-9, slope, xp.ones_like(slope))
            theta = xp.where((step >= low) & (step <= high), step, (low + high) / 2)
        return theta


Camera = PinholeCamera | FisheyeCamera
"""Either model; both have project, unproject, in_front, in_image, scaled, K, params, horizontal_fov."""


def camera_from_params(
    model: str, params: Float64[np.ndarray, " p"], width_px: int, height_px: int
) -> Camera:
    """The camera that a record stores as (model, params, size); raises ``BadCamera`` for others."""
    sizes = {"pinhole": 4, "fisheye_kb4": 8}
    if model not in sizes:
        raise BadCamera(f"unknown camera model {model!r}", hint=f"known models: {', '.join(sizes)}")
    if len(params) != sizes[model]:
        raise BadCamera(f"{model} with {len(params)} parameters", hint=f"it has {sizes[model]}")
    fx, fy, cx, cy, *k = (float(p) for p in params)
    if model == "pinhole":
        return PinholeCamera(fx, fy, cx, cy, width_px, height_px)
    return FisheyeCamera(fx, fy, cx, cy, width_px, height_px, *k)

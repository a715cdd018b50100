"""The least-squares problem of fitting one plain solid to one frame: outline, depth, plane, hand and priors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64
from scipy.optimize import least_squares

from reenact.geometry.rotations import rotation_between, so3_exp
from reenact.perception.pose.contract import Sighting
from reenact.perception.shape.outline import MaskOutline
from reenact.perception.shape.primitives import primitive_distance, primitive_mesh

EXTENTS = {"sphere": (0, 0, 0), "cylinder": (0, 0, 1), "ellipsoid": (0, 0, 1), "box": (0, 1, 2)}
"""Per kind: which unknown is its extent along x, y and z."""


@dataclass(frozen=True)
class ShapeFitConfig:
    """Priors and noise of the fit."""

    usual_size: float = 0.09
    """Median extent of things that hands hold (m)."""
    size_spread: float = 0.6
    """One-sigma of its logarithm."""
    outline_sigma_px: float = 1.0
    """Noise of a mask's edge (mask pixels)."""
    outline_bias_px: float = 1.0
    """One-sigma of how much all of a mask's edge lies too far in or out (mask pixels): the published masks of the
    basketball are 0.8 px too tight, those of the hawor plate about 1 px too wide. It does not average out."""
    effective_points: float = 40.0
    """As in `PoseConfig`."""
    depth_scatter_min: float = 0.25
    """Depth's noise is taken from its scatter about the solid, but not for less than this share of what it says."""
    upright_sigma: float = 0.03
    """How exactly things stand upright on the plane (rad)."""
    tilt_sigma: float = 0.4
    """The same where only a guess says what is up."""
    hand_offset: float = 0.03
    """A held thing's centre is about this far before or behind the fingers (m)."""
    model_error_min: float = 0.01
    """Least relative one-sigma of the size for what a plain solid leaves out; else half of what the outlines do not
    share (a band of that area about the outline), and for all but balls `model_error`."""
    model_error: float = 0.04
    """The same for handles and taper that one view does not show."""
    kind_margin: float = 0.015
    """Overlap by which a box or ellipsoid must beat the cylinder, and an ellipsoid the ball; a ball needs half of it."""
    min_iou: float = 0.8
    """Overlap below which no plain solid is given; the thing is then cut out of its picture."""
    window_px: int = 128
    """Side of the close-up."""


@dataclass(frozen=True)
class Fitted:
    """One kind fitted to one frame."""

    kind: str
    size: np.ndarray
    T_camera_object: np.ndarray
    sigma_log: np.ndarray
    iou: float
    misfit: float
    depth_misfit: float | None
    """Scatter of depth about the solid over what depth says of itself; None without depth."""
    swell_px: float
    """By how much the solid is drawn larger than the mask (mask pixels, each side)."""


class Problem:
    """Residuals of one kind in one frame.

    Unknowns: logarithms of size over distance, x/z and y/z of the centre, logarithm of its z, small turn (rad), and by
    how many pixels the mask is too small all around. So the scale, which the outline does not see, is an axis of its
    own and is found although it is soft.
    """

    def __init__(
        self,
        config: ShapeFitConfig,
        sighting: Sighting,
        kind: str,
        outline: MaskOutline,
        up: np.ndarray,
        up_sigma: float,
    ) -> None:
        self.c, self.sighting, self.kind, self.outline = config, sighting, kind, outline
        self.up, self.up_sigma = up, up_sigma
        self.extents = EXTENTS[kind]
        self.sizes = max(self.extents) + 1
        self.unit = primitive_mesh(kind, np.ones(3))[0]
        self.base = np.eye(3)
        self.cloud_sigma = sighting.cloud_sigma
        self.steps = np.array([0.1] * self.sizes + [0.02, 0.02, 0.1] + [0.1] * 3 + [0.5])

    def start(self, low: np.ndarray, high: np.ndarray, yaw: float) -> np.ndarray:
        """Placed by what is known best."""
        s = self.sighting
        self.base = rotation_between(np.array([0.0, 0.0, 1.0]), self.up)
        middle, extent = (low + high) / 2, high - low
        ray = np.array([*middle, 1.0])
        if len(s.cloud) >= 30:
            z = float(np.median(s.cloud[:, 2])) * (1 + 0.3 * float(extent.min()))
        elif s.plane is not None and s.resting:
            foot = np.array([middle[0], high[1], 1.0])
            along = float(foot @ s.plane.normal)
            z = s.plane.offset / along * (1 + 0.3 * float(extent.min())) if abs(along) > 1e-6 else 1.0
            z = z if 0.05 < z < 10 else self.c.usual_size / float(extent.mean())
        elif len(s.hand):
            z = float(np.median(s.hand[:, 2]))
        else:
            z = self.c.usual_size / float(extent.mean())
        wide, tall = float(extent[0]) * z, float(extent[1]) * z
        size = {1: [(wide + tall) / 2], 2: [wide, tall], 3: [wide, wide * 0.8, tall]}[self.sizes]
        turn = self.up * yaw
        return np.concatenate([np.log(np.clip(size, 0.01, 1.0) / z), ray[:2], [np.log(z)], turn, [0.0]])

    def parts(self, x: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
        """Size [3] and T_camera_object."""
        u, v, log_z = x[self.sizes : self.sizes + 3]
        z = float(np.exp(np.clip(log_z, np.log(0.05), np.log(30.0))))
        size = np.clip(np.exp(np.clip(x[: self.sizes], -8.0, 3.0)) * z, 0.003, 2.0)
        T = np.eye(4)
        T[:3, :3] = so3_exp(x[-4:-1]) @ self.base
        T[:3, 3] = u * z, v * z, z
        return size[list(self.extents)], T

    def residuals(self, x: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " r"]:
        """In sigmas; many points of one kind count as few."""
        size, T = self.parts(x)
        s, c = self.sighting, self.c
        edge = self.outline.residuals((self.unit * size) @ T[:3, :3].T + T[:3, 3]) - x[-1]
        blocks = [edge / c.outline_sigma_px * np.sqrt(min(1.0, c.effective_points / len(edge)))]
        if len(s.cloud) >= 30:
            blocks.append(self._depth(size, T))
        lean = np.cross(T[:3, 2], self.up) / self.up_sigma
        blocks.append(lean)
        if s.plane is not None and s.resting:
            gap = float(s.plane.normal @ T[:3, 3]) - size[2] / 2 - s.plane.offset
            blocks.append(np.array([gap / max(s.plane.sigma, 0.003)]))
        if len(s.hand):
            away = float(T[2, 3] - np.median(s.hand[:, 2]))
            blocks.append(np.array([away / float(np.hypot(np.median(s.hand_sigma[:, 2]), c.hand_offset))]))
        blocks.append((np.log(size) - np.log(c.usual_size)) / c.size_spread)
        blocks.append(np.array([(x[-4:-1] @ self.up) / 2.0, x[-1] / c.outline_bias_px]))
        return np.concatenate(blocks)

    def jacobian(self, x: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "r n"]:
        """By differences over steps that are seen: the outline is drawn to single precision."""
        step = 0.05 * self.steps
        here = self.residuals(x)
        return np.stack(
            [(self.residuals(x + d) - here) / h for d, h in zip(np.diag(step), step, strict=True)], axis=1
        )

    def solve(self, x: Float64[np.ndarray, " n"], steps: int) -> Any:
        """At most so many steps of least squares that outliers do not lead."""
        return least_squares(
            self.residuals, x, self.jacobian, loss="soft_l1", f_scale=2.0, max_nfev=steps, x_scale=self.steps
        )

    def _depth(self, size: np.ndarray, T: np.ndarray) -> np.ndarray:
        local = (self.sighting.cloud - T[:3, 3]) @ T[:3, :3]
        share = np.sqrt(min(1.0, self.c.effective_points / len(local)))
        return primitive_distance(self.kind, size, local) / self.cloud_sigma * share

    def scatter(self, x: Float64[np.ndarray, " n"]) -> float | None:
        """How far depth lies from the solid (robust one-sigma), as a share of what depth says of itself; None without."""
        if len(self.sighting.cloud) < 30:
            return None
        size, T = self.parts(x)
        local = (self.sighting.cloud - T[:3, 3]) @ T[:3, :3]
        return (
            float(np.median(np.abs(primitive_distance(self.kind, size, local)) / self.sighting.cloud_sigma))
            / 0.67
        )

    def trust_depth(self, x: Float64[np.ndarray, " n"]) -> None:
        """Depth that lies closer to the solid than it says is believed as much more."""
        scatter = self.scatter(x)
        if scatter is not None:
            share = float(np.clip(scatter, self.c.depth_scatter_min, 1.0))
            self.cloud_sigma = self.sighting.cloud_sigma * share

    def finish(self, x: np.ndarray, jacobian: np.ndarray, cost: float) -> Fitted:
        """Size, pose and spread at the solution."""
        size, T = self.parts(x)
        points = (self.unit * size) @ T[:3, :3].T + T[:3, 3]
        dof = max(1.0, min(len(jacobian), 2 * self.c.effective_points) - len(x))
        misfit = float(np.sqrt(2 * cost / dof))
        information = jacobian.T @ jacobian + 1e-6 * np.eye(len(x))
        covariance = np.linalg.inv(information) * max(1.0, misfit**2)
        to_size = np.eye(self.sizes, len(x))
        to_size[:, self.sizes + 2] = 1.0
        spread = np.sqrt(np.diagonal(to_size @ covariance @ to_size.T))
        sigma_log = np.minimum(spread[list(self.extents)], self.c.size_spread)
        iou = self.outline.iou(points, float(x[-1]))
        return Fitted(self.kind, size, T, sigma_log, iou, misfit, self.scatter(x), float(x[-1]))

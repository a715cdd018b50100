"""A box, cylinder or ellipsoid fitted to what frames show of an object: outline, depth, plane, hand.

One least-squares problem per kind over size and pose; the kind with the best outline wins, plain ones first. What the
picture cannot tell (how deep a box is behind its front) keeps the spread of the prior and shows in `sigma_size`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64
from scipy.optimize import least_squares

from reenact.geometry.rotations import rotation_between, so3_exp
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import PoseStart, Sighting, SightingSource
from reenact.perception.pose.tracker import clearest
from reenact.perception.pose.window import Camera, make_window, mask_box, square_view
from reenact.perception.shape.contract import ShapeEstimate
from reenact.perception.shape.outline import MaskOutline
from reenact.perception.shape.primitives import (
    primitive_distance,
    primitive_mesh,
    primitive_symmetry,
)


@dataclass(frozen=True)
class ShapeFitConfig:
    """Priors and noise of the fit."""

    usual_size: float = 0.09
    """Median extent of things that hands hold (m)."""
    size_spread: float = 0.6
    """One-sigma of its logarithm."""
    outline_sigma_px: float = 1.0
    """Noise of a mask's edge (mask pixels)."""
    effective_points: float = 40.0
    """As in `PoseConfig`."""
    upright_sigma: float = 0.03
    """How exactly things stand upright on the plane (rad)."""
    tilt_sigma: float = 0.4
    """The same where only a guess says what is up."""
    hand_offset: float = 0.03
    """A held thing's centre is about this far before or behind the fingers (m)."""
    model_error: float = 0.04
    """Relative one-sigma of the size, for what a plain solid leaves out (handles, taper)."""
    kind_margin: float = 0.015
    """Overlap by which a box or ellipsoid must beat the cylinder."""
    min_iou: float = 0.6
    """Overlap below which no shape is given."""
    window_px: int = 128
    """Side of the close-up."""


@dataclass(frozen=True)
class _Fitted:
    kind: str
    size: np.ndarray
    T_camera_object: np.ndarray
    sigma_log: np.ndarray
    iou: float
    misfit: float
    depth_misfit: float


class PrimitiveFit:
    """Fits one object's shape in its clearest frames."""

    def __init__(self, camera: Camera, config: ShapeFitConfig | None = None) -> None:
        self.camera, self.config = camera, config or ShapeFitConfig()

    def estimate(
        self,
        sightings: SightingSource,
        up_world: Float64[np.ndarray, " 3"] | None,
        kinds: tuple[str, ...] = ("cylinder", "box", "ellipsoid"),
    ) -> ShapeEstimate | None:
        """The shape, or None where no frame shows enough.

        up_world: which way is up in the scene's frame where there is no support plane; None if that is unknown.
        """
        best: tuple[float, int, _Fitted] | None = None
        for frame in clearest(sightings, PoseConfig())[:2]:
            for order, kind in enumerate(kinds):
                fitted = self.fit(sightings[frame], kind, up_world)
                if fitted is None:
                    continue
                value = self._worth(fitted, order, sightings[frame])
                if best is None or value > best[0]:
                    best = (value, frame, fitted)
        if best is None or best[2].iou < self.config.min_iou:
            return None
        return self._estimate(best[1], best[2], sightings[best[1]])

    def _worth(self, fitted: _Fitted, order: int, sighting: Sighting) -> float:
        """Overlap, less for what is not plain, fits badly otherwise, or has its metres from a worse source."""
        margin = self.config.kind_margin if order else 0.0
        scale = self._scale(sighting, fitted.T_camera_object)[1]
        return fitted.iou - margin - 0.01 * fitted.misfit - 0.3 * scale

    def _estimate(self, frame: int, fitted: _Fitted, sighting: Sighting) -> ShapeEstimate:
        vertices, faces = primitive_mesh(fitted.kind, fitted.size)
        source, scale_sigma = self._scale(sighting, fitted.T_camera_object)
        shared = scale_sigma if source in ("depth", "prior") else 0.0  # else it is in the fit's own spread
        relative = np.sqrt(fitted.sigma_log**2 + self.config.model_error**2 + shared**2)
        axis, order = primitive_symmetry(fitted.kind, fitted.size)
        confidence = float(np.clip((fitted.iou - 0.5) * 2, 0.05, 1.0) / (1 + 4 * float(relative.mean())))
        return ShapeEstimate(
            kind=fitted.kind,
            vertices=vertices,
            faces=faces,
            sigma_size=fitted.size * relative,
            scale_source=source,
            confidence=confidence,
            symmetry_axis=axis,
            symmetry_order=order,
            start=PoseStart(frame, sighting.T_world_camera @ fitted.T_camera_object),
            notes={"frame": frame, "iou": fitted.iou, "misfit": fitted.misfit, "kind": fitted.kind},
        )

    def _scale(self, sighting: Sighting, T: np.ndarray) -> tuple[str, float]:
        """Where the metres come from and their relative sigma, which all of the size shares."""
        z = float(T[2, 3])
        if len(sighting.cloud) >= 30:
            return "depth", 0.3 * float(np.median(sighting.cloud_sigma)) / z
        if sighting.plane is not None and sighting.resting:
            return "support", sighting.plane.sigma / max(abs(sighting.plane.offset), 0.05)
        if len(sighting.hand):
            return "hand", float(np.hypot(np.median(sighting.hand_sigma[:, 2]), self.config.hand_offset)) / z
        return "prior", self.config.size_spread

    def fit(
        self, sighting: Sighting, kind: str, up_world: Float64[np.ndarray, " 3"] | None = None
    ) -> _Fitted | None:
        """One kind in one frame."""
        mask = sighting.label == sighting.code
        if not sighting.mask_valid or mask.sum() < 40:
            return None
        low, high = mask_box(mask, self.camera)
        view = square_view(self.camera, low, high, self.config.window_px, 0.15)
        outline = MaskOutline.of(make_window(sighting.label, sighting.code, self.camera, view))
        if len(outline.edge) < 8:
            return None
        up, up_sigma = self._up(sighting, up_world)
        problem = _Problem(self, sighting, kind, outline, up, up_sigma)
        starts = [
            problem.start(low, high, yaw) for yaw in ((0.0, 0.4, 0.8, 1.2) if kind == "box" else (0.0,))
        ]
        best = min((problem.solve(x, 7) for x in starts), key=lambda found: found.cost)
        best = problem.solve(best.x, 22)
        return problem.finish(best.x, best.jac, best.cost)

    def _up(self, sighting: Sighting, up_world: np.ndarray | None) -> tuple[np.ndarray, float]:
        """Up in the camera's frame, and how surely a thing stands along it (rad)."""
        c = self.config
        moving = 0.0 if sighting.resting else c.tilt_sigma
        if sighting.plane is not None:
            return sighting.plane.normal, float(
                np.hypot(np.hypot(c.upright_sigma, sighting.plane.sigma_normal), moving)
            )
        if up_world is not None:
            return sighting.T_world_camera[:3, :3].T @ up_world, float(np.hypot(c.upright_sigma, moving))
        return np.array([0.0, -np.cos(0.5), -np.sin(0.5)]), c.tilt_sigma


class _Problem:
    """Residuals of one kind in one frame.

    Unknowns: logarithms of size over distance, x/z and y/z of the centre, logarithm of its z, small turn (rad). So the
    scale, which the outline does not see, is an axis of its own and is found although it is soft.
    """

    def __init__(
        self,
        owner: PrimitiveFit,
        sighting: Sighting,
        kind: str,
        outline: MaskOutline,
        up: np.ndarray,
        up_sigma: float,
    ) -> None:
        self.c, self.sighting, self.kind, self.outline = owner.config, sighting, kind, outline
        self.up, self.up_sigma = up, up_sigma
        self.round = kind != "box"
        self.sizes = 2 if self.round else 3
        self.unit = primitive_mesh(kind, np.ones(3))[0]
        self.base = np.eye(3)
        self.steps = np.array([0.1] * self.sizes + [0.02, 0.02, 0.1] + [0.1] * 3)

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
        size = [wide, tall] if self.round else [wide, wide * 0.8, tall]
        turn = self.up * yaw
        return np.concatenate([np.log(np.clip(size, 0.01, 1.0) / z), ray[:2], [np.log(z)], turn])

    def parts(self, x: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
        """Size [3] and T_camera_object."""
        u, v, log_z = x[self.sizes : self.sizes + 3]
        z = float(np.exp(np.clip(log_z, np.log(0.05), np.log(30.0))))
        size = np.clip(np.exp(np.clip(x[: self.sizes], -8.0, 3.0)) * z, 0.003, 2.0)
        T = np.eye(4)
        T[:3, :3] = so3_exp(x[self.sizes + 3 :]) @ self.base
        T[:3, 3] = u * z, v * z, z
        return (np.array([size[0], size[0], size[1]]) if self.round else size), T

    def residuals(self, x: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " r"]:
        """In sigmas; many points of one kind count as few."""
        size, T = self.parts(x)
        s, c = self.sighting, self.c
        edge = self.outline.residuals((self.unit * size) @ T[:3, :3].T + T[:3, 3])
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
        blocks.append(np.array([x[-3:] @ self.up]) / 2.0)
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
        return primitive_distance(self.kind, size, local) / self.sighting.cloud_sigma * share

    def finish(self, x: np.ndarray, jacobian: np.ndarray, cost: float) -> _Fitted:
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
        sigma_log = np.array([spread[0], spread[0], spread[1]]) if self.round else spread
        depth = 0.0
        if len(self.sighting.cloud) >= 30:
            local = (self.sighting.cloud - T[:3, 3]) @ T[:3, :3]
            away = np.abs(primitive_distance(self.kind, size, local)) / self.sighting.cloud_sigma
            depth = float(np.median(away)) / 0.67
        sigma_log = np.minimum(sigma_log, self.c.size_spread)
        return _Fitted(self.kind, size, T, sigma_log, self.outline.iou(points), misfit, depth)

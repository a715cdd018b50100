"""A box, cylinder, ball or ellipsoid fitted to what frames show of an object: outline, depth, plane, hand.

One least-squares problem per kind over size and pose; the kind with the best outline wins, plain ones first. What the
picture cannot tell (how deep a box is behind its front) keeps the spread of the prior and shows in `sigma_size`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import PoseStart, Sighting, SightingSource
from reenact.perception.pose.start import clearest
from reenact.perception.pose.window import Camera, Window, make_window, mask_box, square_view
from reenact.perception.shape.contract import ShapeEstimate
from reenact.perception.shape.cutout import cutout
from reenact.perception.shape.outline import MaskOutline
from reenact.perception.shape.primitives import primitive_mesh, primitive_symmetry
from reenact.perception.shape.problem import Fitted, Problem, ShapeFitConfig

_MARGINS = {"cylinder": 0.0, "sphere": 0.5, "box": 1.0, "ellipsoid": 1.5}
"""Of `kind_margin`: what a kind must beat the plain cylinder by."""


_FRAMES = 6
"""Frames in which the size of a solid is measured."""


class PrimitiveFit:
    """Fits one object's shape in its clearest frames."""

    def __init__(self, camera: Camera, config: ShapeFitConfig | None = None) -> None:
        self.camera, self.config = camera, config or ShapeFitConfig()

    def estimate(
        self,
        sightings: SightingSource,
        up_world: Float64[np.ndarray, " 3"] | None,
        kinds: tuple[str, ...] = ("cylinder", "sphere", "box", "ellipsoid"),
    ) -> ShapeEstimate | None:
        """The shape, or None where no frame shows enough.

        up_world: which way is up in the scene's frame where there is no support plane; None if that is unknown.
        """
        best: tuple[float, int, Fitted] | None = None
        frames = clearest(sightings, PoseConfig())
        for frame in _worth_a_look(frames, sightings):
            for kind in _plausible(kinds, sightings[frame], up_world):
                fitted = self.fit(sightings[frame], kind, up_world)
                if fitted is None:
                    continue
                value = self._worth(fitted, sightings[frame])
                if best is None or value > best[0]:
                    best = (value, frame, fitted)
        if best is None:
            return None
        _, frame, fitted = best
        if fitted.iou < self.config.min_iou:
            scale = self._scale(sightings[frame], fitted.T_camera_object)
            return cutout(frame, sightings[frame], self._close_up(sightings[frame]), fitted, scale)
        # without depth, frames share the error that counts; a box may have its sides the other way round in another
        if fitted.kind != "box" and len(sightings[frame].cloud) >= 30:
            others = [self.fit(sightings[k], fitted.kind, up_world) for k in frames[:_FRAMES] if k != frame]
            fitted = _together(fitted, [f for f in others if f is not None])
        return self._estimate(frame, fitted, sightings[frame])

    def _worth(self, fitted: Fitted, sighting: Sighting) -> float:
        """Overlap, less for what is not plain, fits badly otherwise, or has its metres from a worse source."""
        margin = _MARGINS[fitted.kind] * self.config.kind_margin
        scale = self._scale(sighting, fitted.T_camera_object)[1]
        return fitted.iou - margin - 0.01 * fitted.misfit - 0.6 * scale

    def _estimate(self, frame: int, fitted: Fitted, sighting: Sighting) -> ShapeEstimate:
        vertices, faces = primitive_mesh(fitted.kind, fitted.size)
        source, scale_sigma = self._scale(sighting, fitted.T_camera_object)
        shared = scale_sigma if source in ("depth", "prior") else 0.0  # else it is in the fit's own spread
        left_out = max(self.config.model_error_min, (1 - fitted.iou) / 2)
        if fitted.kind != "sphere":
            left_out = max(left_out, self.config.model_error)
        relative = np.sqrt(fitted.sigma_log**2 + left_out**2 + shared**2)
        confidence = float(np.clip((fitted.iou - 0.5) * 2, 0.05, 1.0) / (1 + 4 * float(relative.mean())))
        return ShapeEstimate(
            kind=fitted.kind,
            vertices=vertices,
            faces=faces,
            sigma_size=fitted.size * relative,
            scale_source=source,
            confidence=confidence,
            symmetry=primitive_symmetry(fitted.kind, fitted.size),
            start=PoseStart(frame, sighting.T_world_camera @ fitted.T_camera_object),
            notes={
                "frame": frame,
                "iou": fitted.iou,
                "misfit": fitted.misfit,
                "depth_misfit": fitted.depth_misfit,
                "kind": fitted.kind,
                "mask_swell_px": fitted.swell_px,
            },
        )

    def _scale(self, sighting: Sighting, T: np.ndarray) -> tuple[str, float]:
        """Where the metres come from and their relative sigma, which all of the size shares."""
        z = float(T[2, 3])
        if len(sighting.cloud) >= 30:
            return "depth", 0.3 * float(np.median(sighting.cloud_sigma)) / z
        known = [(self.config.size_spread, "prior")]
        if sighting.plane is not None and sighting.resting:
            known.append((sighting.plane.sigma / max(abs(sighting.plane.offset), 0.05), "support"))
        if len(sighting.hand):
            away = float(np.hypot(np.median(sighting.hand_sigma[:, 2]), self.config.hand_offset))
            known.append((away / z, "hand"))
        sigma, source = min(known)
        return source, sigma

    def fit(
        self, sighting: Sighting, kind: str, up_world: Float64[np.ndarray, " 3"] | None = None
    ) -> Fitted | None:
        """One kind in one frame."""
        mask = sighting.label == sighting.code
        if not sighting.mask_valid or mask.sum() < 40:
            return None
        low, high = mask_box(mask, self.camera)
        outline = MaskOutline.of(self._close_up(sighting))
        if len(outline.edge) < 8:
            return None
        fits = []
        for up, up_sigma in self._ups(sighting, up_world):
            problem = Problem(self.config, sighting, kind, outline, up, up_sigma)
            yaws = (0.0, 0.4, 0.8, 1.2) if kind == "box" else (0.0,)
            starts = [problem.start(low, high, yaw) for yaw in yaws]
            best = min((problem.solve(x, 7) for x in starts), key=lambda found: found.cost)
            problem.trust_depth(best.x)
            best = problem.solve(best.x, 22)
            fits.append((best.cost, problem.finish(best.x, best.jac, best.cost)))
        return min(fits, key=lambda fit: fit[0])[1]

    def _close_up(self, sighting: Sighting) -> Window:
        low, high = mask_box(sighting.label == sighting.code, self.camera)
        view = square_view(self.camera, low, high, self.config.window_px, 0.15)
        return make_window(sighting.label, sighting.code, self.camera, view)

    def _ups(self, sighting: Sighting, up_world: np.ndarray | None) -> list[tuple[np.ndarray, float]]:
        """What may be up in the camera's frame, and how surely a thing stands along it (rad)."""
        c = self.config
        moving = 0.0 if sighting.resting else c.tilt_sigma
        if sighting.plane is not None:
            level = float(np.hypot(c.upright_sigma, sighting.plane.sigma_normal))
            return [(sighting.plane.normal, float(np.hypot(level, moving)))]
        if up_world is not None:
            return [(sighting.T_world_camera[:3, :3].T @ up_world, float(np.hypot(c.upright_sigma, moving)))]
        # seen from a little above, or with its top to the camera
        return [(np.array([0.0, -np.cos(tilt), -np.sin(tilt)]), c.tilt_sigma) for tilt in (0.5, 1.4)]


def _plausible(
    kinds: tuple[str, ...], sighting: Sighting, up_world: Float64[np.ndarray, " 3"] | None
) -> tuple[str, ...]:
    """Without depth a ball or an egg is believed only of a thing that stands, with up known: a plate that hands hold
    towards the camera is as round."""
    upright = sighting.resting and (sighting.plane is not None or up_world is not None)
    if len(sighting.cloud) >= 30 or upright:
        return kinds
    return tuple(kind for kind in kinds if kind not in ("sphere", "ellipsoid"))


def _worth_a_look(frames: list[int], sightings: SightingSource) -> list[int]:
    """The two clearest frames; where nothing but hands can tell the size there, also the two clearest with a hand at it."""
    best = frames[:2]
    told = [
        len(sightings[k].cloud) >= 30 or (sightings[k].plane is not None and sightings[k].resting)
        for k in best
    ]
    if any(told):
        return best
    held = [k for k in frames if len(sightings[k].hand)][:2]
    return [*best, *(k for k in held if k not in best)]


def _together(best: Fitted, others: list[Fitted]) -> Fitted:
    """The size weighed over frames that fit nearly as well. The spread is not made smaller than that of the best frame
    by more than a third: frames share the bias of masks, the scale of depth and often the view."""
    agreed = [best, *(f for f in others if f.iou > best.iou - 0.05)]
    size, sigma = np.log([f.size for f in agreed]), np.array([f.sigma_log for f in agreed])
    weight = 1 / sigma**2
    mean = (weight * size).sum(0) / weight.sum(0)
    scatter = np.sqrt((weight * (size - mean) ** 2).sum(0) / weight.sum(0))
    spread = np.maximum(np.maximum(1 / np.sqrt(weight.sum(0)), 0.67 * best.sigma_log), scatter)
    return replace(best, size=np.exp(mean), sigma_log=spread)

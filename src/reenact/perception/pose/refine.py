"""One pose in one frame: draw the mesh, compare with what is seen, solve, repeat; and say how well it fits."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contact_terms import SurfacePart, above_term, standing_term, touch_term
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.depth_points import depth_fit, drawn_at, surface_pairs
from reenact.perception.pose.fit import Fit
from reenact.perception.pose.looks import Looks
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.solve import Solution, solve_pose
from reenact.perception.pose.symmetry import difference
from reenact.perception.pose.terms import (
    Anchored,
    SurfacePairs,
    Term,
    outline_term,
    placed,
    prior_term,
    surface_term,
    track_term,
    visible_points,
)
from reenact.perception.pose.window import Camera, Window
from reenact.rendering.mesh_depth import MeshDepthRenderer, MeshPicture, View

_FAR_STEP, _FAR_TURN = 0.003, 0.05
"""A last step longer than this (m, rad) was taken with depth points on the wrong places: they are drawn once more."""
_NEAR_STEP, _NEAR_TURN = 0.002, 0.015
"""After a shorter step (m, rad) another drawing would show nearly the same."""
_CUT = 4.0
"""Points so many sigmas off went with something else."""
_NEAR_PX = 2.0
"""A drawn outline this near to the mask's edge lies on it (pixels of the mask)."""


@dataclass(frozen=True)
class Prior:
    """A predicted pose (camera frame) with its covariance."""

    T_camera_object: Float64[np.ndarray, "4 4"]
    covariance: Float64[np.ndarray, "6 6"]

    @functools.cached_property
    def root(self) -> Float64[np.ndarray, "6 6"]:
        """Turns a change of pose into sigmas."""
        return np.asarray(np.linalg.inv(np.linalg.cholesky(self.covariance)))


class PoseRefiner:
    """Refines poses of one object; holds the renderer that draws it."""

    def __init__(
        self,
        model: ObjectModel,
        renderer: MeshDepthRenderer,
        mesh_idx: int,
        camera: Camera,
        config: PoseConfig,
        feet: Float64[np.ndarray, "n 3"] | None = None,
    ) -> None:
        self.model, self.camera, self.config = model, camera, config
        self._renderer = renderer
        self._shown = np.arange(renderer.mesh_count) == mesh_idx
        self._whole = SurfacePart(model.points[::4], model.normals[::4])
        self.feet = feet
        """Points it stands on (object frame); None while that is unknown."""
        self._looks = Looks(camera, config.window_px)

    def look(
        self, sighting: Sighting, T_camera_object: Float[np.ndarray, "4 4"]
    ) -> tuple[Window, MeshPicture]:
        """The close-up that holds both the mask and the object, and the object drawn in it."""
        known = self._looks.drawn(sighting, T_camera_object)
        if known is not None:
            return known
        window = self._looks.window(sighting, *self.extent(T_camera_object))
        picture = self._draw(T_camera_object, window.view)
        self._looks.keep(T_camera_object, window, picture)
        return window, picture

    def _draw(self, T_camera_object: Float[np.ndarray, "4 4"], view: View) -> MeshPicture:
        """The object alone."""
        T = np.broadcast_to(T_camera_object, (len(self._shown), 4, 4))
        return self._renderer.render(T, self._shown, view)

    def extent(self, T_camera_object: Float[np.ndarray, "4 4"]) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest x/z, y/z of the object where it would be."""
        p = placed(T_camera_object, self.model.points[::6])
        flat = p[:, :2] / np.maximum(p[:, 2:], 0.05)
        return flat.min(0), flat.max(0)

    def refine(
        self,
        T_start: Float[np.ndarray, "4 4"],
        sighting: Sighting,
        prior: Prior | None = None,
        anchors: Anchored | None = None,
        rounds: int = 2,
    ) -> Solution:
        """The pose near `T_start` that fits the frame best.

        anchors: places of `sighting`'s followed points on the mesh.
        """
        T, solution = np.array(T_start, float), None
        for k in range(rounds + self.config.more_rounds):
            solution = self._solve(T, sighting, prior, anchors)
            step, T = difference(T, solution.T_camera_object, self.model), solution.T_camera_object
            far = np.linalg.norm(step[:3]) > _FAR_STEP or np.linalg.norm(step[3:]) > _FAR_TURN
            near = np.linalg.norm(step[:3]) < _NEAR_STEP and np.linalg.norm(step[3:]) < _NEAR_TURN
            if near or (k + 1 >= rounds and not (far and len(sighting.cloud))):
                break
        assert solution is not None
        return solution

    def refine_by_points(self, prior: Prior, sighting: Sighting, anchors: Anchored) -> Solution:
        """The pose near the predicted one along which the followed points went, by all but the outline; nothing is drawn."""

        def terms(T_now: np.ndarray) -> list[Term]:
            terms = self._terms(T_now, sighting, prior, anchors, SurfacePairs.none())
            return [replace(t, cut=_CUT) if t.name == "tracks" else t for t in terms]

        return solve_pose(prior.T_camera_object, terms, self.config.iterations)

    def _solve(
        self, T: np.ndarray, sighting: Sighting, prior: Prior | None, anchors: Anchored | None
    ) -> Solution:
        """One drawing of the mesh, and the pose that what it shows leads to."""
        window, picture = self.look(sighting, T)
        shown = visible_points(T, self.model.points, picture.depth, window.view.K, 0.004)
        part = SurfacePart(self.model.points[shown], self.model.normals[shown])
        pairs = surface_pairs(sighting, T, picture, window, part, self.config)
        outline, around_px = self._outline(picture, window, T, sighting)

        def terms(T_now: np.ndarray) -> list[Term]:
            edge = self._edge(T_now, outline, around_px, window)
            return [edge, *self._terms(T_now, sighting, prior, anchors, pairs)]

        return solve_pose(T, terms, self.config.iterations)

    def _edge(self, T: np.ndarray, outline: np.ndarray, around_px: float, window: Window) -> Term:
        c = self.config
        runs = float(np.clip(around_px / c.outline_run_px, 4.0, c.effective_points))
        return outline_term(T, outline, window, c.outline_sigma_px, c.outline_bias_px, runs)

    def _terms(
        self,
        T: np.ndarray,
        sighting: Sighting,
        prior: Prior | None,
        anchors: Anchored | None,
        pairs: SurfacePairs,
    ) -> list[Term]:
        c = self.config
        terms = [surface_term(T, pairs, c.effective_points)]
        if len(sighting.cloud) < 10:  # measured depth is better than the hand's
            terms.append(touch_term(T, sighting.hand, sighting.hand_sigma, self._whole, c.hand_skin))
        if anchors is not None:
            terms.append(self._tracks(T, sighting, anchors))
        if sighting.plane is not None:
            terms.append(self._plane(T, sighting))
        if prior is not None:
            terms.append(prior_term(T, prior.T_camera_object, prior.root))
        return terms

    def _tracks(self, T: np.ndarray, sighting: Sighting, anchors: Anchored) -> Term:
        known = anchors.known
        places, flat = anchors.places[known], sighting.track_flat[known]
        z = np.maximum(placed(T, places)[:, 2], 0.05)
        sigma = np.hypot(
            self.config.track_sigma * self.camera.width_px / float(self.camera.params[0]),
            self.config.anchor_sigma / z,
        )
        return track_term(
            T, places, flat, sigma, anchors.sigma_scale, anchors.spread, self.config.effective_points
        )

    def _plane(self, T: np.ndarray, sighting: Sighting) -> Term:
        plane = sighting.plane
        assert plane is not None
        if self.feet is not None and sighting.resting:
            lean = plane.sigma_normal * float(np.ptp(self.feet, axis=0).max()) / 2
            own = float(np.hypot(self.config.support_sigma_min, lean))
            return standing_term(T, self.feet, plane.normal, plane.offset, own, plane.sigma)
        return above_term(T, self.model.points[::12], plane.normal, plane.offset, max(plane.sigma, 0.005))

    def _outline(
        self, picture: MeshPicture, window: Window, T: np.ndarray, sighting: Sighting
    ) -> tuple[Float64[np.ndarray, "n 3"], float]:
        """Points of the drawn outline (object frame), and its length in pixels of the mask."""
        if not sighting.mask_valid:
            return np.zeros((0, 3)), 0.0
        rows, columns = np.nonzero(_border(picture.label > 0))
        if len(rows) == 0:
            return np.zeros((0, 3)), 0.0
        around_px = len(rows) / window.px_per_mask_px
        step = max(1, len(rows) // self.config.contour_points)
        rows, columns = rows[::step], columns[::step]
        K, z = window.view.K, picture.depth[rows, columns].astype(np.float64)
        p = np.stack([(columns - K[0, 2]) / K[0, 0] * z, (rows - K[1, 2]) / K[1, 1] * z, z], 1)
        return (p - T[:3, 3]) @ T[:3, :3], around_px

    def fit(self, T_camera_object: Float[np.ndarray, "4 4"], sighting: Sighting) -> Fit:
        """Draw it once more and compare."""
        window, picture = self.look(sighting, T_camera_object)
        drawn = picture.label > 0
        iou, share, edge, covered = 0.0, 0.0, 0.0, 0.0
        if drawn.any():
            free = ~window.unknown
            both, either = (drawn & window.inside).sum(), ((drawn | window.inside) & free).sum()
            iou = float(both / either) if either > 0 and sighting.mask_valid else 0.0
            shown = (drawn & free).sum()
            share = float(shown / drawn.sum())
            covered = float(both / max(min(shown, window.inside.sum()), 1))
            edge = _on_edge(_border(drawn), window) if sighting.mask_valid else 0.0
        return Fit(iou, share, edge, depth_fit(sighting, picture, window, self.config), covered)

    def depth_offset(self, T_camera_object: Float[np.ndarray, "4 4"], sighting: Sighting) -> float:
        """How much farther the depth points are than the drawn object (median, m); 0 where they do not meet."""
        window, picture = self.look(sighting, T_camera_object)
        met, drawn = drawn_at(sighting, picture, window)
        return float(np.median((sighting.cloud[:, 2] - drawn)[met])) if met.sum() >= 10 else 0.0


def _border(drawn: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The outermost pixels; the picture's own end is no border."""
    inner = cv2.erode(
        drawn.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1
    )
    return np.asarray(drawn & (inner == 0))


def _on_edge(border: Bool[np.ndarray, "h w"], window: Window) -> float:
    """Share of the drawn border that lies on the mask's edge, where that is not hidden."""
    asked = border & window.edge_known
    near = max(_NEAR_PX * window.px_per_mask_px, 1.5)
    return float((np.abs(window.distance_px[asked]) < near).mean()) if asked.any() else 0.0

"""One pose in one frame: draw the mesh, compare with what is seen, solve, repeat; and say how well it fits."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.looks import Looks
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.solve import Solution, solve_pose
from reenact.perception.pose.terms import (
    Anchored,
    SurfacePart,
    Term,
    above_term,
    outline_term,
    placed,
    prior_term,
    standing_term,
    surface_term,
    touch_term,
    track_term,
    visible_points,
)
from reenact.perception.pose.window import Camera, Window
from reenact.rendering.mesh_depth import MeshDepthRenderer, MeshPicture, View


@dataclass(frozen=True)
class Fit:
    """How well a pose agrees with a frame."""

    iou: float
    """Overlap of drawn and seen outline, hidden pixels left out; 0 without a mask."""
    visible_share: float
    """Share of the drawn object that nothing hides."""
    depth_error: float
    """Median distance of depth points from the drawn surface along z (m); -1 without depth."""
    depth_share: float
    """Share of depth points within twice their sigma plus 5 mm; -1 without depth."""


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
        for _ in range(rounds):
            window, picture = self.look(sighting, T)
            shown = visible_points(T, self.model.points, picture.depth, window.view.K, 0.004)
            part = SurfacePart(self.model.points[shown], self.model.normals[shown])
            outline, around_px = self._outline(picture, window, T, sighting)

            def terms(
                T_now: np.ndarray,
                part: SurfacePart = part,
                outline: np.ndarray = outline,
                around_px: float = around_px,
                window: Window = window,
            ) -> list[Term]:
                edge = self._edge(T_now, outline, around_px, window)
                return [edge, *self._terms(T_now, sighting, prior, anchors, part)]

            solution = solve_pose(T, terms, self.config.iterations)
            T = solution.T_camera_object
        assert solution is not None
        return solution

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
        part: SurfacePart,
    ) -> list[Term]:
        c = self.config
        terms = [
            surface_term(T, sighting.cloud, sighting.cloud_sigma, part, c.surface_reach, c.effective_points)
        ]
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
        return track_term(T, places, flat, sigma, anchors.sigma_scale, self.config.effective_points)

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
        drawn = (picture.label > 0).astype(np.uint8)
        border = cv2.erode(drawn, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
        rows, columns = np.nonzero((drawn > 0) & (border == 0))
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
        iou, share = 0.0, 0.0
        if drawn.any():
            free = ~window.unknown
            both, either = (drawn & window.inside).sum(), ((drawn | window.inside) & free).sum()
            iou = float(both / either) if either > 0 and sighting.mask_valid else 0.0
            share = float((drawn & free).sum() / drawn.sum())
        error, close = self._depth_fit(sighting, picture, window)
        return Fit(iou, share, error, close)

    def depth_offset(self, T_camera_object: Float[np.ndarray, "4 4"], sighting: Sighting) -> float:
        """How much farther the depth points are than the drawn object (median, m); 0 where they do not meet."""
        window, picture = self.look(sighting, T_camera_object)
        p, drawn = self._drawn_at(sighting, picture, window)
        return float(np.median(p[:, 2] - drawn)) if len(p) >= 10 else 0.0

    def _depth_fit(self, sighting: Sighting, picture: MeshPicture, window: Window) -> tuple[float, float]:
        if len(sighting.cloud) < 10:
            return -1.0, -1.0
        p, drawn = self._drawn_at(sighting, picture, window)
        if len(p) < 10:
            return 1.0, 0.0
        error = np.abs(drawn - p[:, 2])
        sigma = np.maximum(
            sighting.cloud_sigma[0] / sighting.cloud[0, 2] * p[:, 2], self.config.depth_sigma_floor
        )
        return float(np.median(error)), float((error < 2 * sigma + 0.005).mean())

    def _drawn_at(
        self, sighting: Sighting, picture: MeshPicture, window: Window
    ) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, " n"]]:
        """Depth points that meet the drawn object, and its depth there."""
        p, K = sighting.cloud, window.view.K
        uv = np.rint(p[:, :2] / p[:, 2:] * [K[0, 0], K[1, 1]] + K[:2, 2]).astype(int)
        h, w = picture.depth.shape
        ok = ((uv >= 0) & (uv < [w, h])).all(1)
        u, v = np.where(ok[:, None], uv, 0).T
        drawn = picture.depth[v, u].astype(np.float64)
        ok &= drawn > 0
        return p[ok], drawn[ok]


def feet_of(model: ObjectModel, up: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, "n 3"]:
    """Points the object stands on when `up` (object frame) is up: the lowest of its corners, a dozen at most."""
    height = model.vertices @ up
    low = model.vertices[height < height.min() + 0.002]
    directions = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    side = np.cross(up, [1.0, 0, 0] if abs(up[0]) < 0.9 else [0, 1.0, 0])
    side /= np.linalg.norm(side)
    spread = np.cos(directions)[:, None] * side + np.sin(directions)[:, None] * np.cross(up, side)
    return np.asarray(low[np.unique((low @ spread.T).argmax(0))])


def best(fits: Sequence[Fit]) -> int:
    """Index of the best fit."""
    return int(np.argmax([score(f) for f in fits]))


def score(fit: Fit) -> float:
    """One number for comparing candidates in the same frame: overlap, less what depth contradicts."""
    return fit.iou + (0.5 * fit.depth_share if fit.depth_share >= 0 else 0.0)

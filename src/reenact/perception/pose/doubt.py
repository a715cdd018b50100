"""What one picture cannot tell: other poses that fit nearly as well, and turns that leave no trace."""

from __future__ import annotations

import cv2
import numpy as np

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.fit import Fit, score
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.symmetry import turn_between
from reenact.perception.pose.terms import Anchored
from reenact.perception.pose.twins import ambiguity, rivals


class Doubt:
    """About one object's poses through a clip; twins are looked for now and then, and the answer kept between."""

    def __init__(self, refiner: PoseRefiner, config: PoseConfig) -> None:
        self._refiner, self._config = refiner, config
        self.others: list[np.ndarray] = []
        self._known: tuple[np.ndarray, float] = (np.zeros((6, 6)), 1.0)
        self._asked_s = -np.inf
        self._asked: tuple[np.ndarray, Fit] | None = None
        """Pose (world) and fit when twins were last looked for."""

    def also(self, others: list[np.ndarray]) -> None:
        """Other poses to ask after, seen from the one that is taken."""
        if others is not self.others:
            self.others, self._asked_s, self._asked = others, -np.inf, None

    def of(
        self, T_world_object: np.ndarray, T_camera_world: np.ndarray, fit: Fit, sighting: Sighting
    ) -> tuple[np.ndarray, float]:
        """What poses that look alike add to the covariance (camera axes), and the belief left in this one."""
        if not sighting.mask_valid:
            return np.zeros((6, 6)), 1.0
        same = self._as_asked(T_world_object, fit)
        wait = self._config.twin_rest_s if same else self._config.twin_every_s
        if abs(sighting.t_seconds - self._asked_s) > wait - 1e-3:
            T = T_camera_world @ T_world_object
            kept = [T @ T_pose_other for T_pose_other in self.others]
            others = rivals(self._refiner, sighting, T, self._config, kept)
            scale = score_noise(fit, sighting, self._config)
            added, belief = ambiguity(T, score(fit), others, self._refiner.model, scale)
            self._known = added * undersaid(sighting, self._config) ** 2, belief
            self._asked_s, self._asked = sighting.t_seconds, (T_world_object, fit)
        return self._known

    def _as_asked(self, T_world_object: np.ndarray, fit: Fit) -> bool:
        """Whether pose and fit are as they were when twins were last looked for."""
        if self._asked is None:
            return False
        T, before = self._asked
        return bool(
            np.linalg.norm(T_world_object[:3, 3] - T[:3, 3]) < 0.005
            and turn_between(T_world_object[:3, :3], T[:3, :3], self._refiner.model.symmetry) < 0.05
            and abs(fit.iou - before.iou) < 0.03
            and abs(fit.visible_share - before.visible_share) < 0.05
        )


def score_noise(fit: Fit, sighting: Sighting, config: PoseConfig) -> float:
    """By how much the scores of two poses may differ without meaning: what the edges of the mask can do (little for a crate,
    much for a knife), and what even the better pose leaves unexplained."""
    edge = edge_share(sighting)
    unexplained = max(0.0, 1.0 - edge / 2 - fit.iou)
    return config.twin_scale + config.twin_edge * edge + config.twin_unexplained * unexplained


def undersaid(sighting: Sighting, config: PoseConfig) -> float:
    """By how much sigmas are widened where no depth is measured: more, the more of the mask lies at its edge."""
    if len(sighting.cloud) >= 10:
        return 1.0
    return 1.0 + min(config.undersaid, config.undersaid_edge * edge_share(sighting))


def edge_share(sighting: Sighting) -> float:
    """Share of the mask that lies at its edge: little for a crate, much for a knife."""
    mask = (sighting.label == sighting.code).astype(np.uint8)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    return 1.0 - float(inner.sum()) / max(float(mask.sum()), 1.0)


def unseen_turn(T_world_object: np.ndarray, model: ObjectModel, anchors: Anchored) -> np.ndarray:
    """Covariance [6 6] of the turn about a symmetry axis where no followed points show it: any turn is possible."""
    if anchors.known.sum() >= 3:
        return np.zeros((6, 6))
    axis = T_world_object[:3, :3] @ model.symmetry.axis
    spin = np.concatenate([np.cross(axis, -T_world_object[:3, :3] @ model.centre), axis])
    return np.asarray(np.outer(spin, spin) * (np.pi**2 / 3))

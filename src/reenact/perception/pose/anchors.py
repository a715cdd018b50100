"""Followed points and their places on the mesh.

A point gets its place the first time a pose is trusted, so the pose does not drift while the point lives. The places
are only as good as that pose: its error of distance makes all of them too near together or too far apart, and stays.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.terms import Anchored, placed


class Anchors:
    """Places on one object's mesh (object frame)."""

    def __init__(self, config: PoseConfig) -> None:
        self._config = config
        self._places: dict[int, np.ndarray] = {}
        self._sigma: dict[int, float] = {}
        self._spread: dict[int, np.ndarray] = {}
        self._doubts: dict[int, float] = {}
        """Seconds of contradiction less seconds of agreement."""
        self._judged_s = -np.inf

    def __len__(self) -> int:
        return len(self._places)

    def of(self, sighting: Sighting) -> Anchored:
        """The places of the sighting's points."""
        ids = sighting.track_idx.tolist()
        places = np.array([self._places.get(i, np.full(3, np.nan)) for i in ids]).reshape(-1, 3)
        known = [i for i in ids if i in self._places]
        if not known:
            return Anchored(places, 0.0, np.zeros((6, 6)))
        spread = np.mean([self._spread[i] for i in known], axis=0)
        return Anchored(places, float(np.median([self._sigma[i] for i in known])), spread)

    def doubt(self, sighting: Sighting, T_camera_object: Float[np.ndarray, "4 4"], focal: float) -> None:
        """Drop points that keep contradicting the poses; `focal` is the focal length in widths of the picture."""
        limit = self._config.anchor_doubt_s
        lasted = min(abs(sighting.t_seconds - self._judged_s), limit / 2)  # one frame alone is no proof
        self._judged_s = sighting.t_seconds
        known = [k for k, i in enumerate(sighting.track_idx.tolist()) if i in self._places]
        if not known:
            return
        p = placed(T_camera_object, np.array([self._places[int(sighting.track_idx[k])] for k in known]))
        off = np.linalg.norm(p[:, :2] / p[:, 2:] - sighting.track_flat[known], axis=1) * focal
        for k, far in zip(known, off > 5 * self._config.track_sigma, strict=True):
            i = int(sighting.track_idx[k])
            self._doubts[i] = self._doubts.get(i, 0.0) + (lasted if far else -lasted)
            if self._doubts[i] > limit - 1e-3:
                del self._places[i], self._sigma[i], self._spread[i], self._doubts[i]

    def learn(
        self,
        refiner: PoseRefiner,
        sighting: Sighting,
        T_camera_object: Float[np.ndarray, "4 4"],
        covariance: Float64[np.ndarray, "6 6"],
    ) -> None:
        """Give new points their place; all that are learnt now share the error of the pose (covariance in camera axes)."""
        ids = sighting.track_idx.tolist()
        new = [k for k, i in enumerate(ids) if i not in self._places]
        if not new:
            return
        t, R = T_camera_object[:3, 3], np.kron(np.eye(2), T_camera_object[:3, :3])
        sigma_scale = float(np.sqrt(t @ covariance[:3, :3] @ t) / (t @ t))
        if len(sighting.cloud) < 10:  # other poses that look alike lie nearer or farther
            sigma_scale = float(np.hypot(sigma_scale, self._config.anchor_scale))
        spread = R.T @ covariance @ R
        window, picture = refiner.look(sighting, T_camera_object)
        depth, K = picture.depth, window.view.K
        uv = np.rint(sighting.track_flat[new] * [K[0, 0], K[1, 1]] + K[:2, 2]).astype(int)
        inside = _well_inside(depth, uv)
        for k, (u, v), ok in zip(new, uv, inside, strict=True):
            if ok:
                p = np.array([*sighting.track_flat[k], 1.0]) * float(depth[v, u])
                self._places[ids[k]] = (p - T_camera_object[:3, 3]) @ T_camera_object[:3, :3]
                self._sigma[ids[k]], self._spread[ids[k]] = sigma_scale, spread


def _well_inside(depth: np.ndarray, uv: np.ndarray) -> Bool[np.ndarray, " n"]:
    """Pixels with the object all around them, away from edges, where a pixel decides about front or back."""
    h, w = depth.shape
    out = np.zeros(len(uv), bool)
    for k, (u, v) in enumerate(uv):
        if 2 <= u < w - 2 and 2 <= v < h - 2:
            patch: Float64[np.ndarray, "5 5"] = depth[v - 2 : v + 3, u - 2 : u + 3].astype(np.float64)
            out[k] = patch.min() > 0 and np.ptp(patch) <= 0.02
    return out

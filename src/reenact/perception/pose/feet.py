"""Where things stand, told by the hand that takes them or by their known size.

The hand is metric; at the moment it closes on a thing that still stands, the thing is as far away as the fingers, and
the lowest pixel of its mask is on the support.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Plane, SightingSource
from reenact.perception.pose.initial import best_of, rotations
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.tracker import clearest
from reenact.perception.pose.window import Camera, normalised, to_full
from reenact.rendering.mesh_depth import MeshDepthRenderer, View


def held_feet(sightings: SightingSource, camera: Camera, near: float = 0.02) -> list[tuple[float, float]]:
    """(height, sigma) in the scene's frame of the foot of one object, from frames in which fingers are at it and it has
    not been moved yet; empty where there are none. The scene's z must be up.

    near: how far the mask's middle may have moved from where it first was, as a share of its distance (rad).
    """
    out: list[tuple[float, float]] = []
    first: np.ndarray | None = None
    for k in range(len(sightings)):
        s = sightings[k]
        mask = s.label == s.code
        if not s.mask_valid or mask.sum() < 40:
            continue
        rows, columns = np.nonzero(mask)
        pixels = np.stack([columns, rows], 1).astype(np.float64)
        middle = _ray(pixels.mean(0), mask.shape, camera, s.T_world_camera)
        first = middle if first is None else first
        if len(s.hand) < 2 or float(np.linalg.norm(middle - first)) > near:
            continue
        low = rows >= np.percentile(rows, 99)
        foot = _ray(
            np.array([columns[low].mean(), rows[low].mean() + 0.5]), mask.shape, camera, s.T_world_camera
        )
        z = float(np.median(s.hand[:, 2]))
        depth_axis = s.T_world_camera[:3, 2]
        along = foot / float(foot @ depth_axis)
        height = float(s.T_world_camera[2, 3] + z * along[2])
        out.append((height, float(np.median(s.hand_sigma[:, 2]) * abs(along[2]))))
    return out


def _ray(pixel: np.ndarray, shape: tuple[int, ...], camera: Camera, T_world_camera: np.ndarray) -> np.ndarray:
    """Unit ray in the scene's frame."""
    flat = normalised(camera, to_full(pixel[None], shape, camera))[0]
    ray = T_world_camera[:3, :3] @ np.array([*flat, 1.0])
    unit: np.ndarray = ray / np.linalg.norm(ray)
    return unit


def known_feet(
    model: ObjectModel, sightings: SightingSource, camera: Camera, config: PoseConfig, focal_sigma: float
) -> tuple[float, float] | None:
    """(height, sigma) of the foot of an object whose size the user gave, from its outline alone in its clearest frame
    at rest; None where there is none. The scene's z must be up.

    The size makes the outline a ruler: the distance follows, and with it the metres of all that stands beside.
    """
    size = config.window_px
    for frame in clearest(sightings, config)[:2]:
        sighting = replace(sightings[frame], plane=None)
        if not sighting.resting:
            continue
        with MeshDepthRenderer(
            View(np.eye(3), size, size), [(model.vertices, model.faces)], near=0.05, far=20
        ) as drawn:
            refiner = PoseRefiner(model, drawn, 0, camera, config)
            R = sighting.T_world_camera[:3, :3]
            level = Plane(R.T @ np.array([0.0, 0.0, 1.0]), -1e3, 1e3)
            found = best_of(refiner, sighting, rotations(model, level, config, None), config)
        if found is None or found.fit.iou < config.min_iou:
            continue
        T = sighting.T_world_camera @ found.T_camera_object
        height = float((model.vertices @ T[:3, :3].T + T[:3, 3])[:, 2].min())
        sight = T[:3, 3] - sighting.T_world_camera[:3, 3]
        sigma = abs(float(sight[2])) * float(np.hypot(model.sigma_size, np.hypot(focal_sigma, 0.02)))
        return height, float(np.hypot(sigma, 0.005))
    return None

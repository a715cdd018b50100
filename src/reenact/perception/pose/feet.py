"""Where things stand, told by the hand that takes them or by their known size.

The hand is metric; at the moment it closes on a thing that still stands, the thing is as far away as the fingers, and
the lowest pixel of its mask is on the support.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Plane, Sighting, SightingSource
from reenact.perception.pose.doubt import score_noise
from reenact.perception.pose.initial import Candidate, ranked, rotations
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.sightings import ClipSightings
from reenact.perception.pose.start import clearest, worth
from reenact.perception.pose.window import Camera, normalised, to_full
from reenact.rendering.mesh_depth import MeshDepthRenderer, View

_TAKING_S = 0.4
"""A hand at a thing that stands takes it, or has just put it down, if the thing moves within this time."""


def taken(sightings: ClipSightings, camera: Camera) -> list[tuple[float, float, float]]:
    """Per frame in which a hand takes a standing thing or has just put it down: (height of its foot in the scene's frame,
    how far its ray falls per metre along the camera's axis, drop below the camera). The scene's z must be up.

    Hands before or behind a thing that they do not move say nothing of its distance, nor does a thing that was held from
    the start say anything of a table.
    """
    t = sightings.t_seconds
    moving = sightings.held_and_moving
    out: list[tuple[float, float, float]] = []
    for k in np.flatnonzero(sightings.resting):
        fingers, _ = sightings.fingers(int(k))
        if len(fingers) < 2 or not (np.abs(t[moving] - t[k]) < _TAKING_S).any():
            continue
        s = sightings[int(k)]
        mask = s.label == s.code
        z = float(np.median(fingers[:, 2]))
        ray = foot_ray(mask, camera, s.T_world_camera)
        out.append((float(s.T_world_camera[2, 3] + z * ray[2]), abs(float(ray[2])), z * float(ray[2])))
    return out


def foot_ray(
    mask: Bool[np.ndarray, "h w"], camera: Camera, T_world_camera: Float64[np.ndarray, "4 4"]
) -> Float64[np.ndarray, " 3"]:
    """The ray to the lowest pixels of a mask, scene's axes, one metre along the camera's axis."""
    rows, columns = np.nonzero(mask)
    low = rows >= np.percentile(rows, 99)
    pixel = np.array([columns[low].mean(), rows[low].mean() + 0.5])
    flat = normalised(camera, to_full(pixel[None], mask.shape, camera))[0]
    ray: np.ndarray = T_world_camera[:3, :3] @ np.array([*flat, 1.0])
    return ray


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
            found = ranked(refiner, sighting, rotations(model, level, config, None), config)
            found.sort(key=lambda c: -worth(c.fit, config))
            if not found or found[0].fit.iou < config.min_iou:
                continue
            height, spread = _foot(refiner, sighting, found, config)
        away = np.linalg.norm(sighting.T_world_camera[:3, :3] @ found[0].T_camera_object[:3, 3])
        drop = abs(height - float(sighting.T_world_camera[2, 3]))
        scale = min(drop, float(away)) * float(np.hypot(model.sigma_size, np.hypot(focal_sigma, 0.02)))
        return height, float(np.sqrt(scale**2 + spread**2 + 0.005**2))
    return None


def _foot(
    refiner: PoseRefiner, sighting: Sighting, found: list[Candidate], config: PoseConfig
) -> tuple[float, float]:
    """Height of the lowest point and its spread, over all poses that fit the frame nearly as well as the best."""
    up = sighting.T_world_camera[2, :3]
    heights = []
    for candidate in found:
        T = candidate.T_camera_object
        low = (refiner.model.vertices @ T[:3, :3].T + T[:3, 3]) @ up
        heights.append(float(low.min()) + float(sighting.T_world_camera[2, 3]))
    scale = score_noise(found[0].fit, sighting, config)
    value = np.array([worth(c.fit, config) for c in found])
    weight = np.exp((value - value[0]) / scale)
    mean = float(np.average(heights, weights=weight))
    other = float(np.average((np.array(heights) - mean) ** 2, weights=weight))
    own = refiner.refine(found[0].T_camera_object, sighting, rounds=1).covariance[:3, :3]
    return mean, float(np.sqrt(other + up @ own @ up))

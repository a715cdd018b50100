"""Where things stand, told by the hand that takes them or by their known size.

The hand is metric; at the moment it closes on a thing that still stands, the thing is as far away as the fingers, and
the lowest pixel of its mask is on the support.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Plane, SightingSource
from reenact.perception.pose.initial import best_of, rotations
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.sightings import ClipSightings
from reenact.perception.pose.tracker import clearest
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
            found = best_of(refiner, sighting, rotations(model, level, config, None), config)
        if found is None or found.fit.iou < config.min_iou:
            continue
        T = sighting.T_world_camera @ found.T_camera_object
        height = float((model.vertices @ T[:3, :3].T + T[:3, 3])[:, 2].min())
        sight = T[:3, 3] - sighting.T_world_camera[:3, 3]
        sigma = abs(float(sight[2])) * float(np.hypot(model.sigma_size, np.hypot(focal_sigma, 0.02)))
        return height, float(np.hypot(sigma, 0.005))
    return None

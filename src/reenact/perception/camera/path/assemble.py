"""A solved path, its metres and up become a `CameraTrack` and a `CameraPath`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.geometry.transforms import apply, inverse
from reenact.perception.camera.path.level import UpSights, level_up
from reenact.perception.camera.path.mapping import LICENCE
from reenact.perception.camera.path.metres import MapScale
from reenact.perception.camera.path.solve import SolvedPath
from reenact.perception.camera.world import world_from_up
from reenact.scene import CameraPath, CameraTrack, Clip, Source

_BRIDGED = 0.5
"""Confidence of a bridged frame, relative to a placed one."""


def with_lens(camera: CameraTrack, path: SolvedPath) -> CameraTrack:
    """The camera with the focal length that its motion told, if it did."""
    if path.lens is None:
        return camera
    params = camera.params.copy()
    params[:2] *= path.lens.ratio
    return replace(camera, params=params, intrinsics_source="motion", focal_sigma=path.lens.sigma)


def with_path(
    camera: CameraTrack, clip: Clip, path: SolvedPath, scale: MapScale, sights: UpSights
) -> tuple[CameraTrack, CameraPath]:
    """The track in a gravity-aligned world with the first known camera at its origin, and the account of it."""
    known = path.poses.placed | path.poses.bridged
    up_map, up_sigma = level_up(sights, path.poses.T_map_camera[known], clip.t_ns[known])
    T_metres_camera = path.poses.T_map_camera.copy()
    T_metres_camera[:, :3, 3] *= scale.metres
    first = T_metres_camera[int(np.flatnonzero(known)[0])]
    T_world_first = world_from_up(first[:3, :3].T @ up_map)
    T_world_metres = T_world_first @ inverse(first)
    trust = float(np.clip(1 - scale.sigma, 0.1, 1.0))
    confidence = np.where(path.poses.placed, trust, np.where(known, _BRIDGED * trust, 0.0))
    source = np.where(path.poses.placed, Source.OBSERVED, np.where(known, Source.FILLED, Source.UNKNOWN))
    track = replace(
        camera,
        T_world_camera=T_world_metres @ T_metres_camera,
        valid=known,
        confidence=confidence,
        source=source.astype(np.uint8),
        world_frame="world",
        gravity_source=sights.source,
        gravity_sigma=up_sigma,
    )
    account = CameraPath(
        method="sfm",
        scale_source="hands",
        scale_sigma=scale.sigma,
        turn_sigma=path.trust.turn_sigma,
        place_sigma=path.trust.place_sigma * path.far * scale.metres,
        placed=path.trust.placed,
        licence=LICENCE,
        points_world=apply(T_world_metres, scale.metres * path.points_map),
    )
    return track, account

"""Into the ego frame and back: joints, meshes, clouds, point tracks, poses and planes.

Each is one rigid transform per frame and nothing else, so every distance and angle stays what it was. Rows that are not
valid are carried along and mean as little as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import apply, inverse
from reenact.scene import CameraTrack, ObjectTracks, Scene, SupportPlane


def points_to_ego(
    ego: CameraTrack, points_world: Float64[np.ndarray, "t *n 3"]
) -> Float64[np.ndarray, "t *n 3"]:
    """Points of any number of axes, first axis the frame: joints [t 2 21 3], point tracks [t p 3], vertices [t v 3]."""
    return _moved(inverse(ego.T_world_camera), points_world)


def points_from_ego(
    ego: CameraTrack, points_ego: Float64[np.ndarray, "t *n 3"]
) -> Float64[np.ndarray, "t *n 3"]:
    """The inverse of `points_to_ego`."""
    return _moved(ego.T_world_camera, points_ego)


def clouds_to_ego(
    ego: CameraTrack, clouds_world: Sequence[Float64[np.ndarray, "_n 3"]]
) -> list[Float64[np.ndarray, "_n 3"]]:
    """One cloud per frame, each of its own size."""
    return [apply(T, cloud) for T, cloud in zip(inverse(ego.T_world_camera), clouds_world, strict=True)]


def poses_to_ego(
    ego: CameraTrack, T_world_thing: Float64[np.ndarray, "t *n 4 4"]
) -> Float64[np.ndarray, "t *n 4 4"]:
    """Poses of things (objects [t o 4 4], wrists [t 2 4 4], the source camera [t 4 4]): `T_ego_thing`."""
    return _placed(inverse(ego.T_world_camera), T_world_thing)


def poses_from_ego(
    ego: CameraTrack, T_ego_thing: Float64[np.ndarray, "t *n 4 4"]
) -> Float64[np.ndarray, "t *n 4 4"]:
    """The inverse of `poses_to_ego`."""
    return _placed(ego.T_world_camera, T_ego_thing)


def mesh_to_ego(ego: CameraTrack, objects: ObjectTracks, object_idx: int) -> Float64[np.ndarray, "t v 3"]:
    """Vertices of one object's mesh in every frame."""
    vertices, _ = objects.mesh(object_idx)
    return apply(poses_to_ego(ego, objects.T_world_object[:, object_idx]), vertices)


def plane_to_ego(
    ego: CameraTrack, plane: SupportPlane
) -> tuple[Float64[np.ndarray, "t 3"], Float64[np.ndarray, " t"]]:
    """Normals and offsets (normal . x = offset) of a plane as the camera meets it, frame by frame."""
    T = ego.T_world_camera
    return plane.normal_world @ T[:, :3, :3], plane.offset - T[:, :3, 3] @ plane.normal_world


@dataclass(frozen=True)
class EgoScene:
    """A scene's geometry in the ego camera's axes (OpenCV: x right, y down, z forward); None where the scene has none.

    Validity, confidence and source are those of the scene's own tracks.
    """

    joints_ego: Float64[np.ndarray, "t s=2 j=21 3"] | None
    T_ego_object: Float64[np.ndarray, "t o 4 4"] | None
    points_ego: Float64[np.ndarray, "t p 3"] | None
    """Meaningless where the point tracks say so (`valid_world`)."""
    T_ego_camera: Float64[np.ndarray, "t 4 4"]
    """The real camera."""


def scene_to_ego(scene: Scene, ego: CameraTrack) -> EgoScene:
    """Everything at once."""
    return EgoScene(
        joints_ego=None if scene.hands is None else points_to_ego(ego, scene.hands.joints_world),
        T_ego_object=None if scene.objects is None else poses_to_ego(ego, scene.objects.T_world_object),
        points_ego=None if scene.points is None else points_to_ego(ego, scene.points.points_world),
        T_ego_camera=poses_to_ego(ego, scene.camera.scene_T_camera()),
    )


def _moved(T: np.ndarray, points: np.ndarray) -> np.ndarray:
    return apply(T, points.reshape(len(points), -1, 3)).reshape(points.shape)


def _placed(T: np.ndarray, poses: np.ndarray) -> np.ndarray:
    return np.asarray(T.reshape(len(T), *([1] * (poses.ndim - 3)), 4, 4) @ poses)

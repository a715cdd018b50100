"""What a picture's size does to raw perception: errors that are set in pixels, and points followed in pixels.

On top of the noise of `noise.py`, drawn anew for each size, so that nothing but the scene is common to two sizes:

- objects: half a pixel, white, across the line of sight; hands: one pixel for the hand and half a pixel for each joint;
- forty points on each object's surface, seen where their face turns to the camera and no joint of a hand is in front of
  them (2.5 cm around it), with 0.3 pixels of white error and a drift of 0.3 pixels in a second.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.geometry.transforms import apply, inverse
from reenact.scene import CameraTrack, PointTracks, Scene, Source

OBJECT_PX, HAND_PX, JOINT_PX = 0.5, 1.0, 0.5
POINTS, POINT_PX, DRIFT_PX = 40, 0.3, 0.3
COVER = 0.025
"""What a joint of a hand hides around it (m)."""


def filmed(truth: Scene, raw: Scene, height_px: int, seed: int) -> Scene:
    """The raw scene as a camera with this many rows gives it, with `points`."""
    rng = np.random.default_rng([seed, height_px])
    camera = _resized(truth.camera, height_px)
    focal = float(np.sqrt(camera.params[0] * camera.params[1]))
    T_wc = camera.scene_T_camera()
    objects = _shifted_objects(raw, T_wc, focal, rng)
    hands = _shifted_hands(raw, T_wc, focal, rng)
    points = _followed(truth, camera, rng)
    return replace(raw, camera=camera, objects_raw=objects, hands=hands, hands_raw=hands, points=points)


def _resized(camera: CameraTrack, height_px: int) -> CameraTrack:
    share = height_px / camera.height_px
    params = camera.params.copy()
    params[:2] *= share
    params[2:4] = (params[2:4] + 0.5) * share - 0.5
    return replace(camera, params=params, width_px=round(camera.width_px * share), height_px=height_px)


def _across(places: np.ndarray, T_wc: np.ndarray, px: np.ndarray, focal: float) -> np.ndarray:
    """Metres in the scene for errors in pixels `px` [t .. 2] at places [t .. 3]."""
    axes = T_wc.reshape(len(T_wc), *[1] * (places.ndim - 2), 4, 4)
    away = np.linalg.norm(places - axes[..., :3, 3], axis=-1, keepdims=True)
    return (axes[..., :3, 0] * px[..., :1] + axes[..., :3, 1] * px[..., 1:]) * away / focal


def _shifted_objects(raw: Scene, T_wc: np.ndarray, focal: float, rng: np.random.Generator):
    tracks = raw.objects_raw
    T = tracks.T_world_object.copy()
    T[..., :3, 3] += _across(T[..., :3, 3], T_wc, rng.normal(0, OBJECT_PX, (*T.shape[:2], 2)), focal)
    return replace(tracks, T_world_object=np.where(tracks.valid[..., None, None], T, np.eye(4)))


def _shifted_hands(raw: Scene, T_wc: np.ndarray, focal: float, rng: np.random.Generator):
    joints = raw.hands.joints_world
    px = rng.normal(0, HAND_PX, (*joints.shape[:2], 1, 2)) + rng.normal(0, JOINT_PX, (*joints.shape[:3], 2))
    moved = joints + _across(joints, T_wc, px, focal)
    return replace(raw.hands, joints_world=np.where(raw.hands.valid[..., None, None], moved, 0.0))


def _followed(truth: Scene, camera: CameraTrack, rng: np.random.Generator) -> PointTracks:
    t = truth.clip.t_seconds
    view, lens = inverse(camera.scene_T_camera()), camera.camera()
    joints = apply(view[:, None], truth.hands.joints_world)
    pixels, seen, index = [], [], []
    for o in range(len(truth.objects.object_ids)):
        places, normals = _on_surface(*truth.objects.mesh(o), rng)
        T = view @ truth.objects.T_world_object[:, o]
        at = apply(T, places)
        turned = np.einsum("tij,pj->tpi", T[:, :3, :3], normals)
        visible = (at * turned).sum(axis=-1) < -0.2 * np.linalg.norm(at, axis=-1)
        px = lens.project(at)
        inside = ((px > 0) & (px < [camera.width_px - 1, camera.height_px - 1])).all(axis=-1)
        for side in (0, 1):
            on = truth.hands.valid[:, side]
            safe = np.where(on[:, None, None], joints[:, side], [0.0, 0.0, 10.0])
            gap = np.linalg.norm(px[:, :, None] - lens.project(safe)[:, None], axis=-1)
            front = safe[:, None, :, 2] < at[:, :, None, 2]
            reach = COVER * camera.params[0] / safe[:, None, :, 2]
            visible &= ~((gap < reach) & front & on[:, None, None]).any(axis=-1)
        steps = rng.normal(0, 1, px.shape) * DRIFT_PX * np.sqrt(np.gradient(t))[:, None, None]
        pixels.append(px + np.cumsum(steps, axis=0) + rng.normal(0, POINT_PX, px.shape))
        seen.append(visible & inside)
        index.append(np.full(POINTS, o))
    valid = np.concatenate(seen, axis=1)
    return PointTracks(
        object_idx=np.concatenate(index).astype(np.int64), points_px=np.concatenate(pixels, axis=1), valid=valid,
        confidence=valid.astype(float), source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        points_world=np.zeros((*valid.shape, 3)), valid_world=np.zeros(valid.shape, bool),
        sigma_world=np.zeros(valid.shape), depth_source="none", backend="simulated", licence="Apache-2.0",
    )  # fmt: skip


def _on_surface(
    vertices: np.ndarray, faces: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Points and outward normals [p 3], by area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    which = rng.choice(len(faces), POINTS, p=area / area.sum())
    share = rng.dirichlet(np.ones(3), POINTS)
    places = share[:, :1] * a[which] + share[:, 1:2] * b[which] + share[:, 2:] * c[which]
    return places, normal[which] / area[which, None]

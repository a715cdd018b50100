"""Objects for the page: each mesh once (thinned, 16 bit), its pose per frame, its outline over the video, contacts."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import ConvexHull, QhullError

from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import TIPS
from reenact.rendering.palette import CONTACT_RGB, hex_color, object_rgb
from reenact.scene import CameraTrack, ContactTracks, HandTracks, ObjectTracks
from reenact.viewer.encode import packed
from reenact.viewer.strips import object_labels
from reenact.viewer.thinning import thinned

MOST_FACES = 4000
"""A mesh with more is thinned for the page (about 50 kB)."""
OUTLINE_POINTS = 24
_PALM = (0, 5, 9, 13, 17)


def objects_payload(objects: ObjectTracks, camera: CameraTrack) -> dict[str, Any]:
    """Meshes, `poses` [t o 7] (x y z qw qx qy qz) in the scene's frame, validity, outlines in the clip's pixels."""
    T = objects.T_world_object
    turns = [quat_continuous(quat_from_matrix(T[:, k, :3, :3])) for k in range(len(objects.names))]
    quat = np.stack(turns, axis=1) if turns else np.zeros((*T.shape[:2], 4))
    return {
        "names": list(object_labels(objects)),
        "colors": [hex_color(object_rgb(k)) for k in range(len(objects.names))],
        "meshes": [_mesh(*objects.mesh(k)) for k in range(len(objects.names))],
        "poses": packed(np.concatenate([T[..., :3, 3], quat], axis=2)),
        "valid": packed(objects.valid, "uint8"),
        "source": packed(objects.source, "uint8"),
        "outlines": [_outlines(objects, k, camera) for k in range(len(objects.names))],
    }


def _mesh(vertices: np.ndarray, faces: np.ndarray) -> dict[str, Any] | None:
    """Vertices as steps of (high - low) / 65535 from low; None where there is no mesh."""
    if len(vertices) == 0 or len(faces) == 0:
        return None
    vertices, faces = thinned(vertices, faces, MOST_FACES)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    steps = np.rint((vertices - low) / np.maximum(high - low, 1e-9) * 65535)
    return {
        "low": low.tolist(),
        "high": high.tolist(),
        "vertices": packed(steps, "uint16"),
        "faces": packed(faces, "uint16" if len(vertices) <= 65535 else "uint32"),
    }


def _outlines(objects: ObjectTracks, k: int, camera: CameraTrack) -> dict[str, Any] | None:
    """Convex outline of the projected mesh per frame, `OUTLINE_POINTS` corners each; count 0 where it is not seen."""
    vertices, _ = objects.mesh(k)
    if len(vertices) < 4:
        return None
    corners = vertices[_corners(vertices)]
    lens, T_scene_camera = camera.camera(), camera.scene_T_camera()
    frames = len(objects.valid)
    points, known = np.zeros((frames, OUTLINE_POINTS, 2)), np.zeros(frames, bool)
    for frame in np.flatnonzero(objects.valid[:, k]):
        seen = apply(inverse(T_scene_camera[frame]) @ objects.T_world_object[frame, k], corners)
        if seen[:, 2].min() < 0.02:
            continue
        pixels = lens.project(seen)
        hull = pixels[_corners(pixels)]
        if len(hull) >= 3 and np.isfinite(hull).all():
            points[frame], known[frame] = _resampled(hull), True
    return {"px": packed(np.rint(points.clip(-30000, 30000)), "int16"), "valid": packed(known, "uint8")}


def _corners(points: np.ndarray) -> Int64[np.ndarray, " n"]:
    """Corners of the convex hull (in 2D in order); all of the points where they are flat."""
    try:
        return np.asarray(ConvexHull(points).vertices, np.int64)
    except QhullError:
        return np.arange(len(points))


def _resampled(hull: Float64[np.ndarray, "n 2"]) -> np.ndarray:
    """`OUTLINE_POINTS` corners: all of them, the last repeated, or every so many."""
    if len(hull) <= OUTLINE_POINTS:
        return np.concatenate([hull, np.repeat(hull[-1:], OUTLINE_POINTS - len(hull), axis=0)])
    return hull[np.linspace(0, len(hull), OUTLINE_POINTS, endpoint=False).astype(int)]


def contacts_payload(contacts: ContactTracks, hands: HandTracks) -> dict[str, Any]:
    """`places` [t 12 3] of fingertips and palms, left first, and `object` [t 12]: 1 + index of what is touched, or 0."""
    palm = hands.joints_world[:, :, list(_PALM)].mean(axis=2, keepdims=True)
    places = np.concatenate([hands.joints_world[:, :, list(TIPS)], palm], axis=2)
    touching = contacts.touching & (contacts.valid & hands.valid[..., None])[:, :, None]
    nearest = np.where(touching, contacts.distance, np.inf)
    index = np.where(touching.any(axis=3), 1 + nearest.argmin(axis=3) if touching.shape[3] else 0, 0)
    count = len(places)
    return {
        "places": packed(places.reshape(count, 12, 3)),
        "object": packed(index.reshape(count, 12), "uint8"),
        "color": hex_color(CONTACT_RGB),
    }


def ego_payload(ego: CameraTrack) -> dict[str, Any]:
    """Pose [t 7] of the virtual camera (OpenCV axes) and its lens."""
    T = ego.T_world_camera
    quat = quat_continuous(quat_from_matrix(T[:, :3, :3]))
    fov = 2 * np.degrees(np.arctan(ego.height_px / 2 / float(ego.params[1])))
    return {
        "poses": packed(np.concatenate([T[:, :3, 3], quat], axis=1)),
        "fovYDeg": float(fov),
        "aspect": ego.width_px / ego.height_px,
    }

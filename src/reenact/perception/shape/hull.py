"""The visual hull: what is left of a block when everything that some view shows as background is carved away.

It needs views from many sides, of a thing whose pose is known in each (a still thing before a moving camera, or one
followed with a fitted solid). Hollows that no outline shows stay filled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.geometry.transforms import inverse
from reenact.perception.pose.contract import ObjectPoses, SightingSource
from reenact.perception.pose.symmetry import find_symmetry
from reenact.perception.pose.window import Camera
from reenact.perception.shape.contract import ShapeEstimate
from reenact.scene import MaskLabel


@dataclass(frozen=True)
class HullConfig:
    """When a hull is worth making, and how fine."""

    cells: int = 40
    """Cells along the longest side."""
    margin: float = 0.25
    """The block is larger than the first guess by this share on every side."""
    min_turn_deg: float = 60.0
    """Directions of view, in the object's frame, must spread at least this much."""
    max_views: int = 32
    """Views used."""
    out_share: float = 0.05
    """A cell is carved when it is background in more than this share of the views that see it (masks err)."""
    smoothing: int = 4
    """Rounds of smoothing that keep the volume."""


def visual_hull(
    guess: ShapeEstimate,
    sightings: SightingSource,
    poses: ObjectPoses,
    camera: Camera,
    config: HullConfig | None = None,
) -> ShapeEstimate | None:
    """The hull in the frame of the guess; None where the views do not go round it far enough, or nothing is left."""
    config = config or HullConfig()
    frames = np.flatnonzero(poses.valid & (poses.confidence > 0.4))
    frames = (
        frames[np.unique(np.linspace(0, len(frames) - 1, config.max_views).astype(int))]
        if len(frames)
        else frames
    )
    views = [
        (k, np.asarray(inverse(sightings[int(k)].T_world_camera)) @ poses.T_world_object[k]) for k in frames
    ]
    if len(views) < 4 or spread_deg([T for _, T in views]) < config.min_turn_deg:
        return None
    low, high = guess.vertices.min(0), guess.vertices.max(0)
    low, high = low - config.margin * (high - low), high + config.margin * (high - low)
    step = float((high - low).max()) / config.cells
    shape = np.maximum(np.ceil((high - low) / step).astype(int), 2)
    centres = (
        low + (np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3) + 0.5) * step
    )
    seen, out = np.zeros(len(centres)), np.zeros(len(centres))
    for k, T in views:
        shown, outside = _look(centres, T, sightings[int(k)].label, sightings[int(k)].code, camera)
        seen += shown
        out += outside
    filled = (seen > 0) & (out <= config.out_share * seen)
    if filled.sum() < 30:
        return None
    vertices, faces = surface_of(filled.reshape(shape), low, step)
    vertices = smoothed(vertices, faces, config.smoothing)
    relative = np.hypot(guess.sigma_size / np.maximum(guess.size, 1e-6), step / np.ptp(vertices, axis=0))
    return ShapeEstimate(
        "visual_hull", vertices, faces, relative * np.ptp(vertices, axis=0), guess.scale_source, guess.confidence,
        find_symmetry(vertices, vertices), guess.start, {"views": len(views), "cell": step, "guess": guess.kind},
    )  # fmt: skip


def spread_deg(T_camera_object: list[Float64[np.ndarray, "4 4"]]) -> float:
    """Greatest angle between two directions of view, as the object sees them."""
    to_camera = np.array([-T[:3, :3].T @ T[:3, 3] for T in T_camera_object])
    to_camera /= np.linalg.norm(to_camera, axis=1, keepdims=True)
    return float(np.rad2deg(np.arccos(np.clip(to_camera @ to_camera.T, -1, 1).min())))


def _look(
    centres: np.ndarray, T: np.ndarray, label: np.ndarray, code: int, camera: Camera
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Which cells a view can tell of, and which of them it shows as background."""
    p = centres @ T[:3, :3].T + T[:3, 3]
    pixels = np.asarray(camera.project(np.where(p[:, 2:] > 0.02, p, [0.0, 0.0, 1.0])))
    scale = np.array([label.shape[1] / camera.width_px, label.shape[0] / camera.height_px])
    at = np.rint((pixels + 0.5) * scale - 0.5).astype(int)
    inside = (p[:, 2] > 0.02) & ((at >= 0) & (at < label.shape[::-1])).all(1)
    u, v = np.where(inside[:, None], at, 0).T
    here = label[v, u]
    background = (here == MaskLabel.BACKGROUND) | (here == MaskLabel.TABLE)
    return inside & (background | (here == code)), inside & background


def surface_of(
    filled: Bool[np.ndarray, "x y z"], low: Float[np.ndarray, " 3"], step: float
) -> tuple[Float64[np.ndarray, "v 3"], np.ndarray]:
    """The faces between filled and empty cells, two triangles each, outside counter-clockwise."""
    padded = np.pad(filled, 1)
    quads = []
    for axis in range(3):
        for sign in (1, -1):
            empty = ~np.roll(padded, -sign, axis=axis)
            cells = np.argwhere(padded & empty) - 1
            a, b = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
            base = cells + (np.eye(3, dtype=int)[axis] if sign > 0 else 0)
            ring = [base, base + a, base + a + b, base + b]
            quads.append(np.stack(ring if sign > 0 else ring[::-1], axis=1))
    corners = np.concatenate(quads)
    unique, idx = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)
    idx = idx.reshape(-1, 4)
    faces = np.concatenate([idx[:, [0, 1, 2]], idx[:, [0, 2, 3]]]).astype(np.int64)
    return low + unique * step, faces


def smoothed(
    vertices: Float64[np.ndarray, "v 3"], faces: np.ndarray, rounds: int
) -> Float64[np.ndarray, "v 3"]:
    """Taubin's smoothing: a step in, a step out, so that the volume stays."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.concatenate([edges, edges[:, ::-1]])
    count = np.bincount(edges[:, 0], minlength=len(vertices))[:, None]
    out = np.array(vertices)
    for _ in range(rounds):
        for factor in (0.5, -0.53):
            total = np.zeros_like(out)
            np.add.at(total, edges[:, 0], out[edges[:, 1]])
            out = out + factor * (total / np.maximum(count, 1) - out)
    return out

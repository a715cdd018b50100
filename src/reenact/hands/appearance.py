"""What the free hand's skin looks like: a place in a two-way palette for every vertex.

One texture holds all colours of a skin: across it the tone goes from dark creases over plain skin to pale palm and
nails, up it from sallow to flushed. Vertices carry coordinates into it, so colour varies smoothly and has no seam.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from reenact.hands.joints import LEFT
from reenact.hands.mesh import REST_ANGLES, HandMesh, vertex_normals
from reenact.hands.skeleton import HandSkeleton

PALETTE_SIZE = 64
MM = 1e-3


@dataclass(frozen=True)
class SkinTone:
    """sRGB 0..1 of plain skin on the back of the hand."""

    base: tuple[float, float, float] = (0.80, 0.60, 0.49)


def palette(tone: SkinTone) -> UInt8[np.ndarray, "h w 3"]:
    """The palette of a skin: columns dark to pale, rows flushed (top) to sallow."""
    u = np.linspace(-1, 1, PALETTE_SIZE)[None, :, None]
    v = np.linspace(1, 0, PALETTE_SIZE)[:, None, None]
    base = np.array(tone.base)
    dark, pale, red = (
        base * [0.62, 0.50, 0.47],
        base + (1 - base) * [0.45, 0.38, 0.36],
        np.array([0.05, -0.07, -0.06]),
    )
    colour = np.where(u < 0, base + (-u) * (dark - base), base + u * (pale - base)) + (v - 0.0) * red
    return np.clip(np.rint(colour * 255), 0, 255).astype(np.uint8)


def palette_coordinates(mesh: HandMesh) -> Float64[np.ndarray, "v 2"]:
    """Texture coordinates of every vertex: (tone 0..1 with 0.5 plain skin, flush 0..1)."""
    skeleton = HandSkeleton.adult(mesh.side)
    joints, bones = skeleton.joints_wrist(REST_ANGLES), skeleton.bone_transforms(REST_ANGLES)
    points = mesh.vertices_rest
    normals = vertex_normals(points, mesh.faces)
    tone, flush = np.zeros(len(points)), np.full(len(points), 0.15)
    palm_side = np.clip(-normals[:, 1], 0, 1) * _step(
        points[:, 0] * (1 if mesh.side == LEFT else -1), -20 * MM, 10 * MM
    )
    tone += 0.35 * palm_side
    flush += 0.25 * palm_side
    for finger in range(5):
        for k in range(3):
            T = bones[1 + 3 * finger + k]
            near = np.exp(-((np.linalg.norm(points - T[:3, 3], axis=1) / (13 * MM)) ** 2))
            dorsal = np.clip(normals @ T[:3, 1], 0, 1)
            flush += 0.45 * near * dorsal
            tone -= 0.18 * near * dorsal
        T, tip = bones[3 + 3 * finger], joints[4 + 4 * finger]
        flush += 0.5 * np.exp(-((np.linalg.norm(points - tip, axis=1) / (12 * MM)) ** 2))
        tone += 0.75 * _nail(points, normals, T, np.linalg.norm(tip - T[:3, 3]), finger)
    return np.clip(np.stack([0.5 + 0.5 * tone, flush], axis=1), 0.02, 0.98)


def _nail(points: np.ndarray, normals: np.ndarray, T: np.ndarray, length: float, finger: int) -> np.ndarray:
    local = (points - T[:3, 3]) @ T[:3, :3]
    half_width = (6.8, 5.2, 5.4, 5.0, 4.2)[finger] * MM
    along = (local[:, 0] - 0.74 * length) / (0.30 * length)
    across = local[:, 2] / half_width
    inside = 1 - np.maximum(np.abs(along), np.abs(across))
    return _step(inside, -0.25, 0.25) * _step(normals @ T[:3, 1], 0.2, 0.5)


def _step(x: np.ndarray, low: float, high: float) -> np.ndarray:
    u = np.clip((x - low) / (high - low), 0, 1)
    return u * u * (3 - 2 * u)

"""Plain solids as meshes, and clips of one solid before an analytic world."""

from __future__ import annotations

import numpy as np

from reenact.perception.pose.contract import Plane, Sighting
from reenact.rendering.mesh_depth import MeshDepthRenderer, View


def box(x: float, y: float, z: float) -> tuple[np.ndarray, np.ndarray]:
    vertices = (
        np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]) * np.array([x, y, z]) / 2
    )
    faces = np.array([
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
        [1, 5, 7], [1, 7, 3],
    ])  # fmt: skip
    return vertices, faces.astype(np.int64)


def cylinder(radius: float, height: float, n: int = 48) -> tuple[np.ndarray, np.ndarray]:
    angle = 2 * np.pi * np.arange(n) / n
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    vertices = np.concatenate([
        np.column_stack([ring, np.full(n, -height / 2)]), np.column_stack([ring, np.full(n, height / 2)]),
        [[0, 0, -height / 2], [0, 0, height / 2]],
    ])  # fmt: skip
    i, j = np.arange(n), (np.arange(n) + 1) % n
    sides = np.concatenate([np.stack([i, j, j + n], 1), np.stack([i, j + n, i + n], 1)])
    caps = np.concatenate(
        [np.stack([j, i, np.full(n, 2 * n)], 1), np.stack([i + n, j + n, np.full(n, 2 * n + 1)], 1)]
    )
    return vertices, np.concatenate([sides, caps]).astype(np.int64)


def drawn_sightings(
    mesh: tuple[np.ndarray, np.ndarray],
    T_camera_object: np.ndarray,
    view: View,
    *,
    depth_sigma: float | None,
    hidden: dict[int, tuple[int, int, int, int]] | None = None,
    lost: tuple[int, ...] = (),
    plane: Plane | None = None,
    fps_hz: float = 15.0,
) -> list[Sighting]:
    """What a camera with exact masks and noisy depth (relative sigma; None: no depth) sees of a moving solid.

    hidden: boxes x0 y0 x1 y1 that a hand covers, by frame; lost: frames without a mask.
    """
    out, rng = [], np.random.default_rng(0)
    v, u = np.mgrid[: view.height_px, : view.width_px].astype(float)
    with MeshDepthRenderer(view, [mesh]) as renderer:
        for k, T in enumerate(T_camera_object):
            seen = renderer.render(T[None])
            label = np.where(seen.label > 0, 16, 0).astype(np.uint8)
            if hidden and k in hidden:
                x0, y0, x1, y1 = hidden[k]
                label[y0:y1, x0:x1] = 2
            cloud, sigma = np.zeros((0, 3)), np.zeros(0)
            if depth_sigma is not None:
                rows, columns = np.nonzero(label == 16)
                pick = rng.permutation(len(rows))[:400]
                rows, columns = rows[pick], columns[pick]
                z = seen.depth[rows, columns] * (1 + depth_sigma * rng.normal(size=len(rows)))
                K = view.K
                cloud = np.stack([(u[rows, columns] - K[0, 2]) / K[0, 0], (v[rows, columns] - K[1, 2]) / K[1, 1],
                                  np.ones(len(z))], 1) * z[:, None]  # fmt: skip
                sigma = np.maximum(depth_sigma * z, 1e-3)
            out.append(
                Sighting(
                    label=label,
                    code=16,
                    mask_valid=k not in lost,
                    T_world_camera=np.eye(4),
                    t_seconds=k / fps_hz,
                    cloud=cloud,
                    cloud_sigma=sigma,
                    plane=plane,
                )
            )
    return out

"""Point-to-mesh distances: our grid against a tree rebuilt per frame and against trimesh, in one run.

42 hand keypoints x 120 frames about a rigid mesh of 20 k vertices and 40 k faces, one core. Targets: contact distances
<= 0.04 x a KD-tree rebuilt per frame in the world's frame; signed distances <= 0.05 x trimesh (a development-only
dependency: trimesh and rtree; its row is left out where they are absent).

    OMP_NUM_THREADS=1 python benchmarks/object_distances.py [--markdown PATH]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from reenact.geometry.mesh_distance import MeshSurface, SignedDistanceGrid
from reenact.geometry.rotations import random_rotation
from reenact.geometry.transforms import apply, inverse, make_T

FRAMES, POINTS = 120, 42


def bumpy_ball(rings: int = 100, spokes: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A closed ball of about 9 cm with 5 mm waves; `rings * spokes` vertices and twice as many faces."""
    v, u = np.meshgrid(
        np.linspace(0, np.pi, rings + 2)[1:-1], np.arange(spokes) * 2 * np.pi / spokes, indexing="ij"
    )
    r = 0.085 + 0.005 * np.sin(5 * u) * np.sin(v) ** 2 + 0.005 * np.cos(6 * v)
    ring = np.stack([r * np.sin(v) * np.cos(u), r * np.sin(v) * np.sin(u), r * np.cos(v)], axis=-1).reshape(
        -1, 3
    )
    vertices = np.concatenate([ring, [[0, 0, 0.09], [0, 0, -0.08]]])
    faces = []
    for i in range(rings - 1):
        for j in range(spokes):
            a, b = i * spokes + j, i * spokes + (j + 1) % spokes
            faces += [(a, a + spokes, b), (b, a + spokes, b + spokes)]
    top, bottom, last = len(vertices) - 2, len(vertices) - 1, (rings - 1) * spokes
    faces += [(top, j, (j + 1) % spokes) for j in range(spokes)]
    faces += [(bottom, last + (j + 1) % spokes, last + j) for j in range(spokes)]
    return vertices, np.array(faces)


def timed(work: Callable[[], np.ndarray], repeats: int) -> tuple[float, np.ndarray]:
    """Best of some runs (s), and the answer."""
    best, answer = np.inf, np.zeros(0)
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - start)
    return best, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, default=None)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    vertices, faces = bumpy_ball()
    T = make_T(random_rotation(rng, FRAMES), rng.uniform(-0.5, 0.5, (FRAMES, 3)))
    direction = rng.normal(size=(FRAMES, POINTS, 3))
    local = (
        direction
        / np.linalg.norm(direction, axis=-1, keepdims=True)
        * rng.uniform(0.06, 0.14, (FRAMES, POINTS, 1))
    )
    world = apply(T, local)

    start = time.perf_counter()
    grid = SignedDistanceGrid.build(vertices, faces)
    built = time.perf_counter() - start

    def rebuilt() -> np.ndarray:
        return np.stack([cKDTree(apply(T[i], vertices)).query(world[i])[0] for i in range(FRAMES)])

    kept = cKDTree(vertices)
    surface = MeshSurface.build(vertices, faces, spacing=0.003)
    runs = {
        "KD-tree over vertices, rebuilt per frame": (rebuilt, 2),
        "KD-tree over vertices, kept": (lambda: kept.query(apply(inverse(T), world))[0], 3),
        "ours: closest point on triangles": (
            lambda: surface.closest(apply(inverse(T), world).reshape(-1, 3))[1].reshape(FRAMES, POINTS), 3),
        "ours: signed distance grid": (lambda: grid.distance(apply(inverse(T), world)), 20),
        "ours: signed distance grid with gradient": (
            lambda: grid.distance_and_gradient(apply(inverse(T), world))[0], 20),
    }  # fmt: skip
    seconds = {name: timed(work, repeats) for name, (work, repeats) in runs.items()}
    try:
        import trimesh

        mesh = trimesh.Trimesh(vertices, faces, process=False)
        flat = local.reshape(-1, 3)
        seconds["trimesh signed distance"] = timed(lambda: -trimesh.proximity.signed_distance(mesh, flat), 1)
    except ImportError:
        print("trimesh is not there: its row is left out")
    tree = seconds["KD-tree over vertices, rebuilt per frame"][0]
    peer = seconds.get("trimesh signed distance", (np.nan, None))[0]
    lines = ["| method | ms | x rebuilt tree | x trimesh |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {1e3 * s:.2f} | {s / tree:.4f} | {s / peer:.4f} |" for name, (s, _) in seconds.items()
    ]
    ours = seconds["ours: signed distance grid"][1].ravel()
    notes = [f"grid {grid.values.shape}, cell {1e3 * grid.cell:.2f} mm, built once in {built:.2f} s"]
    if not np.isnan(peer):
        error = np.abs(ours - seconds["trimesh signed distance"][1].ravel())
        notes.append(
            f"grid against trimesh: median {1e3 * np.median(error):.3f} mm, p99 {1e3 * np.percentile(error, 99):.3f} mm, "
            f"signs differ in {np.mean(np.sign(ours) != np.sign(seconds['trimesh signed distance'][1].ravel())):.2%}"
        )
    text = "\n".join([*lines, "", *notes])
    print(text)
    if args.markdown:
        args.markdown.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

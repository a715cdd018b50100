from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.mesh_distance import GridConfig, MeshSurface, SignedDistanceGrid
from reenact.geometry.mesh_distance.surface import BadMesh

CUBE_FACES = np.array([
    [0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4],
    [2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5],
])  # fmt: skip


def box(half: np.ndarray, middle: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    corners = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
    return corners * half + middle, CUBE_FACES


def box_distance(points: np.ndarray, half: np.ndarray) -> np.ndarray:
    q = np.abs(points) - half
    return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)


HALF = np.array([0.03, 0.04, 0.06])


@pytest.fixture(scope="module")
def grid() -> SignedDistanceGrid:
    return SignedDistanceGrid.build(*box(HALF))


def test_the_grid_gives_the_exact_distance_of_a_box_to_a_fraction_of_a_cell(grid):
    points = np.random.default_rng(0).uniform(-0.12, 0.12, (20, 100, 3))
    error = np.abs(grid.distance(points) - box_distance(points, HALF))
    near = np.abs(box_distance(points, HALF)) < 0.03
    assert error[near].max() < 0.3 * grid.cell
    assert np.percentile(error[near], 99) < 0.2 * grid.cell
    assert error.max() < 0.03  # far outside: the box's nearest point is added, an upper bound


def test_the_gradient_is_the_derivative_and_of_unit_length_near_faces(grid):
    points = np.random.default_rng(1).uniform(-0.08, 0.08, (500, 3))
    value, gradient = grid.distance_and_gradient(points)
    np.testing.assert_allclose(value, grid.distance(points), atol=1e-12)
    step = 1e-7
    for k in range(3):
        ahead = points + step * np.eye(3)[k]
        numeric = (grid.distance(ahead) - value) / step
        assert np.median(np.abs(numeric - gradient[:, k])) < 1e-5
    facing = np.array([[0.032, 0.0, 0.01]])
    np.testing.assert_allclose(grid.distance_and_gradient(facing)[1], [[1.0, 0, 0]], atol=1e-6)


def test_overlapping_parts_are_one_solid():
    a, faces = box(np.array([0.03, 0.02, 0.02]))
    b, _ = box(np.array([0.01, 0.01, 0.05]))
    grid = SignedDistanceGrid.build(np.concatenate([a, b]), np.concatenate([faces, faces + 8]))
    assert grid.distance(np.zeros((1, 3)))[0] < -0.009
    inside_both = grid.distance(np.array([[0.0, 0.0, 0.015], [0.005, 0.0, 0.03], [0.025, 0.0, 0.03]]))
    assert inside_both[0] < 0
    assert inside_both[1] < 0 < inside_both[2]


def test_closest_points_are_on_the_surface_and_no_vertex_is_nearer():
    vertices, faces = box(HALF)
    surface = MeshSurface.build(vertices, faces, spacing=0.002)
    points = np.random.default_rng(2).uniform(-0.1, 0.1, (300, 3))
    foot, distance, face = surface.closest(points)
    np.testing.assert_allclose(distance, np.abs(box_distance(points, HALF)), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(points - foot, axis=1), distance, atol=1e-12)
    assert face.max() < len(faces)
    assert np.abs(box_distance(foot, HALF)).max() < 1e-9


def test_large_meshes_get_larger_cells_and_broken_ones_are_named():
    big = SignedDistanceGrid.build(*box(10 * HALF), GridConfig(most_nodes=30_000))
    assert big.values.size < 40_000
    assert big.cell > 0.01
    with pytest.raises(BadMesh, match="8 vertices and 1 faces"):
        MeshSurface.build(box(HALF)[0], np.array([[0, 1, 8]]), 0.01)
    with pytest.raises(BadMesh, match="without area"):
        MeshSurface.build(box(HALF)[0], np.array([[0, 0, 1]]), 0.01)

"""Carving keeps the planted solid, and refuses where the views do not go round it."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.pose.contract import ObjectPoses
from reenact.perception.shape.contract import ShapeEstimate
from reenact.perception.shape.hull import surface_of, visual_hull
from reenact.perception.shape.primitives import primitive_mesh
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View
from tests.perception.pose.solids import drawn_sightings

CAMERA = PinholeCamera(300.0, 300.0, 79.5, 59.5, 160, 120)
SIZE = np.array([0.05, 0.09, 0.12])


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def test_cells_have_a_closed_outward_surface() -> None:
    filled = np.zeros((4, 5, 6), bool)
    filled[1:3, 1:4, 2:5] = True
    vertices, faces = surface_of(filled, np.zeros(3), 0.1)
    assert volume(vertices, faces) == pytest.approx(18 * 1e-3)


@pytest.mark.parametrize("turn", [6.0, 0.3])
def test_a_turning_box_is_carved_out_of_a_larger_block(turn: float) -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    angle = np.linspace(0, turn, 12)
    R = so3_exp(np.stack([0.8 * angle * np.sin(angle), angle, 0.9 * angle * np.cos(2 * angle)], 1))
    T = make_T(R, np.tile([0.0, 0.0, 0.5], (12, 1)))
    seen = drawn_sightings(
        primitive_mesh("box", SIZE), T, View(np.asarray(CAMERA.K), 160, 120), depth_sigma=None
    )
    ones = np.ones(12)
    poses = ObjectPoses(T, ones > 0, ones, np.tile(np.eye(6), (12, 1, 1)), {})
    vertices, faces = primitive_mesh("ellipsoid", SIZE * 1.1)
    guess = ShapeEstimate("ellipsoid", vertices, faces, 0.05 * SIZE, "support", 0.7)
    hull = visual_hull(guess, seen, poses, CAMERA)
    if turn < 1:
        assert hull is None
        return
    assert hull is not None
    assert hull.kind == "visual_hull"
    assert np.abs(hull.size - SIZE).max() < 0.02
    assert volume(hull.vertices, hull.faces) == pytest.approx(SIZE.prod(), rel=0.3)
    assert volume(hull.vertices, hull.faces) > 0.9 * SIZE.prod(), "a hull is never smaller than the thing"

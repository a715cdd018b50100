"""A drawn mesh lies where the pinhole says, with the depth of the analytic solid, in any close-up, also reshaped."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import random_rotation
from reenact.geometry.transforms import make_T
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import MeshDepthRenderer, UnusableMesh, View

HALF = np.array([0.04, 0.06, 0.09])
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * HALF
FACES = np.array([
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4],
    [1, 5, 7], [1, 7, 3],
])  # fmt: skip
VIEW = View.of(np.array([210.0, 190.0, 77.0, 61.0]), 160, 120)


@pytest.fixture(scope="module", autouse=True)
def gl() -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))


def box_depth(T: np.ndarray, view: View) -> np.ndarray:
    """z of the first crossing of each pixel's ray with the box, 0 where there is none (slab method)."""
    v, u = np.mgrid[: view.height_px, : view.width_px]
    rays = np.stack(
        [(u - view.K[0, 2]) / view.K[0, 0], (v - view.K[1, 2]) / view.K[1, 1], np.ones(u.shape)], -1
    )
    origin, rays = -T[:3, :3].T @ T[:3, 3], rays @ T[:3, :3]
    low, high = (-HALF - origin) / rays, (HALF - origin) / rays
    near, far = np.minimum(low, high).max(-1), np.maximum(low, high).min(-1)
    return np.where(near < far, near, 0.0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("view", [VIEW, VIEW.cut((30.0, 20.0, 110.0, 80.0), 160, 120), VIEW.resized(80, 60)])
def test_depth_is_that_of_the_analytic_box(seed: int, view: View) -> None:
    T = make_T(random_rotation(np.random.default_rng(seed)), np.array([0.05, -0.02, 0.7]))
    with MeshDepthRenderer(view, [(CORNERS, FACES)]) as renderer:
        seen = renderer.render(T[None])
    truth = box_depth(T, view)
    both = (seen.label == 1) & (truth > 0)
    assert both.sum() > 200
    assert ((seen.label == 1) != (truth > 0)).sum() <= 3
    assert np.abs(seen.depth - truth)[both].max() < 1e-3


def test_the_nearer_mesh_hides_the_other_and_hidden_ones_are_not_drawn() -> None:
    near, far = make_T(np.eye(3), np.array([0, 0, 0.5])), make_T(np.eye(3), np.array([0, 0, 1.0]))
    with MeshDepthRenderer(VIEW, [(CORNERS, FACES), (CORNERS, FACES[:, ::-1])]) as renderer:
        together = renderer.render(np.stack([far, near]))
        alone = renderer.render(np.stack([far, near]), shown=np.array([True, False]))
    assert set(np.unique(together.label)) == {0, 2}
    assert set(np.unique(alone.label)) == {0, 1}
    assert alone.depth[61, 77] == pytest.approx(1.0 - HALF[2], abs=1e-3)


def test_a_reshaped_hand_is_drawn_as_if_made_anew() -> None:
    mesh, skeleton = HandMesh.load(1), HandSkeleton.adult(1)
    bent = mesh.pose(skeleton, np.full(20, 0.3), make_T(np.diag([1.0, -1.0, -1.0]), np.array([0, 0, 0.5])))
    with MeshDepthRenderer(VIEW, [(mesh.vertices_rest, mesh.faces)]) as renderer:
        renderer.reshape(0, bent)
        reshaped = renderer.render(np.eye(4)[None])
        with pytest.raises(UnusableMesh):
            renderer.reshape(0, bent[:-1])
    with MeshDepthRenderer(VIEW, [(bent, mesh.faces)]) as renderer:
        fresh = renderer.render(np.eye(4)[None])
    assert (fresh.label > 0).sum() > 500
    assert (fresh.label != reshaped.label).sum() <= 3
    both = (fresh.label > 0) & (reshaped.label > 0)
    assert np.abs(fresh.depth - reshaped.depth)[both].max() < 5e-3
    assert np.median(np.abs(fresh.depth - reshaped.depth)[both]) < 1e-4


@pytest.mark.parametrize("faces", [FACES[:0], FACES + 1])
def test_meshes_that_cannot_be_drawn_are_refused(faces: np.ndarray) -> None:
    with pytest.raises(UnusableMesh):
        MeshDepthRenderer(VIEW, [(CORNERS, faces)])

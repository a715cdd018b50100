"""Poses that look alike: the mirror twin has the same picture, and doubt between two answers shows in the covariance."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import random_rotation, so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.doubt import Doubt
from reenact.perception.pose.fit import Fit
from reenact.perception.pose.initial import Candidate
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.solve import solve_pose
from reenact.perception.pose.symmetry import difference
from reenact.perception.pose.terms import Term
from reenact.perception.pose.twins import ambiguity, twin_poses
from reenact.rendering.mesh_depth import MeshDepthRenderer, View
from tests.perception.pose.solids import box, drawn_sightings


@pytest.mark.parametrize("seed", range(3))
def test_mirror_twins_of_a_box_look_the_same_from_afar(seed: int) -> None:
    vertices, faces = box(0.05, 0.08, 0.2)
    model = ObjectModel.of(vertices + [0.02, 0.0, 0.05], faces)
    T = make_T(random_rotation(np.random.default_rng(seed)), np.array([0.4, -0.2, 40.0]))

    def picture(T_now: np.ndarray) -> np.ndarray:
        p = model.vertices @ T_now[:3, :3].T + T_now[:3, 3]
        flat = p[:, :2] / p[:, 2:]
        return flat[np.lexsort(flat.round(7).T)]

    twins = twin_poses(T, model)
    assert len(twins) >= 3
    for twin in twins:
        assert np.linalg.det(twin[:3, :3]) == pytest.approx(1.0)
        assert np.abs(picture(twin) - picture(T)).max() < 3e-5, "a box has all three mirror planes"
        assert np.linalg.norm(difference(T, twin, model)[3:]) > 0.29


def test_an_equally_good_rival_widens_the_covariance_by_half_the_way_to_it() -> None:
    model = ObjectModel.of(*box(0.05, 0.08, 0.2))
    T = make_T(np.eye(3), np.array([0.0, 0.0, 0.8]))
    other = make_T(np.eye(3), np.array([0.0, 0.0, 0.9]))
    rival = Candidate(other, Fit(0.9, 1.0, 0.9), 0.9)
    spread, belief = ambiguity(T, 0.9, [rival], model, 0.02)
    assert belief == pytest.approx(0.5)
    assert np.sqrt(spread[2, 2]) == pytest.approx(0.1 / np.sqrt(2))
    worse = Candidate(other, Fit(0.7, 1.0, 0.6), 0.7)
    assert ambiguity(T, 0.9, [worse], model, 0.02)[1] > 0.999


@pytest.mark.parametrize("count", [4, 400])
def test_a_shared_error_does_not_average_out(count: int) -> None:
    """Many readings of one length whose common error is 1 cm tell it to 1 cm and no better."""

    def terms(T: np.ndarray) -> list[Term]:
        row = np.zeros((count, 6))
        row[:, 2] = 1 / 0.002
        return [
            Term(
                "tape",
                (T[2, 3] - 0.7) / np.full(count, 0.002),
                row,
                1e9,
                np.inf,
                np.full((count, 1), 0.01 / 0.002),
            )
        ]

    found = solve_pose(np.eye(4), terms, 20)
    sigma = float(np.sqrt(found.covariance[2, 2]))
    assert found.T_camera_object[2, 3] == pytest.approx(0.7, abs=1e-3)
    assert sigma == pytest.approx(np.hypot(0.01, 0.002 / np.sqrt(count)), rel=0.02)


def _doubt_along_sight(mesh: tuple[np.ndarray, np.ndarray], R: np.ndarray) -> float:
    """Share of the distance that poses which look alike add to the sigma along the line of sight, by the outline alone."""
    view = View(np.array([[300.0, 0, 99.5], [0, 300.0, 74.5], [0, 0, 1]]), 200, 150)
    T = make_T(R, np.array([0.0, 0.0, 0.6]))
    sighting = dataclasses.replace(drawn_sightings(mesh, T[None], view, depth_sigma=None)[0], resting=False)
    config = PoseConfig()
    with MeshDepthRenderer(View(np.eye(3), 112, 112), [mesh], near=0.05, far=20) as renderer:
        camera = PinholeCamera(300.0, 300.0, 99.5, 74.5, 200, 150)
        refiner = PoseRefiner(ObjectModel.of(*mesh), renderer, 0, camera, config)
        added, _ = Doubt(refiner, config).of(T, np.eye(4), refiner.fit(T, sighting), sighting)
    return float(np.sqrt(added[2, 2])) / 0.6


def test_of_a_thing_that_lies_aslant_the_thin_one_leaves_its_distance_in_doubt() -> None:
    aslant = np.asarray(so3_exp(np.array([0.0, 0.9, 0.3])))
    assert _doubt_along_sight(box(0.25, 0.008, 0.02), aslant) > 0.04
    assert _doubt_along_sight(box(0.14, 0.1, 0.12), aslant) < 0.02

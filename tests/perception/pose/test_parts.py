"""Laws of the parts: Jacobians are derivatives, symmetry keeps looks, RANSAC finds the planted motion."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import random_rotation, rotation_angle, so3_exp
from reenact.geometry.transforms import apply, make_T
from reenact.perception.pose.contact_terms import SurfacePart, standing_term, touch_term
from reenact.perception.pose.depth_points import parted_sigma
from reenact.perception.pose.model import ObjectModel, sample_surface
from reenact.perception.pose.rigid import rigid_ransac
from reenact.perception.pose.solve import moved, solve_pose
from reenact.perception.pose.symmetry import (
    Symmetry,
    find_symmetry,
    nearest_equivalent,
    turn_between,
    turned_in_place,
)
from reenact.perception.pose.terms import (
    SurfacePairs,
    Term,
    outline_term,
    prior_term,
    surface_term,
    track_term,
)
from reenact.perception.pose.window import Window
from reenact.rendering.mesh_depth import View
from tests.perception.pose.solids import box, cylinder

RNG = np.random.default_rng(5)
T0 = make_T(random_rotation(RNG), np.array([0.03, -0.05, 0.6]))
POINTS, NORMALS = sample_surface(*box(0.06, 0.1, 0.16), 400, 0)


def _outline(T: np.ndarray) -> Term:
    v, u = np.mgrid[:64, :64].astype(np.float32)
    field = 0.3 * u + 0.1 * v - 20
    yes = np.ones((64, 64), bool)
    window = Window(
        View(np.array([[150.0, 0, 28], [0, 150, 40], [0, 0, 1]]), 64, 64), yes, ~yes, field, yes, 1.0
    )
    return outline_term(T, POINTS[:30], window, 1.0, 1.0, 30.0)


def _surface(T: np.ndarray) -> Term:
    cloud = apply(T0, POINTS)  # residuals of zero: how the weights turn with the pose is left out on purpose
    return surface_term(T, SurfacePairs(cloud, np.full(len(cloud), 0.01), 0.02, POINTS, NORMALS), 40.0)


def _touch(T: np.ndarray) -> Term:
    hand = apply(T0, POINTS[::40] * 1.4)
    return touch_term(T, hand, np.full((len(hand), 3), 0.01), SurfacePart(POINTS, NORMALS), 0.008)


def _tracks(T: np.ndarray) -> Term:
    p = apply(T0, POINTS[:9])
    return track_term(T, POINTS[:9], p[:, :2] / p[:, 2:], np.full(9, 0.01), 0.05, np.diag([1e-4] * 6), 9.0)


TERMS = {
    "outline": _outline,
    "surface": _surface,
    "touch": _touch,
    "tracks": _tracks,
    "standing": lambda T: standing_term(T, POINTS[:5], np.array([0.0, -0.6, 0.8]), 0.4, 0.01, 0.02),
    "prior": lambda T: prior_term(T, T0, np.diag([1e-4] * 3 + [1e-2] * 3)),
}


@pytest.mark.parametrize("name", TERMS)
def test_jacobians_are_derivatives(name: str) -> None:
    term, step = TERMS[name](T0), 1e-6
    for k in range(6):
        change = (TERMS[name](moved(T0, np.eye(6)[k] * step)).residual - term.residual) / step
        scale = max(1.0, float(np.abs(term.jacobian[:, k]).max()))
        # nearest points and rounded pixels may swap for a few
        assert np.percentile(np.abs(change - term.jacobian[:, k]), 90) < 2e-3 * scale


@pytest.mark.parametrize("seed", range(5))
def test_ransac_finds_the_planted_motion_among_a_third_of_wrong_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    src = rng.normal(size=(30, 3)) * 0.05
    T = make_T(random_rotation(rng), rng.normal(size=3))
    dst = apply(T, src) + rng.normal(size=src.shape) * 0.001
    dst[:10] += rng.normal(size=(10, 3)) * 0.2
    fit = rigid_ransac(src, dst, np.full(30, 0.005), seed=seed)
    assert fit is not None
    assert fit.inlier[10:].mean() > 0.9
    assert rotation_angle(fit.T_dst_src[:3, :3], T[:3, :3]) < 0.03
    assert fit.rms < 0.003


def test_ransac_refuses_points_on_a_line_and_too_few() -> None:
    line = np.linspace(0, 1, 12)[:, None] * np.array([[0.1, 0.2, 0.0]])
    assert rigid_ransac(line, line, np.full(12, 0.01)) is None
    assert rigid_ransac(line[:3], line[:3], np.full(3, 0.01)) is None


@pytest.mark.parametrize("seed", range(4))
def test_turns_about_a_symmetry_axis_are_not_seen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    R, (x, _, z) = random_rotation(rng), np.eye(3)
    cup, can, brick = _symmetry(z, (1, 1, 1)), _symmetry(z, (2, 2, 1)), _symmetry(0 * z, (2, 2, 2))
    spun = R @ so3_exp(z * rng.uniform(-3, 3))
    for round_thing in (cup, can):
        assert turn_between(spun, R, round_thing) < 1e-6
        tilted = so3_exp(R @ np.array([0.3, 0.0, 0.0])) @ spun
        answer = nearest_equivalent(tilted, R, round_thing)
        assert np.allclose(answer @ z, tilted @ z)
        assert rotation_angle(answer, R) == pytest.approx(0.3, abs=1e-6)
    assert turn_between(spun @ so3_exp(x * np.pi), R, can) < 1e-6
    assert turn_between(spun @ so3_exp(x * np.pi), R, cup) == pytest.approx(np.pi, abs=1e-6)
    for axis in np.eye(3):
        assert turn_between(R @ so3_exp(axis * np.pi), R, brick) < 1e-6
        assert turn_between(R @ so3_exp(axis * 0.2), R, brick) == pytest.approx(0.2, abs=1e-6)
        assert turn_between(R @ so3_exp(axis * np.pi / 2), R, brick) == pytest.approx(np.pi / 2, abs=1e-6)


@pytest.mark.parametrize(
    ("orders", "count"), [((1, 1, 1), 1), ((1, 1, 2), 2), ((2, 2, 2), 4), ((2, 2, 4), 8), ((4, 4, 4), 24)]
)
def test_turns_that_look_alike_are_a_group(orders: tuple[int, int, int], count: int) -> None:
    turns = _symmetry(np.zeros(3), orders).turns
    assert len(turns) == count
    assert np.array_equal(turns[0], np.eye(3))
    for a in turns:
        for b in turns:
            assert any(np.array_equal(a @ b, c) for c in turns)


@pytest.mark.parametrize("seed", range(3))
def test_an_equal_turn_leaves_the_picture_of_a_box_that_is_not_about_its_origin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = box(0.05, 0.09, 0.14)[0] + [0.1, 0.0, 0.07]
    T = make_T(random_rotation(rng), np.array([0.0, 0.1, 0.8]))
    for turn in _symmetry(np.zeros(3), (2, 2, 2)).turns:
        other = turned_in_place(T, T[:3, :3] @ turn, (vertices.min(0) + vertices.max(0)) / 2)
        a, b = apply(T, vertices), apply(other, vertices)
        assert np.abs(a[:, None] - b[None]).sum(-1).min(1).max() < 1e-9


def _symmetry(axis: np.ndarray, orders: tuple[int, int, int]) -> Symmetry:
    return Symmetry(np.asarray(axis, float), np.array(orders, np.int64))


def test_symmetry_is_found_in_meshes_that_have_it() -> None:
    found = {}
    for name, mesh in {
        "can": cylinder(0.03, 0.12),
        "box": box(0.05, 0.09, 0.14),
        "square": box(0.06, 0.06, 0.14),
    }.items():
        model = ObjectModel.of(*mesh)
        found[name] = find_symmetry(model.points, model.vertices)
    assert np.array_equal(found["can"].axis, [0, 0, 1])
    assert not found["box"].is_round
    assert [found[name].orders.tolist() for name in found] == [[2, 2, 1], [2, 2, 2], [2, 2, 4]]
    vertices, faces = box(0.05, 0.09, 0.14)
    wedge = ObjectModel.of(
        np.where((vertices[:, 2:] > 0) & (vertices[:, 1:2] > 0), vertices * [1, 0.2, 1], vertices), faces
    )
    assert find_symmetry(wedge.points, wedge.vertices).orders.tolist() == [1, 1, 1]


@pytest.mark.parametrize(("noise", "common"), [(0.01, 0.0), (0.002, 0.0098), (0.0, 0.00968)])
def test_depth_that_scatters_less_than_it_says_may_be_wrong_all_together(noise: float, common: float) -> None:
    rng = np.random.default_rng(1)
    own, shared = parted_sigma(0.01, 0.03 + noise * rng.normal(size=4000))
    assert own == pytest.approx(max(noise, 0.0025), rel=0.05)
    assert shared == pytest.approx(common, abs=0.003)
    assert np.hypot(own, shared) == pytest.approx(0.01)


@pytest.mark.parametrize("common", [0.0, 0.02])
def test_the_common_error_of_depth_leaves_the_distance_open_and_not_the_turn(common: float) -> None:
    faces = apply(T0, POINTS) * (NORMALS @ T0[:3, :3].T)
    seen = faces.sum(1) < 0
    cloud = apply(T0, POINTS[seen])
    pairs = SurfacePairs(cloud, np.full(len(cloud), 0.004), common, POINTS[seen], NORMALS[seen])
    found = solve_pose(T0, lambda T: [surface_term(T, pairs, 40.0)], 3).covariance
    ray = T0[:3, 3] / np.linalg.norm(T0[:3, 3])
    away = float(np.sqrt(ray @ found[:3, :3] @ ray))
    away_if_common = common * float(np.linalg.norm(T0[:3, 3]))
    assert 0.8 * away_if_common < away < 1.1 * away_if_common + 0.003
    assert np.sqrt(np.trace(found[3:, 3:])) < 0.1


def test_followed_points_tell_motion_exactly_and_the_place_no_better_than_when_they_were_learnt() -> None:
    learnt = np.diag([4e-4, 1e-4, 1e-4, 9e-4, 2e-3, 1e-3])
    p = apply(T0, POINTS[:60])
    flat = p[:, :2] / p[:, 2:]

    def terms(T: np.ndarray) -> list[Term]:
        return [track_term(T, POINTS[:60], flat, np.full(60, 1e-3), 0.0, learnt, 60.0)]

    found = solve_pose(moved(T0, np.full(6, 0.01)), terms, 20)
    assert np.abs(found.T_camera_object - T0).max() < 2e-3
    axes = np.kron(np.eye(2), T0[:3, :3])
    seen = axes.T @ found.covariance @ axes  # object axes
    alone = solve_pose(
        T0, lambda T: [track_term(T, POINTS[:60], flat, np.full(60, 1e-3), 0.0, 0 * learnt, 60.0)], 3
    )
    assert np.linalg.eigvalsh(seen - 0.95 * learnt).min() > 0
    assert np.abs(seen - learnt).max() < 0.1 * learnt.max() + np.abs(alone.covariance).max()

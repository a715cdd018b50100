from __future__ import annotations

import numpy as np
import pytest

from reenact.toy.props import MAKERS
from reenact.toy.shapes import Box, Lathe, Shape

RNG = np.random.default_rng(0)
CYLINDER = Lathe(np.array([[0.0, -0.05], [0.03, -0.05], [0.03, 0.05], [0.0, 0.05]]))


def test_box_distance_is_the_distance_to_its_nearest_point():
    box, points = Box(np.array([0.1, 0.2, 0.3])), RNG.uniform(-1, 1, (500, 3))
    nearest = np.clip(points, -box.half_size, box.half_size)
    outside = np.linalg.norm(points - nearest, axis=1)
    inside = (np.abs(points) - box.half_size).max(axis=1)
    np.testing.assert_allclose(box.distance(points), np.where(outside > 0, outside, inside), atol=1e-12)


def test_turned_cylinder_has_the_textbook_distance():
    points = RNG.uniform(-0.1, 0.1, (2000, 3))
    q = np.stack([np.hypot(points[:, 0], points[:, 1]) - 0.03, np.abs(points[:, 2]) - 0.05], axis=1)
    want = np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)
    np.testing.assert_allclose(CYLINDER.distance(points), want, atol=1e-12)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_props_surface_lies_on_their_zero_distance_and_closes(name):
    prop = MAKERS[name](np.random.default_rng(1))
    for part, T in zip(prop.shape.parts, prop.shape.T_object_part, strict=True):
        surface = part.surface()
        np.testing.assert_allclose(part.distance(surface.vertices), 0, atol=1e-9)
        edges = np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]])
        there = {tuple(e) for e in edges.tolist()}
        assert len(there) == len(edges)
        assert there == {(b, a) for a, b in there}, f"{name} does not close"
        corners = surface.vertices[surface.faces]
        volume = np.linalg.det(corners).sum() / 6
        assert volume > 0, f"{name} is inside out"
        face_normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        assert ((surface.normals * face_normal[:, None]).sum(axis=-1) > 0).all()
        np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=-1), 1, atol=1e-9)
        np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)


def test_union_is_the_nearer_part():
    shift = np.eye(4)
    shift[0, 3] = 0.2
    both, points = Shape.of(CYLINDER, CYLINDER, placed=[np.eye(4), shift]), RNG.uniform(-0.3, 0.3, (200, 3))
    want = np.minimum(CYLINDER.distance(points), CYLINDER.distance(points - [0.2, 0, 0]))
    np.testing.assert_allclose(both.distance(points), want)


def test_a_cup_is_hollow_but_its_outside_is_not():
    cup = MAKERS["cup"](np.random.default_rng(0))
    middle = np.zeros((1, 3))
    assert cup.shape.distance(middle)[0] > 0.02
    assert cup.outside.distance(middle)[0] < -0.02

"""Laws of SE(3) and of the best alignment of point sets."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry import transforms as tf
from reenact.geometry.alignment import NothingToAlign, kabsch, umeyama
from reenact.geometry.rotations import random_rotation, rotation_angle, so3_exp


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def _random_T(rng: np.random.Generator, n: int = 100) -> np.ndarray:
    return tf.make_T(random_rotation(rng, n), rng.normal(size=(n, 3)))


def test_group_axioms(rng):
    A, B, C = (_random_T(rng) for _ in range(3))
    np.testing.assert_allclose((A @ B) @ C, A @ (B @ C), atol=1e-13)
    np.testing.assert_allclose(A @ tf.identity(A), A)
    np.testing.assert_allclose(tf.inverse(A) @ A, np.broadcast_to(np.eye(4), A.shape), atol=1e-13)
    np.testing.assert_allclose(tf.inverse(A @ B), tf.inverse(B) @ tf.inverse(A), atol=1e-13)
    assert tf.is_transform(A @ B @ C).all()


def test_apply_follows_the_name_cancelling_rule(rng):
    T_a_b, T_b_c = _random_T(rng, 1)[0], _random_T(rng, 1)[0]
    points_c = rng.normal(size=(7, 3))
    np.testing.assert_allclose(
        tf.apply(T_a_b @ T_b_c, points_c), tf.apply(T_a_b, tf.apply(T_b_c, points_c)), atol=1e-13
    )
    homogeneous = np.concatenate([points_c, np.ones((7, 1))], axis=1) @ T_b_c.T
    np.testing.assert_allclose(tf.apply(T_b_c, points_c), homogeneous[:, :3], atol=1e-13)
    np.testing.assert_allclose(
        tf.rotate(T_b_c, points_c), tf.apply(T_b_c, points_c) - tf.translation_of(T_b_c), atol=1e-13
    )


def test_apply_broadcasts_batches(rng):
    T, points = _random_T(rng, 6).reshape(2, 3, 4, 4), rng.normal(size=(3, 5, 3))
    out = tf.apply(T, points)
    assert out.shape == (2, 3, 5, 3)
    np.testing.assert_allclose(out[1, 2], tf.apply(T[1, 2], points[2]), atol=1e-14)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 0.0099, 0.0101, 1.0, 3.1, np.pi - 1e-6])
def test_se3_exp_and_log_undo_each_other(rng, angle):
    w = rng.normal(size=(50, 3))
    w *= angle / np.linalg.norm(w, axis=1, keepdims=True)
    xi = np.concatenate([rng.normal(size=(50, 3)), w], axis=1)
    np.testing.assert_allclose(tf.se3_log(tf.se3_exp(xi)), xi, atol=1e-9)


def test_se3_exp_agrees_with_the_matrix_exponential(rng):
    from scipy.linalg import expm

    for scale in (1e-6, 5e-3, 1.0):
        xi = rng.normal(size=6) * [1, 1, 1, scale, scale, scale]
        twist = np.zeros((4, 4))
        x, y, z = xi[3:]
        twist[:3, :3], twist[:3, 3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]], xi[:3]
        np.testing.assert_allclose(tf.se3_exp(xi), expm(twist), atol=1e-13)


def test_interpolation_ends_and_middle(rng):
    A = _random_T(rng, 20)
    B = tf.make_T(tf.rotation_of(A) @ so3_exp(rng.normal(size=(20, 3))), rng.normal(size=(20, 3)))
    np.testing.assert_allclose(tf.interpolate(A, B, np.zeros(20)), A, atol=1e-12)
    np.testing.assert_allclose(tf.interpolate(A, B, np.ones(20)), B, atol=1e-12)
    M = tf.interpolate(A, B, np.full(20, 0.5))
    np.testing.assert_allclose(
        tf.translation_of(M), (tf.translation_of(A) + tf.translation_of(B)) / 2, atol=1e-12
    )
    half = rotation_angle(tf.rotation_of(A), tf.rotation_of(M))
    np.testing.assert_allclose(half, rotation_angle(tf.rotation_of(A), tf.rotation_of(B)) / 2, atol=1e-12)


def test_is_transform_sees_every_kind_of_damage(rng):
    T = _random_T(rng, 6)
    T[1, :3, :3] *= 1.01
    T[2, :3, 0] *= -1
    T[3, 3, 0] = 0.1
    T[4, 0, 3] = np.nan
    np.testing.assert_array_equal(tf.is_transform(T), [True, False, False, False, False, True])


def test_kabsch_recovers_a_known_transform_with_noise_free_points(rng):
    T = _random_T(rng, 50)
    src = rng.normal(size=(50, 8, 3))
    np.testing.assert_allclose(kabsch(src, tf.apply(T, src)), T, atol=1e-12)


def test_kabsch_of_a_mirrored_set_is_still_a_rotation(rng):
    src = rng.normal(size=(8, 3))
    T = kabsch(src, src * [-1.0, 1.0, 1.0])
    assert tf.is_transform(T)
    residual = np.sum((tf.apply(T, src) - src * [-1.0, 1.0, 1.0]) ** 2)
    for R in random_rotation(rng, 3000):  # no proper rotation does better
        c = src - src.mean(0)
        assert np.sum((c @ R.T - c * [-1.0, 1.0, 1.0]) ** 2) >= residual - 1e-9


def test_kabsch_of_coplanar_points(rng):
    T = _random_T(rng, 30)
    src = rng.normal(size=(30, 4, 3)) * [1.0, 1.0, 0.0]
    np.testing.assert_allclose(kabsch(src, tf.apply(T, src)), T, atol=1e-10)


def test_kabsch_weights_zero_removes_an_outlier(rng):
    T = _random_T(rng, 1)[0]
    src = rng.normal(size=(9, 3))
    dst = tf.apply(T, src)
    dst[4] += 5.0
    weights = np.ones(9)
    weights[4] = 0.0
    np.testing.assert_allclose(kabsch(src, dst, weights), T, atol=1e-12)
    assert np.abs(kabsch(src, dst) - T).max() > 0.01


def test_umeyama_recovers_scale(rng):
    T, scale = _random_T(rng, 20), rng.uniform(0.1, 5.0, size=20)
    src = rng.normal(size=(20, 6, 3))
    dst = scale[:, None, None] * tf.rotate(T, src) + tf.translation_of(T)[:, None]
    found, T_found = umeyama(src, dst)
    np.testing.assert_allclose(found, scale, rtol=1e-12)
    np.testing.assert_allclose(T_found, T, atol=1e-11)


def test_umeyama_is_the_least_squares_optimum_under_noise(rng):
    src, dst = rng.normal(size=(10, 3)), rng.normal(size=(10, 3))

    def cost(s: float, T: np.ndarray) -> float:
        return float(np.sum((s * src @ tf.rotation_of(T).T + tf.translation_of(T) - dst) ** 2))

    scale, T = umeyama(src, dst)
    best = cost(float(scale), T)
    for _ in range(200):
        other = T @ tf.se3_exp(rng.normal(scale=0.05, size=6))
        assert cost(float(scale) * float(np.exp(rng.normal(scale=0.05))), other) >= best - 1e-12


@pytest.mark.parametrize(("n", "weights"), [(2, None), (5, np.zeros(5))])
def test_alignment_without_enough_points_says_so(rng, n, weights):
    with pytest.raises(NothingToAlign):
        kabsch(rng.normal(size=(n, 3)), rng.normal(size=(n, 3)), weights)


def test_torch_gives_the_same_numbers_as_numpy(rng):
    torch = pytest.importorskip("torch")
    xi, points = rng.normal(size=(5, 6)), rng.normal(size=(5, 7, 3))
    T = tf.se3_exp(torch.tensor(xi))
    np.testing.assert_allclose(T.numpy(), tf.se3_exp(xi), atol=1e-13)
    np.testing.assert_allclose(tf.se3_log(T).numpy(), tf.se3_log(tf.se3_exp(xi)), atol=1e-12)
    moved = tf.apply(T, torch.tensor(points))
    np.testing.assert_allclose(kabsch(torch.tensor(points), moved).numpy(), T.numpy(), atol=1e-11)
    scale, _ = umeyama(torch.tensor(points), 2 * moved)
    np.testing.assert_allclose(scale.numpy(), 2.0)
    assert bool(tf.is_transform(tf.interpolate(T, tf.inverse(T), torch.full((5,), 0.3)), 1e-9).all())

"""Laws of SO(3): exp and log undo each other at every angle, quaternions, 6-D form, means, torch = numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.geometry import rotations as rot

MAGNITUDES = [0.0, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.1, 1.0, 3.0, np.pi - 1e-4, np.pi - 1e-7, np.pi - 1e-10]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _vectors(rng: np.random.Generator, magnitude: float, n: int = 200) -> np.ndarray:
    w = rng.normal(size=(n, 3))
    return w * magnitude / np.linalg.norm(w, axis=1, keepdims=True)


@pytest.mark.parametrize("magnitude", MAGNITUDES)
def test_log_undoes_exp_from_zero_to_nearly_pi(rng, magnitude):
    w = _vectors(rng, magnitude)
    back = rot.so3_log(rot.so3_exp(w))
    np.testing.assert_allclose(back, w, rtol=1e-9, atol=1e-14)


def test_log_at_exactly_pi_gives_a_vector_of_the_same_rotation(rng):
    R = rot.so3_exp(_vectors(rng, np.pi))
    w = rot.so3_log(R)
    np.testing.assert_allclose(np.linalg.norm(w, axis=-1), np.pi, atol=1e-12)
    np.testing.assert_allclose(rot.so3_exp(w), R, atol=1e-12)


@pytest.mark.parametrize("magnitude", [1e-9, 1e-5, 0.9e-4, 1.1e-4, 0.7, 3.1])
def test_exp_agrees_with_the_matrix_exponential(rng, magnitude):
    from scipy.linalg import expm

    w = _vectors(rng, magnitude, 5)
    np.testing.assert_allclose(rot.so3_exp(w), [expm(m) for m in rot.hat(w)], atol=1e-14)


def test_exp_of_parallel_vectors_composes(rng):
    w = _vectors(rng, 0.8)
    np.testing.assert_allclose(rot.so3_exp(w) @ rot.so3_exp(0.5 * w), rot.so3_exp(1.5 * w), atol=1e-14)


def test_quaternion_round_trip_and_hamilton_convention(rng):
    R = rot.random_rotation(rng, 500)
    q = rot.quat_from_matrix(R)
    assert np.all(q[:, 0] >= 0)
    np.testing.assert_allclose(rot.matrix_from_quat(q), R, atol=1e-14)
    quarter_about_z = np.array([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])
    np.testing.assert_allclose(rot.matrix_from_quat(quarter_about_z) @ [1.0, 0.0, 0.0], [0, 1, 0], atol=1e-15)


def test_quaternions_of_half_turns_about_each_axis():
    for axis in np.eye(3):
        R = 2 * np.outer(axis, axis) - np.eye(3)
        q = rot.quat_from_matrix(R)
        np.testing.assert_allclose(np.abs(q), [0, *axis], atol=1e-15)
        np.testing.assert_allclose(rot.matrix_from_quat(q), R, atol=1e-15)


@given(seed=st.integers(0, 10**6), t=st.integers(2, 40))
@settings(max_examples=30, deadline=None)
def test_continuous_quaternions_keep_rotation_and_never_jump(seed, t):
    rng = np.random.default_rng(seed)
    R = rot.so3_exp(np.cumsum(rng.normal(scale=0.4, size=(t, 3)), axis=0))
    q = rot.quat_from_matrix(R) * rng.choice([-1.0, 1.0], size=(t, 1))
    smooth = rot.quat_continuous(q)
    assert smooth[0, 0] >= 0
    assert np.all(np.sum(smooth[1:] * smooth[:-1], axis=-1) >= 0)
    np.testing.assert_allclose(rot.matrix_from_quat(smooth), R, atol=1e-12)


def test_continuous_quaternions_take_batch_axes(rng):
    q = rng.normal(size=(3, 2, 10, 4))
    one_by_one = np.stack([[rot.quat_continuous(q[i, j]) for j in range(2)] for i in range(3)])
    np.testing.assert_array_equal(rot.quat_continuous(q), one_by_one)


def test_rot6d_cols_is_first_column_then_second():
    R = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # a quarter turn about z
    np.testing.assert_array_equal(rot.rot6d_cols_from_matrix(R), [0, 1, 0, -1, 0, 0])


def test_rot6d_cols_round_trip_and_gram_schmidt(rng):
    R = rot.random_rotation(rng, 100)
    np.testing.assert_allclose(rot.matrix_from_rot6d_cols(rot.rot6d_cols_from_matrix(R)), R, atol=1e-14)
    off = rot.matrix_from_rot6d_cols(rng.normal(size=(100, 6)))
    np.testing.assert_allclose(
        np.swapaxes(off, -1, -2) @ off, np.broadcast_to(np.eye(3), (100, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(off), 1.0)


@pytest.mark.parametrize("angle", [0.0, 1e-8, 0.3, 2.5, np.pi - 1e-9])
def test_rotation_angle_is_geodesic_and_does_not_saturate(rng, angle):
    R = rot.random_rotation(rng, 20)
    other = R @ rot.so3_exp(_vectors(rng, angle, 20))
    np.testing.assert_allclose(rot.rotation_angle(R, other), angle, atol=1e-12 + 1e-7 * (angle < 1e-6))
    np.testing.assert_allclose(rot.rotation_angle(R, other), rot.rotation_angle(other, R), atol=1e-12)


def test_slerp_moves_at_constant_rate_the_short_way(rng):
    R0 = rot.random_rotation(rng, 50)
    w = _vectors(rng, 1.0, 50) * rng.uniform(0, 3.1, size=(50, 1))
    q0 = rot.quat_from_matrix(R0)
    q1 = -rot.quat_from_matrix(R0 @ rot.so3_exp(w))  # the other sign of the same rotation
    for u in (0.0, 0.25, 0.8, 1.0):
        middle = rot.matrix_from_quat(rot.slerp(q0, q1, np.full(50, u)))
        np.testing.assert_allclose(middle, R0 @ rot.so3_exp(u * w), atol=1e-9)


def test_projection_returns_the_nearest_proper_rotation(rng):
    M = rng.normal(size=(200, 3, 3))
    R = rot.project_to_so3(M)
    np.testing.assert_allclose(np.linalg.det(R), 1.0)
    near = np.linalg.norm(M - R, axis=(-2, -1))
    for _ in range(20):
        other = R @ rot.so3_exp(rng.normal(scale=0.2, size=(200, 3)))
        assert np.all(np.linalg.norm(M - other, axis=(-2, -1)) >= near - 1e-12)


def test_rotation_mean_ignores_zero_weights_and_finds_the_centre(rng):
    centre = rot.random_rotation(rng)
    w = rng.normal(scale=0.3, size=(30, 3))
    R = centre @ rot.so3_exp(np.concatenate([w, -w]))
    np.testing.assert_allclose(rot.rotation_mean(R), centre, atol=1e-12)
    spoiled = np.concatenate([R, rot.random_rotation(rng, 5)])
    weights = np.concatenate([np.ones(60), np.zeros(5)])
    np.testing.assert_allclose(rot.rotation_mean(spoiled, weights), centre, atol=1e-12)


def test_rotation_between_is_the_smallest_even_for_opposite_vectors(rng):
    a, b = rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    b[:3] = -a[:3]
    b[3] = a[3]
    R = rot.rotation_between(a, b)
    unit = b / np.linalg.norm(b, axis=1, keepdims=True)
    moved = (R @ a[..., None])[..., 0]
    np.testing.assert_allclose(moved / np.linalg.norm(moved, axis=1, keepdims=True), unit, atol=1e-7)
    cosine = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(
        rot.rotation_angle(np.broadcast_to(np.eye(3), R.shape), R),
        np.arccos(np.clip(cosine, -1, 1)),
        atol=1e-7,
    )


def test_random_rotations_are_uniform(rng):
    R = rot.random_rotation(rng, 20000)
    assert np.abs(R.mean(axis=0)).max() < 0.02
    angle = rot.rotation_angle(np.broadcast_to(np.eye(3), R.shape), R)
    assert abs(angle.mean() - (np.pi / 2 + 2 / np.pi)) < 0.02  # E[θ] under the Haar measure


def test_torch_gives_the_same_numbers_as_numpy(rng):
    torch = pytest.importorskip("torch")
    w, d, q = rng.normal(size=(6, 5, 3)), rng.normal(size=(6, 5, 6)), rng.normal(size=(6, 5, 4))
    w[0] *= 1e-6
    for function, x in [
        (rot.so3_exp, w),
        (lambda v: rot.so3_log(rot.so3_exp(v)), w),
        (rot.matrix_from_quat, q),
        (rot.quat_continuous, q),
        (rot.matrix_from_rot6d_cols, d),
        (lambda v: rot.slerp(rot.quat_continuous(v), -v, v[..., 0] ** 2), q),
        (lambda v: rot.rotation_mean(rot.so3_exp(v)), w),
        (lambda v: rot.rotation_between(v, v[..., [1, 2, 0]]), w),
    ]:
        there = function(torch.tensor(x))
        assert isinstance(there, torch.Tensor)
        np.testing.assert_allclose(there.numpy(), function(x), atol=1e-12)


def test_torch_gradients_are_finite_at_the_identity():
    torch = pytest.importorskip("torch")
    w = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
    rot.so3_log(rot.so3_exp(w)).sum().backward()
    assert torch.isfinite(w.grad).all()
    torch.testing.assert_close(w.grad, torch.ones_like(w))


def test_mixing_numpy_and_torch_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError):
        rot.rotation_between(np.ones(3), torch.ones(3))

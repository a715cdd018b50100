"""Banded systems give the dense answer and leave the process's BLAS threads as they were."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from reenact.geometry.banded import inverse_diagonal_blocks, solve_banded_spd


def banded(n: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A positive definite matrix and its upper bands."""
    rng = np.random.default_rng(seed)
    L = np.tril(rng.normal(size=(n, n))) * (np.subtract.outer(np.arange(n), np.arange(n)) <= width)
    A = L @ L.T + n * np.eye(n)
    bands = np.zeros((width + 1, n))
    for k in range(width + 1):
        bands[width - k, k:] = np.diagonal(A, k)
    return A, bands


@pytest.mark.parametrize(("n", "width"), [(6, 1), (60, 7), (200, 40)])
def test_equals_the_dense_solution(n, width):
    A, bands = banded(n, width)
    right = np.random.default_rng(1).normal(size=(n, 3))
    np.testing.assert_allclose(solve_banded_spd(bands.copy(), right), np.linalg.solve(A, right), rtol=1e-8)
    lower = np.zeros_like(bands)
    for k in range(width + 1):
        lower[k, : n - k] = np.diagonal(A, k)
    np.testing.assert_allclose(
        solve_banded_spd(lower, right[:, 0], lower=True), np.linalg.solve(A, right[:, 0]), rtol=1e-8
    )


def test_blocks_of_the_inverse_are_those_of_the_whole_inverse():
    blocks, k = 7, 5
    A, _ = banded(blocks * k, k)
    inverse = np.linalg.inv(A)
    at = [slice(i * k, (i + 1) * k) for i in range(blocks)]
    diagonal = np.stack([A[a, a] for a in at])
    upper = np.stack([A[a, b] for a, b in itertools.pairwise(at)])
    found = inverse_diagonal_blocks(diagonal, upper)
    np.testing.assert_allclose(found, np.stack([inverse[a, a] for a in at]), rtol=1e-9, atol=1e-12)
    with pytest.raises(np.linalg.LinAlgError):
        inverse_diagonal_blocks(-diagonal, upper)


def test_not_positive_definite_is_told():
    with pytest.raises(np.linalg.LinAlgError):
        solve_banded_spd(np.array([[0.0, 2.0], [1.0, 1.0]]), np.ones(2))


def test_threads_are_given_back():
    _, bands = banded(20, 3)
    with threadpool_limits(limits=2, user_api="blas"):
        before = [pool["num_threads"] for pool in threadpool_info()]
        solve_banded_spd(bands, np.ones(20))
        assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert 2 in before

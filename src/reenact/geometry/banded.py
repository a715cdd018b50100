"""Symmetric banded systems solved, and the diagonal of their inverse, on one thread.

LAPACK's banded Cholesky hands tiny blocks to BLAS; with two or more BLAS threads, handing over costs 60 times the
arithmetic (bandwidth 104, 7800 unknowns: 5 ms on one thread, 300 ms of CPU on two of a busy machine), and whole-clip
fits spend their time in it. So the number of BLAS threads is held at one while it runs.
"""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float64
from scipy.linalg import cho_factor, cho_solve, solveh_banded
from threadpoolctl import ThreadpoolController


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def solve_banded_spd(
    bands: Float64[np.ndarray, "k n"], right: Float64[np.ndarray, " n *c"], *, lower: bool = False
) -> Float64[np.ndarray, " n *c"]:
    """Solve A x = right for a positive definite A in LAPACK's banded storage; `bands` is overwritten.

    Raises:
        numpy.linalg.LinAlgError: A is not positive definite.
    """
    with _blas().limit(limits=1, user_api="blas"):
        return solveh_banded(bands, right, overwrite_ab=True, lower=lower, check_finite=False)


def inverse_diagonal_blocks(
    diagonal: Float64[np.ndarray, "m k k"], upper: Float64[np.ndarray, "m1 k k"]
) -> Float64[np.ndarray, "m k k"]:
    """Diagonal blocks of the inverse of a positive definite block tridiagonal matrix, without the rest of it.

    Forward elimination S_i = A_i - B_(i-1)' S_(i-1)^-1 B_(i-1), then backward
    Z_i = S_i^-1 + (S_i^-1 B_i) Z_(i+1) (S_i^-1 B_i)' (the recursion of Takahashi et al. 1973 for blocks).

    Args:
        diagonal: blocks A_i.
        upper: blocks B_i in row i and column i + 1, one fewer than `diagonal`.

    Raises:
        numpy.linalg.LinAlgError: the matrix is not positive definite.
    """
    out = np.empty_like(diagonal)
    gains = np.empty_like(upper)
    with _blas().limit(limits=1, user_api="blas"):
        left = diagonal[0]
        for i in range(len(diagonal)):
            factor = cho_factor(left, lower=True, check_finite=False)
            out[i] = cho_solve(factor, np.eye(len(left)), check_finite=False)
            if i < len(upper):
                gains[i] = out[i] @ upper[i]
                left = diagonal[i + 1] - upper[i].T @ gains[i]
        for i in range(len(upper) - 1, -1, -1):
            out[i] += gains[i] @ out[i + 1] @ gains[i].T
    return (out + np.swapaxes(out, 1, 2)) / 2

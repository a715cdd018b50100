"""Symmetric banded systems solved on one thread.

LAPACK's banded Cholesky hands tiny blocks to BLAS; with two or more BLAS threads, handing over costs 60 times the
arithmetic (bandwidth 104, 7800 unknowns: 5 ms on one thread, 300 ms of CPU on two of a busy machine), and whole-clip
fits spend their time in it. So the number of BLAS threads is held at one while it runs.
"""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float64
from scipy.linalg import solveh_banded
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

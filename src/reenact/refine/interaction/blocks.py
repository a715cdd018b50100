"""Normal equations of a chain: every frame has the same unknowns, residuals join at most three frames in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from reenact.geometry.banded import inverse_diagonal_blocks, solve_banded_spd

REACH = 3
"""Frames that one residual may join."""

Part = tuple[int, slice, np.ndarray]
"""(frame offset, unknowns of that frame, derivative [n m k])."""


class BlockSystem:
    """Sums J'WJ and J'Wr of residuals; solved as one banded matrix."""

    def __init__(self, frames: int, unknowns: int) -> None:
        self.frames, self.unknowns = frames, unknowns
        self.matrix = [np.zeros((frames - d, unknowns, unknowns)) for d in range(min(REACH, frames))]
        self.right = np.zeros((frames, unknowns))
        self.cost = 0.0

    def add(
        self,
        rows: Int64[np.ndarray, " n"],
        residual: Float64[np.ndarray, "n m"],
        weight: Float64[np.ndarray, " n"],
        parts: Sequence[Part],
    ) -> None:
        """Residuals that start at frames `rows` (each at most once), already divided by their sigmas."""
        self.cost += 0.5 * float((weight * (residual**2).sum(axis=1)).sum())
        for offset, unknown, J in parts:
            pulled = weight[:, None] * np.einsum("nmk,nm->nk", J, residual)
            self.right[rows + offset, unknown] -= pulled
            for other, columns, K in parts:
                if other >= offset:
                    block = np.einsum("nmk,n,nml->nkl", J, weight, K)
                    self.matrix[other - offset][rows + offset, unknown, columns] += block

    def solve(self, damping: float) -> Float64[np.ndarray, "t k"]:
        """The step; `damping` is added to the diagonal in its own proportion."""
        t, k = self.frames, self.unknowns
        bands = np.zeros((REACH * k, t * k))
        for d, blocks in enumerate(self.matrix):
            for p in range(k):
                for q in range(k):
                    below = d * k + q - p
                    if below >= 0 and (d > 0 or q >= p):
                        bands[below, p::k][: t - d] = blocks[:, p, q]
        bands[0] *= 1 + damping
        bands[0] += 1e-9
        return solve_banded_spd(bands, self.right.reshape(-1), lower=True).reshape(t, k)

    def covariance(self, prior: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, "t k k"]:
        """Of each frame's unknowns, all others left free: diagonal blocks of the inverse of J'WJ + diag(prior)."""
        t, k = self.frames, self.unknowns
        pairs = (t + 1) // 2  # two frames at a time make the matrix block tridiagonal
        H = np.zeros((REACH, 2 * pairs, k, k))
        for d, blocks in enumerate(self.matrix):
            H[d, : t - d] = blocks
        H[0] += np.diag(prior)
        diagonal = np.zeros((pairs, 2 * k, 2 * k))
        diagonal[:, :k, :k], diagonal[:, k:, k:] = H[0, ::2], H[0, 1::2]
        diagonal[:, :k, k:], diagonal[:, k:, :k] = H[1, ::2], np.swapaxes(H[1, ::2], 1, 2)
        upper = np.zeros((pairs - 1, 2 * k, 2 * k))
        upper[:, :k, :k] = H[2, : 2 * pairs - 2 : 2]
        upper[:, k:, :k], upper[:, k:, k:] = H[1, 1 : 2 * pairs - 2 : 2], H[2, 1 : 2 * pairs - 2 : 2]
        inverse = inverse_diagonal_blocks(diagonal, upper)
        out = np.stack([inverse[:, :k, :k], inverse[:, k:, k:]], axis=1).reshape(2 * pairs, k, k)
        return out[:t]

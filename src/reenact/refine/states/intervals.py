"""How well one constant explains a stretch of a track: sums that answer for every stretch at once.

Costs are halves of whitened squared errors about the stretch's best constant, in nats; frames of weight 0 cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class ConstantCost:
    """Values [t n] with one weight per frame: cost of holding them constant over [a, b)."""

    weight: Float64[np.ndarray, " t1"]
    first: Float64[np.ndarray, "t1 n"]
    second: Float64[np.ndarray, " t1"]

    @staticmethod
    def of(values: Float64[np.ndarray, "t n"], weights: Float64[np.ndarray, " t"]) -> ConstantCost:
        """Prefix sums; `weights` are inverse variances."""
        values = values - np.median(values, axis=0)  # small numbers keep the differences of sums exact
        w = weights[:, None]
        return ConstantCost(
            running_sums(weights), running_sums(w * values), running_sums((w * values**2).sum(axis=1))
        )

    def ending(self, b: int, start: int = 0) -> Float64[np.ndarray, " a"]:
        """Costs of [a, b) for a = start .. b - 1."""
        weight = self.weight[b] - self.weight[start:b]
        first = self.first[b] - self.first[start:b]
        second = self.second[b] - self.second[start:b]
        mean = np.einsum("an,an->a", first, first) / np.maximum(weight, 1e-9)
        return np.asarray(np.maximum(0.5 * (second - mean), 0.0))


@dataclass(frozen=True)
class PlaceCost:
    """Positions [t 3] with an information matrix per frame (less is known along the line of sight)."""

    information: Float64[np.ndarray, "t1 3 3"]
    first: Float64[np.ndarray, "t1 3"]
    second: Float64[np.ndarray, " t1"]

    @staticmethod
    def of(places: Float64[np.ndarray, "t 3"], information: Float64[np.ndarray, "t 3 3"]) -> PlaceCost:
        """Prefix sums."""
        places = places - np.median(places, axis=0)
        pulled = np.einsum("tij,tj->ti", information, places)
        return PlaceCost(
            running_sums(information), running_sums(pulled), running_sums((pulled * places).sum(axis=1))
        )

    def ending(self, b: int, start: int = 0) -> Float64[np.ndarray, " a"]:
        """Costs of [a, b) for a = start .. b - 1."""
        A = self.information[b] - self.information[start:b] + 1e-6 * np.eye(3)
        first = self.first[b] - self.first[start:b]
        second = self.second[b] - self.second[start:b]
        return np.asarray(np.maximum(0.5 * (second - _inverse_form(A, first)), 0.0))


@dataclass(frozen=True)
class StepCost:
    """What the changes within a stretch cost, whatever its best constant: slow errors wander, but not fast."""

    total: Float64[np.ndarray, " t1"]
    lag: int
    """Frames over which a change is taken."""

    @staticmethod
    def of(
        values: Float64[np.ndarray, "t n"],
        information: Float64[np.ndarray, "t n n"],
        weights: Float64[np.ndarray, " t"],
        lag: int,
    ) -> StepCost:
        """`information`: of a change over `lag` frames; `weights` say how far each frame is believed (0 to 1)."""
        cost = np.zeros(len(values))
        if len(values) > lag:
            d = values[lag:] - values[:-lag]
            both = np.minimum(weights[lag:], weights[:-lag])
            cost[lag:] = 0.5 * both * np.einsum("ti,tij,tj->t", d, information[lag:], d) / lag
        return StepCost(running_sums(cost), lag)

    def ending(self, b: int, start: int = 0) -> Float64[np.ndarray, " a"]:
        """Costs of [a, b) for a = start .. b - 1: changes that begin and end within it."""
        first = np.minimum(np.arange(start, b) + self.lag, b)
        return np.asarray(self.total[b] - self.total[first])


def _inverse_form(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """x' A^-1 x for symmetric 3 x 3 matrices, written out: ten times as fast as solving."""
    a, b, c, d, e, f = A[:, 0, 0], A[:, 0, 1], A[:, 0, 2], A[:, 1, 1], A[:, 1, 2], A[:, 2, 2]
    p, q, r = d * f - e * e, c * e - b * f, b * e - c * d
    x0, x1, x2 = x[:, 0], x[:, 1], x[:, 2]
    form = p * x0**2 + (a * f - c * c) * x1**2 + (a * d - b * b) * x2**2
    form = form + 2 * (q * x0 * x1 + r * x0 * x2 + (b * c - a * e) * x1 * x2)
    return np.asarray(form / (a * p + b * q + c * r))


def running_sums(values: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Sums of the first 0, 1, .. t rows."""
    return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])

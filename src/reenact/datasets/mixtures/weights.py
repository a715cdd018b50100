"""How often each source is drawn."""

from __future__ import annotations

from collections.abc import Mapping

from reenact.errors import InputError

METIS_TABLE_6 = {
    "H2O": 0.8,
    "OakInk": 1.9,
    "PH2D": 5.4,
    "ARCTIC": 2.8,
    "EgoDex": 40.3,
    "HoloAssist": 10.6,
    "ActionNet": 13.4,
    "ours": 25.4,
}
"""Percent, as printed (METIS, appendix D, table 6). They add up to 100.6; `normalised` makes shares of them."""


class BadWeights(InputError):
    """Weights that say nothing."""


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Shares that add up to 1; raises `BadWeights` for none, negative or infinite ones."""
    total = sum(weights.values())
    bad = {k: w for k, w in weights.items() if not 0 <= w < float("inf")}
    if bad or not total > 0:
        raise BadWeights(f"weights {bad or dict(weights)}", hint="numbers of at least 0, one above 0")
    return {name: weight / total for name, weight in weights.items()}


def by_size(lengths: Mapping[str, int], power: float = 1.0) -> dict[str, float]:
    """Shares by number of samples: power 1 draws every sample equally often, 0 every source."""
    return normalised({name: float(n) ** power if n else 0.0 for name, n in lengths.items()})

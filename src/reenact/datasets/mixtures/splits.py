"""Splits without leakage: episodes that share anything (source video, session, subject) go the same way.

Where a group goes depends on its own names and the seed only: adding episodes later moves none that is there, unless
a new episode ties two groups together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from reenact.datasets.mixtures.weights import normalised
from reenact.errors import InputError


class NoKey(InputError):
    """An episode that does not say what it shares with others."""


def split_episodes(
    episodes: Sequence[Mapping[str, str]],
    shares: Mapping[str, float],
    *,
    by: Sequence[str] = ("id",),
    seed: int = 0,
) -> dict[str, list[int]]:
    """Places of the episodes in each split.

    Args:
        episodes: for each its facts, e.g. id, source, session, subject; the `episodes` of `meta/reenact.json` fit.
        shares: e.g. `{"train": 0.9, "val": 0.1}`; kept on average, since whole groups move.
        by: facts that must not be shared between splits; episodes tied by any of them stay together.
        seed: another seed, another split.

    Raises:
        NoKey: an episode has none of the facts in `by`.
    """
    portions = normalised(shares)
    groups = tied_groups(episodes, by)
    found: dict[str, list[int]] = {name: [] for name in portions}
    for members in groups:
        names = sorted(f"{k}={episodes[i][k]}" for i in members for k in by if episodes[i].get(k))
        digest = hashlib.sha256(f"{seed}:{names[0]}".encode()).digest()
        place = int.from_bytes(digest[:8], "big") / 2**64
        found[_portion(portions, place)] += members
    return {name: sorted(places) for name, places in found.items()}


def _portion(portions: Mapping[str, float], place: float) -> str:
    """The split that holds `place` in [0, 1)."""
    name = ""
    for name, share in portions.items():
        if place < share:
            return name
        place -= share
    return name


def tied_groups(episodes: Sequence[Mapping[str, str]], by: Sequence[str]) -> list[list[int]]:
    """Connected components: episodes tied directly or through others. Raises `NoKey`."""
    parent = list(range(len(episodes)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple[str, str], int] = {}
    for i, facts in enumerate(episodes):
        keys = [(k, str(facts[k])) for k in by if facts.get(k)]
        if not keys:
            raise NoKey(f"episode {i} has none of {', '.join(by)}", hint="name a fact that every episode has")
        for key in keys:
            parent[root(i)] = root(first.setdefault(key, i))
    groups: dict[int, list[int]] = {}
    for i in range(len(episodes)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())

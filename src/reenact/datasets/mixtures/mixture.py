"""`Mixture`: an endless stream of sample numbers from several sources in stated proportions.

Which source comes next is drawn with the sources' weights from a counter-based generator (Philox) keyed by seed and
worker. Within a source samples come in shuffled epochs without repeats; with W workers, worker w takes every W-th
place, so that together they see each sample once before any twice (as long as they draw equally often). The state is
one number per source and one for the stream; setting it is exact and immediate.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reenact.datasets.mixtures.shuffle import shuffled
from reenact.datasets.mixtures.weights import BadWeights, normalised
from reenact.errors import InputError

BLOCK = 1024
"""Draws made at a time."""


class WrongState(InputError):
    """A state of another mixture, seed or worker."""


@dataclass(frozen=True)
class MixtureSource:
    """A source: its name, how many samples it has, how much of the stream it is to fill."""

    name: str
    length: int
    weight: float


@dataclass(frozen=True)
class SampleRef:
    """One draw: sample `index` of source `source`, in that source's epoch `epoch`."""

    source: str
    index: int
    epoch: int


class Mixture(Iterator[SampleRef]):
    """See above. Iterating never ends.

    Raises:
        BadWeights: no weight above 0, a source without samples that is to be drawn, a name twice.
    """

    def __init__(
        self, sources: Sequence[MixtureSource], *, seed: int, worker: int = 0, workers: int = 1
    ) -> None:
        names = [s.name for s in sources]
        if len(set(names)) != len(names) or not 0 <= worker < workers:
            raise BadWeights(
                f"sources {names}, worker {worker} of {workers}", hint="names once, 0 <= worker < workers"
            )
        if empty := [s.name for s in sources if s.weight > 0 and s.length < 1]:
            raise BadWeights(f"sources without samples have a weight: {', '.join(empty)}")
        shares = normalised({s.name: s.weight for s in sources})
        self.sources = tuple(sources)
        self._seed, self._worker, self._workers = seed, worker, workers
        self._edges = np.cumsum([shares[name] for name in names])
        self._keys = [zlib.crc32(name.encode()) for name in names]
        self._drawn = 0
        self._taken = [0] * len(names)
        self._block, self._choices = -1, np.zeros(0, np.int64)

    def __next__(self) -> SampleRef:
        block, place = divmod(self._drawn, BLOCK)
        if block != self._block:
            self._block, self._choices = block, self._choose(block)
        k = int(self._choices[place])
        source = self.sources[k]
        position = self._taken[k] * self._workers + self._worker
        epoch, within = divmod(position, source.length)
        index = shuffled(within, source.length, self._seed, self._keys[k], epoch)
        self._drawn += 1
        self._taken[k] += 1
        return SampleRef(source.name, index, epoch)

    def _choose(self, block: int) -> np.ndarray:
        key = np.array([self._seed, self._worker], np.uint64)
        generator = np.random.Generator(np.random.Philox(key=key, counter=block << 64))
        last = int(np.flatnonzero(np.diff(self._edges, prepend=0.0) > 0)[-1])
        return np.minimum(np.searchsorted(self._edges, generator.random(BLOCK), side="right"), last)

    def state(self) -> dict[str, Any]:
        """All that a later run needs to go on with the very next sample; plain JSON."""
        taken = {s.name: n for s, n in zip(self.sources, self._taken, strict=True)}
        return {"identity": self._identity(), "drawn": self._drawn, "taken": taken}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken. Raises `WrongState` when it belongs to another mixture, seed or worker."""
        mine = self._identity()
        if state.get("identity") != mine:
            told = state.get("identity") or {}
            differing = sorted(k for k in mine if told.get(k) != mine[k])
            raise WrongState(
                f"the state is of another mixture: {', '.join(differing)} differ", hint=f"this one is {mine}"
            )
        self._drawn = int(state["drawn"])
        self._taken = [int(state["taken"][s.name]) for s in self.sources]
        self._block = -1

    def _identity(self) -> dict[str, Any]:
        return {
            "seed": self._seed,
            "worker": self._worker,
            "workers": self._workers,
            "sources": [[s.name, s.length, s.weight] for s in self.sources],
        }

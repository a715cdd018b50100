"""What every executor owes, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from reenact.pipeline.errors import ItemError
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.progress import NoProgress, Progress
from reenact.pipeline.quarantine import Quarantine
from reenact.pipeline.run_item import ItemResult
from reenact.pipeline.store import ArtefactStore
from reenact.pipeline.summary import RunSummary, Tally


@runtime_checkable
class Executor(Protocol):
    """Runs a pipeline over items. Same keys and same artefacts whichever one is used."""

    def run(
        self,
        pipeline: Pipeline,
        items: Iterable[Item],
        store: ArtefactStore,
        *,
        force: frozenset[str] = frozenset(),
        progress: Progress | None = None,
        on_result: Callable[[ItemResult], None] | None = None,
    ) -> RunSummary:
        """Finish what is not finished; items are drawn as they are needed.

        ``on_result`` is called in this process after each item.

        Raises:
            SetupError: what no item could survive; the run stops and nothing is quarantined for it.
        """


@dataclass
class Ledger:
    """Takes results in: quarantine, counts, progress, the caller."""

    store: ArtefactStore
    progress: Progress = field(default_factory=NoProgress)
    on_result: Callable[[ItemResult], None] | None = None
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._quarantine = Quarantine(self.store.root)
        self._was_quarantined = set(self._quarantine.entries())
        self.store.sweep()

    def take(self, result: ItemResult) -> None:
        """Book one item."""
        if result.failure is not None or result.item_id in self._was_quarantined:
            self._quarantine.note(result)
        self.tally.add(result)
        self.progress.event("item_done", {"item": result.item_id, "status": result.status})
        if self.on_result is not None:
            self.on_result(result)

    def close(self) -> RunSummary:
        """The run is over."""
        summary = self.tally.summary()
        self.progress.event("run_done", {"done": summary.done, "quarantined": len(summary.quarantined)})
        return summary


def distinct(items: Iterable[Item]) -> Iterator[Item]:
    """The items, unless two have one id. Raises ItemError."""
    seen: set[str] = set()
    for item in items:
        if item.item_id in seen:
            raise ItemError(f"two items are called {item.item_id!r}", hint="ids must be unique in a run")
        seen.add(item.item_id)
        yield item

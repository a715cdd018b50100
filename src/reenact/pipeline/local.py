"""All items in this process, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized

from reenact.pipeline.executor import Ledger, distinct
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.progress import NoProgress, Progress
from reenact.pipeline.run_item import ItemResult, run_item
from reenact.pipeline.store import ArtefactStore
from reenact.pipeline.summary import RunSummary


class LocalExecutor:
    """The plain one: no worker processes. A stage that kills the process kills the run (and is seen on rerun)."""

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
        """See ``Executor.run``."""
        progress = progress or NoProgress()
        ledger = Ledger(store, progress, on_result)
        progress.event("run_started", {"items": len(items) if isinstance(items, Sized) else None})
        for item in distinct(items):
            ledger.take(run_item(pipeline, item, store, force=force, progress=progress))
        return ledger.close()

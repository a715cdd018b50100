"""Items spread over worker processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from reenact.errors import SetupError
from reenact.pipeline.errors import StageGraphError, WorkerStartError
from reenact.pipeline.executor import Ledger, distinct
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.progress import NoProgress, Progress
from reenact.pipeline.run_item import Failure, ItemResult, run_item
from reenact.pipeline.store import ArtefactStore
from reenact.pipeline.summary import RunSummary

SPAWN = multiprocessing.get_context("spawn")
MAX_EARLY_DEATHS = 3


class _PipeProgress:
    """Sends events to the parent."""

    def __init__(self, pipe: connection.Connection) -> None:
        self._pipe = pipe

    def event(self, kind: str, values: Mapping[str, object]) -> None:
        self._pipe.send((kind, dict(values)))


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def _work(
    pipe: connection.Connection, pipeline: Pipeline, store: ArtefactStore, force: frozenset[str]
) -> None:
    """A worker's life: say ready, then run what comes until told to stop or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    with suppress(BrokenPipeError, ConnectionResetError, EOFError):  # the parent is gone: end without a word
        pipe.send(("ready", {}))
        while (item := pipe.recv()) is not None:
            pipe.send(_answer(pipeline, item, store, force, _PipeProgress(pipe)))


def _answer(
    pipeline: Pipeline, item: Item, store: ArtefactStore, force: frozenset[str], progress: Progress
) -> tuple[str, Any]:
    try:
        return "result", run_item(pipeline, item, store, force=force, progress=progress)
    except SetupError as error:
        return "setup_error", (type(error), error.message, error.hint)


@dataclass
class _Worker:
    process: Any
    pipe: connection.Connection
    item: Item | None = None
    stage: str = ""
    deadline: float | None = None
    is_ready: bool = False


class ProcessExecutor:
    """``workers`` spawned processes, one item each at a time.

    A worker that dies (segmentation fault, killed for memory) or passes the time limit costs its item, after a second
    try in a fresh worker; finished stages of the item are kept. Workers end when this process does, however it ends.
    """

    def __init__(self, workers: int, *, item_timeout_s: float | None = None, tries: int = 2) -> None:
        """``item_timeout_s``: wall seconds an item may take in one go; None for no limit."""
        self._count, self._timeout_s, self._tries = max(1, workers), item_timeout_s, tries

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
        """See ``Executor.run``. Raises also WorkerStartError where workers die before their first item."""
        _check_importable(pipeline)
        progress = progress or NoProgress()
        ledger = Ledger(store, progress, on_result)
        known = len(items) if isinstance(items, Sized) else None
        progress.event("run_started", {"items": known})
        count = self._count if known is None else min(self._count, max(1, known))
        pool = _Pool(count, self._timeout_s, self._tries, (pipeline, store, force), ledger)
        try:
            pool.run(distinct(items))
        finally:
            pool.stop()
        return ledger.close()


def _check_importable(pipeline: Pipeline) -> None:
    for stage in pipeline.stages:
        if "<" in getattr(stage.run, "__qualname__", ""):
            raise StageGraphError(
                f"the function of stage {stage.name} is a lambda or nested, workers cannot import it",
                hint="define it at the top level of a module",
            )


class _Pool:
    """Workers, what they do, and what is still to do."""

    def __init__(
        self,
        count: int,
        timeout_s: float | None,
        tries: int,
        job: tuple[Pipeline, ArtefactStore, frozenset[str]],
        ledger: Ledger,
    ) -> None:
        self._count, self._timeout_s, self._tries = count, timeout_s, tries
        self._job, self._ledger = job, ledger
        self._workers: list[_Worker] = []
        self._again: deque[Item] = deque()
        self._failed_tries: dict[str, int] = {}
        self._early_deaths = 0

    def run(self, items: Iterator[Item]) -> None:
        """Until every item is booked."""
        following: Item | None = next(items, None)
        while True:
            while self._again or following is not None:
                worker = self._free_worker()
                if worker is None:
                    break
                if self._again:
                    self._give(worker, self._again.popleft())
                elif following is not None:
                    self._give(worker, following)
                    following = next(items, None)
            if not any(w.item for w in self._workers) and not self._again and following is None:
                return
            self._wait()

    def stop(self) -> None:
        """End all workers, at once where they are busy."""
        for worker in self._workers:
            if worker.item is None and worker.is_ready:
                try:
                    worker.pipe.send(None)
                except OSError:
                    worker.process.kill()
            else:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers.clear()

    def _free_worker(self) -> _Worker | None:
        while len(self._workers) < self._count:
            ours, theirs = SPAWN.Pipe()
            process = SPAWN.Process(target=_work, args=(theirs, *self._job))
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, ours))
        return next((worker for worker in self._workers if worker.item is None and worker.is_ready), None)

    def _give(self, worker: _Worker, item: Item) -> None:
        worker.item, worker.stage = item, ""
        worker.deadline = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        try:
            worker.pipe.send(item)
        except OSError:
            self._lost(worker)

    def _wait(self) -> None:
        """Sleep until a worker says something, dies, or runs out of time."""
        deadlines = [w.deadline for w in self._workers if w.item is not None and w.deadline is not None]
        timeout = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        heard = connection.wait([w.pipe for w in self._workers], timeout)
        for worker in [w for w in self._workers if w.pipe in heard]:
            try:
                self._hear(worker, *worker.pipe.recv())
            except (EOFError, OSError):
                self._lost(worker)
        for worker in list(self._workers):
            if worker.item is not None and worker.deadline is not None and time.monotonic() > worker.deadline:
                worker.process.kill()
                self._lost(worker, f"took longer than {self._timeout_s:g} s")

    def _hear(self, worker: _Worker, kind: str, content: Any) -> None:
        if kind == "ready":
            worker.is_ready, self._early_deaths = True, 0
        elif kind == "result":
            worker.item, worker.deadline = None, None
            self._ledger.take(content)
        elif kind == "setup_error":
            error_type, message, hint = content
            raise error_type(message, hint=hint)
        else:
            worker.stage = str(content.get("stage", worker.stage))
            self._ledger.progress.event(kind, content)

    def _lost(self, worker: _Worker, why: str = "") -> None:
        """A worker is gone: try its item again in a fresh one, or give the item up."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        item, code = worker.item, worker.process.exitcode
        if item is None:
            self._early_deaths += not worker.is_ready
            if self._early_deaths >= MAX_EARLY_DEATHS:
                raise WorkerStartError(
                    f"{MAX_EARLY_DEATHS} workers ended before they were ready (exit code {code})",
                    hint="guard the calling script with: if __name__ == '__main__'",
                )
            return
        self._failed_tries[item.item_id] = self._failed_tries.get(item.item_id, 0) + 1
        if self._failed_tries[item.item_id] < self._tries:
            self._again.append(item)
            return
        self._ledger.take(
            ItemResult(
                item_id=item.item_id,
                keys={},
                seconds={},
                failure=_death(worker.stage, code, why, self._tries),
            )
        )


def _death(stage: str, code: int | None, why: str, tries: int) -> Failure:
    if not why and code is not None and code < 0:
        why = f"was ended by {signal.Signals(-code).name}"
    return Failure(
        stage=stage,
        error="ItemTimeout" if "longer" in why else "WorkerDied",
        message=f"the worker {why or f'ended with exit code {code}'}, {tries} times",
        hint="too little memory or a crash in a library; finished stages of the item are kept",
    )

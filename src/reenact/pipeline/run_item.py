"""One item through all stages, in this process."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from reenact.errors import ReenactError, SetupError
from reenact.pipeline.canonical import plain
from reenact.pipeline.errors import (
    FORBIDDEN,
    FULL,
    DiskFullError,
    ItemError,
    NoPermissionError,
    StageOutputError,
)
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.keys import source_key, source_stamp
from reenact.pipeline.manifest import MANIFEST_NAME, Manifest, files_below
from reenact.pipeline.progress import NoProgress, Progress, StageReport
from reenact.pipeline.stage import Stage, StageCall
from reenact.pipeline.store import ArtefactStore

FULL_BELOW_BYTES = 1 << 20
"""A stage that fails while less than this is free is taken to have failed for lack of space."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an item ended."""

    stage: str
    """Stage that failed; empty where a source could not be read."""
    error: str
    """Class name of the error."""
    message: str
    """What was wrong."""
    hint: str = ""
    """What would be right."""
    exit_code: int = 1
    """What the command line returns for it."""
    traceback: str = ""
    """Only for errors that are not ours by name, that is for bugs."""


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """What came of one item."""

    item_id: str
    keys: Mapping[str, str]
    """Content keys of all finished stages (and sources)."""
    seconds: Mapping[str, float]
    """Wall time of the stages that were run now; 0 for those found finished."""
    reused: frozenset[str] = field(default_factory=frozenset)
    """Stages that were found finished."""
    failure: Failure | None = None
    """None where all stages are finished."""

    @property
    def status(self) -> str:
        """``done`` or ``quarantined``."""
        return "quarantined" if self.failure else "done"


def run_item(
    pipeline: Pipeline,
    item: Item,
    store: ArtefactStore,
    *,
    force: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> ItemResult:
    """Run what is not finished yet; a failure of a stage is part of the result.

    ``force`` names stages to run again although they are finished, with all that read from them.

    Raises:
        SetupError: what no other item could survive either (disk full, no permission, missing extra or model).
    """
    run = _ItemRun(pipeline, item, store, pipeline.with_all_after(force), progress or NoProgress())
    failure = None
    try:
        run.all_stages()
    except SetupError:
        raise
    except ReenactError as error:
        failure = Failure(
            stage=run.stage,
            error=type(error).__name__,
            message=error.message,
            hint=error.hint,
            exit_code=error.exit_code,
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- a bug in a stage costs its item, not the run
        _raise_if_of_the_system(error, store)
        failure = Failure(
            stage=run.stage,
            error=type(error).__name__,
            message=str(error) or "no message",
            hint="this is a bug; the traceback file says where",
            traceback="".join(traceback.format_exception(error)),
        )
    return ItemResult(
        item_id=item.item_id,
        keys=run.keys,
        seconds=run.seconds,
        reused=frozenset(run.reused),
        failure=failure,
    )


@dataclass
class _ItemRun:
    """What is known so far of an item that is being run."""

    pipeline: Pipeline
    item: Item
    store: ArtefactStore
    forced: frozenset[str]
    progress: Progress
    keys: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    reused: set[str] = field(default_factory=set)
    stage: str = ""
    stamps: dict[str, object] = field(default_factory=dict)

    def all_stages(self) -> None:
        for name in self.pipeline.sources:
            if name not in self.item.sources:
                raise ItemError(
                    f"item {self.item.item_id} has no source {name!r}",
                    hint=f"given: {sorted(self.item.sources)}",
                )
            self.stamps[name] = source_stamp(self.item.sources[name])
            self.keys[name] = source_key(self.item.sources[name])
        for stage in self.pipeline.stages:
            self.one_stage(stage)

    def one_stage(self, stage: Stage[Any]) -> None:
        self.stage = stage.name
        self.progress.event("stage_started", {"item": self.item.item_id, "stage": stage.name})
        key = stage.key(self.keys)
        self.seconds[stage.name] = 0.0
        is_new = self.store.add(
            stage.name, key, lambda folder: self.make(stage, key, folder), force=stage.name in self.forced
        )
        self.keys[stage.name] = key
        if not is_new:
            self.reused.add(stage.name)
        self.progress.event(
            "stage_done",
            {
                "item": self.item.item_id,
                "stage": stage.name,
                "seconds": round(self.seconds[stage.name], 6),
                "reused": not is_new,
            },
        )

    def make(self, stage: Stage[Any], key: str, folder: Path) -> None:
        """Run the stage into the folder and sign it."""
        report = StageReport(self.progress, self.item.item_id, stage.name)
        inputs = {name: self.path_of(name) for name in stage.inputs}
        start = time.perf_counter()
        # One BLAS thread: stages solve many small systems, where threads cost more than they save (and fight the other
        # workers), and sums come out the same on any number of cores.
        with threadpool_limits(limits=1, user_api="blas"):
            stage.run(StageCall(stage.config, inputs, folder, report))
        self.seconds[stage.name] = time.perf_counter() - start
        for name in set(stage.inputs) & set(self.stamps):
            if source_stamp(self.item.sources[name]) != self.stamps[name]:
                raise ItemError(f"{self.item.sources[name]} changed while it was read", hint="run it again")
        files = files_below(folder)
        if not files or (folder / MANIFEST_NAME).exists():
            what = f"wrote its own {MANIFEST_NAME}" if files else "wrote nothing"
            raise StageOutputError(f"stage {stage.name} {what}", hint="write result files below call.out")
        Manifest(
            stage=stage.name,
            version=stage.version,
            key=key,
            config=plain(stage.config),
            inputs={name: self.keys[name] for name in stage.inputs},
            files=files,
            seconds=self.seconds[stage.name],
        ).write(folder)

    def path_of(self, name: str) -> Path:
        """A source's own path or a finished artefact's folder."""
        return self.item.sources[name] if name in self.stamps else self.store.folder(name, self.keys[name])


def _raise_if_of_the_system(error: BaseException, store: ArtefactStore) -> None:
    """Turn what is the machine's fault into a SetupError: it would strike every other item too."""
    code = error.errno if isinstance(error, OSError) else None
    if code in FULL or _free_bytes(store.root) < FULL_BELOW_BYTES:
        raise DiskFullError(
            f"no space left on the disk of {store.root}", hint="free some space; finished stages are kept"
        ) from error
    place = str(getattr(error, "filename", "") or "")
    if code in FORBIDDEN and place.startswith(str(store.root)):
        raise NoPermissionError(
            f"not allowed to write {place}", hint="change the mode of the store"
        ) from error


def _free_bytes(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free

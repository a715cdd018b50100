"""Pass 1 over many videos: the `filter` stage for each, and the clips that are worth making."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reenact.pipeline.executor import Executor
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.local import LocalExecutor
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.progress import Progress
from reenact.pipeline.run_item import ItemResult
from reenact.pipeline.stage import Stage
from reenact.pipeline.store import ArtefactStore
from reenact.pipeline.summary import RunSummary
from reenact.stages import filtering, layout
from reenact.stages.filtering import FilterStageConfig
from reenact.stages.notes import read_json
from reenact.stages.run import ClipSource, clip_ids


@dataclass(frozen=True)
class FilterOutcome:
    """What pass 1 said of each video."""

    summary: RunSummary
    reports: dict[str, dict[str, Any]]
    """Video name -> its report as plain JSON."""
    sources: tuple[ClipSource, ...]
    """The stretches kept, ready for `run_clips`."""
    failed: dict[str, str]
    """Video name -> why it could not be scanned."""


def filter_videos(
    videos: Sequence[Path],
    out: Path,
    config: FilterStageConfig,
    jobs: int = 1,
    progress: Progress | None = None,
) -> FilterOutcome:
    """Pass 1 over all videos; finished ones are not scanned again."""
    store = ArtefactStore(out / layout.STORE)
    pipeline = Pipeline([Stage("filter", "1", config, ("video",), filtering.run)], ("video",))
    names = clip_ids(videos)
    reports: dict[str, dict[str, Any]] = {}
    sources: dict[str, list[ClipSource]] = {}
    paths = dict(zip(names, videos, strict=True))

    def take(result: ItemResult) -> None:
        if result.failure is None:
            folder = store.folder("filter", result.keys["filter"])
            reports[result.item_id] = read_json(folder / filtering.FILTER_NAME)
            kept = filtering.kept_segments(folder, result.item_id)
            sources[result.item_id] = [ClipSource(paths[result.item_id], segment) for segment in kept]

    items = [Item(name, {"video": path}) for name, path in paths.items()]
    executor: Executor = LocalExecutor() if jobs <= 1 else ProcessExecutor(jobs)
    summary = executor.run(pipeline, items, store, progress=progress, on_result=take)
    return FilterOutcome(
        summary=summary,
        reports=reports,
        sources=tuple(source for name in names for source in sources.get(name, [])),
        failed={name: f"{f.error}: {f.message}" for name, f in summary.quarantined.items()},
    )

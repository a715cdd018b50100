"""A whole run: videos in, a run folder out (see `layout`). Resuming is the default: finished stages are not repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reenact.perception.depth.stored import VOLUME as DEPTH_VOLUME
from reenact.pipeline.executor import Executor
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.local import LocalExecutor
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.progress import Progress
from reenact.pipeline.run_item import ItemResult
from reenact.pipeline.store import ArtefactStore
from reenact.pipeline.summary import RunSummary
from reenact.records.files import atomic_file
from reenact.stages import layout
from reenact.stages.clip import Segment
from reenact.stages.dataset import DatasetStageConfig, FinishedClip, write_dataset
from reenact.stages.ego import EGO_VIDEO
from reenact.stages.masks import VOLUME as MASK_VOLUME
from reenact.stages.notes import write_json
from reenact.stages.placing import DEPTH_FILES
from reenact.stages.plan import RunConfig, plan
from reenact.stages.scene import RECORD_STAGES, was_made
from reenact.stages.trajectory import RobotChoice


@dataclass(frozen=True)
class ClipSource:
    """One clip to be made: a stretch of a video."""

    video: Path
    segment: Segment
    truth: Path | None = None
    """A scene folder with the truth of this very clip, frame by frame; the report then shows the errors."""
    depth: Path | None = None
    """A folder of depth pictures (or of a stereo pair), one per frame."""


@dataclass(frozen=True)
class RunRequest:
    """What is to be done."""

    sources: Sequence[ClipSource]
    robots: Sequence[RobotChoice]
    out: Path
    config: RunConfig = field(default_factory=RunConfig)
    with_video: bool = True
    """Render the robot videos (most of the time of a run)."""
    with_dataset: bool = True
    with_ego: bool = False
    """Make the virtual camera at the person's eyes and its video."""
    jobs: int = 1
    """Worker processes; 1 runs in this process."""
    force: frozenset[str] = frozenset()
    """Stages to repeat although they are finished, with all that read from them."""


@dataclass(frozen=True)
class RunOutcome:
    """What came of it."""

    summary: RunSummary
    clips: tuple[FinishedClip, ...]
    reports: dict[str, Path]
    """Clip id -> report.html."""
    datasets: dict[str, Path]
    """Robot label -> dataset folder."""


def clip_ids(videos: Sequence[Path]) -> list[str]:
    """A folder-safe, unique name per video: its stem, or its folder's name where stems repeat."""
    stems = [_safe(path.stem) for path in videos]
    names = [
        s if stems.count(s) == 1 else _safe(f"{p.parent.name}_{p.stem}")
        for s, p in zip(stems, videos, strict=True)
    ]
    return [n if names.count(n) == 1 else f"{n}_{names[: i + 1].count(n)}" for i, n in enumerate(names)]


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "clip"


def run_clips(
    request: RunRequest,
    progress: Progress | None = None,
    on_clip: Callable[[str, ItemResult], None] | None = None,
) -> RunOutcome:
    """Run all clips, publish what is finished clip by clip, then write the datasets.

    Raises:
        SetupError: what no clip could survive: no GL, no disk, a missing extra.
    """
    store = ArtefactStore(request.out / layout.STORE)
    with_truth = any(source.truth is not None for source in request.sources)
    pipeline = plan(
        request.config,
        request.robots,
        with_video=request.with_video,
        with_truth=with_truth,
        with_ego=request.with_ego,
        with_depth=any(source.depth is not None for source in request.sources),
    )
    items, videos = _items(request)
    finished: dict[str, FinishedClip] = {}

    def take(result: ItemResult) -> None:
        if result.failure is None:
            clip = _finished(result, videos[result.item_id], pipeline, store)
            _publish(clip, request)
            finished[result.item_id] = clip
        if on_clip is not None:
            on_clip(result.item_id, result)

    executor: Executor = LocalExecutor() if request.jobs <= 1 else ProcessExecutor(request.jobs)
    summary = executor.run(pipeline, items, store, force=request.force, progress=progress, on_result=take)
    clips = tuple(finished[item.item_id] for item in items if item.item_id in finished)
    datasets = _datasets(clips, request, store) if request.with_dataset and clips else {}
    outcome = RunOutcome(
        summary=summary,
        clips=clips,
        reports={clip.clip_id: request.out / clip.clip_id / layout.REPORT for clip in clips},
        datasets=datasets,
    )
    _write_summary(request.out / layout.SUMMARY, outcome)
    return outcome


def _items(request: RunRequest) -> tuple[list[Item], dict[str, Path]]:
    items, videos = [], {}
    for source in request.sources:
        clip_id = source.segment.clip_id
        path = request.out / layout.SEGMENTS / f"{clip_id}.json"
        source.segment.write(path)
        truth = {"truth": source.truth} if source.truth is not None else {}
        depth = {DEPTH_FILES: source.depth} if source.depth is not None else {}
        items.append(Item(clip_id, {"video": source.video, "segment": path, **truth, **depth}))
        videos[clip_id] = source.video
    return items, videos


def _finished(result: ItemResult, video: Path, pipeline: Pipeline, store: ArtefactStore) -> FinishedClip:
    folders = {stage.name: store.folder(stage.name, result.keys[stage.name]) for stage in pipeline.stages}
    return FinishedClip(result.item_id, video, folders, dict(result.keys))


def _publish(clip: FinishedClip, request: RunRequest) -> None:
    """Show a finished clip's files under readable names; other robots' folders of earlier runs stay."""
    folder = request.out / clip.clip_id
    records = {
        f"{r}.{e}": clip.folders[s] / f"{r}.{e}"
        for r, s in RECORD_STAGES.items()
        if s in clip.folders and was_made(r, clip.folders[s])
        for e in ("json", "safetensors")
    }
    if "masks" in clip.folders:
        records[MASK_VOLUME] = clip.folders["masks"] / MASK_VOLUME
    if "depth" in clip.folders:
        records[DEPTH_VOLUME] = clip.folders["depth"] / DEPTH_VOLUME
    layout.publish(folder / "scene", records)
    if request.with_ego:
        made = clip.folders["ego"]
        names = [n for n in ("notes.json", EGO_VIDEO) if (made / n).is_file()]
        layout.publish(folder / "ego", {name: made / name for name in names})
    for robot in request.robots:
        made = clip.folders[f"trajectory_{robot.label}"]
        files = {name: made / name for name in ("trajectory.npz", "trajectory.csv", "notes.json")}
        if request.with_video:
            files["replay.mp4"] = clip.folders[f"replay_{robot.label}"] / "replay.mp4"
        layout.publish(folder / robot.label, files)
    layout.publish_file(folder / layout.REPORT, clip.folders["report"] / layout.REPORT)
    layout.publish_file(folder / layout.QUALITY, clip.folders["report"] / layout.QUALITY)


def _datasets(clips: Sequence[FinishedClip], request: RunRequest, store: ArtefactStore) -> dict[str, Path]:
    config = request.config
    shown = {}
    for robot in request.robots:
        settings = DatasetStageConfig(robot, config.episode, config.dataset, config.clip)
        made, _ = write_dataset(store, clips, settings)
        target = request.out / layout.DATASETS / robot.label
        layout.publish(target, {p.relative_to(made).as_posix(): p for p in made.rglob("*") if p.is_file()})
        shown[robot.label] = target
    return shown


def _write_summary(path: Path, outcome: RunOutcome) -> None:
    with atomic_file(path) as beside:
        write_json(beside, summary_words(outcome))


def summary_words(outcome: RunOutcome) -> dict[str, Any]:
    """The outcome as plain JSON: what `--json` prints and `summary.json` holds."""
    return {
        "done": outcome.summary.done,
        "failed": {
            clip: {"stage": f.stage, "error": f.error, "message": f.message, "hint": f.hint}
            for clip, f in outcome.summary.quarantined.items()
        },
        "reports": {k: str(v) for k, v in outcome.reports.items()},
        "datasets": {k: str(v) for k, v in outcome.datasets.items()},
        "stage_seconds": {k: round(v, 3) for k, v in outcome.summary.stage_seconds.items()},
        "stages_run": dict(outcome.summary.stages_run),
        "stages_reused": dict(outcome.summary.stages_reused),
        "exit_code": outcome.summary.exit_code,
    }


def whole(videos: Sequence[Path], start_ns: int | None = None, end_ns: int | None = None) -> list[ClipSource]:
    """Each video as one clip, or the same stretch of each."""
    return [
        ClipSource(video, Segment(name, start_ns, end_ns))
        for video, name in zip(videos, clip_ids(videos), strict=True)
    ]

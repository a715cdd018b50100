"""`reenact filter VIDEO...`: pass 1. Which stretches are worth reconstructing, which are not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from reenact.cli.output import emit, parse

DESCRIPTION = """Scan videos for stretches in which hands are seen at work: shot cuts, hand presence and size, hand motion,
camera motion. Every stretch is kept or rejected with its reasons; `reenact run --filter` goes on with those kept."""


@dataclass(frozen=True)
class FilterOptions:
    """Options of `reenact filter`."""

    videos: tyro.conf.Positional[tuple[Path, ...]]
    """Video files or folders of videos."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs/run")
    """Run folder; results are kept there and not computed twice."""
    rules: Literal["default", "egoinfinity"] = "default"
    """default: ours, a moving camera is flagged; egoinfinity: the published rules, still cameras only."""
    jobs: int = 1
    """Videos worked on at the same time."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, scan, print."""
    options = parse(FilterOptions, "filter", args, DESCRIPTION)
    from reenact.cli.sources import find_videos
    from reenact.pipeline.progress import progress_for
    from reenact.stages.filter_run import filter_videos
    from reenact.stages.filtering import FilterStageConfig

    videos = find_videos(options.videos)
    outcome = filter_videos(
        videos, options.out, FilterStageConfig(options.rules), options.jobs, progress_for()
    )
    words = {"videos": outcome.reports, "failed": outcome.failed, "exit_code": outcome.summary.exit_code}
    emit(
        words,
        [line for name, report in outcome.reports.items() for line in _lines(name, report)],
        options.json,
    )
    return outcome.summary.exit_code


def _lines(name: str, report: dict[str, Any]) -> list[str]:
    lines = [
        f"{name}: {len(report['cuts'])} cuts, {report['kept_ratio']:.0%} of {report['duration_ns'] * 1e-9:.1f} s kept"
    ]
    for segment in report["segments"]:
        verdict = "keep  " if segment["is_kept"] else "reject"
        span = f"{segment['start_ns'] * 1e-9:7.2f} - {segment['end_ns'] * 1e-9:7.2f} s"
        why = ", ".join([*segment["reasons"], *segment["flags"]])
        lines.append(f"  {verdict} {span}  {why}")
    return lines

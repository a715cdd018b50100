"""`reenact demo`: a toy clip with known truth, its hands found by the real nets, a robot that moves, and a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from reenact.cli.output import emit, parse
from reenact.cli.run import outcome_lines
from reenact.toy.config import ToyConfig

DESCRIPTION = """Render a toy clip whose truth is known, find its hands with the real hand nets, lift them to metric 3D,
retarget them to a robot, and write video, LeRobot dataset and report. Needs no GPU, no account, and after the first run
no network."""


@dataclass(frozen=True)
class DemoOptions:
    """Options of `reenact demo`."""

    robot: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["-r"])] = ("unitree_g1_dex3",)
    """Robots by name (`reenact robots`) or sheet file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs/demo")
    """Run folder."""
    activity: str = ToyConfig.demo().activity
    """What the toy person does (pick_place, pour, push, ...)."""
    seed: int = ToyConfig.demo().seed
    """Another seed, another clip."""
    video: bool = True
    """Render the robot video."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, render, run, print errors against truth."""
    options = parse(DemoOptions, "demo", args, DESCRIPTION)
    from reenact.pipeline.progress import progress_for
    from reenact.pipeline.store import ArtefactStore
    from reenact.stages import layout
    from reenact.stages.clip import Segment
    from reenact.stages.notes import read_json
    from reenact.stages.run import ClipSource, RunRequest, run_clips, summary_words
    from reenact.stages.toy import TRUTH, toy_folder
    from reenact.stages.trajectory import RobotChoice

    robots = [RobotChoice.of(name) for name in options.robot]
    progress = progress_for()
    toy = ToyConfig.demo().replace(activity=options.activity, seed=options.seed)
    folder = toy_folder(toy, ArtefactStore(options.out / layout.STORE), progress)
    source = ClipSource(folder / "video.mp4", Segment(f"toy_{toy.activity}_{toy.seed}"), folder / TRUTH)
    outcome = run_clips(RunRequest([source], robots, options.out, with_video=options.video), progress)
    numbers: dict[str, Any] = {}
    for clip in outcome.clips:
        numbers = read_json(options.out / clip.clip_id / layout.QUALITY)
    emit(
        summary_words(outcome) | {"quality": numbers},
        [*outcome_lines(outcome), *_verdict(numbers)],
        options.json,
    )
    return outcome.summary.exit_code


def _verdict(numbers: dict[str, Any]) -> list[str]:
    """The few numbers a newcomer wants to see."""
    lines = []
    truth = numbers.get("against_truth") or {}
    if refined := truth.get("refined"):
        focal = f"focal length {truth['focal_error_percent']:+.0f} %"
        lines.append(
            f"hands: {truth['found_share']:.0%} found; wrist {refined['wrist_lateral_cm']:.2f} cm sideways, "
            f"{refined['wrist_depth_percent']:.1f} % in depth off the known truth ({focal})"
        )
    for name, q in (numbers.get("robots") or {}).items():
        if q["ik_rate"] is not None:
            lines.append(
                f"{name}: IK rate {q['ik_rate']:.1%}, wrist error {q['position_error_cm']:.2f} cm, "
                f"{q['orientation_error_deg']:.1f} deg"
            )
    return lines

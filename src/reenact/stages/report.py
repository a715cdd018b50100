"""Stage `report`: the page people open, and the same numbers as JSON. In: everything before it.

Out: `report.html` (self-contained) and `quality.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reenact.pipeline.manifest import Manifest
from reenact.pipeline.stage import StageCall
from reenact.quality.hands import HandQuality, measure_hands
from reenact.quality.objects.against_truth import MatchedObject, objects_against_truth
from reenact.quality.retarget import RetargetQuality, measure_retarget
from reenact.quality.truth import measure_scene
from reenact.quality.unknowns import scene_unknowns
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import JointTrajectory, read_npz
from reenact.scene import Scene
from reenact.stages import layout
from reenact.stages.clip import PREVIEW_NAME
from reenact.stages.notes import NOTES_NAME, read_json, read_notes, write_json
from reenact.stages.report_curves import hand_plots, robot_plots, robot_strips
from reenact.stages.report_errors import errors_plot, errors_table
from reenact.stages.report_notes import ego_table, numbers_table, scene_flags, support_table
from reenact.stages.report_objects import object_plots, object_tables, object_tiles
from reenact.stages.report_scales import scales_numbers, scales_plots, scales_table
from reenact.stages.report_tables import (
    camera_table,
    hands_table,
    robot_table,
    source_table,
    time_table,
    truth_table,
)
from reenact.stages.scene import as_shown, load_scene
from reenact.stages.scene_page import scene_subtitle
from reenact.stages.trajectory import TRAJECTORY_NAME, RobotChoice
from reenact.viewer.report import Plot, ReportContent, write_report


@dataclass(frozen=True)
class ReportStageConfig:
    """Which robots are shown."""

    robots: tuple[RobotChoice, ...]


@dataclass(frozen=True)
class _Retargeted:
    """One robot's part of the report."""

    robot: Robot
    trajectory: JointTrajectory
    quality: RetargetQuality
    notes: Mapping[str, Any]


def run(call: StageCall[ReportStageConfig]) -> None:
    """See the module's docstring."""
    scene = load_scene(call.inputs)
    shown = as_shown(scene)
    assert scene.hands is not None
    assert scene.hands_raw is not None
    robots = [_retargeted(call.inputs, choice) for choice in call.config.robots]
    refined = measure_hands(scene.hands, scene.camera, scene.clip.t_ns)
    raw = measure_hands(scene.hands_raw, scene.camera, scene.clip.t_ns)
    seconds = {name: _seconds(folder) for name, folder in call.inputs.items() if name != "truth"}
    truth = Scene.load(call.inputs["truth"]) if "truth" in call.inputs else None
    errors = None if truth is None else measure_scene(scene, truth)
    matched = _matched(shown, truth)
    unknowns = _unknowns(scene, robots)
    measures, scales = _measures(call.inputs), scales_table(scene)
    content = ReportContent(
        title=scene.clip.clip_id,
        subtitle=scene_subtitle(scene.clip),
        scene=shown,
        video=call.inputs["clip"] / PREVIEW_NAME,
        video_fps_hz=scene.clip.nominal_fps_hz,
        robots=[(r.robot, r.trajectory) for r in robots],
        tiles=[*_tiles(refined, robots), *object_tiles(shown)],
        plots=_plots(scene, shown, robots, matched),
        tables=[
            *([truth_table(errors)] if errors else []),
            *(errors_table(m.errors) for m in matched),
            hands_table(raw, refined),
            *object_tables(shown),
            *([scales] if scales is not None else []),
            *([support_table(scene.support)] if scene.support is not None else []),
            *(numbers_table(f"Measures of {name}", words) for name, words in measures.items()),
            *(robot_table(r.robot.name, r.quality, r.notes) for r in robots),
            *([ego_table(scene.ego, read_notes(call.inputs["ego"]))] if scene.ego is not None else []),
            camera_table(scene.camera, scene.camera_path, read_notes(call.inputs["camera"])),
            time_table(seconds, scene.clip.duration_s),
            source_table(scene, [r.robot for r in robots]),
        ],
        unknowns=unknowns,
        flags=scene_flags(scene, _notes(call.inputs)),
        strips=[strip for r in robots for strip in robot_strips(r.trajectory, r.robot.name)],
    )
    write_report(call.out / layout.REPORT, content)
    numbers = {
        "clip": scene.clip.clip_id,
        "hands_raw": raw,
        "hands": refined,
        "robots": {r.robot.name: r.quality for r in robots},
        "against_truth": errors,
        "objects_against_truth": [m.errors for m in matched],
        "scales": scales_numbers(scene),
        "stages": measures,
        "unknowns": unknowns,
        "stage_seconds": seconds,
    }
    write_json(call.out / layout.QUALITY, numbers)


def _plots(
    scene: Scene, shown: Scene, robots: Sequence[_Retargeted], matched: Sequence[MatchedObject]
) -> list[Plot]:
    """All curves, in the order of the page; `shown`: the scene as the page shows it."""
    return [
        *hand_plots(scene),
        *object_plots(shown),
        *scales_plots(scene),
        *(errors_plot(matched, shown.objects) if shown.objects is not None else []),
        *(p for i, r in enumerate(robots) for p in robot_plots(r.trajectory, r.robot, i)),
    ]


def _unknowns(scene: Scene, robots: Sequence[_Retargeted]) -> list[str]:
    """What neither the scene nor a robot's solve could tell, as sentences."""
    said = (f"{r.robot.name}: {n}." for r in robots for n in r.notes["report"]["notes"])
    return [*scene_unknowns(scene), *said]


def _retargeted(inputs: Mapping[str, Path], choice: RobotChoice) -> _Retargeted:
    folder = inputs[f"trajectory_{choice.label}"]
    robot, trajectory = load_robot(choice.name_or_path), read_npz(folder / TRAJECTORY_NAME)
    return _Retargeted(robot, trajectory, measure_retarget(trajectory, robot), read_notes(folder))


def _matched(shown: Scene, truth: Scene | None) -> list[MatchedObject]:
    """Objects against truth, where both know any."""
    if truth is None or truth.objects is None or shown.objects is None:
        return []
    return objects_against_truth(shown, truth)


def _measures(inputs: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """What stages before this one measured themselves, by stage."""
    files = {name: folder / layout.QUALITY for name, folder in inputs.items()}
    return {name: read_json(path) for name, path in files.items() if path.is_file()}


def _notes(inputs: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """The notes of every stage that wrote any."""
    return {name: read_notes(folder) for name, folder in inputs.items() if (folder / NOTES_NAME).is_file()}


def _seconds(folder: Path) -> float:
    return Manifest.read(folder).seconds


def _tiles(hands: HandQuality, robots: list[_Retargeted]) -> list[tuple[str, str]]:
    seen = (hands.frames_with_one + hands.frames_with_two) / hands.frames
    tiles = [
        (f"{seen:.0%}", "frames with a hand"),
        (f"{hands.frames_with_two / hands.frames:.0%}", "frames with both"),
    ]
    errors = [h.reprojection_median_percent for h in (hands.left, hands.right)]
    known = [e for e in errors if e is not None]
    if known:
        tiles.append((f"{max(known):.1f} %", "reprojection error, of the hand's box"))
    for r in robots:
        q, name = r.quality, r.robot.name
        tiles.append((_number(q.ik_rate, "{:.1%}"), f"{name}: IK rate (1 cm, 0.05 rad)"))
        tiles.append((_number(q.position_error_cm, "{:.2f} cm"), f"{name}: wrist error"))
    return tiles


def _number(value: float | None, form: str) -> str:
    return "unknown" if value is None else form.format(value)

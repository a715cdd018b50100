"""`reenact retarget SCENE --robot R`: robots follow the hands of a scene that exists already, wherever it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from reenact.cli.output import emit, note, parse
from reenact.errors import InputError, ReenactError

if TYPE_CHECKING:
    from reenact.stages.retarget_scene import RetargetedScene, RetargetSceneConfig
    from reenact.stages.scene_source import SourceScene

DESCRIPTION = """Make robots follow the hands of a scene.

A SCENE is a scene folder, a toy clip's folder, a clip's folder of a run or the whole run, or files of a published set
(`reenact data import --help` lists them; `taco:PATH` names the reader). Each goes to OUT/<scene>/<robot>/: trajectory,
quality.json, notes.json, and a video of the robot beside the clip."""
SOME_FAILED = 7


@dataclass(frozen=True)
class RetargetOptions:
    """Options of `reenact retarget`."""

    scenes: tyro.conf.Positional[tuple[str, ...]]
    """Scenes: folders, or files of a published set."""
    robot: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["-r"])] = ("unitree_g1_dex3",)
    """Robots by name (`reenact robots`) or sheet file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs/retarget")
    """Where the folders go."""
    root: Literal["search", "learned", "learned_search"] = "search"
    """Where the robot stands: searched for, by the trained estimator, or proposed by it and polished."""
    moving_root: bool = False
    """Let the base of a robot on legs or wheels go along with the hands' slow path."""
    format: tuple[str, ...] = ("csv",)
    """Beside trajectory.npz: csv, ros2 (JointTrajectory YAML), mcap, lerobot; several with spaces or commas."""
    source_fps: float | None = None
    """Rate of published sets that tell neither times nor a rate."""
    video: bool = True
    """Render the robot beside the clip."""
    set: tuple[str, ...] = ()
    """Any setting: --set retarget.arms.limit_margin=0.1 replay.azimuth_deg=0 (see --settings)."""
    settings: bool = False
    """Print every setting with its value and stop."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, retarget every scene with every robot, print."""
    options = parse(RetargetOptions, "retarget", args, DESCRIPTION)
    from reenact.cli.settings import setting_lines
    from reenact.stages.scene_source import find_scenes
    from reenact.stages.trajectory import RobotChoice

    config, formats = resolve(options), _formats(options.format)
    if options.settings:
        print(*setting_lines(config), sep="\n")
        return 0
    if not options.scenes:
        raise InputError("no scene was given", hint="reenact retarget SCENE --robot unitree_g1_dex3")
    choices = [RobotChoice.of(name) for name in options.robot]
    scenes = [scene for source in options.scenes for scene in find_scenes(source, options.source_fps)]
    done: list[dict[str, Any]] = []
    failed: list[ReenactError] = []
    for scene in scenes:
        for choice in choices:
            try:
                done.append(_one(scene, choice, options, config, formats))
            except ReenactError as error:
                if len(scenes) * len(choices) == 1:
                    raise
                failed.append(error)
                done.append(
                    _words(scene.name, choice.label) | {"error": type(error).__name__, "message": str(error)}
                )
    emit({"results": done}, [_line(words) for words in done], options.json)
    if not failed:
        return 0
    return SOME_FAILED if len(failed) < len(done) else failed[0].exit_code


def resolve(options: RetargetOptions) -> RetargetSceneConfig:
    """The full config: defaults, then `--set`, then the short options, which win."""
    from reenact.cli.settings import apply_settings
    from reenact.stages.retarget_scene import RetargetSceneConfig

    config = apply_settings(RetargetSceneConfig(), options.set)
    changes: dict[str, Any] = {} if options.root == "search" else {"root": options.root}
    if options.moving_root:
        changes["moving_root"] = True
    return replace(config, retarget=replace(config.retarget, **changes))


def _formats(asked: Sequence[str]) -> tuple[Any, ...]:
    from reenact.stages.retarget_scene import FORMATS

    names = [name for text in asked for name in text.split(",") if name]
    for name in names:
        if name not in FORMATS:
            raise InputError(f"no format {name!r}", hint=f"one of {', '.join(FORMATS)}")
    return tuple(names)


def _one(
    scene: SourceScene,
    choice: Any,
    options: RetargetOptions,
    config: RetargetSceneConfig,
    formats: tuple[Any, ...],
) -> dict[str, Any]:
    from reenact.stages.notes import to_plain
    from reenact.stages.retarget_scene import retarget_scene

    note(f"{scene.name}: {choice.label}")
    made: RetargetedScene = retarget_scene(scene, choice, options.out, config, formats, options.video)
    return _words(scene.name, choice.label) | {
        "folder": str(made.folder),
        "root": made.result.root.method,
        "quality": to_plain(made.quality),
        "notes": list(made.result.report.notes),
        "limits": list(made.limits.sentences()),
        "seconds": round(made.seconds, 2),
    }


def _words(scene: str, robot: str) -> dict[str, Any]:
    return {"scene": scene, "robot": robot}


def _line(words: dict[str, Any]) -> str:
    if "error" in words:
        return f"{words['scene']}, {words['robot']}: {words['message']}"
    q = words["quality"]
    shown = "\n".join(f"    {text}" for text in [*words["notes"], *words["limits"]])
    return (
        f"{words['scene']}, {words['robot']}: {q['stated_rate']:.1%} of targets reached ({q['stated_tolerance']}), "
        f"{q['position_error_cm']:.2f} cm, {q['orientation_error_deg']:.1f} deg, "
        f"{q['collision_frames']} frames of self-collision, {words['seconds']:.1f} s\n{shown}\n    {words['folder']}"
    )

"""`reenact reframe SCENE`: a scene seen from where the person's eyes could be: camera, carried geometry, video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from reenact.cli.output import emit, note, parse
from reenact.errors import InputError

if TYPE_CHECKING:
    from reenact.stages.ego import EgoStageConfig

DESCRIPTION = """See a scene from the person's eyes.

A SCENE is a scene folder, a toy clip's folder, a clip's folder of a run or the whole run. OUT/<scene>/ gets the virtual
camera (ego.json, ego.safetensors), everything carried into its frame (ego_frame.npz), notes.json and ego.mp4. The view
is drawn from the reconstruction: a rigid change of frame, no invented pixels."""


@dataclass(frozen=True)
class ReframeOptions:
    """Options of `reenact reframe`."""

    scenes: tyro.conf.Positional[tuple[Path, ...]]
    """Scene folders, toy clips, clips of a run, runs."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs/ego")
    """Where the folders go."""
    video: bool = True
    """Draw ego.mp4."""
    beside: bool = True
    """Put the source clip beside the virtual view, where it is found."""
    set: tuple[str, ...] = ()
    """Any setting: --set camera.above=0.5 camera.horizontal_fov_deg=90 (see --settings)."""
    settings: bool = False
    """Print every setting with its value and stop."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, reframe every scene, print."""
    options = parse(ReframeOptions, "reframe", args, DESCRIPTION)
    from reenact.cli.settings import setting_lines
    from reenact.stages.scene_source import scene_folders

    config = resolve(options)
    if options.settings:
        print(*setting_lines(config), sep="\n")
        return 0
    folders = [folder for path in options.scenes for folder in scene_folders(path)]
    if not folders:
        named = ", ".join(map(str, options.scenes)) or "nothing"
        raise InputError(f"no scene in {named}", hint="a scene folder (with clip.json), a toy clip, or a run")
    done = [_one(folder, options.out, config) for folder in folders]
    emit({"results": done}, [_line(words) for words in done], options.json)
    return 0


def resolve(options: ReframeOptions) -> EgoStageConfig:
    """Defaults, then `--set`, then the short options."""
    from reenact.cli.settings import apply_settings
    from reenact.stages.ego import EgoStageConfig

    config = apply_settings(EgoStageConfig(), options.set)
    video = replace(config.video, beside=options.beside and config.video.beside)
    return replace(config, film=options.video and config.film, video=video)


def _one(folder: Path, out: Path, config: EgoStageConfig) -> dict[str, Any]:
    from reenact.scene import Scene
    from reenact.stages.ego import ego_notes, reframe_scene
    from reenact.stages.notes import to_plain
    from reenact.stages.scene_source import clip_videos, scene_name

    name = scene_name(folder)
    note(name)
    video = next((p for p in clip_videos(folder) if p.is_file()), None)
    view = reframe_scene(Scene.load(folder), video, out / name, config)
    words: dict[str, Any] = to_plain(ego_notes(view))
    return {"scene": name, "folder": str(out / name), **words}


def _line(words: dict[str, Any]) -> str:
    m = words["measures"]
    flags = "".join(f"\n    {flag}" for flag in words["flags"])
    return (
        f"{words['scene']}: {m['joints_in_view']:.1%} of the joints in view, real camera {words['source_view']}, "
        f"at most {m['motion']['speed']:.2f} m/s{flags}\n    {words['folder']}"
    )

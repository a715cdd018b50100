"""`reenact view PATH`: open the report of a run in the browser, or make the same page for any scene folder."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from reenact.cli.output import emit, note, parse
from reenact.errors import InputError

DESCRIPTION = """Open the report of a run (or of one clip of it) in the browser. The page needs no network.

For a scene folder without a report (a toy clip, say) the same page is made: hands, objects, contacts and states in 3D
beside the clip, the timeline, curves, and what is not known."""


@dataclass(frozen=True)
class ViewOptions:
    """Options of `reenact view`."""

    path: tyro.conf.Positional[Path]
    """A run folder, a clip's folder in it, a report.html, a scene folder, or a toy clip's folder."""
    video: Path | None = None
    """The clip's source, where it does not lie beside the scene."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Where a page that has to be made goes; the scene's own folder otherwise."""
    open: bool = True
    """Open the browser; with --no-open only print the path."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, find, open."""
    options = parse(ViewOptions, "view", args, DESCRIPTION)
    reports = _existing(options.path) or _made(options)
    if options.open:
        webbrowser.open(reports[0].resolve().as_uri())
    emit({"reports": [str(p) for p in reports]}, [str(p) for p in reports], options.json)
    return 0


def _existing(path: Path) -> list[Path]:
    """Reports of a run at or below the path."""
    if path.is_file() and path.suffix == ".html":
        return [path]
    if (path / "report.html").is_file() and (path / "scene").is_dir():
        return [path / "report.html"]
    return sorted(p for p in path.glob("*/report.html") if (p.parent / "scene").is_dir())


def _made(options: ViewOptions) -> list[Path]:
    """Make a page for each scene at or below the path; raises `InputError` when there is none."""
    from reenact.stages.scene_source import scene_folders

    folders = list(scene_folders(options.path)) if options.path.is_dir() else []
    if not folders:
        raise InputError(
            f"no report.html and no scene at {options.path}",
            hint="give a folder that `reenact run` or `reenact demo` made, or one with clip.json and camera.json",
        )
    if options.video is not None and not options.video.exists():
        raise InputError(f"no such file: {options.video}", hint="--video is the clip's source")
    if options.out is not None and len(folders) > 1:
        raise InputError(f"{len(folders)} scenes for one --out", hint="give one of the scenes")
    return [_page(folder, options) for folder in folders]


def _page(folder: Path, options: ViewOptions) -> Path:
    import tempfile
    from dataclasses import replace

    from reenact.reframe.eyes import place_ego_camera
    from reenact.scene import Scene
    from reenact.stages.notes import read_json
    from reenact.stages.scene_page import write_scene_page
    from reenact.stages.scene_source import clip_videos

    scene = Scene.load(folder)
    if scene.ego is None and scene.hands is not None and scene.hands.valid.any():
        scene = replace(scene, ego=place_ego_camera(scene).camera)
    inner = folder.name in ("truth", "scene")
    page = options.out or (folder.parent if inner else folder) / "report.html"
    video = options.video or next((p for p in clip_videos(folder) if p.is_file()), None)
    if video is None:
        note("the clip's video was not found; give it with --video")
    known = folder.parent / "quality.json"
    numbers = read_json(known).get("stages") if inner and known.is_file() else None
    with tempfile.TemporaryDirectory() as work:
        write_scene_page(page, scene, video, Path(work), numbers)
    return page

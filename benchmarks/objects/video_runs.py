"""The product itself, run on a clip as `reenact run` runs it: same options, same stages; no robots, so no replay."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import tyro

from reenact.cli.run import RunOptions, resolve
from reenact.records.volumes import VolumeReader
from reenact.scene import Scene
from reenact.stages.run import RunRequest, run_clips, whole

SHARED_STAGES = ("clip", "landmarks")
"""Stages that do not depend on what the user says: their time is that of the first run of a clip."""


@dataclass(frozen=True)
class FilmRun:
    """What the product made of one video."""

    folder: Path

    @property
    def scene(self) -> Scene:
        """All records."""
        return Scene.load(self.folder / "scene")

    @property
    def labels(self) -> VolumeReader:
        """Outlines."""
        return VolumeReader(self.folder / "scene" / "masks.h5")

    @property
    def summary(self) -> dict:
        """Seconds by stage, failures."""
        return json.loads((self.folder / "summary.json").read_text())

    @property
    def failure(self) -> str:
        """Why there is no result, or nothing."""
        return "; ".join(f"{f['stage']}: {f['message']}" for f in self.summary["failed"].values())


def run_film(cache: Path, video: Path, name: str, way: str, words: list[str]) -> FilmRun:
    """Run, or find the run in the cache. Clips share a store, so that a second way repeats only what differs."""
    made = FilmRun(cache / "runs" / f"{name}-{way}")
    if (made.folder / "summary.json").is_file():
        return made
    options = tyro.cli(RunOptions, args=[str(video), "--objects", "auto", *words])
    out = cache / "stores" / name
    request = RunRequest(whole([video]), [], out, resolve(options), with_video=False, with_dataset=False)
    outcome = run_clips(request)
    made.folder.mkdir(parents=True, exist_ok=True)
    for clip in outcome.clips:
        shutil.copytree(out / clip.clip_id / "scene", made.folder / "scene", dirs_exist_ok=True)
        shutil.copy(out / clip.clip_id / "report.html", made.folder)
        for stage in ("camera", "found", "masks", "objects", "support", "interaction"):
            if stage in clip.folders and (clip.folders[stage] / "notes.json").is_file():
                shutil.copy(clip.folders[stage] / "notes.json", made.folder / f"{stage}_notes.json")
    summary = json.loads((out / "summary.json").read_text())
    (made.folder / "summary.json").write_text(json.dumps(summary))
    return made

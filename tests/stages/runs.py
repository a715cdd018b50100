"""A small run that needs neither nets nor GL: a drawn scene as truth, a video of numbered frames, one robot."""

from __future__ import annotations

from pathlib import Path

from reenact.perception.hands.truth import TruthHandsConfig
from reenact.retarget.retarget import RetargetConfig
from reenact.retarget.root.search import SearchConfig
from reenact.stages.camera import CameraConfig
from reenact.stages.clip import Segment
from reenact.stages.landmarks import LandmarksConfig
from reenact.stages.plan import RunConfig
from reenact.stages.run import ClipSource, RunOutcome, RunRequest, run_clips
from reenact.stages.trajectory import RobotChoice
from reenact.video.writer import VideoWriter
from tests import scenes

FRAMES, FPS = 20, 10.0
COARSE = SearchConfig(yaws=6, places=60, keep_grid=60, keep_ik=6, keep_second=2, keep_polished=1)
"""A root search that takes a tenth of a second: these tests ask whether a run is whole, not how good its root is."""


def make_sources(folder: Path, names: tuple[str, ...] = ("one",)) -> list[ClipSource]:
    """Videos and truths in a folder, the same bytes each time."""
    sources = []
    for k, name in enumerate(names):
        frames = FRAMES + 2 * k
        video, truth = folder / f"{name}.mp4", folder / f"{name}_truth"
        if not video.exists():
            with VideoWriter(video, scenes.WIDTH, scenes.HEIGHT, FPS, threads=1) as writer:
                for i in range(frames):
                    writer.write(scenes.numbered_frame(i))
            scenes.waving_scene(frames, FPS, clip_id=name).save(truth)
        sources.append(ClipSource(video, Segment(name), truth))
    return sources


def request(sources: list[ClipSource], out: Path, **changes: object) -> RunRequest:
    """Truth with a little noise in place of nets; no robot video (that needs GL)."""
    config = RunConfig(
        camera=CameraConfig(backend="truth"),
        landmarks=LandmarksConfig(backend="truth", truth=TruthHandsConfig(jitter=0.005, rel_jitter=0.002)),
        retarget=RetargetConfig(search=COARSE),
    )
    robots = [RobotChoice.of("unitree_g1_dex3")]
    fields = {"sources": sources, "robots": robots, "out": out, "config": config, "with_video": False}
    return RunRequest(**{**fields, **changes})  # type: ignore[arg-type]


def files_of(out: Path) -> dict[str, bytes]:
    """What people see of a run and that must not depend on how it came about (times do)."""
    keep = (".npz", ".csv", ".safetensors", ".parquet", ".mp4")
    paths = [p for p in out.rglob("*") if p.suffix in keep and ".store" not in p.parts]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(paths)}


def main(folder: Path, out: Path) -> RunOutcome:
    """The whole run; the kill test does it in a process that can be killed."""
    return run_clips(request(make_sources(folder), out))

"""Laws of a run: complete, repeatable without work, one bad clip costs one clip, kill -9 costs nothing."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from reenact.datasets.checks.validate import validate_dataset
from reenact.errors import InputError
from reenact.robots.trajectory import read_npz
from reenact.scene import Scene
from reenact.stages.clip import ClipConfig, Segment, clip_times
from reenact.stages.plan import plan
from reenact.stages.run import ClipSource, clip_ids, run_clips
from reenact.video.source import open_video
from tests.stages import runs


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def finished(folder: Path, tmp_path_factory):
    """Two good clips and one that is no video."""
    out = tmp_path_factory.mktemp("run") / "out"
    sources = runs.make_sources(folder, ("one", "two"))
    (folder / "bad.mp4").write_text("no video")
    sources.insert(1, ClipSource(folder / "bad.mp4", Segment("bad"), sources[0].truth))
    outcome = run_clips(runs.request(sources, out))
    return out, outcome, sources, runs.files_of(out)


def test_one_bad_clip_costs_one_clip(finished) -> None:
    out, outcome, *_ = finished
    assert [c.clip_id for c in outcome.clips] == ["one", "two"]
    assert set(outcome.summary.quarantined) == {"bad"}
    assert outcome.summary.exit_code == 7
    assert not (out / "bad").exists()
    row = json.loads((out / ".store/quarantine.jsonl").read_text().splitlines()[0])
    assert (row["item"], row["stage"]) == ("bad", "clip")


def test_everything_promised_is_there(finished) -> None:
    out, outcome, *_ = finished
    for name, frames in (("one", runs.FRAMES), ("two", runs.FRAMES + 2)):
        scene = Scene.load(out / name / "scene")
        assert set(scene.parts()) == {"clip", "camera", "landmarks", "hands_raw", "hands"}
        trajectory = read_npz(out / name / "unitree_g1_dex3" / "trajectory.npz")
        assert len(trajectory.q) == len(scene.clip.t_ns) == frames
        assert (out / name / "report.html").stat().st_size > 500_000
        quality = json.loads((out / name / "quality.json").read_text())
        assert quality["against_truth"]["refined"]["wrist_lateral_cm"] < 1.0
        assert quality["robots"]["unitree_g1_dex3"]["ik_rate"] is not None
        assert {"clip", "camera", "landmarks", "hands"} <= set(quality["stage_seconds"])
    found = validate_dataset(outcome.datasets["unitree_g1_dex3"])
    assert [f for f in found if f.level == "error"] == []
    assert json.loads((out / "summary.json").read_text())["done"] == 2


def test_a_second_run_repeats_nothing_and_changes_nothing(finished) -> None:
    out, _, sources, before = finished
    again = run_clips(runs.request(sources, out))
    assert again.summary.stages_run == {"clip": 1}  # the bad one is tried again
    assert runs.files_of(out) == before


def test_a_changed_setting_repeats_only_what_depends_on_it(finished) -> None:
    out, _, sources, _ = finished
    request = runs.request(sources[:1], out)
    config = request.config
    other = dataclasses.replace(config, hands=type(config.hands)(hand_length=0.18))
    outcome = run_clips(runs.request(sources[:1], out, config=other))
    assert set(outcome.summary.stages_run) == {"camera", "hands", "trajectory_unitree_g1_dex3", "report"}


def _finished_artefacts(out: Path) -> int:
    """Only the store is listed: beside it folders appear and vanish under the reader's eyes."""
    return len(list(out.glob(".store/*/*/manifest.json")))


def _started(folder: Path, out: Path) -> BaseProcess:
    """The run in a process of its own, forked from one that has done the imports (kill -9 leaves that one alone)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.stages.runs"])
    process = context.Process(target=runs.main, args=(folder, out))
    process.start()
    return process


def test_killed_at_random_moments_it_goes_on_to_the_same_result(
    folder: Path, finished, tmp_path: Path
) -> None:
    want = {k: v for k, v in finished[3].items() if k.startswith("one/")}
    out = tmp_path / "out"
    dice, kills = random.Random(4), 0
    begun = time.monotonic()
    process = _started(folder, out)
    while process.is_alive():
        # wait for the next artefact or a moment, then kill; three times, then let it finish
        seen = _finished_artefacts(out)
        pause = dice.uniform(0.0, 0.15)
        while process.is_alive() and _finished_artefacts(out) == seen:
            time.sleep(0.02)
        time.sleep(pause)
        if kills < 3 and process.is_alive():
            process.kill()
            process.join()
            kills += 1
            process = _started(folder, out)
        assert time.monotonic() - begun < 110
    assert process.exitcode == 0
    assert kills >= 2  # the last moment may fall behind the end
    got = {k: v for k, v in runs.files_of(out).items() if k.startswith("one/")}
    assert got.keys() == want.keys()
    assert [k for k in got if got[k] != want[k]] == []
    assert not [p for p in out.rglob(".tmp-*") if p.is_dir() and ".store" not in p.parts]


def test_clip_ids_are_unique_and_safe() -> None:
    paths = [Path(p) for p in ("a/video.mp4", "b/video.mp4", "b/video.mov", "c/my clip (1).mp4", "d/...mp4")]
    names = clip_ids(paths)
    assert len(set(names)) == len(names)
    assert names[0] == "a_video"
    assert all("/" not in n and " " not in n and not n.startswith(".") for n in names)


def test_a_segment_takes_its_stretch_and_fast_sources_are_thinned(folder: Path) -> None:
    source = open_video(runs.make_sources(folder)[0].video)
    inside = clip_times(source, Segment("x", 500_000_000, 1_200_000_000), ClipConfig())
    np.testing.assert_allclose(inside * 1e-9, np.arange(5, 12) / 10.0, atol=1e-6)
    thinned = clip_times(source, Segment("x"), ClipConfig(max_fps_hz=5.0))
    assert len(thinned) == len(source.frame_t_ns)  # 30 Hz wanted, 10 Hz there: nothing to leave out
    with pytest.raises(InputError, match="before it starts"):
        clip_times(source, Segment("x", 5, 5), ClipConfig())


def test_truth_backends_need_a_truth(folder: Path, tmp_path: Path) -> None:
    config = runs.request(runs.make_sources(folder), tmp_path).config
    with pytest.raises(InputError, match="truth"):
        plan(config, [])

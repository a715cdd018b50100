"""Laws of the stages that see objects: bound by the plan, published, and silent about clips without an object."""

from __future__ import annotations

import dataclasses

import pytest

from reenact.cli.run import RunOptions, resolve
from reenact.errors import InputError
from reenact.perception.discover.hints import BadObjectHint, ObjectBox, ObjectClick
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.local import LocalExecutor
from reenact.pipeline.run_item import run_item
from reenact.pipeline.store import ArtefactStore
from reenact.records import load_record
from reenact.scene import FoundObjects, MaskTracks, PointTracks, Scene
from reenact.stages.masks import load_masks
from reenact.stages.notes import read_notes
from reenact.stages.plan import RunConfig, plan
from reenact.stages.run import run_clips
from reenact.video.writer import VideoWriter
from tests import scenes
from tests.stages import runs


def options(**changes: object) -> RunOptions:
    return dataclasses.replace(RunOptions(videos=()), **changes)


def test_objects_are_seen_only_when_wanted() -> None:
    names = [s.name for s in plan(RunConfig(), []).stages]
    assert not {"found", "masks", "points"} & set(names)
    names = [s.name for s in plan(RunConfig(objects="auto"), []).stages]
    assert names.index("landmarks") < names.index("found") < names.index("masks") < names.index("points")


def test_a_clip_without_an_object_does_not_fail(tmp_path) -> None:
    source = runs.make_sources(tmp_path)[0]
    with VideoWriter(source.video, scenes.WIDTH, scenes.HEIGHT, runs.FPS, threads=1) as writer:
        for _ in range(runs.FRAMES):
            writer.write(scenes.numbered_frame(0))
    segment = tmp_path / "one.json"
    source.segment.write(segment)
    config = dataclasses.replace(runs.request([source], tmp_path / "out").config, objects="auto")
    store = ArtefactStore(tmp_path / "store")
    item = Item("one", {"video": source.video, "segment": segment, "truth": source.truth})
    wanted = {"clip", "camera", "landmarks", "hands", "found", "masks", "points"}
    stages = [stage for stage in plan(config, [], with_truth=True).stages if stage.name in wanted]
    pipeline = Pipeline(stages, ("video", "segment", "truth"))
    result = run_item(pipeline, item, store)
    assert result.failure is None
    folders = {s.name: store.folder(s.name, result.keys[s.name]) for s in pipeline.stages}
    assert load_record(FoundObjects, folders["found"], "found").object_ids == ()
    assert read_notes(folders["found"])["why_none"]
    assert load_record(MaskTracks, folders["masks"], "masks").valid.shape == (runs.FRAMES, 0)
    assert len(load_masks(folders["masks"]).labels) == runs.FRAMES
    assert (load_record(PointTracks, folders["points"], "points").object_idx == -1).all()


def test_a_whole_run_publishes_what_there_is_when_no_object_was_placed(tmp_path) -> None:
    source = runs.make_sources(tmp_path)[0]
    config = dataclasses.replace(runs.request([source], tmp_path / "out").config, objects="auto")
    outcome = run_clips(
        runs.request([source], tmp_path / "out", config=config, robots=(), with_dataset=False)
    )
    assert outcome.summary.done == 1
    scene = Scene.load(tmp_path / "out" / "one" / "scene")
    assert scene.found is not None
    assert scene.objects is None


def test_a_hint_that_fits_one_clip_only_costs_only_the_other(tmp_path) -> None:
    sources = runs.make_sources(tmp_path, ("short", "long"))  # 20 and 22 frames
    config = runs.request(sources, tmp_path).config
    found = config.seeing.found
    hinted = dataclasses.replace(found.automatic, boxes=(ObjectBox(20, 10.0, 10.0, 40.0, 40.0, "mug"),))
    seeing = dataclasses.replace(config.seeing, found=dataclasses.replace(found, automatic=hinted))
    config = dataclasses.replace(config, objects="auto", seeing=seeing)
    wanted = {"clip", "camera", "landmarks", "found"}
    stages = [stage for stage in plan(config, [], with_truth=True).stages if stage.name in wanted]
    items = []
    for source in sources:
        segment = tmp_path / f"{source.segment.clip_id}.json"
        source.segment.write(segment)
        items.append(Item(segment.stem, {"video": source.video, "segment": segment, "truth": source.truth}))
    pipeline = Pipeline(stages, ("video", "segment", "truth"))
    summary = LocalExecutor().run(pipeline, items, ArtefactStore(tmp_path / "store"))
    assert summary.done == 1
    failure = summary.quarantined["short"]
    assert (failure.stage, failure.error, failure.exit_code) == ("found", "BadObjectHint", 3)
    assert "frames 0 to 19" in failure.hint


def test_truth_backends_need_a_clip_with_truth() -> None:
    config = RunConfig(objects="auto")
    found = dataclasses.replace(config.seeing.found, backend="truth")
    config = dataclasses.replace(config, seeing=dataclasses.replace(config.seeing, found=found))
    with pytest.raises(InputError, match="truth"):
        plan(config, [])
    assert "truth" in next(s for s in plan(config, [], with_truth=True).stages if s.name == "found").inputs


def test_the_command_line_reaches_the_finder() -> None:
    config = resolve(
        options(object_box=("3,10,20,30,40,mug",), object_click=("0,5,6",), object_label=("red cup",))
    )
    assert config.objects == "auto"
    finder = config.seeing.found.automatic
    assert finder.boxes == (ObjectBox(3, 10, 20, 30, 40, "mug"),)
    assert finder.clicks == (ObjectClick(0, 5, 6),)
    assert finder.labels == ("red cup",)
    assert resolve(options()).objects == "none"
    assert resolve(options(objects="auto")).objects == "auto"


def test_a_bad_hint_is_named_at_once() -> None:
    with pytest.raises(BadObjectHint, match="FRAME,X0"):
        resolve(options(object_box=("10,20,30",)))
    with pytest.raises(InputError, match="--objects none"):
        resolve(options(objects="none", object_click=("0,5,6",)))

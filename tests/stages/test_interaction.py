"""The stage that makes hands and objects agree: what it writes, and that it is silent where nothing was placed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from reenact.pipeline.stage import StageCall
from reenact.records import load_record, record_exists, save_record
from reenact.refine.interaction.results import InteractionResultConfig
from reenact.scene import HandTracks, InteractionStates, ObjectTracks, PointTracks, PoseCovariance
from reenact.stages import interaction
from reenact.stages.notes import read_notes
from reenact.stages.plan import RunConfig, plan
from reenact.stages.scene import RECORD_STAGES
from reenact.stages.trajectory import RobotChoice
from tests import scenes
from tests.refine.interaction.played import play


def call(folder: Path, seen: bool) -> StageCall[InteractionResultConfig]:
    truth = play(10.0)
    frames = len(truth.t_ns)
    clip = dataclasses.replace(scenes.clip(frames, 10.0), t_ns=truth.t_ns)
    valid = np.full((frames, 1), seen)
    covariance = np.tile(np.diag([1e-6] * 6), (frames, 1, 1, 1))
    save_record(clip, folder, "clip")
    save_record(truth.camera, folder, "camera")
    save_record(truth.hands, folder, "hands")
    save_record(truth.support, folder, "support")
    save_record(dataclasses.replace(truth.objects, valid=valid), folder, "objects_raw")
    unsure = PoseCovariance(object_ids=("block",), covariance=covariance, valid=valid)
    save_record(unsure, folder, "pose_covariance")
    none = np.zeros((frames, 0))
    points = PointTracks(
        object_idx=np.zeros(0, np.int64), points_px=none[..., None].repeat(2, axis=-1), valid=none > 0, confidence=none,
        source=none.astype(np.uint8), points_world=none[..., None].repeat(3, axis=-1), valid_world=none > 0,
        sigma_world=none, depth_source="none", backend="none", licence="none",
    )  # fmt: skip
    save_record(points, folder, "points")
    out = folder / "out"
    out.mkdir()
    inputs = dict.fromkeys(("clip", "camera", "hands", "support", "objects", "points"), folder)
    return StageCall(InteractionResultConfig(), inputs, out)


def test_it_writes_every_record_that_a_scene_takes_from_it(tmp_path):
    stage = call(tmp_path, seen=True)
    interaction.run(stage)
    for name, made_by in RECORD_STAGES.items():
        assert record_exists(stage.out, name) == (made_by == "interaction")
    states = load_record(InteractionStates, stage.out, "states")
    assert states.valid.mean() > 0.9
    assert load_record(ObjectTracks, stage.out, "objects").valid.all()
    assert load_record(HandTracks, stage.out, "hands_interaction").valid[:, 1].all()
    assert read_notes(stage.out)["objects"] == 1


def test_where_nothing_was_placed_only_notes_are_written(tmp_path):
    stage = call(tmp_path, seen=False)
    interaction.run(stage)
    assert not record_exists(stage.out, "objects")
    assert read_notes(stage.out)["objects"] == 0


def test_it_runs_after_objects_and_only_where_they_are_wanted():
    assert "interaction" not in [s.name for s in plan(RunConfig(), []).stages]
    names = [s.name for s in plan(RunConfig(objects="auto"), []).stages]
    assert names.index("objects") < names.index("interaction") < names.index("report")


def test_the_robots_video_sees_the_same_hands_and_objects_as_the_robot():
    stages = {s.name: s for s in plan(RunConfig(objects="auto"), [RobotChoice.of("xlerobot")]).stages}
    assert "interaction" in stages["trajectory_xlerobot"].inputs
    assert "interaction" in stages["replay_xlerobot"].inputs

"""The stages depth, support, objects over a toy clip: bound by the plan and right within their sigmas."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from reenact.cli.run import RunOptions, resolve
from reenact.errors import SetupError
from reenact.perception.depth.stored import StoredDepth
from reenact.perception.depth.truth import ARBITRARY, TruthDepth, TruthDepthConfig
from reenact.perception.pose.all_objects import ObjectsConfig
from reenact.perception.pose.config import PoseConfig
from reenact.perception.shape.contract import BadShape
from reenact.perception.shape.problem import ShapeFitConfig
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.run_item import run_item
from reenact.pipeline.store import ArtefactStore
from reenact.records import load_record, save_record
from reenact.rendering.gl import choose_backend
from reenact.scene import (
    FoundObjects,
    HandTracks,
    MetricScales,
    ObjectShapes,
    ObjectTracks,
    PoseCovariance,
    SupportPlane,
)
from reenact.stages.camera import CameraConfig
from reenact.stages.clip import Segment
from reenact.stages.depth import DepthConfig
from reenact.stages.depth_metres import DepthWithoutScale, MetresConfig, calibrate
from reenact.stages.found import FoundConfig
from reenact.stages.landmarks import LandmarksConfig
from reenact.stages.masks import MasksConfig
from reenact.stages.objects import NamedSize, PlacedObjectsConfig, given_shapes
from reenact.stages.placing import PlacingConfig
from reenact.stages.plan import RunConfig, plan
from reenact.stages.points import PointsConfig
from reenact.stages.report_scales import scales_numbers, scales_plots, scales_table
from reenact.stages.scene import load_hands, load_scene
from reenact.stages.seeing import SeeingConfig
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig

CHUNKED = TruthDepthConfig(noise=0.01, metric=False, chunk_frames=3, chunk_overlap=1, seed=1)
"""Relative depth in two chunks, the second 26 % off the first in scale and with a shift of its own."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> ToyClip:
    try:
        choose_backend()
    except SetupError as error:
        pytest.skip(str(error))
    config = ToyConfig(activity="push", seed=3, fps_hz=2.0, duration_s=2.5, width_px=240, height_px=180, clutter=0,
                       samples=0, shadows=False)  # fmt: skip
    return make_clip(config, tmp_path_factory.mktemp("placing") / "push")


def run_stages(toy: ToyClip, out: Path, placing: PlacingConfig) -> dict[str, Path]:
    """Truth for all that is not placing; returns the folders of the stages."""
    config = RunConfig(
        camera=CameraConfig(backend="truth"), landmarks=LandmarksConfig(backend="truth"), objects="auto",
        seeing=SeeingConfig(FoundConfig("truth"), MasksConfig("truth"), PointsConfig("truth")), placing=placing,
    )  # fmt: skip
    stages = [s for s in plan(config, [], with_truth=True).stages if s.name != "report"]
    pipeline = Pipeline(stages, ("video", "segment", "truth"))
    segment = out / "segment.json"
    Segment("toy").write(segment)
    store = ArtefactStore(out / "store")
    item = Item("toy", {"video": toy.video_path, "segment": segment, "truth": toy.folder / "truth"})
    result = run_item(pipeline, item, store)
    assert result.failure is None, result.failure
    return {s.name: store.folder(s.name, result.keys[s.name]) for s in pipeline.stages}


@pytest.fixture(scope="module")
def placed(toy: ToyClip, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    depth = DepthConfig(backend="truth", truth=CHUNKED)
    quick = PoseConfig(search_turns=8, search_rotations=24, search_keep=4, search_finish=2)
    objects = PlacedObjectsConfig(classical=ObjectsConfig(pose=quick, shape=ShapeFitConfig(window_px=64)))
    return run_stages(toy, tmp_path_factory.mktemp("placed"), PlacingConfig(depth=depth, objects=objects))


def test_relative_depth_becomes_metric_by_the_hands(toy: ToyClip, placed: dict[str, Path]) -> None:
    with StoredDepth(placed["depth"]) as depth:
        assert depth.metric
        assert depth.record.scale_source == "hand"
        given = TruthDepth(toy.depth, 5, CHUNKED)
        assert abs(np.log(given.chunk_maps[1][0])) > 0.1
        for k in range(5):
            found = depth(k)
            assert found is not None
            true = toy.depth(k)
            near = (toy.mask(k) > 0) & (found[0] > 0) & (true > 0)
            ratio = float(np.median(found[0][near] / true[near]))
            assert ratio == pytest.approx(1.0, abs=0.03)
            assert abs(ratio - 1) < 2 * found[1]


def test_every_scale_says_where_it_comes_from_and_how_sure_it_is(placed: dict[str, Path]) -> None:
    scales = load_record(MetricScales, placed["depth"], "scales")
    assert scales.origins[0] == "hand_skin"
    assert scales.used.tolist() == [True] + [False] * (len(scales.used) - 1)
    assert scales.value[0] == pytest.approx(ARBITRARY, rel=0.03)
    assert scales.sigma_relative[0] == pytest.approx(0.06, abs=0.005), "hands of an assumed size"
    assert np.ptp(scales.frame_scale) > 0.1 * scales.value[0], "the chunks' own scales are taken out"
    hands, moved = (
        load_record(HandTracks, placed[s], n) for s, n in (("hands", "hands"), ("depth", "hands_depth"))
    )
    assert (moved.hand_length == hands.hand_length).all(), "a scale from the hands' size cannot judge it"
    assert load_hands(placed).joints_world.shape == hands.joints_world.shape


def test_the_report_lists_every_scale(placed: dict[str, Path]) -> None:
    scene = load_scene(placed)
    table = scales_table(scene)
    assert table is not None
    rows = {name: (value, note) for name, value, note in table.rows}
    assert rows["depth, by hands' skin"][0].startswith("2.")
    assert "6.0%" in rows["depth, by hands' skin"][0]
    assert "not used" in rows["depth, by hands' width"][1]
    assert "depth, frame by frame" in rows
    assert "assumption" in rows["hand length"][1]
    numbers = scales_numbers(scene)
    assert numbers is not None
    assert numbers[0]["origins"] == "hand_skin"
    assert [p.title for p in scales_plots(scene)] == ["hands moved by depth"]
    assert scales_table(dataclasses.replace(scene, scales=None)) is None


def test_relative_depth_without_a_hand_is_an_error_that_says_so(
    toy: ToyClip, placed: dict[str, Path], tmp_path: Path
) -> None:
    hands = load_record(HandTracks, placed["hands"], "hands")
    save_record(dataclasses.replace(hands, valid=np.zeros_like(hands.valid)), tmp_path, "hands")
    inputs, backend = {**placed, "hands": tmp_path}, TruthDepth(toy.depth, 5, CHUNKED)
    with pytest.raises(DepthWithoutScale, match="no frame shows a hand"):
        calibrate(backend, inputs, MetresConfig())
    left = calibrate(backend, inputs, MetresConfig(without_scale="leave"))
    assert left.depth.kind == "depth_scale_invariant"
    told = calibrate(backend, inputs, MetresConfig(scale=ARBITRARY))
    assert told.depth.scale_source == "user"
    image = told.depth.frame(3)
    assert image is not None
    assert np.median(image.values[image.values > 0] / toy.depth(3)[image.values > 0]) == pytest.approx(
        1, abs=0.01
    )


def test_the_table_and_the_pushed_thing_are_where_they_are(toy: ToyClip, placed: dict[str, Path]) -> None:
    plane = load_record(SupportPlane, placed["support"], "support")
    assert plane.valid
    assert plane.origin == "depth"
    assert plane.normal_world[2] > 0.995
    objects = load_record(ObjectTracks, placed["objects"], "objects_raw")
    spread = load_record(PoseCovariance, placed["objects"], "pose_covariance")
    truth = toy.scene.objects
    assert truth is not None
    i = objects.object_ids.index(truth.object_ids[0])
    ok = objects.valid[:, i]
    assert ok.mean() > 0.8
    vertices = truth.mesh(0)[0]
    middle = (vertices.min(0) + vertices.max(0)) / 2
    true = truth.T_world_object[:, 0, :3, :3] @ middle + truth.T_world_object[:, 0, :3, 3]
    away = np.linalg.norm(objects.T_world_object[ok, i, :3, 3] - true[ok], axis=1)
    sigma = np.sqrt(np.trace(spread.covariance[:, i, :3, :3], axis1=1, axis2=2))[ok]
    assert np.median(away) < 0.04
    assert (away < 3 * sigma).mean() > 0.9


def test_shapes_say_where_their_metres_come_from(toy: ToyClip, placed: dict[str, Path]) -> None:
    shapes = load_record(ObjectShapes, placed["objects"], "shapes")
    objects = load_record(ObjectTracks, placed["objects"], "objects_raw")
    for i, kind in enumerate(shapes.kinds):
        if kind == "unknown":
            assert not objects.valid[:, i].any()
            continue
        assert shapes.scale_sources[i] == "depth"
        assert np.allclose(np.ptp(objects.mesh(i)[0], axis=0), shapes.size[i], rtol=1e-6)
        assert (shapes.sigma_size[i] > 0).all()


def test_user_shapes_reach_the_objects_they_name(toy: ToyClip) -> None:
    options = dataclasses.replace(
        RunOptions(videos=()), object_box=("0,1,2,3,4,red cup",), object_size=("cup=0.1,0.1,0.2,cylinder", "*=0.3,0.3,0.3")
    )  # fmt: skip
    config = resolve(options)
    assert config.objects == "auto"
    assert config.placing.objects.sizes == (
        NamedSize("cup", (0.1, 0.1, 0.2), "cylinder"), NamedSize("*", (0.3, 0.3, 0.3)),
    )  # fmt: skip
    found = FoundObjects(
        object_ids=("a", "b"), names=("red cup", "thing"), roles=("unknown",) * 2, seed_frame=np.zeros(2, np.int64),
        seed_box_px=np.zeros((2, 4)), confidence=np.ones(2), sources=("user_box",) * 2, reasons=("", ""), backend="",
        licence="",
    )  # fmt: skip
    shapes = given_shapes(found, config.placing.objects)
    assert [s.size.round(3).tolist() for s in shapes if s is not None] == [[0.1, 0.1, 0.2], [0.3, 0.3, 0.3]]
    nowhere = resolve(dataclasses.replace(options, object_size=("kettle=0.1,0.1,0.2",)))
    with pytest.raises(BadShape, match="called 'kettle'") as refused:
        given_shapes(found, nowhere.placing.objects)
    assert "red cup, thing" in refused.value.hint
    with pytest.raises(BadShape):
        resolve(dataclasses.replace(options, object_mesh=("cup=/nowhere.obj",)))
    with pytest.raises(BadShape):
        resolve(dataclasses.replace(options, object_size=("0.1,0.1,0.2",)))


def test_the_stages_are_there_only_when_objects_are_wanted() -> None:
    assert not {"depth", "support", "objects"} & {s.name for s in plan(RunConfig(), []).stages}
    names = [s.name for s in plan(RunConfig(objects="auto"), [], with_depth=True).stages]
    assert names.index("points") < names.index("depth") < names.index("support") < names.index("objects")

"""The ego stage in a run, and for scenes in folders: the camera becomes part of the scene, its facts are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from reenact.cli.main import main
from reenact.reframe.eyes import EgoConfig
from reenact.scene import Scene
from reenact.stages.ego import EgoStageConfig
from reenact.stages.run import run_clips
from tests import scenes
from tests.reframe.made import with_box
from tests.stages import runs


def test_a_run_with_ego_has_the_camera_in_its_scene_and_report(tmp_path: Path) -> None:
    asked = runs.request(
        runs.make_sources(tmp_path), tmp_path / "out", robots=[], with_dataset=False, with_ego=True
    )
    ego = EgoStageConfig(camera=EgoConfig(above=0.5), film=False)
    outcome = run_clips(replace(asked, config=replace(asked.config, ego=ego)))
    assert outcome.summary.exit_code == 0
    scene = Scene.load(tmp_path / "out" / "one" / "scene")
    assert scene.ego is not None
    assert scene.ego.intrinsics_source == "virtual"
    notes = json.loads((tmp_path / "out" / "one" / "ego" / "notes.json").read_text())
    assert notes["measures"]["joints_in_view"] >= 0.99
    assert "Virtual ego camera" in (tmp_path / "out" / "one" / "report.html").read_text(encoding="utf-8")


def test_reframe_carries_a_scene_folder_into_the_ego_frame(tmp_path: Path, capsys) -> None:
    scene = with_box(scenes.waving_scene(12))
    scene.save(tmp_path / "clip" / "scene")
    args = ["reframe", str(tmp_path / "clip"), "-o", str(tmp_path / "out"), "--no-video", "--json"]
    assert main(args) == 0
    (said,) = json.loads(capsys.readouterr().out)["results"]
    assert (said["scene"], said["source_view"], said["up_from"]) == ("clip", "exo", "gravity")
    with np.load(tmp_path / "out" / "clip" / "ego_frame.npz") as arrays:
        assert set(arrays) >= {
            "t_ns",
            "T_world_ego",
            "joints_ego",
            "hands_valid",
            "T_ego_object",
            "objects_valid",
        }
        T, joints = arrays["T_world_ego"], arrays["joints_ego"]
    assert scene.hands is not None
    back = np.einsum("tij,tskj->tski", T[:, :3, :3], joints) + T[:, None, None, :3, 3]
    assert np.abs(back - scene.hands.joints_world).max() < 1e-9
    assert main(["reframe", str(tmp_path / "out"), "-o", str(tmp_path / "more")]) == 3
    assert "no scene" in capsys.readouterr().err


def test_view_makes_a_page_for_a_scene_folder(tmp_path: Path, capsys) -> None:
    with_box(scenes.waving_scene(6)).save(tmp_path / "toy" / "truth")
    assert main(["view", str(tmp_path / "toy"), "--no-open", "--json"]) == 0
    (page,) = json.loads(capsys.readouterr().out)["reports"]
    assert Path(page) == tmp_path / "toy" / "report.html"
    text = Path(page).read_text(encoding="utf-8")
    assert '"names": ["box"]' in text
    assert '"ego": {"poses"' in text

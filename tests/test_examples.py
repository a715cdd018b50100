"""The examples run as they stand in the folder; the one that needs the hand nets skips where they are not cached."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from reenact.retarget.retarget import RetargetConfig
from reenact.retarget.root.search import SearchConfig
from reenact.stages.plan import RunConfig
from reenact.toy.config import ToyConfig
from tests import scenes
from tests.reframe.made import with_box
from tests.stages import runs

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def test_every_example_is_run_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [p.name for p in sorted(EXAMPLES.glob("*.py")) if f'"{p.name}"' not in text] == []


def test_read_a_scene(tmp_path, capsys) -> None:
    scenes.waving_scene().save(tmp_path)
    load("02_read_a_scene.py")["main"](tmp_path)
    assert "right: known in 100%" in capsys.readouterr().out


def test_retarget_your_hands(tmp_path, capsys) -> None:
    load("03_retarget_your_hands.py")["main"]("unitree_g1_dex3", tmp_path)
    shown = capsys.readouterr().out
    assert float(shown.split("IK rate ")[1].split(",")[0]) > 0.9
    assert (tmp_path / "trajectory.csv").is_file()


def test_toy_clip_with_truth(tmp_path, capsys) -> None:
    config = ToyConfig(
        activity="pick_place", seed=6, width_px=160, height_px=120, fps_hz=6.0, shadows=False, samples=0
    )
    load("04_toy_clip_with_truth.py")["main"](tmp_path / "toy", config)
    assert "refined: wrist" in capsys.readouterr().out


def test_action_space(tmp_path, capsys) -> None:
    scenes.waving_scene(12).save(tmp_path)
    load("05_action_space.py")["main"](tmp_path, "unitree_g1_inspire")
    shown = capsys.readouterr().out
    assert float(shown.split("right wrist within ")[1].split(" mm")[0]) < 1.0
    assert "the robot knows 14 of 16 slots" in shown


def test_retarget_a_scene(tmp_path, capsys) -> None:
    few = RetargetConfig(search=SearchConfig(places=60, keep_grid=40, keep_ik=6, keep_second=3))
    load("06_retarget_a_scene.py")["main"]("", "floating_leap", tmp_path, few)
    shown = capsys.readouterr().out
    assert float(shown.split("floating_leap: ")[1].split("%")[0]) > 97
    assert "contacts followed" in shown
    assert "JointTrajectory" in next(tmp_path.glob("*.yaml")).read_text()[:60]


def test_first_clip(tmp_path, capsys) -> None:
    from reenact.perception.hands.weights import cached_model_files
    from reenact.toy.clip import make_clip

    if cached_model_files() is None:
        pytest.skip("the hand-model files are not cached; `reenact demo` fetches them")
    small = ToyConfig(
        activity="pick_place", seed=6, width_px=320, height_px=240, fps_hz=10.0, duration_s=2.0, samples=0,
        shadows=False,
    )  # fmt: skip
    toy = make_clip(small, tmp_path / "toy")
    coarse = RunConfig(retarget=RetargetConfig(search=runs.COARSE))
    load("01_first_clip.py")["main"](toy.video_path, tmp_path / "run", coarse)
    assert (tmp_path / "run" / "video" / "report.html").is_file()
    assert "report.html" in capsys.readouterr().out


def test_look_from_the_eyes(tmp_path, capsys) -> None:
    from reenact.reframe.eyes import EgoConfig

    scene, small = with_box(scenes.waving_scene(8, 8.0)), EgoConfig(width_px=160, height_px=120)
    load("07_look_from_the_eyes.py")["main"](scene, None, tmp_path, small)
    shown = capsys.readouterr().out
    assert "the real camera is exo" in shown
    assert float(shown.split("exo; ")[1].split("%")[0]) >= 99
    assert float(shown.split("and back: ")[1].split(" m")[0]) < 1e-9
    assert (tmp_path / "ego.mp4").is_file()


def test_refine_your_tracks(capsys) -> None:
    load("08_refine_your_tracks.py")["main"](None)
    shown = capsys.readouterr().out

    def place(line: str) -> float:
        return float(shown.split(f"{line} carton: ")[1].split(" cm")[0])

    assert place("refined") < 0.5 * place("as seen")
    assert "grasped_right" in shown

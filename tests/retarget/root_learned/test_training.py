"""Training from the command line: cards, JSON lines, and a run that was cut short ends with the same weights."""
# ruff: noqa: E402 -- without torch the whole file is skipped, before anything imports it

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the learned root needs torch (extra `learn`)")

from reenact.cli.main import main
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.config import NetConfig, TrainRootConfig
from reenact.retarget.root.learned.training import RootTrainer, TrainRequest
from reenact.retarget.root.learned.weights import load_root_weights
from tests.retarget.root_learned.conftest import SMALL

TINY = NetConfig(width=8, layers=1, heads=2, hidden=8, head_width=16, head_blocks=1)
CONFIG = TrainRootConfig(
    batch=6, draws=3, validation=4, curve_points=2, precision="float32", net=TINY, motion=replace(SMALL, pool=64)
)  # fmt: skip


class CutShort(Exception):
    """Stands for a machine that goes off."""


def request(arms: RobotArms, out: Path, steps: int = 4) -> TrainRequest:
    return TrainRequest("unitree_g1_dex3", "hash", arms, 5, out, "reenact train root", "commit", steps)


def test_a_run_that_was_cut_short_ends_with_the_same_weights(g1_arms: RobotArms, tmp_path: Path) -> None:
    whole = RootTrainer(request(g1_arms, tmp_path / "whole.safetensors"), CONFIG).run(lambda _: None)
    told: list[dict[str, object]] = []

    def stop(words: dict[str, object]) -> None:
        told.append(words)
        if words.get("step") == 2:
            raise CutShort

    out = tmp_path / "cut.safetensors"
    with pytest.raises(CutShort):
        RootTrainer(request(g1_arms, out), CONFIG).run(stop)
    assert not out.exists()
    partial = load_root_weights(tmp_path / "cut.partial.safetensors")  # something usable is there at any time
    assert partial.card["steps"] == 2
    RootTrainer(request(g1_arms, out), CONFIG).run(told.append)
    assert told[1] == {"event": "resumed", "step": 2, "of": 4}
    assert [p["step"] for p in load_root_weights(out).card["curve"]] == [2, 4]
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "cut.json", "cut.safetensors", "whole.json", "whole.safetensors"
    ]  # fmt: skip


def test_every_step_sees_fresh_clips_and_other_settings_do_not_resume(
    g1_arms: RobotArms, tmp_path: Path
) -> None:
    trainer = RootTrainer(request(g1_arms, tmp_path / "w.safetensors"), CONFIG)
    one, two = (trainer._clips(k, 6)[0].T_world_wrist for k in (0, 1))
    assert not np.isclose(one, two).all(axis=(1, 2, 3, 4)).any()
    trainer.steps = 4
    trainer.one_step()
    trainer.curve.append(trainer._measured(1.0))
    trainer._checkpoint()
    assert (
        RootTrainer(request(g1_arms, tmp_path / "w.safetensors"), replace(CONFIG, rate=0.5))._resume()
        is False
    )
    again = RootTrainer(request(g1_arms, tmp_path / "w.safetensors", 7), CONFIG)
    assert again._resume() is False  # another number of steps has another learning rate at each
    again.request = request(g1_arms, tmp_path / "w.safetensors")
    assert again._resume() is True
    assert again.step == 1


def test_the_command_writes_weights_a_card_and_json_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "mine.safetensors"
    tiny = [
        "motion.draws=1500", "motion.pool=48", "batch=4", "draws=2", "validation=8", "curve_points=2", "net.width=8",
        "net.layers=1", "net.heads=2", "net.hidden=8", "net.head_width=16",
    ]  # fmt: skip
    words = ["train", "root", "--robot", "dual_fr3_gripper", "--steps", "4", "--seed", "7", "--out", str(out)]
    assert main([*words, "--json", "--set", *tiny]) == 0
    said = capsys.readouterr()
    lines = [json.loads(x) for x in said.err.splitlines()]
    assert [x["step"] for x in lines if x["event"] == "progress"] == [2, 4]
    summary = json.loads(said.out)
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["sha256"] == summary["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert card["robot"] == "dual_fr3_gripper"
    assert (card["seed"], card["steps"], card["clips_seen"]) == (7, 4, 16)
    assert card["config"]["net"]["width"] == 8
    assert card["command"].startswith("reenact train root --robot dual_fr3_gripper --seed 7")
    assert len(card["sheet_hash"]) == 64
    assert len(card["curve"]) == 2

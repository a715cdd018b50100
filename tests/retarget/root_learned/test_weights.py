"""Shipped weights are what their cards say; wrong files and robots without weights get a named error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from reenact.errors import SetupError
from reenact.geometry.transforms import inverse
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.config import TrainRootConfig
from reenact.retarget.root.learned.errors import BadRootWeights, NoRootWeights, NoTorch, require_torch
from reenact.retarget.root.learned.weights import (
    WEIGHTS,
    arms_words,
    find_root_weights,
    load_root_weights,
    wrist_offsets,
)
from reenact.robots.registry import load_robot

SHIPPED = sorted(WEIGHTS.glob("*.safetensors"))
G1 = WEIGHTS / "unitree_g1_dex3.safetensors"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_weights_load_match_their_card_and_fit_their_robot(path: Path) -> None:
    weights = load_root_weights(path)  # checks the hash
    card = weights.card
    assert card["robot"] == path.stem
    assert path.stat().st_size == card["bytes"] < 2_000_000
    assert weights.config.window.tokens == 20
    assert card["steps"] == card["steps_planned"] > 1000
    assert f"--robot {path.stem}" in card["command"]
    assert card["curve"][-1]["step"] == card["steps"]
    assert card["curve"][-1]["held_out_loss"] < card["curve"][0]["held_out_loss"]
    robot = load_robot(path.stem)
    offsets = wrist_offsets(card, robot_arms(robot).chains)
    assert offsets is not None, f"the arms of {path.stem} changed: train again ({card['command']})"
    np.testing.assert_allclose(offsets, np.broadcast_to(np.eye(4), (2, 4, 4)), atol=1e-5)


def test_at_least_three_robots_have_weights() -> None:
    assert len(SHIPPED) >= 3


def test_another_hand_on_the_same_arms_shares_the_weights(g1_arms: RobotArms) -> None:
    inspire = robot_arms(load_robot("unitree_g1_inspire"))
    offsets = wrist_offsets({"arms": arms_words(g1_arms.chains)}, inspire.chains)
    assert offsets is not None
    for s, (mine, theirs) in enumerate(zip(g1_arms.chains, inspire.chains, strict=True)):
        assert mine is not None
        assert theirs is not None
        q = mine.home + 0.3
        np.testing.assert_allclose(inverse(theirs.fk(q)) @ mine.fk(q), offsets[s], atol=1e-6)
    weights, _ = find_root_weights("unitree_g1_inspire", inspire.chains)
    assert weights.card["robot"] == "unitree_g1_dex3"


def test_a_robot_without_weights_is_told_which_have_some_and_how_to_train(g1_arms: RobotArms) -> None:
    only_left = (g1_arms.chains[0], None)
    with pytest.raises(NoRootWeights, match=r"my_robot; there are some for: .*unitree_g1_dex3") as error:
        find_root_weights("my_robot", only_left)
    assert "reenact train root --robot my_robot" in error.value.hint


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    for name in (G1.name, G1.with_suffix(".json").name):
        shutil.copy(WEIGHTS / name, tmp_path / name)
    path = tmp_path / G1.name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadRootWeights, match="its card says"):
        load_root_weights(path)
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(card | {"version": 99}))
    with pytest.raises(BadRootWeights, match="version 99"):
        load_root_weights(path)
    path.with_suffix(".json").write_text("{")
    with pytest.raises(BadRootWeights, match="not JSON"):
        load_root_weights(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(BadRootWeights, match="no card"):
        load_root_weights(path)
    with pytest.raises(NoRootWeights, match="no weights file"):
        load_root_weights(tmp_path / "none.safetensors")


def test_a_config_comes_back_from_its_card() -> None:
    assert isinstance(load_root_weights(G1).config, TrainRootConfig)
    assert isinstance(load_root_weights(G1).config.augment.distance, tuple)


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoTorch, match="needs torch") as error:
        require_torch()
    assert "reenact[learn]" in error.value.hint
    assert isinstance(error.value, SetupError)

"""`reenact data`: every action from the command line, with words and exit codes."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from reenact.cli.data import ACTIONS
from reenact.cli.main import main
from reenact.datasets.checks.validate import validate_dataset
from reenact.datasets.lerobot.convert import write_dataset
from reenact.datasets.lerobot.folder import LeRobotFolder
from reenact.datasets.lerobot.from_reader import ImportConfig, episode_from_reader
from reenact.datasets.readers.episode import HumanEpisode, Licence, Provenance, RobotEpisode
from tests import scenes
from tests.datasets.episodes import tiny_episode

PROVENANCE = Provenance(format="toy", source="take 1", version="", licence=Licence("CC0-1.0", True, True))


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> list[Path]:
    root = tmp_path_factory.mktemp("sets")
    for name, numbers in (("a", (0, 1)), ("b", (2, 3))):
        write_dataset(root / name, (tiny_episode(n) for n in numbers), robot_type="toy", provenance={})
    return [root / "a", root / "b"]


def test_export_merge_and_validate(sets, tmp_path, capsys) -> None:
    assert main(["data", "export", str(sets[0]), "--to", "v2.1", "-o", str(tmp_path / "g")]) == 0
    assert (
        main(["data", "export", str(sets[0]), "--openpi", "--episodes", "1", "-o", str(tmp_path / "o")]) == 0
    )
    assert (tmp_path / "o/meta/openpi.json").is_file()
    assert LeRobotFolder(tmp_path / "o").info["total_episodes"] == 1
    assert main(["data", "merge", *map(str, sets), "-o", str(tmp_path / "m")]) == 0
    capsys.readouterr()
    assert main(["data", "validate", str(tmp_path / "g"), str(tmp_path / "m"), "--json"]) == 0
    words = json.loads(capsys.readouterr().out)
    assert words["sound"]
    assert not words["checked"][str(tmp_path / "m")]["findings"]
    assert main(["data", "merge", str(sets[0]), "-o", str(tmp_path / "n")]) == 3
    assert main(["data", "mix", "x"]) == 3
    assert main(["data", "validate", str(tmp_path)]) == 3


def test_import_appends_and_adds_nothing_twice(tmp_path, capsys) -> None:
    for name in ("a", "b"):
        scene = scenes.waving_scene(12)
        clip = dataclasses.replace(scene.clip, clip_id=name)
        dataclasses.replace(scene, clip=clip).save(tmp_path / name / "scene")
    out = tmp_path / "set"
    for name, count in (("a", 1), ("b", 2), ("b", 2)):
        words = [
            "data",
            "import",
            str(tmp_path / name),
            "-o",
            str(out),
            *(["--append"] if name == "b" else []),
        ]
        assert main(words) == 0
        assert LeRobotFolder(out).info["total_episodes"] == count
    assert not [f for f in validate_dataset(out) if f.level == "error"]


def test_validate_names_the_fault_and_fix_repairs_it(sets, tmp_path, capsys) -> None:
    assert main(["data", "export", str(sets[0]), "-o", str(tmp_path / "s")]) == 0
    info = tmp_path / "s/meta/info.json"
    info.write_text(info.read_text().replace('"total_frames": 18', '"total_frames": 99'))
    assert main(["data", "validate", str(tmp_path / "s")]) == 6
    assert "says 99 frames, data holds 18 [count-frames] (--fix repairs it)" in capsys.readouterr().out
    assert main(["data", "validate", str(tmp_path / "s"), "--fix"]) == 0
    assert "repaired: info.json says 99" in capsys.readouterr().out


def test_stats_of_all_are_those_of_the_rows(sets, capsys) -> None:
    assert main(["data", "stats", *map(str, sets), "--json"]) == 0
    words = json.loads(capsys.readouterr().out)
    rows = np.concatenate([tiny_episode(n).columns["action"] for n in range(4)])
    for what, true in (("mean", rows.mean(0)), ("std", rows.std(0)), ("q50", np.quantile(rows, 0.5, axis=0))):
        np.testing.assert_allclose(words["all together"]["action"][what], true, atol=1e-6)


def test_view_is_one_page_without_requests(sets, tmp_path) -> None:
    assert main(["data", "view", str(sets[0]), "-o", str(tmp_path / "sheet.html")]) == 0
    page = (tmp_path / "sheet.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 6
    assert page.count("<svg") == 4
    assert not re.search(r"(src|href)=.?https?:", page)


def test_help_of_every_action(capsys) -> None:
    for action in ACTIONS:
        with pytest.raises(SystemExit) as stop:
            main(["data", action, "--help"])
        assert stop.value.code == 0
        assert f"reenact data {action}" in capsys.readouterr().out


def human(frames: int = 60) -> HumanEpisode:
    track, tracks = scenes.camera(frames), scenes.hands(frames)
    return HumanEpisode(
        episode_id="take1", t_ns=scenes.clip(frames).t_ns, time_source="recorded", fps_hz=30.0, world_frame="world",
        provenance=PROVENANCE, task="wave", camera=track, hands=tracks,
    )  # fmt: skip


def test_people_become_hands_and_a_policy_in_the_unified_space(tmp_path) -> None:
    from reenact.datasets.lerobot.episode import EpisodeConfig

    config = ImportConfig(episode=EpisodeConfig(fps=15))
    episode = episode_from_reader(human(), tmp_path, config)
    assert episode.length == 30
    assert episode.columns["observation.state"].shape == (30, 48)
    known = episode.columns["quality.slots_known"]
    assert known[0].all()
    assert not known[6].all()  # the left hand is lost around frame 12 of the source
    write_dataset(tmp_path / "set", [episode], robot_type="human", provenance={})
    assert [f for f in validate_dataset(tmp_path / "set") if f.level == "error"] == []
    assert "CC0-1.0" in (tmp_path / "set/README.md").read_text()


def test_robots_keep_their_numbers(tmp_path) -> None:
    made = tiny_episode(0, 20)
    robot = RobotEpisode(
        episode_id="r", robot_type="toy", t_ns=np.arange(20) * 33_333_333, fps_hz=30.0,
        state_names=("a", "b", "c", "d", "e", "f"), state=made.columns["observation.state"],
        action_names=("a", "b", "c", "d", "e", "f"), action=None, provenance=PROVENANCE,
    )  # fmt: skip
    episode = episode_from_reader(robot, tmp_path)
    np.testing.assert_array_equal(episode.columns["observation.state"], made.columns["observation.state"])
    np.testing.assert_array_equal(episode.columns["action"], made.columns["action"])

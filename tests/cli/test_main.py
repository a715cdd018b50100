"""The command line: instant help, exit codes by the book, errors that say what would be right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reenact.cli.main import COMMANDS, main


def reenact(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "reenact.cli.main", *args], capture_output=True, text=True)


def test_help_names_every_command_and_exit_code() -> None:
    shown = reenact("--help")
    assert shown.returncode == 0
    for word in (*COMMANDS, "exit codes", "quarantine.jsonl"):
        assert word in shown.stdout


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from reenact.cli.main import main; main(['--help']); print('|', *sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {m.split(".")[0] for m in out.rsplit("|", 1)[1].split()}
    assert not loaded & {"numpy", "mujoco", "tyro", "cv2", "av", "scipy", "pyarrow", "torch"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"reenact {command}" in capsys.readouterr().out


def test_no_command_and_unknown_command_exit_with_2(capsys) -> None:
    assert main([]) == 2
    assert main(["demos"]) == 2
    assert "did you mean 'demo'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["run", "nowhere.mp4", "--out", "{tmp}/out"], 3, "no such file: nowhere.mp4"),
        (["run", "{tmp}", "--out", "{tmp}/out"], 3, "no videos in"),
        (["run", "{tmp}/text.mp4", "--robot", "unitre_g1", "--out", "{tmp}/out"], 3, "unitree_g1_dex3"),
        (["robots", "show"], 3, "needs a name"),
        (["view", "{tmp}"], 3, "no report.html"),
        (["validate", "{tmp}"], 3, "nothing to check"),
        (["validate", "{tmp}/nothing"], 3, "no such file or folder"),
    ],
)
def test_bad_input_is_named_and_has_its_code(args, code, said, tmp_path: Path, capsys) -> None:
    (tmp_path / "text.mp4").write_text("not a video") if "text" in str(args) else None
    assert main([a.format(tmp=tmp_path) for a in args]) == code
    shown = capsys.readouterr()
    assert said in shown.err
    assert "->" in shown.err or "no such file or folder" in shown.err


def test_json_errors_are_one_object(tmp_path, capsys) -> None:
    assert main(["view", str(tmp_path), "--json"]) == 3
    error = json.loads(capsys.readouterr().out)
    assert error["exit_code"] == 3
    assert error["hint"]


@pytest.mark.parametrize(("name", "content"), [("text.mp4", b"not a video"), ("empty.mp4", b"")])
def test_a_file_that_is_no_video_costs_its_clip_and_says_so(name, content, tmp_path: Path, capsys) -> None:
    (tmp_path / name).write_bytes(content)
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / name), "--out", str(out), "--json"]) == 3
    words = json.loads(capsys.readouterr().out)
    (failure,) = words["failed"].values()
    assert failure["stage"] == "clip"
    assert failure["hint"]
    line = json.loads((out / ".store" / "quarantine.jsonl").read_text().splitlines()[0])
    assert line["error"] == failure["error"]


def test_robots_lists_what_can_be_loaded(capsys) -> None:
    assert main(["robots", "--json"]) == 0
    names = [r["name"] for r in json.loads(capsys.readouterr().out)["robots"]]
    assert {"unitree_g1_dex3", "dual_fr3_leap"} <= set(names)


def test_doctor_looks_at_everything(capsys) -> None:
    code = main(["doctor", "--json"])
    words = json.loads(capsys.readouterr().out)
    names = {f["name"] for f in words["findings"]}
    assert {"python", "mujoco", "offscreen GL", "hand models", "free disk"} <= names
    assert code == (0 if words["healthy"] else 4)

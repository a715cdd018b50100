"""Fetching the model files: pinned sums, offline errors that say what to do, nothing half-written. No network."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from reenact.perception.hands import weights, wheel
from reenact.perception.hands.weights import HandModelCorrupt, HandModelsMissing, ModelFile

CONTENTS = (b"palm net", b"landmark net" * 100)


def fake_wheel(folder: Path, contents: tuple[bytes, bytes] = CONTENTS) -> Path:
    path = folder / "mediapipe-0.10.21-fake.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for model, content in zip(weights.MODEL_FILES, contents, strict=True):
            archive.writestr(model.member, content)
    return path


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pinned sums are those of the fake contents, and no mediapipe is installed."""
    fakes = tuple(
        ModelFile(model.name, model.member, hashlib.sha256(content).hexdigest())
        for model, content in zip(weights.MODEL_FILES, CONTENTS, strict=True)
    )
    monkeypatch.setattr(weights, "MODEL_FILES", fakes)
    monkeypatch.setattr(weights, "_from_installed_mediapipe", lambda: None)


@pytest.fixture
def no_installed_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_from_installed_mediapipe", lambda: None)


def never(folder: Path) -> Path:
    raise AssertionError("the wheel was asked for")


@pytest.mark.usefixtures("pinned")
def test_the_files_are_taken_from_the_wheel_once(tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "cache"
    paths = weights.ensure_model_files(cache, fetch_wheel=fake_wheel)
    assert tuple(path.read_bytes() for path in paths) == CONTENTS
    assert sorted(p.name for p in cache.iterdir()) == sorted(m.name for m in weights.MODEL_FILES)
    assert weights.ensure_model_files(cache, fetch_wheel=never) == paths


@pytest.mark.usefixtures("no_installed_mediapipe")
def test_a_wheel_with_other_contents_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HandModelCorrupt, match="SHA-256") as caught:
        weights.ensure_model_files(tmp_path, fetch_wheel=fake_wheel)
    assert weights.PALM_MODEL.sha256 in str(caught.value)
    assert hashlib.sha256(CONTENTS[0]).hexdigest() in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("pinned")
def test_a_changed_file_in_the_cache_is_refused(tmp_path: Path) -> None:
    palm, _ = weights.ensure_model_files(tmp_path, fetch_wheel=fake_wheel)
    palm.write_bytes(b"tampered")
    with pytest.raises(HandModelCorrupt, match="delete the file"):
        weights.ensure_model_files(tmp_path, fetch_wheel=never)


@pytest.mark.usefixtures("no_installed_mediapipe")
def test_offline_the_error_says_how_to_place_the_files_by_hand(tmp_path: Path) -> None:
    def offline(folder: Path) -> Path:
        raise wheel.WheelNotFetched("mediapipe==0.10.21 could not be fetched: no route to host")

    with pytest.raises(HandModelsMissing) as caught:
        weights.ensure_model_files(tmp_path, fetch_wheel=offline)
    message = str(caught.value)
    assert caught.value.exit_code == 4
    for part in ("no route to host", "pip download", "mediapipe==0.10.21", str(tmp_path)):
        assert part in message
    for model in weights.MODEL_FILES:
        assert model.sha256 in message
        assert model.member in message


@pytest.mark.usefixtures("pinned")
def test_files_placed_by_hand_are_taken(tmp_path: Path) -> None:
    for model, content in zip(weights.MODEL_FILES, CONTENTS, strict=True):
        (tmp_path / model.name).write_bytes(content)
    assert weights.ensure_model_files(tmp_path, fetch_wheel=never)[0].parent == tmp_path


@pytest.mark.usefixtures("pinned")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(HandModelsMissing, match="cannot write"):
        weights.ensure_model_files(blocked / "cache", fetch_wheel=fake_wheel)


@pytest.mark.usefixtures("pinned")
def test_a_wheel_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    def broken(folder: Path) -> Path:
        path = folder / "mediapipe.whl"
        path.write_bytes(b"<html>proxy login</html>")
        return path

    with pytest.raises(HandModelCorrupt, match="does not hold"):
        weights.ensure_model_files(tmp_path, fetch_wheel=broken)


def test_every_platform_tag_is_tried_before_giving_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def no_such_wheel(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command[command.index("--platform") + 1])
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution")

    monkeypatch.setattr(wheel.subprocess, "run", no_such_wheel)
    with pytest.raises(wheel.WheelNotFetched, match="No matching distribution"):
        wheel.download_wheel(tmp_path)
    assert tuple(asked) == wheel.PLATFORM_TAGS


def test_the_second_platform_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second_only(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        good = wheel.PLATFORM_TAGS[1] in command
        if good:
            (tmp_path / "mediapipe-0.10.21-cp311-cp311-macosx.whl").write_bytes(b"x")
        return subprocess.CompletedProcess(command, 0 if good else 1, "", "")

    monkeypatch.setattr(wheel.subprocess, "run", second_only)
    assert wheel.download_wheel(tmp_path).name.endswith("macosx.whl")


def test_without_pip_and_uv_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheel.shutil, "which", lambda *a, **k: None)
    with pytest.raises(wheel.WheelNotFetched, match="neither pip nor uv"):
        wheel.download_wheel(tmp_path)

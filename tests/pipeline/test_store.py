from __future__ import annotations

import errno
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from reenact.errors import SetupError
from reenact.pipeline import store as store_module
from reenact.pipeline.errors import DiskFullError, NoPermissionError, StageOutputError, StoreError
from reenact.pipeline.locks import locked
from reenact.pipeline.store import ArtefactStore

KEY = "k" * 64


def maker(text="x", before=None):
    def make(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "sub" / "data.txt").write_text(text)
        if before is not None:
            before()
        (folder / "manifest.json").write_text("{}")

    return make


def test_an_artefact_appears_whole_and_once(tmp_path):
    store = ArtefactStore(tmp_path)
    assert not store.has("s", KEY)
    assert store.add(
        "s", KEY, maker(before=lambda: pytest.fail("seen early") if store.has("s", KEY) else None)
    )
    assert store.has("s", KEY)
    assert not store.add("s", KEY, lambda folder: pytest.fail("made twice"))
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [KEY]


def test_a_failing_maker_leaves_nothing(tmp_path):
    store = ArtefactStore(tmp_path)

    def make(folder):
        (folder / "half.txt").write_text("x")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        store.add("s", KEY, make)
    assert not list((tmp_path / "s").iterdir())


def test_no_manifest_is_no_artefact(tmp_path):
    with pytest.raises(StageOutputError):
        ArtefactStore(tmp_path).add("s", KEY, lambda folder: (folder / "x").write_text("x") and None)
    assert not ArtefactStore(tmp_path).has("s", KEY)


def test_force_replaces_and_a_failed_force_keeps_the_old(tmp_path):
    store = ArtefactStore(tmp_path)
    store.add("s", KEY, maker("old"))
    with pytest.raises(ZeroDivisionError):
        store.add("s", KEY, maker(before=lambda: 1 / 0), force=True)
    assert (store.folder("s", KEY) / "sub/data.txt").read_text() == "old"
    assert store.add("s", KEY, maker("new"), force=True)
    assert (store.folder("s", KEY) / "sub/data.txt").read_text() == "new"
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [KEY]


def test_everything_is_synced_before_the_name_and_the_parent_after(tmp_path, monkeypatch):
    """The only order that survives a power cut: files, folders, rename, parent."""
    seen: list[tuple[str, str]] = []
    real_sync, real_rename = store_module.sync, os.rename

    def note_sync(path):
        seen.append(("sync", path.name))
        real_sync(path)

    def note_rename(a, b):
        seen.append(("rename", Path(b).name))
        real_rename(a, b)

    monkeypatch.setattr(store_module, "sync", note_sync)
    monkeypatch.setattr(os, "rename", note_rename)
    ArtefactStore(tmp_path).add("s", KEY, maker())
    assert (
        seen.index(("sync", "data.txt")) < seen.index(("sync", "sub")) < seen.index(("sync", f".tmp-{KEY}"))
    )
    assert seen[-3:] == [("sync", f".tmp-{KEY}"), ("rename", KEY), ("sync", "s")]
    assert ("sync", "manifest.json") in seen


@pytest.mark.parametrize("at", ["before_rename", "between_renames"])
def test_a_crash_during_commit_leaves_old_or_nothing(tmp_path, monkeypatch, at):
    store = ArtefactStore(tmp_path)
    store.add("s", KEY, maker("old"))
    calls = []
    real = os.rename

    def rename(a, b):
        calls.append(b)
        if len(calls) == (1 if at == "before_rename" else 2):
            os._exit(9)
        real(a, b)

    monkeypatch.setattr(os, "rename", rename)
    child = multiprocessing.get_context("fork").Process(
        target=store.add, args=("s", KEY, maker("new")), kwargs={"force": True}
    )
    child.start()
    child.join()
    assert child.exitcode == 9
    monkeypatch.undo()
    if at == "before_rename":
        assert (store.folder("s", KEY) / "sub/data.txt").read_text() == "old"
    else:
        assert not store.has("s", KEY)
    store.sweep()
    store.add("s", KEY, maker("again"))
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [KEY]


def _make_slowly(root, started):
    def make(folder):
        started.set()
        time.sleep(0.4)
        maker("slow")(folder)

    ArtefactStore(root).add("s", KEY, make)


def test_sweep_spares_the_living_and_removes_the_dead(tmp_path):
    dead = tmp_path / "s" / f".tmp-{'d' * 64}"
    dead.mkdir(parents=True)
    (dead / "half.txt").write_text("x")
    (tmp_path / "s" / f".lock-{'e' * 64}").write_text("")
    context = multiprocessing.get_context("fork")
    started = context.Event()
    child = context.Process(target=_make_slowly, args=(tmp_path, started))
    child.start()
    assert started.wait(10)
    assert ArtefactStore(tmp_path).sweep() == 1
    assert not dead.exists()
    child.join()
    assert child.exitcode == 0
    assert ArtefactStore(tmp_path).has("s", KEY)
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [KEY]


def test_the_tmp_folder_of_a_killed_maker_is_taken_over(tmp_path):
    context = multiprocessing.get_context("fork")
    started = context.Event()
    child = context.Process(target=_make_slowly, args=(tmp_path, started))
    child.start()
    assert started.wait(10)
    child.kill()
    child.join()
    assert (tmp_path / "s" / f".tmp-{KEY}").exists()
    store = ArtefactStore(tmp_path)
    assert not store.has("s", KEY)
    assert store.add("s", KEY, maker("mine"))
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [KEY]


def test_two_makers_of_one_key_work_once(tmp_path):
    made = []

    def make(folder):
        made.append(1)
        time.sleep(0.1)
        maker()(folder)

    threads = [threading.Thread(target=ArtefactStore(tmp_path).add, args=("s", KEY, make)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_lock_excludes_others_and_leaves_no_file(tmp_path):
    path = tmp_path / "lock"
    inside, most = 0, 0

    def enter() -> None:
        nonlocal inside, most
        for _ in range(30):
            with locked(path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not path.exists()
    with locked(path), locked(path, wait=False) as second:
        assert not second


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EACCES, NoPermissionError),
        (errno.EROFS, NoPermissionError),
        (errno.EIO, StoreError),
    ],
)
def test_system_errors_while_committing_get_their_names(tmp_path, monkeypatch, code, kind):
    def fail(path):
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(store_module, "sync", fail)
    store = ArtefactStore(tmp_path)
    with pytest.raises(kind) as caught:
        store.add("s", KEY, maker())
    assert isinstance(caught.value, SetupError)
    assert caught.value.exit_code == 4
    assert caught.value.hint
    monkeypatch.undo()
    assert store.add("s", KEY, maker())


def test_a_root_that_is_a_file_is_a_named_error(tmp_path):
    (tmp_path / "root").write_text("x")
    with pytest.raises(StoreError):
        ArtefactStore(tmp_path / "root").add("s", KEY, maker())


def test_an_unreadable_manifest_is_a_named_error(tmp_path):
    store = ArtefactStore(tmp_path)
    store.add("s", KEY, maker())
    with pytest.raises(StoreError, match="run it again"):
        store.manifest("s", KEY)

from __future__ import annotations

import dataclasses
import io
import json
import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from reenact.errors import SetupError
from reenact.pipeline import run_item as run_item_module
from reenact.pipeline.errors import DiskFullError, ItemError, StageGraphError
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.local import LocalExecutor
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.progress import BarProgress, JsonProgress, progress_for
from reenact.pipeline.quarantine import Quarantine
from reenact.pipeline.run_item import run_item
from reenact.pipeline.stage import Stage
from reenact.pipeline.store import ArtefactStore
from reenact.pipeline.summary import SOME_QUARANTINED

from .toy_stages import ToyConfig, blas_threads, toy_items, toy_pipeline, upper

EXECUTORS = {"local": LocalExecutor(), "pool": ProcessExecutor(2)}


def tree(root: Path) -> dict[str, str]:
    """Every file below the stages' folders; of manifests all but the seconds."""
    found = {}
    for path in sorted(root.glob("*/*/**/*")):
        if path.is_file():
            text = path.read_text()
            if path.name == "manifest.json":
                text = json.dumps({**json.loads(text), "seconds": 0})
            found[path.relative_to(root).as_posix()] = text
    return found


@pytest.fixture(params=EXECUTORS)
def executor(request):
    return EXECUTORS[request.param]


def test_stages_fill_the_store_and_a_second_run_does_nothing(tmp_path, executor):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one", "two", "three"])
    first = executor.run(toy_pipeline(), items, store)
    assert (first.done, first.exit_code) == (3, 0)
    assert first.stages_run == {"upper": 3, "count": 3, "join": 3}
    before = {p: p.stat().st_mtime_ns for p in store.root.rglob("*")}
    second = executor.run(toy_pipeline(), items, store)
    assert second.stages_run == {}
    assert second.stages_reused == {"upper": 3, "count": 3, "join": 3}
    assert {p: p.stat().st_mtime_ns for p in store.root.rglob("*")} == before


def test_both_executors_make_the_same_tree(tmp_path):
    items = toy_items(tmp_path / "in", ["one", "two", "BUG", "EMPTY", "five"])
    for name, executor in EXECUTORS.items():
        executor.run(toy_pipeline(), items, ArtefactStore(tmp_path / name))
    local, pool = tree(tmp_path / "local"), tree(tmp_path / "pool")
    assert local == pool
    assert len(local) == 5 * (3 + 2) + 3 * 2
    entries = [Quarantine(tmp_path / name).entries() for name in EXECUTORS]
    assert entries[0] == entries[1]


def test_only_what_a_change_concerns_is_run_again(tmp_path):
    store, (item,) = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one"])
    run_item(toy_pipeline(), item, store)
    changed = Pipeline(
        [dataclasses.replace(s, version="2") if s.name == "count" else s for s in toy_pipeline().stages],
        ("text",),
    )
    assert run_item(changed, item, store).reused == {"upper"}
    item.sources["text"].write_text("other")
    assert run_item(changed, item, store).reused == frozenset()
    item.sources["text"].write_text("one")
    assert run_item(toy_pipeline(), item, store).reused == {"upper", "count", "join"}
    assert run_item(toy_pipeline(suffix="?"), item, store).reused == frozenset()


def test_force_runs_a_stage_and_all_after_it(tmp_path):
    store, (item,) = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one"])
    run_item(toy_pipeline(), item, store)
    assert run_item(toy_pipeline(), item, store, force=frozenset({"count"})).reused == {"upper"}
    with pytest.raises(StageGraphError):
        run_item(toy_pipeline(), item, store, force=frozenset({"hands"}))


def test_the_manifest_says_what_was_run_from_what(tmp_path):
    store, (item,) = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one"])
    result = run_item(toy_pipeline(sleep_s=0.02), item, store)
    manifest = store.manifest("join", result.keys["join"])
    assert (manifest.stage, manifest.version, manifest.key) == ("join", "1", result.keys["join"])
    assert manifest.inputs == {"upper": result.keys["upper"], "count": result.keys["count"]}
    assert manifest.config["fields"]["sleep_s"] == 0.02
    assert manifest.files == {"joined.txt": len("ONE!4")}
    assert 0.02 <= manifest.seconds == pytest.approx(result.seconds["join"])
    text = (store.folder("join", result.keys["join"]) / "manifest.json").read_text()
    assert str(tmp_path) not in text
    assert os.uname().nodename not in text


WORDS = ["good", "EMPTY", "BUG", "EXIT", "SILENT", "FORGE", "fine"]


def test_one_failure_costs_one_item_and_is_written_down(tmp_path, executor):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", WORDS)
    items.append(Item("gone", {"text": tmp_path / "gone.txt"}))
    items.append(Item("unsourced", {}))
    results = []
    summary = executor.run(toy_pipeline(), items, store, on_result=results.append)
    assert summary.done == 2
    assert summary.exit_code == SOME_QUARANTINED
    assert len(results) == len(items)
    entries = Quarantine(store.root).entries()
    assert {k: (e["stage"], e["error"]) for k, e in entries.items()} == {
        "1-EMPTY": ("join", "NoResultError"),
        "2-BUG": ("join", "KeyError"),
        "3-EXIT": ("join", "SystemExit"),
        "4-SILENT": ("join", "StageOutputError"),
        "5-FORGE": ("join", "StageOutputError"),
        "gone": ("", "ItemError"),
        "unsourced": ("", "ItemError"),
    }
    assert entries["1-EMPTY"]["hint"] == "give another text"
    assert entries["1-EMPTY"]["traceback"] is None
    assert "no such thing" in (store.root / entries["2-BUG"]["traceback"]).read_text()
    assert "toy_stages.py" in (store.root / entries["2-BUG"]["traceback"]).read_text()
    assert any("2-BUG: join: KeyError" in line for line in summary.lines())


def test_the_exit_code_is_the_failures_own_where_all_failed_alike(tmp_path):
    items = toy_items(tmp_path / "in", ["EMPTY", "EMPTY"])
    assert LocalExecutor().run(toy_pipeline(), items, ArtefactStore(tmp_path / "store")).exit_code == 5


def test_a_mended_item_leaves_quarantine(tmp_path):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["BUG", "EMPTY"])
    LocalExecutor().run(toy_pipeline(), items, store)
    items[0].sources["text"].write_text("mended")
    LocalExecutor().run(toy_pipeline(), items, store)
    assert list(Quarantine(store.root).entries()) == ["1-EMPTY"]


def test_a_torn_last_line_of_the_quarantine_does_no_harm(tmp_path):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["BUG"])
    store.root.mkdir()
    (store.root / "quarantine.jsonl").write_text('{"item": "x", "sta')
    LocalExecutor().run(toy_pipeline(), items, store)
    assert list(Quarantine(store.root).entries()) == ["0-BUG"]


def test_what_no_item_survives_stops_the_run_and_quarantines_nothing(tmp_path, executor):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one", "SETUP", "two"])
    with pytest.raises(SetupError, match="no model") as caught:
        executor.run(toy_pipeline(), items, store)
    assert caught.value.hint == "fetch it"
    assert Quarantine(store.root).entries() == {}


def test_a_full_disk_met_by_a_stage_stops_the_run(tmp_path, monkeypatch):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one"])

    def full(call):
        raise OSError(28, "No space left on device")

    pipeline = Pipeline([Stage("full", "1", ToyConfig(), ("text",), full)], ("text",))
    with pytest.raises(DiskFullError, match="no space"):
        LocalExecutor().run(pipeline, items, store)
    monkeypatch.setattr(run_item_module, "_free_bytes", lambda folder: 1000)
    broken = toy_items(tmp_path / "in2", ["BUG"])  # a library that hides the system's error behind its own
    with pytest.raises(DiskFullError):
        LocalExecutor().run(toy_pipeline(), broken, store)


def test_a_source_that_changes_while_it_is_read_is_not_kept(tmp_path):
    store, (item,) = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one"])

    def slow(call):
        upper(call)
        call.inputs["text"].write_text("changed meanwhile")

    result = run_item(Pipeline([Stage("slow", "1", ToyConfig(), ("text",), slow)], ("text",)), item, store)
    assert result.failure is not None
    assert "changed while" in result.failure.message
    assert not list(store.root.glob("slow/*"))


def test_two_items_of_one_name_are_refused(tmp_path, executor):
    (item,) = toy_items(tmp_path / "in", ["one"])
    with pytest.raises(ItemError, match="0-one"):
        executor.run(toy_pipeline(), [item, item], ArtefactStore(tmp_path / "store"))


def test_a_stage_has_one_blas_thread_and_the_process_gets_its_own_back(tmp_path):
    store, items = ArtefactStore(tmp_path / "store"), toy_items(tmp_path / "in", ["one"])
    pipeline = Pipeline([Stage("threads", "1", ToyConfig(), ("text",), blas_threads)], ("text",))
    with threadpool_limits(limits=2, user_api="blas"):
        result = run_item(pipeline, items[0], store)
        after = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    seen = json.loads((store.folder("threads", result.keys["threads"]) / "threads.json").read_text())
    assert after
    assert set(seen) == {1}
    assert set(after) == {2}


def test_items_are_drawn_as_they_are_needed(tmp_path):
    drawn, waiting = [], []
    items = toy_items(tmp_path / "in", ["a", "b", "c", "d", "e", "f"])

    def draw():
        for item in items:
            drawn.append(item)
            yield item

    LocalExecutor().run(
        toy_pipeline(), draw(), ArtefactStore(tmp_path / "s"), on_result=lambda r: waiting.append(len(drawn))
    )
    assert waiting == [1, 2, 3, 4, 5, 6]


def test_progress_is_a_json_line_per_event_off_a_terminal(tmp_path):
    stream = io.StringIO()
    progress = progress_for(stream)
    assert isinstance(progress, JsonProgress)
    items = toy_items(tmp_path / "in", ["one", "EMPTY"])
    LocalExecutor().run(toy_pipeline(), items, ArtefactStore(tmp_path / "s"), progress=progress)
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert rows[0] == {"event": "run_started", "items": 2}
    assert rows[-1] == {"event": "run_done", "done": 1, "quarantined": 1}
    assert [r["stage"] for r in rows if r["event"] == "stage_done" and r["item"] == "0-one"] == [
        "upper",
        "count",
        "join",
    ]
    assert {"event": "stage_progress", "item": "0-one", "stage": "join", "done": 3, "total": 3} in rows
    assert {"event": "item_done", "item": "1-EMPTY", "status": "quarantined"} in rows


def test_progress_is_a_bar_on_a_terminal(tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    progress = progress_for(stream)
    assert isinstance(progress, BarProgress)
    items = toy_items(tmp_path / "in", ["one", "EMPTY"])
    LocalExecutor().run(toy_pipeline(), items, ArtefactStore(tmp_path / "s"), progress=progress)
    assert "2/2" in stream.getvalue()
    assert "1-EMPTY: quarantined" in stream.getvalue()


def test_progress_of_workers_reaches_the_parent(tmp_path):
    stream = io.StringIO()
    items = toy_items(tmp_path / "in", ["one", "two"])
    ProcessExecutor(2).run(
        toy_pipeline(), items, ArtefactStore(tmp_path / "s"), progress=JsonProgress(stream)
    )
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sum(r["event"] == "stage_done" for r in rows) == 6

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reenact.pipeline.errors import StageGraphError, WorkerStartError
from reenact.pipeline.graph import Pipeline
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.quarantine import Quarantine
from reenact.pipeline.stage import Stage
from reenact.pipeline.store import ArtefactStore

from .toy_stages import ToyConfig, toy_items, toy_pipeline


def test_crashes_and_hangs_cost_their_own_items_only(tmp_path):
    items = toy_items(tmp_path / "in", ["a", "SEGFAULT", "b", "HANG", "c", "d"])
    store = ArtefactStore(tmp_path / "store")
    summary = ProcessExecutor(2, item_timeout_s=1.0).run(toy_pipeline(), items, store)
    assert summary.done == 4
    entries = Quarantine(store.root).entries()
    assert entries["1-SEGFAULT"]["error"] == "WorkerDied"
    assert "SIGSEGV" in entries["1-SEGFAULT"]["message"]
    assert entries["1-SEGFAULT"]["stage"] == "join"
    assert entries["3-HANG"]["error"] == "ItemTimeout"
    assert len(list(store.root.glob("count/*"))) == 6, "finished stages of lost items are kept"
    assert not list(store.root.glob("*/.tmp-*")) or store.sweep() > 0


def test_a_function_that_workers_cannot_import_is_refused_at_once(tmp_path):
    pipeline = Pipeline([Stage("a", "1", ToyConfig(), ("text",), lambda call: None)], ("text",))
    with pytest.raises(StageGraphError, match="top level"):
        ProcessExecutor(2).run(pipeline, toy_items(tmp_path, ["x"]), ArtefactStore(tmp_path / "s"))


UNGUARDED = """
import sys
from pathlib import Path
from pipeline.toy_stages import toy_items, toy_pipeline
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.store import ArtefactStore

root = Path(sys.argv[1])
ProcessExecutor(1).run(toy_pipeline(), toy_items(root / "in", ["a"]), ArtefactStore(root / "s"))
"""


def test_a_script_without_main_guard_ends_with_a_named_error(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    run = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=60, env=env
    )
    assert run.returncode != 0
    assert WorkerStartError.__name__ in run.stderr
    assert "__main__" in run.stderr


ORPHANS = """
import sys
from pathlib import Path
from pipeline.toy_stages import toy_items, toy_pipeline
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.store import ArtefactStore

if __name__ == "__main__":
    root = Path(sys.argv[1])
    ProcessExecutor(2).run(toy_pipeline(), toy_items(root / "in", ["HANG", "HANG"]), ArtefactStore(root / "s"))
"""


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_with_a_killed_parent(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=env)
    deadline = time.monotonic() + 20
    while len(list((tmp_path / "s" / "join").glob(".tmp-*"))) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    children = children_of(parent.pid)
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]

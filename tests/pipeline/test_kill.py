"""kill -9 at random moments, then again: the same tree, nothing finished done twice, nothing torn taken as done."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from reenact.pipeline.local import LocalExecutor
from reenact.pipeline.store import ArtefactStore

from .test_run import tree
from .toy_stages import toy_items, toy_pipeline

WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
SLEEP_S = 0.04

SCRIPT = """
import sys
from pathlib import Path
from pipeline.toy_stages import toy_items, toy_pipeline
from reenact.pipeline.local import LocalExecutor
from reenact.pipeline.pool import ProcessExecutor
from reenact.pipeline.store import ArtefactStore

if __name__ == "__main__":
    root, workers, words = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")
    executor = ProcessExecutor(workers) if workers else LocalExecutor()
    pipeline = toy_pipeline(sleep_s={sleep_s}, log=str(root / "log.txt"))
    summary = executor.run(pipeline, toy_items(root / "in", words), ArtefactStore(root / "store"))
    sys.exit(summary.exit_code)
""".replace("{sleep_s}", str(SLEEP_S))


def start(root: Path, workers: int) -> subprocess.Popen:
    script = root / "script.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    return subprocess.Popen([sys.executable, str(script), str(root), str(workers), ",".join(WORDS)], env=env)


def finished(root: Path) -> dict[Path, tuple[int, int]]:
    """Inode and time of every artefact that has its final name."""
    found = {}
    for folder in (root / "store").glob("*/[0-9a-f]*"):
        stat = (folder / "manifest.json").stat()
        found[folder] = (stat.st_ino, stat.st_mtime_ns)
    return found


@pytest.mark.parametrize(("workers", "planned"), [(0, 6), (2, 3)])
def test_kill_and_rerun_gives_the_same_tree_and_repeats_nothing_finished(tmp_path, workers, planned):
    rng = random.Random(workers)
    root = tmp_path / "killed"
    root.mkdir()
    toy_items(root / "in", WORDS)
    kept: dict[Path, tuple[int, int]] = {}
    kills = 0
    for _ in range(planned):
        run = start(root, workers)
        before = len(finished(root))
        give_up = time.monotonic() + 10
        while len(finished(root)) <= before and run.poll() is None and time.monotonic() < give_up:
            time.sleep(
                0.002
            )  # let every run finish something, so that the moment is one of work, not of start-up
        time.sleep(rng.uniform(0, 3 * SLEEP_S))
        kills += run.poll() is None
        run.kill()
        run.wait()
        time.sleep(0.1 if workers else 0)  # the workers of a killed parent end by themselves
        now = finished(root)
        assert all(now[folder] == stamp for folder, stamp in kept.items()), "a finished artefact was touched"
        kept = now
    assert kills >= planned - 1
    last = start(root, workers)
    assert last.wait(60) == 0
    assert all(finished(root)[folder] == stamp for folder, stamp in kept.items())
    assert len(finished(root)) == 3 * len(WORDS)

    starts = Counter((root / "log.txt").read_text().split("\n"))
    del starts[""]
    assert len(starts) == 3 * len(WORDS)
    repeated = sum(starts.values()) - len(starts)
    assert repeated <= kills * max(1, workers), "at most the stages that were running when killed"

    clean = tmp_path / "clean"
    pipeline = toy_pipeline(sleep_s=SLEEP_S, log=str(root / "log.txt"))
    LocalExecutor().run(pipeline, toy_items(clean / "in", WORDS), ArtefactStore(clean / "store"))
    assert tree(root / "store") == tree(clean / "store")
    leftovers = [p.name for p in (root / "store").rglob(".*")]
    assert leftovers == []


def test_the_kill_would_tear_a_store_that_writes_in_place(tmp_path):
    """The control: the same kill in the middle of a stage, with the usual shortcut instead of the store."""

    def half_then_die(folder: Path) -> None:
        (folder / "manifest.json").write_text(json.dumps({"stage": "s"}))
        (folder / "a.bin").write_bytes(b"half")
        os.kill(os.getpid(), 9)

    class InPlace(ArtefactStore):
        def _make_and_commit(self, parent, key, make):
            (parent / key).mkdir()
            make(parent / key)

    for store in (InPlace(tmp_path / "naive"), ArtefactStore(tmp_path / "ours")):
        pid = os.fork()
        if pid == 0:
            store.add("s", "k", half_then_die)
            os._exit(0)
        os.waitpid(pid, 0)
    assert ArtefactStore(tmp_path / "naive").has("s", "k"), "taken as done though it is torn"
    assert not ArtefactStore(tmp_path / "ours").has("s", "k")

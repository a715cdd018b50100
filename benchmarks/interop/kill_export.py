"""Kill an export at random moments, many times: it leaves a dataset that validates or none, and a rerun is identical.

    python benchmarks/interop/kill_export.py [--kills 50 --episodes 8 --frames 60]

Each round starts the export in a process of its own and kills it (SIGKILL) after a random time within most of an
undisturbed run's duration; every third round is finished, compared by content hash, and begun anew. Exit code 0 only
if all holds.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.checks.validate import validate_dataset
from reenact.datasets.lerobot import Episode, Feature
from reenact.datasets.lerobot.convert import write_dataset
from reenact.datasets.lerobot.episode import Footage
from reenact.datasets.lerobot.staging import work_folder

SIZE, FPS = (160, 120), 30


def episodes(count: int, frames: int) -> Iterator[Episode]:
    """Small episodes with moving bars."""
    names = ("left_elbow", "right_elbow")
    features = tuple(Feature(name, "float32", (2,), names) for name in ("observation.state", "action"))
    for e in range(count):
        t = np.arange(frames)[:, None] / FPS
        q = np.sin(t + np.array([[e, e + 1]]))
        yield Episode(
            f"e{e}", f"task {e % 3}", FPS, features, {"observation.state": q, "action": np.roll(q, -1, axis=0)},
            (Footage("observation.images.front", SIZE, lambda e=e: (bars(e, i) for i in range(frames))),),
        )  # fmt: skip


def bars(episode: int, i: int) -> np.ndarray:
    """One frame."""
    x = np.arange(SIZE[0]) + 3 * i + 17 * episode
    row = np.stack([x * k % 256 for k in (1, 3, 7)], axis=-1).astype(np.uint8)
    return np.broadcast_to(row, (SIZE[1], SIZE[0], 3))


def content_hash(folder: Path) -> str:
    """SHA-256 of all names and bytes."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def export(target: Path, version: str, count: int, frames: int) -> None:
    """The work of the child: says when imports are done."""
    import reenact.video.remux  # noqa: F401 - so that the first export is no slower

    print("ready", flush=True)
    write_dataset(
        target, episodes(count, frames), version=version, robot_type="toy", provenance={"units": "SI"}
    )


def start(target: Path, version: str, args: argparse.Namespace) -> subprocess.Popen[bytes]:
    """An export in a process of its own, ready to write."""
    words = [
        "--child",
        str(target),
        "--version",
        version,
        "--episodes",
        str(args.episodes),
        "--frames",
        str(args.frames),
    ]
    run = subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline() == b"ready\n"
    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--episodes", type=int, default=8)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--version", default="v3.0", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        export(args.child, args.version, args.episodes, args.frames)
        return 0
    rng = random.Random(args.seed)
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        whole: dict[str, tuple[str, float]] = {}
        for version in ("v3.0", "v2.1"):
            run = start(Path(folder) / version, version, args)
            begun = time.perf_counter()
            assert run.wait() == 0
            whole[version] = (content_hash(Path(folder) / version), time.perf_counter() - begun)
        target, kills, rounds, version = Path(folder) / "killed", 0, 0, "v3.0"
        while kills < args.kills:
            run = start(target, version, args)
            time.sleep(rng.uniform(0, 0.6 * whole[version][1]))
            run.send_signal(signal.SIGKILL)
            if run.wait() != -signal.SIGKILL:
                found["finished before the kill"] += 1
            else:
                kills += 1
                parts = len(list(work_folder(target).glob("parts/[0-9]*")))
                if target.exists():
                    problems = validate_dataset(target)
                    assert not problems, problems
                    assert content_hash(target) == whole[version][0]
                    found["sound dataset left"] += 1
                else:
                    found[f"none left, {'some' if parts else 'no'} episodes staged"] += 1
            rounds += 1
            if rounds % 3 == 0:
                assert start(target, version, args).wait() == 0
                assert content_hash(target) == whole[version][0], "the rerun differs"
                assert not work_folder(target).exists()
                found["reruns identical"] += 1
                shutil.rmtree(target)
                version = "v2.1" if version == "v3.0" else "v3.0"
    print(f"{kills} kills of exports of {args.episodes} episodes ({whole['v3.0'][1]:.2f} s undisturbed)")
    for what, count in sorted(found.items()):
        print(f"  {count:>4}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writing and reading LeRobot datasets: ours against lerobot 0.4.4 on the same frames in the same run; statistics.

    python benchmarks/dataset_speed.py --lerobot-python lerobot-env/bin/python [--episodes 2 --frames 100 --video CLIP]

lerobot runs in its own environment as a child process; imports are not timed. CPU seconds count children and threads
and are the fair figure on a busy machine; wall seconds are printed beside them. Reading: single random samples with a
16-step action chunk and one picture, same file and same order for both. Statistics: 100 000 rows streamed in one pass.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.lerobot import Episode, Feature
from reenact.datasets.lerobot.convert import write_dataset
from reenact.datasets.lerobot.episode import Footage
from reenact.datasets.lerobot.layout import DatasetConfig
from reenact.datasets.lerobot.set_statistics import set_statistics
from reenact.datasets.mixtures.samples import ChunkSamples

FPS, JOINTS, HORIZON = 30, 26, 16

THEIRS = r"""
import json, resource, sys, time
import numpy as np, torch
from pathlib import Path
from lerobot.datasets.lerobot_dataset import LeRobotDataset
torch.set_num_threads(1)
job = json.loads(sys.argv[1])

def spent():
    return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))

def write():
    frames = np.load(job["frames"], mmap_mode="r")
    numbers = np.load(job["numbers"])
    height, width = frames.shape[2:4]
    joints = [f"j{k}" for k in range(numbers.shape[2])]
    features = {k: {"dtype": "float32", "shape": (len(joints),), "names": joints} for k in ("observation.state", "action")}
    shape, names = (height, width, 3), ["height", "width", "channels"]
    features["observation.images.front"] = {"dtype": "video", "shape": shape, "names": names}
    wall, cpu = time.perf_counter(), spent()
    data = LeRobotDataset.create("local/x", job["fps"], features, root=job["root"], robot_type="toy", vcodec=job["codec"],
                                 image_writer_threads=4)
    for e in range(len(frames)):
        for i in range(frames.shape[1]):
            data.add_frame({"observation.images.front": np.array(frames[e, i]), "observation.state": numbers[e, i],
                            "action": numbers[e, min(i + 1, frames.shape[1] - 1)], "task": "toy"})
        data.save_episode()
    data.finalize()
    return {"wall": time.perf_counter() - wall, "cpu": spent() - cpu, "count": int(frames.shape[0] * frames.shape[1])}

def read():
    steps = {"action": [k / job["fps"] for k in range(job["horizon"])]}
    data = LeRobotDataset("local/x", root=job["root"], delta_timestamps=steps, video_backend="pyav")
    data[0]
    wall, cpu = time.perf_counter(), spent()
    total = sum(float(data[i]["action"].sum()) for i in job["places"])
    return {"wall": time.perf_counter() - wall, "cpu": spent() - cpu, "count": len(job["places"]), "check": total}

print("RESULT " + json.dumps({"write": write, "read": read}[job["do"]]()))
"""


def spent() -> float:
    """CPU seconds of this process, its threads and finished children."""
    usage = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usage)


def theirs(python: Path, **job: object) -> dict[str, float]:
    """Run a job in lerobot's environment."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [python, "-c", THEIRS, json.dumps(job, default=str)], capture_output=True, text=True, env=environment
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    raise SystemExit(f"lerobot failed:\n{done.stderr[-2000:]}")


def pictures(episodes: int, frames: int, size: tuple[int, int], video: Path | None) -> np.ndarray:
    """uint8 [e t h w 3]: from a clip, or a textured scene that pans with sensor noise."""
    width, height = size
    if video is not None:
        from reenact.datasets.lerobot.episode import letterbox
        from reenact.video.reader import VideoReader

        shown = [letterbox(rgb, size) for _, rgb in VideoReader(video).frames(None)]
        order = np.resize(np.arange(len(shown)), episodes * frames)
        return np.stack([shown[i] for i in order]).reshape(episodes, frames, height, width, 3)
    import cv2

    rng = np.random.default_rng(0)
    world = cv2.resize(
        rng.integers(0, 255, (90, 160, 3), np.uint8), (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC
    )
    out = np.empty((episodes, frames, height, width, 3), np.uint8)
    for e in range(episodes):
        for i in range(frames):
            x, y = (3 * i + 31 * e) % width, (i + 17 * e) % height
            noise = rng.integers(-4, 5, (height, width, 1))
            out[e, i] = np.clip(world[y : y + height, x : x + width].astype(int) + noise, 0, 255)
    return out


def our_episodes(frames: np.ndarray, numbers: np.ndarray) -> Iterator[Episode]:
    """The same content as episodes of ours."""
    names = tuple(f"j{k}" for k in range(JOINTS))
    features = tuple(Feature(name, "float32", (JOINTS,), names) for name in ("observation.state", "action"))
    for e in range(len(frames)):
        after = np.concatenate([numbers[e, 1:], numbers[e, -1:]])
        columns = {"observation.state": numbers[e], "action": after}
        footage = Footage("observation.images.front", frames.shape[3:1:-1], lambda e=e: iter(frames[e]))
        yield Episode(f"e{e}", "toy", FPS, features, columns, (footage,))


def compare_writing(python: Path | None, work: Path, frames: np.ndarray, numbers: np.ndarray) -> None:
    """Print seconds and the ratio for both codecs."""
    np.save(work / "frames.npy", frames)
    np.save(work / "numbers.npy", numbers)
    mapped = np.load(work / "frames.npy", mmap_mode="r")
    print(
        f"\nwriting {frames.shape[0]} episodes of {frames.shape[1]} frames, {frames.shape[3]}x{frames.shape[2]}"
    )
    print(f"{'codec':<10}{'who':<10}{'cpu s':>8}{'wall s':>8}{'frames/cpu s':>14}{'MB':>8}")
    for codec, name in (("h264", "h264"), ("av1", "libsvtav1")):
        wall, cpu = time.perf_counter(), spent()
        write_dataset(
            work / f"ours_{codec}", our_episodes(mapped, numbers), robot_type="toy", provenance={},
            config=DatasetConfig(codec=codec),
        )  # fmt: skip
        ours = {
            "wall": time.perf_counter() - wall,
            "cpu": spent() - cpu,
            "count": frames.shape[0] * frames.shape[1],
        }
        rows = [("ours", ours, work / f"ours_{codec}")]
        if python is not None:
            root = work / f"theirs_{codec}"
            done = theirs(python, do="write", frames=work / "frames.npy", numbers=work / "numbers.npy", root=root,
                          fps=FPS, codec=name)  # fmt: skip
            rows.append(("lerobot", done, root))
        for who, r, root in rows:
            size = sum(p.stat().st_size for p in root.rglob("*.mp4")) / 1e6
            print(
                f"{codec:<10}{who:<10}{r['cpu']:>8.2f}{r['wall']:>8.2f}{r['count'] / r['cpu']:>14.1f}{size:>8.2f}"
            )
        if python is not None:
            them = rows[1][1]
            print_ratio(them, ours)


def compare_reading(python: Path | None, root: Path, count: int) -> None:
    """Print seconds per random sample and the ratio."""
    samples = ChunkSamples(root, HORIZON)
    places = np.random.default_rng(1).integers(0, len(samples), count).tolist()
    samples[0]
    wall, cpu = time.perf_counter(), spent()
    check = sum(float(samples[i]["action"].sum()) for i in places)
    ours = {"wall": time.perf_counter() - wall, "cpu": spent() - cpu}
    print(f"\nreading {count} random samples ({HORIZON}-step chunk and a picture), h264, GOP 2")
    print(f"ours     {1e3 * ours['cpu'] / count:8.2f} ms cpu {1e3 * ours['wall'] / count:8.2f} ms wall")
    if python is not None:
        them = theirs(python, do="read", root=root, horizon=HORIZON, fps=FPS, places=places)
        assert abs(them["check"] - check) < 1e-2 * max(1.0, abs(check)), (them["check"], check)
        print(f"lerobot  {1e3 * them['cpu'] / count:8.2f} ms cpu {1e3 * them['wall'] / count:8.2f} ms wall")
        print(
            f"ratio lerobot / ours: {them['cpu'] / ours['cpu']:.2f} cpu, {them['wall'] / ours['wall']:.2f} wall"
        )


def print_ratio(them: dict[str, float], ours: dict[str, float]) -> None:
    """How many times faster ours is."""
    cpu, wall = (them[k] / ours[k] for k in ("cpu", "wall"))
    print(f"ratio lerobot / ours: {cpu:.2f} cpu, {wall:.2f} wall")


def measure_statistics(rows: int) -> None:
    """One pass over `rows` rows of 48 numbers; memory held at the end and at a tenth of the way; error against numpy."""
    import tracemalloc

    def batches(count: int) -> Iterator[dict[str, np.ndarray]]:
        rng = np.random.default_rng(4)
        for _ in range(count // 1000):
            yield {"action": rng.gamma(2.0, 1.0, (1000, 48)) - 1.0}

    peaks = {}
    for count in (rows // 10, rows):
        tracemalloc.start()
        set_statistics(batches(count))
        peaks[count] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    cpu = spent()
    stats = set_statistics(batches(rows))["action"]
    seconds = spent() - cpu
    result = stats.result()
    whole = np.concatenate([b["action"] for b in batches(rows)])
    print(f"\nstatistics of {rows} rows of 48 numbers in one pass: {seconds:.2f} s cpu")
    held = ", ".join(f"{n} rows {mb:.1f} MB" for n, mb in peaks.items())
    print(f"peak memory: {held} (all rows: {whole.nbytes / 1e6:.0f} MB)")
    for name in ("mean", "std", "min", "max"):
        print(f"  {name:<5} largest error {np.abs(result[name] - getattr(whole, name)(0)).max():.1e}")
    ranks = [np.abs((whole < result[f"q{p:02d}"]).mean(0) - p / 100).max() for p in (1, 10, 50, 90, 99)]
    print(f"  quantiles: largest rank error {max(ranks):.2e}, promised {stats.sketch.rank_error:.2e}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lerobot-python", type=Path, default=None)
    parser.add_argument("--episodes", type=int, default=2)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480))
    parser.add_argument("--video", type=Path, default=None, help="take the frames from this clip")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    args = parser.parse_args()
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=(args.episodes, args.frames, JOINTS)).cumsum(axis=1).astype(np.float32) * 0.01
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        frames = pictures(args.episodes, args.frames, tuple(args.size), args.video)
        compare_writing(args.lerobot_python, work, frames, numbers)
        compare_reading(args.lerobot_python, work / "ours_h264", args.samples)
    measure_statistics(args.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())

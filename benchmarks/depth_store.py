"""Depth store against 16-bit PNG per frame, in one run on one core: write, read all, read one, bytes.

Targets (issue 2, point 5): write <= 0.35 x, read <= 0.20 x. Run: `python benchmarks/depth_store.py`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from reenact.records.volumes import VolumeReader, VolumeWriter

FRAMES, HEIGHT, WIDTH, ROUNDS = 120, 480, 640, 3
SCATTERED = (90, 3, 61, 17, 118, 42, 77, 29)  # far apart, so that no cached chunk helps


def depth_frames(kind: str, seed: int = 0) -> list[np.ndarray]:
    """Millimetres [t h w]: a tilted plane, a monocular-like relief with an object moving, or that with sensor noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    relief = 700 + 0.9 * y + 0.2 * x
    if kind != "plane":
        for cells, size in (((12, 16), 150.0), ((60, 80), 6.0)):
            field = rng.normal(size=cells).astype(np.float32)
            relief = relief + size * cv2.resize(field, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    frames = []
    for i in range(FRAMES):
        inside = ((x - 200 - 2 * i) / 60) ** 2 + ((y - 240) / 90) ** 2 < 1
        depth = np.where(inside, relief - 180, relief)
        if kind == "sensor noise 0.15 %":
            depth = depth * (1 + 0.0015 * rng.standard_normal(depth.shape))
        frames.append(depth.clip(0, 65535).astype(np.uint16))
    return frames


def write_png(folder: Path, frames: list[np.ndarray]) -> None:
    folder.mkdir(exist_ok=True)
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{i:06d}.png"), frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def read_png(folder: Path) -> int:
    return sum(len(cv2.imread(str(p), cv2.IMREAD_UNCHANGED)) for p in sorted(folder.glob("*.png")))


def write_volume(path: Path, frames: list[np.ndarray]) -> None:
    with VolumeWriter(path, unit="mm", meaning="z of the camera") as writer:
        for frame in frames:
            writer.append(frame)


def read_volume(path: Path) -> int:
    with VolumeReader(path) as reader:
        return sum(len(reader[i]) for i in range(len(reader)))


def read_scattered(path: Path) -> list[np.ndarray]:
    """Some frames far apart, from a freshly opened file (HDF5 keeps chunks it has read)."""
    with VolumeReader(path) as reader:
        return [reader[i] for i in SCATTERED]


def best(job: Callable[[], object]) -> float:
    """Least seconds of a few rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(name: str, frames: list[np.ndarray], root: Path) -> str:
    """One row of the table."""
    png, volume = root / "png", root / "depth.h5"
    write_p, write_v = best(lambda: write_png(png, frames)), best(lambda: write_volume(volume, frames))
    read_p, read_v = best(lambda: read_png(png)), best(lambda: read_volume(volume))
    one_p = best(lambda: [cv2.imread(str(png / f"{i:06d}.png"), cv2.IMREAD_UNCHANGED) for i in SCATTERED])
    one_v = best(lambda: read_scattered(volume))
    with VolumeReader(volume) as reader:
        assert (reader[50] == frames[50]).all()
    bytes_p, bytes_v = sum(p.stat().st_size for p in png.iterdir()), volume.stat().st_size
    return (
        f"| {name} | {write_v / write_p:.2f} | {read_v / read_p:.2f} | {one_v / one_p:.2f} "
        f"| {bytes_v / bytes_p:.2f} | {write_v:.3f} | {read_v:.3f} |"
    )


def main() -> None:
    cv2.setNumThreads(1)
    print(f"{FRAMES} frames {WIDTH}x{HEIGHT} uint16; ratios are ours / PNG level 1")
    print("| depth | write | read all | read one | bytes | write s | read s |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        for kind in ("plane", "monocular-like", "sensor noise 0.15 %"):
            print(compare(kind, depth_frames(kind), Path(temporary)))


if __name__ == "__main__":
    main()

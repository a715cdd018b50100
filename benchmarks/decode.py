"""Decode to 480p RGB against decode-only and against OpenCV, in one run over one made-up 1080p clip of real frames.

    python benchmarks/decode.py --shared ../shared [--rounds 5]

Prints CPU and wall time, ratios to decode-only, the picture's shift against an exact area average, and the cost of
sparse reading. Rounds are interleaved; the table holds the best of each (the least disturbed by other work).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from reenact.video.reader import VideoReader
from reenact.video.sparse import frames_near, plan_sparse

FRAMES, BITRATE = 300, 3_000_000


def make_clip(source: Path, target: Path) -> None:
    """300 frames of 1080p at 3 Mbit/s: real footage played forth and back (no cut, natural motion)."""
    frames = [rgb for _, rgb in VideoReader(source).frames(max_height=1080)]
    order = list(range(len(frames))) + list(range(len(frames) - 2, 0, -1))
    with av.open(str(target), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", BITRATE
        stream.codec_context.options = {"preset": "medium"}
        for i in range(FRAMES):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frames[order[i % len(order)]], format="rgb24")))
        out.mux(stream.encode())


def decode_only(path: Path, threads: int) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        return sum(1 for _ in container.decode(stream))


def ours(path: Path, threads: int) -> int:
    return sum(1 for _ in VideoReader(path, threads=threads).frames(max_height=480))


def swscale_fast(path: Path, threads: int) -> int:
    """The one-pass scaler of swscale that we do not use, because it moves the picture."""
    reformatter, count = VideoReformatter(), 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        for frame in container.decode(stream):
            _fast_picture(reformatter, frame)
            count += 1
    return count


def _fast_picture(reformatter: VideoReformatter, frame: av.VideoFrame) -> np.ndarray:
    fast = Interpolation.FAST_BILINEAR
    small = reformatter.reformat(frame, 854, 480, "rgb24", interpolation=fast, threads=1)
    return np.ascontiguousarray(small.to_ndarray())


def opencv(path: Path, threads: int) -> int:
    cv2.setNumThreads(threads)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])
    count = 0
    while True:
        ok, bgr = capture.read()
        if not ok:
            return count
        cv2.cvtColor(cv2.resize(bgr, (854, 480), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
        count += 1


def timed(call: Callable[[], int]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    count = call()
    assert count == FRAMES, count
    return time.perf_counter() - wall, time.process_time() - cpu


def speed_table(path: Path, rounds: int) -> None:
    readers = {
        "decode only": decode_only,
        "reenact 480p RGB": ours,
        "swscale fast_bilinear": swscale_fast,
        "OpenCV read + resize + RGB": opencv,
    }
    print(
        f"| reader ({FRAMES} frames 1080p) | threads | fps wall | fps/cpu-s | share of decode-only, wall | cpu |"
    )
    print("|---|---|---|---|---|---|")
    for threads in (1, 2):
        best = dict.fromkeys(readers, (np.inf, np.inf))
        for _ in range(rounds):
            for name, call in readers.items():
                best[name] = tuple(np.minimum(best[name], timed(lambda c=call, n=threads: c(path, n))))
        for name, (wall, cpu) in best.items():
            limit = best["decode only"]
            print(
                f"| {name} | {threads} | {FRAMES / wall:.0f} | {FRAMES / cpu:.0f} "
                f"| {limit[0] / wall:.2f} | {limit[1] / cpu:.2f} |"
            )


def shift_table(path: Path) -> None:
    """How far the 480p pictures lie from an exact area average, by phase correlation, in 480p pixels."""
    reformatter = VideoReformatter()
    pictures = {"reenact": [rgb for _, rgb in VideoReader(path).frames(max_height=480)][::60]}
    with av.open(str(path)) as container:
        pictures["swscale fast_bilinear"] = [
            _fast_picture(reformatter, f) for f in container.decode(video=0)
        ][::60]
    full = [rgb for _, rgb in VideoReader(path).frames(max_height=None)][::60]
    print("\n| against an area average | shift x px | shift y px | mean difference of 255 |")
    print("|---|---|---|---|")
    for name, small in pictures.items():
        dx, dy, difference = np.median([_shift(a, b) for a, b in zip(full, small, strict=True)], axis=0)
        print(f"| {name} | {dx:+.3f} | {dy:+.3f} | {difference:.2f} |")


def _shift(large: np.ndarray, small: np.ndarray) -> tuple[float, float, float]:
    size = small.shape[1::-1]
    exact = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (exact, small)]
    (dx, dy), _ = cv2.phaseCorrelate(*grey, cv2.createHanningWindow(size, cv2.CV_32F))
    return dx, dy, float(np.abs(grey[0] - grey[1]).mean())


def sparse_table(path: Path) -> None:
    reader = VideoReader(path, threads=1)
    duration_s = reader.index.end_ns / 1e9
    print("\n| sparse reading, 480p, 1 thread | frames | decoded at most | cpu s | share of real time |")
    print("|---|---|---|---|---|")
    cases = [
        ("all frames", 0.0, 0.0),
        ("2 Hz exact", 2.0, 0.0),
        ("0.5 Hz exact", 0.5, 0.0),
        ("0.5 Hz within 4 s", 0.5, 4.0),
    ]
    for name, rate, tolerance_s in cases:
        cpu = time.process_time()
        if rate:
            grid = np.arange(0, reader.index.end_ns, int(1e9 / rate), dtype=np.int64)
            tolerance_ns = int(tolerance_s * 1e9)
            count = sum(1 for _ in frames_near(reader, grid, tolerance_ns=tolerance_ns))
            decoded = plan_sparse(reader.index, grid, tolerance_ns).decoded_frames
        else:
            count = decoded = sum(1 for _ in reader.frames())
        cpu = time.process_time() - cpu
        print(f"| {name} | {count} | {decoded} | {cpu:.3f} | {cpu / duration_s:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    source = args.shared / "data/ego/hawor_plate/video.mp4"
    if not source.exists():
        raise SystemExit(f"needs the shared clip {source}")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        make_clip(source, clip)
        rate = clip.stat().st_size * 8 * 30 / FRAMES / 1e6
        print(f"clip: {rate:.2f} Mbit/s; PyAV {av.__version__}, cv2 {cv2.__version__}")
        speed_table(clip, args.rounds)
        shift_table(clip)
        sparse_table(clip)


if __name__ == "__main__":
    main()

"""Pass 1 on the shared clips: cuts found and invented, camera verdicts, what two rule sets keep, and what it costs.

    python benchmarks/pass1.py --shared ../shared [--no-hands]

The hand nets are those of `perception` (fetched once); `--no-hands` leaves the tables that need them out.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from reenact.filtering import source as pass1
from reenact.filtering.config import FilterConfig
from reenact.filtering.cuts import CutConfig, CutFinder
from reenact.filtering.dissolves import DissolveConfig, DissolveFinder
from reenact.filtering.glance import GlanceConfig, glance_times
from reenact.filtering.hands import FindHands, look_for_hands
from reenact.filtering.pictures import picture_of
from reenact.filtering.published import SceneScoreConfig, SceneScoreCuts
from reenact.filtering.report import FilterReport
from reenact.video.reader import VideoReader
from reenact.video.scan import scan_frames
from reenact.video.sparse import frames_between, frames_near
from reenact.video.writer import VideoWriter

CLIPS = {
    "exo/sam2_cups": "still",
    "exo/sam2_blocks": "still",
    "exo/dexycb_pitcher": "still",
    "exo/v2d_chair": "still",
    "exo/dexretargeting_hand": "still",
    "ego/hawor_plate": "moving",
    "ego/hot3d_site_dev": "moving",
    "ego/umi_cup": "moving",
}
SMALL = (256, 144)


def no_hands(rgb: np.ndarray) -> np.ndarray:
    return np.zeros((0, 21, 2))


def small_frames(path: Path) -> np.ndarray:
    """All frames at 256x144 (aspect changed), [t 144 256 3]."""
    frames = [
        cv2.resize(rgb, SMALL, interpolation=cv2.INTER_AREA) for _, rgb in VideoReader(path).frames(288)
    ]
    return np.stack(frames)


def times_of(count: int, fps_hz: float = 30.0) -> np.ndarray:
    return np.rint(np.arange(count) * 1e9 / fps_hz).astype(np.int64)


def found_cuts(frames: np.ndarray, step: int = 1, *, rule: str = "ours") -> list[tuple[int, int]]:
    """(first frame that is not of the shot before, first frame of the shot after) of every boundary."""
    t_ns = times_of(len(frames))

    def read(start_ns: int, end_ns: int) -> Iterator[tuple[int, np.ndarray]]:
        return ((int(t), f) for t, f in zip(t_ns, frames, strict=True) if start_ns <= t <= end_ns)

    if rule == "ours":
        hard, soft = CutFinder(CutConfig(), read), DissolveFinder(DissolveConfig())
        finders = [hard, soft]
    else:
        hard = SceneScoreCuts(SceneScoreConfig(float(rule)))
        finders = [hard]
    for i in range(0, len(frames), step):
        picture = picture_of(int(t_ns[i]), frames[i])
        for finder in finders:
            finder.add(picture)
    hard.finish(int(t_ns[-1]) + 33_333_333)
    cuts = [c for finder in finders for c in finder.cuts]
    return [(int(np.searchsorted(t_ns, c.start_ns)), int(np.searchsorted(t_ns, c.end_ns))) for c in cuts]


@dataclass
class Score:
    """Boundaries found and invented."""

    true: int = 0
    found: int = 0
    invented: int = 0
    worst: int = 0

    def add(self, cuts: list[tuple[int, int]], truth: list[tuple[int, int]], slack: int) -> None:
        """A true boundary [a, b] is found by a cut that meets it, up to the slack."""
        self.true += len(truth)
        met = [[s - slack <= b and a <= e + slack for s, e in cuts] for a, b in truth]
        self.found += sum(any(row) for row in met)
        self.invented += sum(not any(row[k] for row in met) for k in range(len(cuts)))

    def row(self) -> str:
        return f"{self.found} of {self.true} | {self.invented}"


def cut_tables(frames: dict[str, np.ndarray], seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    names = list(frames)
    joined: list[tuple[np.ndarray, list[tuple[int, int]]]] = []
    for _ in range(20):
        parts = []
        for k in rng.permutation(len(names)):
            clip = frames[names[k]]
            start, length = int(rng.integers(0, len(clip) - 60)), int(rng.integers(40, 60))
            parts.append(clip[start : start + length])
        ends = np.cumsum([len(p) for p in parts])[:-1]
        joined.append((np.concatenate(parts), [(int(e), int(e)) for e in ends]))
    print(
        "\n| hard cuts, 20 joins of 8 clips | looks | found within 1 frame | invented | invented in the single clips |"
    )
    print("|---|---|---|---|---|")
    for rule, step in (("ours", 1), ("ours", 2), ("ours", 3), ("0.4", 1), ("0.3", 1), ("0.2", 1)):
        score, alone = Score(), Score()
        for film, truth in joined:
            score.add(found_cuts(film, step, rule=rule), truth, slack=1)
        for clip in frames.values():
            alone.add(found_cuts(clip, step, rule=rule), [], slack=0)
        label = "ours" if rule == "ours" else f"ffmpeg scene score > {rule}"
        print(f"| {label} | every {step} | {score.row()} | {alone.invented} |")
    disturbance_table(frames)


def disturbance_table(frames: dict[str, np.ndarray]) -> None:
    """Made-up flashes, exposure changes, fades and dissolves."""
    flash, exposure, fade = Score(), Score(), Score()
    dissolves = {seconds: Score() for seconds in (0.3, 0.5, 0.8, 1.0, 1.5)}
    for clip in frames.values():
        at = min(60, len(clip) // 2)
        for length, white in itertools.product((1, 2, 4, 8), (255, 180)):
            film = clip.copy()
            film[at : at + length] = np.minimum(255, film[at : at + length] // 3 + np.uint16(white)).astype(
                np.uint8
            )
            flash.add(found_cuts(film, 2), [], slack=0)
        for gains in (
            np.interp(np.arange(len(clip)), [30, 45], [1, 0.35]),
            np.where(np.arange(len(clip)) < 40, 1, 0.45),
        ):
            exposure.add(found_cuts(_scaled(clip, gains), 2), [], slack=0)
    for a, b in itertools.permutations(frames.values(), 2):
        out = np.interp(np.arange(60), [40, 59], [1, 0])
        film = np.concatenate([_scaled(a[:60], out), _scaled(b[:60], out[::-1])])
        fade.add(found_cuts(film, 2), [(45, 75)], slack=0)
        for seconds, score in dissolves.items():
            n = round(seconds * 30)
            if len(a) < 45 + n:
                continue
            u = np.linspace(0, 1, n)
            middle = _scaled(a[45 : 45 + n], 1 - u).astype(np.uint16) + _scaled(b[:n], u)
            film = np.concatenate([a[:45], np.minimum(255, middle).astype(np.uint8), b[n : n + 40]])
            score.add(found_cuts(film, 2), [(45, 45 + n)], slack=2)
    print("\n| made-up change, looks every 2 | boundaries found | invented |\n|---|---|---|")
    print(f"| flashes of 1-8 frames within a clip | {flash.row()} |")
    print(f"| exposure ramps and steps within a clip | {exposure.row()} |")
    print(f"| fade out and in between clips | {fade.row()} |")
    for seconds, score in dissolves.items():
        print(f"| dissolve of {seconds} s between clips | {score.row()} |")


def _scaled(frames: np.ndarray, gains: np.ndarray) -> np.ndarray:
    return (frames * gains[:, None, None, None]).astype(np.uint8)


def run_filter(
    path: Path, config: FilterConfig, find_hands: FindHands, *, is_draft: bool = True
) -> FilterReport:
    """The binding of `video` and `filtering`."""
    reader = VideoReader(path, threads=1)
    grid = np.arange(0, reader.index.end_ns, round(1e9 / config.hands.rate_hz), dtype=np.int64)
    looks = scan_frames(reader, small_height=config.small_height_px, large_t_ns=grid, is_draft=is_draft)

    def read(start_ns: int, end_ns: int) -> Iterator[tuple[int, np.ndarray]]:
        return frames_between(reader, start_ns, end_ns, max_height=config.small_height_px, is_draft=is_draft)

    return pass1.filter_source(looks, find_hands, reader.index.end_ns, config, read)


def rule_table(paths: dict[str, Path], find_hands: FindHands) -> None:
    print(
        "\n| clip | camera is | rules | kept | camera | heights/s | wander | hands | area | cut | palm | reasons, flags |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, path in paths.items():
        for config in (FilterConfig(), FilterConfig.egoinfinity()):
            report = run_filter(path, config, find_hands, is_draft=config.name == "default")
            longest = max(report.segments, key=lambda s: (s.hands is not None, s.seconds))
            print(
                f"| {name} | {CLIPS[name]} | {config.name} | {report.kept_ratio:.2f} | {_numbers(longest)} |"
            )


def _numbers(segment) -> str:
    def show(value: float | None, digits: int = 3) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    hands, camera = segment.hands, segment.camera
    words = ", ".join([*segment.reasons, *(f"({flag})" for flag in segment.flags)])
    if hands is None or camera is None:
        return f"- | - | - | - | - | - | - | {words}"
    return (
        f"{camera.motion} | {show(camera.heights_per_s, 4)} | {show(camera.wander_heights, 4)} | {hands.hand_ratio:.2f} "
        f"| {show(hands.mean_area)} | {hands.truncated_ratio:.2f} | {show(hands.fast_speed, 2)} | {words}"
    )


@contextmanager
def counted(spent: dict[str, float], name: str) -> Iterator[None]:
    start = time.process_time()
    yield
    spent[name] = spent.get(name, 0.0) + time.process_time() - start


def cost_table(film: Path, find_hands: FindHands) -> None:
    """CPU seconds per second of a joined 720p video with cuts and a key frame every 8 s or so."""
    config, spent = FilterConfig(), {}
    reader = VideoReader(film, threads=1)
    duration_s = reader.index.end_ns / 1e9
    with counted(spent, "decode in full, 480p (for comparison)"):
        for _ in reader.frames(480):
            pass
    grid = np.arange(0, reader.index.end_ns, round(1e9 / config.hands.rate_hz), dtype=np.int64)
    with counted(spent, "draft decode, 144p, and 480p at 3 Hz"):
        looks = list(scan_frames(reader, small_height=144, large_t_ns=grid))
    with counted(spent, "cuts, dissolves, camera on those pictures"):
        cuts = pass1.filter_source(looks, no_hands, reader.index.end_ns, config).cuts
    with counted(spent, f"the same, {len(cuts)} cuts placed on the very frame"):
        pass1.filter_source(looks, no_hands, reader.index.end_ns, config, _reader_of(reader))
    with counted(spent, "hand nets at 3 Hz"):
        for look in looks:
            if look.large is not None:
                find_hands(look.large)
    rules = GlanceConfig()
    times = glance_times(reader.index.end_ns, rules)
    tolerance_ns = round(rules.tolerance_s * 1e9)
    with counted(spent, f"glance: {len(times)} pictures and hand nets"):
        for t_ns, rgb in frames_near(reader, times, tolerance_ns=tolerance_ns):
            look_for_hands(t_ns, rgb, find_hands, config.hands.box_scale)
    print(
        f"\n| cost on a joined 720p video of {duration_s:.0f} s, one thread | cpu s | share of real time |\n|---|---|---|"
    )
    for name, seconds in spent.items():
        print(f"| {name} | {seconds:.2f} | {seconds / duration_s:.4f} |")


def _reader_of(reader: VideoReader) -> Callable[[int, int], Iterator[tuple[int, np.ndarray]]]:
    return lambda start_ns, end_ns: frames_between(reader, start_ns, end_ns, max_height=144, is_draft=True)


def join_video(paths: dict[str, Path], target: Path) -> list[float]:
    """All clips one after the other at 30 Hz and 1280x720; returns the true cuts in seconds."""
    cuts, count = [], 0
    with VideoWriter(target, 1280, 720, 30, keyframe_every=250, crf=23, preset="medium") as out:
        for path in paths.values():
            reader = VideoReader(path)
            grid = times_of(int(min(reader.index.end_ns, 6e9) * 30 / 1e9))
            for _, rgb in reader.frames(720, grid):
                out.write(cv2.resize(rgb, (1280, 720), interpolation=cv2.INTER_AREA))
                count += 1
            cuts.append(count / 30)
    return cuts[:-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--no-hands", action="store_true")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    paths = {name: args.shared / "data" / name / "video.mp4" for name in CLIPS}
    cut_tables({name: small_frames(path) for name, path in paths.items()})
    find_hands: FindHands = no_hands
    if not args.no_hands:
        from reenact.perception.hands.mediapipe_litert import MediaPipeHands

        backend = MediaPipeHands()
        find_hands = lambda rgb: np.array([d.landmarks_px for d in backend.detect_image(rgb)])  # noqa: E731
    rule_table(paths, find_hands)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        truth = join_video(paths, film)
        report = run_filter(film, FilterConfig(), find_hands)
        print("\ntrue cuts (s):", " ".join(f"{t:.3f}" for t in truth))
        print("found cuts (s):", " ".join(f"{c.start_ns / 1e9:.3f}" for c in report.cuts))
        for s in report.segments:
            verdict = "keep" if s.is_kept else ", ".join(s.reasons)
            print(f"  {s.start_ns / 1e9:7.3f} - {s.end_ns / 1e9:7.3f} s: {verdict} {' '.join(s.flags)}")
        cost_table(film, find_hands)


if __name__ == "__main__":
    main()

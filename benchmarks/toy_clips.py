"""Toy clips, measured: cost, plausibility of the motion, and whether the real hand nets find the hands.

Run: python benchmarks/toy_clips.py [--activities pick_place,pour] [--seeds 2] [--views exo] [--fps 30] [--keep FOLDER]

For each clip: CPU seconds to make it, top wrist speed, deepest skin inside an object while it is held and at any other
time, and, of the frames in which at least 90 % of a hand's camera-facing skin is in view, the share in which the
MediaPipe backend puts that hand (right side label) within a quarter of its box size of the truth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.toy.activities.catalogue import ACTIVITIES, write_script
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig
from reenact.toy.rehearse import penetrations
from reenact.toy.script import perform
from reenact.video.reader import VideoReader

CLEAR = 0.9
NEAR = 0.25


def detection(clip: ToyClip, backend: MediaPipeHands) -> tuple[np.ndarray, np.ndarray, float]:
    """Frames clearly in view and frames found [t 2], and the median landmark error in hand boxes."""
    scene = clip.scene
    found = backend.detect(VideoReader(clip.video_path, threads=1).frames())
    T = scene.camera.T_world_camera[:, None]
    local = (scene.hands.joints_world - T[..., None, :3, 3]) @ T[..., :3, :3]
    truth_px = scene.camera.camera().project(local)
    box_px = np.linalg.norm(np.ptp(truth_px, axis=2), axis=-1)
    error = np.linalg.norm(found.landmarks_px - truth_px, axis=-1).mean(axis=-1) / box_px
    good = found.valid & (error < NEAR)
    return clip.hand_poses.visible >= CLEAR, good, float(np.median(error[good])) if good.any() else np.nan


def plausibility(config: ToyConfig) -> dict[str, float]:
    """Natural length, top wrist speed, and skin depth (all vertices, 30 instants a second) held and otherwise."""
    script = write_script(config)
    seconds = config.duration_s or script.duration
    t = np.arange(0.0, seconds, 1 / 30.0) * script.duration / seconds
    performance = perform(script, t)
    speed = np.linalg.norm(np.diff(performance.T_world_wrist[..., :3, 3], axis=0), axis=-1) * 30.0
    held, free, table = 0.0, 0.0, 0.0
    for side in np.flatnonzero(performance.present):
        for thing, depth in penetrations(
            script, performance, int(side), config.hand_length, cell=0.0
        ).items():
            if thing == "the table":
                table = max(table, float(depth.max()))
                continue
            during = np.zeros(len(t), bool)
            for hold in script.holds:
                if hold.side == side and hold.object_idx == int(thing.split()[-1]):
                    during |= (t >= hold.begin) & (t < hold.end)
            held = max(held, float(depth[during].max(initial=0)))
            free = max(free, float(depth[~during].max(initial=0)))
    return {
        "seconds": seconds, "speed": float(speed.max()), "held_mm": 1e3 * held, "free_mm": 1e3 * free,
        "table_mm": 1e3 * table,
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--activities", default=",".join(ACTIVITIES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--views", default="exo")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the clips")
    options = parser.parse_args()
    keep = options.keep or Path(tempfile.mkdtemp(prefix="toy_clips_"))
    configs = [("demo", ToyConfig.demo())]
    for view in options.views.split(","):
        for activity in options.activities.split(","):
            configs += [
                (
                    f"{activity}-{seed}-{view}",
                    ToyConfig(activity=activity, seed=seed, view=view, fps_hz=options.fps),
                )
                for seed in range(options.seeds)
            ]
    backend = MediaPipeHands()
    print(
        "clip                     s  make cpu s  top m/s  held mm  free mm  table mm | clear L R  found L %  R %  error"
    )
    total = np.zeros((2, 2))
    for name, config in configs:
        begin = time.process_time()
        clip = make_clip(config, keep / name)
        cpu = time.process_time() - begin
        p = plausibility(config)
        clear, good, error = detection(clip, backend)
        total += [clear.sum(axis=0), (clear & good).sum(axis=0)]
        share = 100 * (clear & good).sum(axis=0) / np.maximum(clear.sum(axis=0), 1)
        print(
            f"{name:22s} {p['seconds']:4.1f} {cpu:10.1f} {p['speed']:8.2f} {p['held_mm']:8.2f} {p['free_mm']:8.2f}"
            f" {p['table_mm']:8.2f}  | {clear[:, 0].sum():4d} {clear[:, 1].sum():4d} {share[0]:8.1f} {share[1]:6.1f}"
            f" {error:6.3f}",
            flush=True,
        )
    print(
        f"all clear hand-frames: {int(total[0].sum())}, found {100 * total[1].sum() / total[0].sum():.1f} %"
    )


if __name__ == "__main__":
    main()

"""The learned root against the search, robot x condition x root method.

    OMP_NUM_THREADS=1 python benchmarks/retarget/root_learned.py [--robots a,b] [--clips 10] [--out FILE.jsonl]
    python benchmarks/retarget/root_learned.py --table FILE.jsonl ...
    python benchmarks/retarget/root_learned.py --cards
    python benchmarks/retarget/root_learned.py --picture docs/pictures/root_estimator.png

"clean" and "tracked" are simulated clips of 4 s at 30 fps, drawn as in training but from posture pools and seeds no
training used. "clean": exact wrists, gravity known. "tracked": a camera's view with white noise up to 4 mm and 20 mrad
per frame, a constant depth error per hand (3 cm), a quarter of one hand's frames lost, gravity unknown (a level camera
pitched down by 0.4 rad is assumed; these look down by 0 to 45 degrees and roll by up to 10). "people": motions that no
robot and nothing of the training made: the toy scripts, minimum-jerk reaches and motion capture of `clips.py`.
Every method gets the same clip; `retarget` then solves and scores the final trajectory on every frame. Errors are
against the root the motion was made at, which is not the only good one; `centre` is how far the hands are from where
they were in the base. Medians over clips for errors, means for the rest; seconds are
processor time of the root stage on one core.
"5 nearest" is the error of the best of the five medoids, whichever was chosen.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from clips import all_clips, tracks

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import inverse
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.retarget.robot_arms import robot_arms
from reenact.retarget.root.choose import RootMethodName
from reenact.retarget.root.learned.augment import draw_cameras, noisy
from reenact.retarget.root.learned.config import AugmentConfig, MotionConfig, WindowConfig
from reenact.retarget.root.learned.flow import nearest_sample_errors
from reenact.retarget.root.learned.motions import MotionSource
from reenact.retarget.root.learned.weights import WEIGHTS
from reenact.robots.registry import load_robot
from reenact.scene import HandTracks

METHODS: tuple[RootMethodName, ...] = ("search", "learned", "learned_search")
HELD_OUT_SEED = 424_242
FPS_HZ = 30.0
DEG = 180.0 / np.pi
SECONDS = 4.0
PEOPLE = (
    "toy pour",
    "toy two_hand_lift",
    "toy handover",
    "reaches 0",
    "reaches 1",
    "taco_010",
    "dexycb_crackerbox",
)


def held_out(robot_name: str, clips: int) -> tuple[np.ndarray, np.random.Generator]:
    """Wrist poses in the base [clips t 2 4 4]."""
    window = WindowConfig(tokens=round(2.0 * FPS_HZ))
    source = MotionSource(
        robot_arms(load_robot(robot_name)), MotionConfig(), window, HELD_OUT_SEED, seconds=SECONDS
    )
    rng = np.random.default_rng(HELD_OUT_SEED + 1)
    return source.draw(clips, rng).T_base_wrist, rng


def as_seen(
    T_base_wrist: np.ndarray, condition: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Wrists in the scene's frame, valid, true roots and the scene's frame name."""
    b, t = T_base_wrist.shape[:2]
    valid = np.ones((b, t, 2), bool)
    if condition == "clean":
        root = np.broadcast_to(np.eye(4), (b, 4, 4)).copy()
        root[:, :3, :3] = so3_exp(rng.uniform(-np.pi, np.pi, (b, 1)) * np.array([0.0, 0.0, 1.0]))
        root[:, :3, 3] = rng.uniform(-2, 2, (b, 3))
        return root[:, None, None] @ T_base_wrist, valid, root, "world"
    config = AugmentConfig(elevation=(0.0, 0.785), noise_position=0.004, noise_rotation=0.02)
    level = inverse(draw_cameras(T_base_wrist[..., :3, 3].mean(axis=(1, 2)), config, rng))
    level = _unrolled(level, rng)
    seen = level[:, None, None] @ T_base_wrist
    seen = noisy(seen, config, rng)
    for clip in range(b):
        first = int(rng.integers(t - t // 4))
        valid[clip, first : first + t // 4, int(rng.integers(2))] = False
    return seen, valid, level, "camera0"


def _unrolled(T_camera_base: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cameras turned about their view until level, give or take ten degrees."""
    up = T_camera_base[:, :3, 2]
    angle = np.arctan2(up[:, 0], -up[:, 1])
    turn = np.zeros((len(up), 3))
    turn[:, 2] = -angle + rng.uniform(-0.175, 0.175, len(up))
    out = T_camera_base.copy()
    out[:, :3, :] = so3_exp(turn) @ T_camera_base[:, :3, :]
    return out


def hands_of(T_world_wrist: np.ndarray, valid: np.ndarray, frame: str) -> HandTracks:
    """Tracks of half-closed hands whose wrist frames are given."""
    joints = np.zeros((len(T_world_wrist), 2, 21, 3))
    for s in (0, 1):
        local = HandSkeleton.adult(s).joints_wrist(np.full(20, 0.3))
        R, p = T_world_wrist[:, s, :3, :3], T_world_wrist[:, s, None, :3, 3]
        joints[:, s] = local @ np.swapaxes(R, 1, 2) + p
    return tracks(joints, valid, frame)


@dataclass(frozen=True)
class RootClip:
    """Hands, and where the robot stood that made the motion (None: nobody knows)."""

    name: str
    hands: HandTracks
    t_ns: np.ndarray
    root: np.ndarray | None
    centre: np.ndarray


def simulated(robot_name: str, count: int, condition: str) -> Iterator[RootClip]:
    """Held-out clips of a robot's own motions."""
    motion, rng = held_out(robot_name, count)
    seen, valid, roots, frame = as_seen(motion, condition, rng)
    t_ns = np.rint(np.arange(seen.shape[1]) * 1e9 / FPS_HZ).astype(np.int64)
    for k in range(count):
        centre = seen[k, ..., :3, 3].mean(axis=(0, 1))
        yield RootClip(str(k), hands_of(seen[k], valid[k], frame), t_ns, roots[k], centre)


def people(shared: Path | None) -> Iterator[RootClip]:
    """Toy scripts, reaches, motion capture."""
    for clip in all_clips(shared):
        if clip.name not in PEOPLE:
            continue
        yield RootClip(clip.name, clip.hands, clip.t_ns, None, np.zeros(3))


def rows(
    robot_name: str, clips: Iterator[RootClip], condition: str, methods: Sequence[RootMethodName]
) -> Iterator[dict[str, Any]]:
    """One result per clip and method."""
    robot = load_robot(robot_name)
    for clip in clips:
        for method in methods:
            started = time.process_time()
            result = retarget(clip.hands, clip.t_ns, robot, replace(RetargetConfig(), root=method))
            seconds = time.process_time() - started
            score = result.root.score
            row = {"robot": robot_name, "condition": condition, "clip": clip.name, "method": method}
            row |= {
                "rate": score.ik_rate,
                "position": score.position_error,
                "collision": score.collision_rate,
            }
            row |= {
                "total": score.total,
                "seconds": seconds * result.seconds["root"] / sum(result.seconds.values()),
            }
            if clip.root is not None:
                truth, centre = clip.root[None], clip.centre[None]
                chosen = nearest_sample_errors(result.root.T_world_base[None, None], truth, centre)
                row |= {k: float(chosen[f"{k}_best"][0]) for k in ("rotation", "translation", "centre")}
                if method == "learned":
                    five = np.stack([T for T, _ in result.root.candidates])[None]
                    near = nearest_sample_errors(five, truth, centre)
                    row |= {f"five_{k}": float(near[f"{k}_best"][0]) for k in ("rotation", "translation")}
            yield row


def table(found: list[dict[str, Any]]) -> str:
    """Markdown: robot x condition x method."""
    lines = [
        "| robot | condition | root method | clips | rot. err. (deg) | transl. err. (cm) | centre err. (cm) "
        "| 5 nearest (deg / cm) | IK rate | worst clip | pos. err. (mm) | collision frames | score | root cpu s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    keys = dict.fromkeys((r["robot"], r["condition"], r["method"]) for r in found)
    for robot, condition, method in keys:
        some = [r for r in found if (r["robot"], r["condition"], r["method"]) == (robot, condition, method)]

        def of(key: str, some: list[dict[str, Any]] = some) -> np.ndarray:
            return np.array([r[key] for r in some])

        def middle(key: str, factor: float, some: list[dict[str, Any]] = some) -> str:
            return f"{factor * np.median([r[key] for r in some]):.1f}" if key in some[0] else "–"

        five = (
            f"{middle('five_rotation', DEG)} / {middle('five_translation', 100.0)}"
            if method == "learned"
            else ""
        )
        lines.append(
            f"| {robot} | {condition} | {method} | {len(some)} | {middle('rotation', DEG)} "
            f"| {middle('translation', 100.0)} | {middle('centre', 100.0)} | {five} "
            f"| {of('rate').mean():.3f} | {of('rate').min():.3f} | {1000 * of('position').mean():.2f} "
            f"| {of('collision').mean():.3f} | {of('total').mean():.3f} | {of('seconds').mean():.2f} |"
        )
    return "\n".join(lines)


def cards() -> str:
    """Markdown: what made the shipped weights, and how well they sample held-out windows."""
    lines = [
        "| robot | seed | steps | clips seen | minutes, one core | held-out loss first / last | one sample (deg / cm) "
        "| nearest of 5 (deg / cm) | MB | sha256 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for file in sorted(WEIGHTS.glob("*.json")):
        card = json.loads(file.read_text(encoding="utf-8"))
        first, last = card["curve"][0], card["curve"][-1]
        errors = [
            f"{DEG * last[f'rotation_{which}_median']:.1f} / {100 * last[f'translation_{which}_median']:.1f}"
            for which in ("mean", "best")
        ]
        lines.append(
            f"| {card['robot']} | {card['seed']} | {card['steps']} | {card['clips_seen']} | {card['seconds'] / 60:.1f} "
            f"| {first['held_out_loss']:.2f} / {last['held_out_loss']:.2f} | {errors[0]} | {errors[1]} "
            f"| {card['bytes'] / 1e6:.2f} | {card['sha256'][:12]} |"
        )
    return "\n".join(lines)


def picture(path: Path) -> None:
    """Training curves of all shipped weights."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), dpi=90)
    for file in sorted(WEIGHTS.glob("*.json")):
        card = json.loads(file.read_text(encoding="utf-8"))
        steps = [p["step"] for p in card["curve"]]
        for axis, key, factor in zip(
            axes,
            ("held_out_loss", "rotation_best_median", "translation_best_median"),
            (1.0, 180.0 / np.pi, 100.0),
            strict=True,
        ):
            axis.plot(steps, [factor * p[key] for p in card["curve"]], label=card["robot"])
    titles = ("held-out flow loss", "nearest of 5: rotation (deg)", "nearest of 5: translation (cm)")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step (128 fresh clips each)")
        axis.grid(alpha=0.3)
        axis.set_ylim(bottom=0)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shipped = ",".join(sorted(p.stem for p in WEIGHTS.glob("*.safetensors")))
    parser.add_argument("--robots", default=shipped)
    parser.add_argument("--clips", type=int, default=10)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--conditions", default="clean,tracked,people")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path, nargs="*", help="print the table of results written before")
    parser.add_argument("--picture", type=Path, help="draw the training curves and stop")
    parser.add_argument(
        "--cards", action="store_true", help="print the table of the shipped weights and stop"
    )
    args = parser.parse_args()
    if args.cards:
        print(cards())
        return
    if args.picture:
        picture(args.picture)
        return
    if args.table:
        print(table([json.loads(x) for file in args.table for x in file.read_text().splitlines()]))
        return
    import torch

    torch.set_num_threads(1)
    found = []
    for robot in args.robots.split(","):
        for condition in args.conditions.split(","):
            clips = people(args.shared) if condition == "people" else simulated(robot, args.clips, condition)
            for row in rows(robot, clips, condition, args.methods.split(",")):
                found.append(row)
                print(json.dumps(row), file=sys.stderr, flush=True)
                if args.out:
                    with args.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(row) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()

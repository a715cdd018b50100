"""Clip x robot x root method: the whole retargeting on the final trajectory, as the tables of docs/retargeting.md.

    python benchmarks/spine_clips.py SHARED/data RUN --no-video          # the six real clips' scenes, once
    OMP_NUM_THREADS=1 python benchmarks/retarget_table.py --real RUN --shared SHARED --out FILE.jsonl \\
        [--robots a,b] [--roots search,learned,learned_search] [--only CLIP]
    python benchmarks/retarget_table.py --table FILE.jsonl               # print the tables

Rows that FILE.jsonl holds already are not measured again. Toy clips are their truth (not rendered), with objects and
contacts. Seconds are CPU seconds of one thread. Rates are EgoInfinity's (1 cm, 0.05 rad), of frames with a target; "as
stated" leaves out the heading of arms with five joints; "whole clip" also needs every followed hand known and reached
in a frame.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from reenact.errors import ReenactError
from reenact.quality.retarget import measure_retarget
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.robots.registry import known_robots, load_robot
from reenact.stages.notes import to_plain
from reenact.stages.scene_source import SourceScene, find_scenes
from reenact.toy.config import ToyConfig
from reenact.toy.unfilmed import unfilmed_scene

MAIN = ("unitree_g1_dex3", "dual_fr3_gripper", "robonaut2", "xlerobot")
TOYS = ("pick_place", "pour", "push", "two_hand_lift", "handover")
MOCAP = ("mocap/taco_010/20231104_010.npz", "mocap/dexycb_crackerbox/dexycb_motion.npz")
REAL = ("sam2_cups", "sam2_blocks", "dexycb_pitcher", "dexretargeting_hand", "hot3d_site_dev", "hawor_plate")
WANTED = 0.97


def toy(activity: str, seed: int = 3) -> SourceScene:
    """The truth of a toy clip, not rendered."""
    scene = unfilmed_scene(ToyConfig(activity=activity, seed=seed))
    assert scene.hands is not None
    return SourceScene(f"toy_{activity}", scene.clip.t_ns, scene.hands, scene.objects, scene.contacts)


def clips(shared: Path | None, real: Path | None, only: str) -> Iterator[SourceScene]:
    for activity in TOYS:
        if only in f"toy_{activity}":
            yield toy(activity)
    for name in MOCAP if shared is not None else ():
        if only in name:
            yield from find_scenes(str(shared / "data" / name))
    for name in REAL if real is not None else ():
        if only in name:
            yield from find_scenes(str(real / name))


def measure(scene: SourceScene, name: str, root: str) -> dict[str, Any]:
    """One row."""
    key = {"clip": scene.name, "robot": name, "root": root}
    robot, started = load_robot(name), time.process_time()
    try:
        config = RetargetConfig(root=root)  # type: ignore[arg-type]
        result = retarget(
            scene.hands, scene.t_ns, robot, config, objects=scene.objects, contacts=scene.contacts
        )
    except ReenactError as error:
        return key | {"error": f"{type(error).__name__}: {error.message}"}
    busy = time.process_time() - started
    quality = asdict(measure_retarget(result.trajectory, robot))
    return to_plain(
        key
        | {k: v for k, v in quality.items() if k not in ("left", "right", "robot")}
        | {
            "misses": result.report.misses,
            "sides": result.report.sides,
            "seconds": {k: v * busy / sum(result.seconds.values()) for k, v in result.seconds.items()},
            "length_s": float((scene.t_ns[-1] - scene.t_ns[0]) * 1e-9),
        }
    )


def causes(row: dict[str, Any]) -> str:
    """What binds in the missed frames, as shares of all targets; nothing where the rate is as wanted."""
    if row["stated_rate"] is None or row["stated_rate"] >= WANTED:
        return ""
    counts: dict[str, int] = {}
    for side in row["misses"].values():
        for cause, count in side.items():
            counts[cause] = counts.get(cause, 0) + count
    total = sum(counts.values()) / max(1.0 - row["stated_rate"], 1e-9)
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{cause} {count / total:.0%}" for cause, count in ranked)


def show(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def line(row: dict[str, Any]) -> str:
    start = f"| {row['clip']} | {row['robot']} | {row['root']} "
    if "error" in row:
        return start + f"| {row['error']} |" + " |" * 11
    seconds = row["seconds"]
    return start + (
        f"| {show(row['stated_rate'], '.3f')} | {show(row['ik_rate'], '.3f')} | {show(row['stated_full_clip_rate'], '.3f')} "
        f"| {show(row['position_error_cm'], '.2f')} | {show(row['orientation_error_deg'], '.1f')} "
        f"| {row['collision_frames']} | {row['peak_velocity_ratio']:.2f} | {show(row['peak_acceleration_ratio'], '.1f')} "
        f"| {show(row['time_shift_ms'], '.1f')} | {seconds['root']:.1f} | {sum(seconds.values()):.1f} | {causes(row)} |"
    )


HEADER = (
    "| clip | robot | root | rate as stated | rate, full pose | whole clip | position cm | orientation deg "
    "| collision frames | peak speed / limit | peak acceleration / limit | shift ms | root CPU s | total CPU s "
    "| what binds |\n" + "|---" * 15 + "|"
)


def means(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Per robot and root method: means over its clips, weighted as clips."""
    yield (
        "| robot | root | clips | rate as stated | rate, full pose | whole clip | position cm | orientation deg "
        "| collision frames | root CPU s |\n" + "|---" * 10 + "|"
    )
    keys = dict.fromkeys((r["robot"], r["root"]) for r in rows if "error" not in r)
    fields = ("stated_rate", "ik_rate", "stated_full_clip_rate", "position_error_cm", "orientation_error_deg")
    for robot, root in keys:
        own = [r for r in rows if (r["robot"], r["root"]) == (robot, root) and "error" not in r]
        own = [r for r in own if r["stated_rate"] is not None]
        mean = [float(np.mean([r[f] for r in own])) for f in fields]
        collisions = sum(r["collision_frames"] for r in own)
        seconds = float(np.median([r["seconds"]["root"] for r in own]))
        numbers = " | ".join(f"{m:.3f}" if i < 3 else f"{m:.2f}" for i, m in enumerate(mean))
        yield f"| {robot} | {root} | {len(own)} | {numbers} | {collisions} | {seconds:.1f} |"


def tables(rows: list[dict[str, Any]]) -> None:
    real = [r for r in rows if r["clip"] in REAL]
    exact = [r for r in rows if r["clip"] not in REAL]
    print("\nMeans, exact hands\n", *means(exact), sep="\n")
    print("\nMeans, real clips\n", *means(real), sep="\n")
    print("\n" + HEADER, *(line(r) for r in rows), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--real", type=Path, help="the run folder of spine_clips.py")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--robots", default="")
    parser.add_argument("--roots", default="search")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    if args.table is not None:
        rows = [json.loads(text) for text in args.table.read_text().splitlines()]
        order = [*(f"toy_{a}" for a in TOYS), *(Path(m).stem for m in MOCAP), *REAL]
        robots = [*MAIN, *(r for r in known_robots() if r not in MAIN)]
        rows.sort(
            key=lambda r: (order.index(r["clip"]), robots.index(r["robot"]), r["root"] != "search", r["root"])
        )
        tables(rows)
        return
    names = args.robots.split(",") if args.robots else [*MAIN, *(r for r in known_robots() if r not in MAIN)]
    known = set()
    if args.out.is_file():
        known = {
            (r["clip"], r["robot"], r["root"]) for r in map(json.loads, args.out.read_text().splitlines())
        }
    print(HEADER)
    scenes = list(clips(args.shared, args.real, args.only))
    for name in names:
        for root in args.roots.split(","):
            for scene in scenes:
                if (scene.name, name, root) in known:
                    continue
                row = measure(scene, name, root)
                print(line(row), flush=True)
                with args.out.open("a") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()

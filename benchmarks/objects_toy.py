"""Objects and interaction on the toy suite: raw perception, four baselines and ours, at three noise levels.

24 seeded clips (eight activities x three seeds; static, orbiting and handheld cameras), noise as in `objects/noise.py`.

    OMP_NUM_THREADS=1 python benchmarks/objects_toy.py [--levels low middle high] [--seeds 3] [--markdown PATH]
        [--rates] [--sizes] [--speed]

`--rates`: the same clips at 15, 30 and 60 frames per second; share of matching instants at which states agree.
`--sizes`: the same clips at 15 and 30 frames per second and 360 and 720 rows, with what is set in pixels (errors, followed
points: `objects/pictures.py`) drawn anew for each of the four filmings; share of matching instants at which states agree.
`--speed`: time of refinement of a clip of 300 frames with two objects.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from objects.baselines import BASELINES, Answer
from objects.clips import suite, truths
from objects.measure import Sums, score
from objects.noise import LEVELS, NoiseLevel, disturbed
from objects.pictures import filmed

from reenact.refine.contacts.distances import build_grids
from reenact.refine.interaction.results import InteractionResult, refine_interaction
from reenact.scene import Scene
from reenact.toy.config import ToyConfig

RATES = (15.0, 30.0, 60.0)


def ours(raw: Scene) -> InteractionResult:
    """Our refinement of a raw scene."""
    return refine_interaction(
        raw.objects_raw, raw.hands, raw.camera, raw.support, raw.clip.t_ns, points=raw.points
    )


def answer(result: InteractionResult, o: int) -> Answer:
    """What it says of one object."""
    objects = result.objects
    return Answer(
        objects.T_world_object[:, o],
        objects.valid[:, o],
        result.states.state[:, o],
        result.contacts.touching[..., o],
    )


def true_answer(truth: Scene, o: int) -> Answer:
    """Truth itself: the floor of every measure (penetration of the sphere model, for one)."""
    objects = truth.objects
    return Answer(
        objects.T_world_object[:, o],
        objects.valid[:, o],
        truth.states.state[:, o],
        truth.contacts.touching[..., o],
    )


def run_level(level: NoiseLevel, configs: list[ToyConfig], cache: Path) -> tuple[dict[str, Sums], float]:
    """Sums of every method, and seconds of refinement per second of video."""
    sums = {name: Sums() for name in ("truth", *BASELINES, "ours")}
    spent = shown = 0.0
    for config in configs:
        truth = truths(config, (30.0,), cache)[30.0]
        raw = disturbed(truth, level, config.seed)
        start = time.perf_counter()
        result = ours(raw)
        spent += time.perf_counter() - start
        shown += len(raw.clip.t_ns) / 30.0
        count = len(raw.objects_raw.object_ids)
        grids = build_grids([raw.objects_raw.mesh(o) for o in range(count)])
        for o in range(count):
            score(sums["truth"], truth, o, true_answer(truth, o), truth.hands, grids[o], pictures=True)
            for name, method in BASELINES.items():
                score(sums[name], truth, o, method(raw, o), raw.hands, grids[o])
            score(sums["ours"], truth, o, answer(result, o), result.hands, grids[o])
        print(
            f"  {level.name} {config.activity} {config.seed}: {time.perf_counter() - start:.1f} s", flush=True
        )
    return sums, spent / shown


def table(sums: dict[str, Sums]) -> list[str]:
    """Markdown rows."""
    rows = {name: s.row() for name, s in sums.items()}
    keys = list(next(iter(rows.values())))
    lines = ["| method | " + " | ".join(keys) + " |", "|" + "---|" * (len(keys) + 1)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(_number(key, row[key]) for key in keys) + " |")
    return lines


def _number(key: str, value: float) -> str:
    digits = 1 if key.endswith(("mm", "deg")) else 3
    return f"{value:.{digits}f}"


def run_rates(level: NoiseLevel, configs: list[ToyConfig], cache: Path) -> list[str]:
    """States of the same instants at three frame rates."""
    same, total = dict.fromkeys(("15/30", "30/60", "15/60"), 0), 0
    for config in configs:
        scenes = truths(config, RATES, cache)
        states = {
            rate: ours(disturbed(scene, level, config.seed)).states.state for rate, scene in scenes.items()
        }
        n = min(len(states[15.0]), (len(states[30.0]) + 1) // 2, (len(states[60.0]) + 3) // 4)
        a, b, c = states[15.0][:n], states[30.0][::2][:n], states[60.0][::4][:n]
        for key, (x, y) in {"15/30": (a, b), "30/60": (b, c), "15/60": (a, c)}.items():
            same[key] += int((x == y).sum())
        total += a.size
        print(
            f"  rates {config.activity} {config.seed}: {(a == b).mean():.3f} {(b == c).mean():.3f}",
            flush=True,
        )
    return [f"| {level.name} | " + " | ".join(f"{same[k] / total:.3f}" for k in same) + f" | {total} |"]


def run_sizes(level: NoiseLevel, configs: list[ToyConfig], cache: Path) -> list[str]:
    """States of the same instants in four filmings: two frame rates, two picture sizes."""
    filmings = [(rate, rows) for rate in (15.0, 30.0) for rows in (360, 720)]
    same, total = dict.fromkeys(combinations(filmings, 2), 0), 0
    right = dict.fromkeys(filmings, 0)
    for config in configs:
        scenes, said = truths(config, RATES, cache), {}
        n = min(len(scenes[15.0].clip.t_ns), (len(scenes[30.0].clip.t_ns) + 1) // 2)
        for rate, rows in filmings:
            raw = disturbed(scenes[rate], level, config.seed)
            states = ours(filmed(scenes[rate], raw, rows, config.seed)).states.state
            said[rate, rows] = states[:: round(rate / 15)][:n]
            right[rate, rows] += int((said[rate, rows] == scenes[15.0].states.state[:n]).sum())
        for a, b in same:
            same[a, b] += int((said[a] == said[b]).sum())
        total += said[filmings[0]].size
        print(f"  sizes {config.activity} {config.seed}", flush=True)
    lines = ["", "| filmings | instants | same state |", "|---|---|---|"]
    name = "{0[0]:g} frames/s, {0[1]} rows".format
    lines += [f"| {name(a)}; {name(b)} | {total} | {k / total:.3f} |" for (a, b), k in same.items()]
    return [*lines, "", *(f"right at {name(f)}: {k / total:.3f}" for f, k in right.items())]


def speed(cache: Path) -> str:
    """A clip of ten seconds with two objects."""
    config = ToyConfig(activity="pour", seed=0, duration_s=10.0, clutter=0)
    raw = disturbed(truths(config, (30.0,), cache)[30.0], LEVELS[1], 0)
    start = time.perf_counter()
    ours(raw)
    spent = time.perf_counter() - start
    seconds = len(raw.clip.t_ns) / 30.0
    size = f"{len(raw.clip.t_ns)} frames, {len(raw.objects_raw.object_ids)} objects"
    return f"{size}: {spent:.2f} s for {seconds:.1f} s of video"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", nargs="*", default=[level.name for level in LEVELS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rates", action="store_true")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/reenact_objects_toy"))
    parser.add_argument("--markdown", type=Path, default=None)
    args = parser.parse_args()
    configs = suite(args.first_seed, args.seeds)
    lines: list[str] = []
    for level in LEVELS:
        if level.name not in args.levels:
            continue
        if args.rates:
            lines += run_rates(level, configs, args.cache)
            continue
        if args.sizes:
            lines += run_sizes(level, configs, args.cache)
            continue
        sums, ratio = run_level(level, configs, args.cache)
        states = ", ".join(f"{k} {v:.2f}" for k, v in sums["ours"].per_state().items())
        title = (
            f"### {level.name}: {100 * level.place:g} cm / {level.turn_deg:g} deg, {level.dropout:.0%} dropout, "
            f"depth drift {level.drift:.1%}"
        )
        lines += [
            title,
            "",
            *table(sums),
            "",
            f"Our F1 per state: {states}. Refinement: {ratio:.2f} x real time.",
            "",
        ]
    if args.speed:
        lines.append(speed(args.cache))
    print("\n".join(lines))
    if args.markdown:
        args.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()

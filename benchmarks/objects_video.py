"""Objects end to end on video: rendered toy clips through the product itself (`reenact run --objects auto`, CPU default).

    python benchmarks/objects_video.py [--activities A ..] [--variants 30-360p 15-360p ..] [--ways told default]
                                       [--motion static] [--seed 21] [--cache DIR] [--sheets DIR] [--shared ../shared]

Each scene is filmed at several frame rates and picture sizes and run in two ways:
  told     what a careful user gives: the lens, a box in one frame around each thing that matters, its mesh
  default  nothing at all
Measures, per thing that a hand moves (truth: the toy scene): outline J over the frames in which the outline says it is
valid; share of frames with a pose; distance of middles before the camera, refined and raw (median, cm); turn (median,
deg; turns that cannot be seen left out; fitted shapes: since their first pose); size (largest relative error of the
sorted extents of a fitted shape); states: share of frames with the true one, share unknown, macro F1 over the states that
occur (unknown is a miss). A thing not found is unknown in all its frames.
Agreement: two filmings of one scene, at instants that both have: share with the same state; and among those known in both.
With --real, the same of real clips, decimated and scaled; there is no truth, agreement needs none.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np
from objects.video_clips import Variant, film, moved, told, watched
from objects.video_real import REAL, real_agreement
from objects.video_runs import SHARED_STAGES, FilmRun, run_film
from objects.video_score import FOUND, PARTLY, ThingScore, agree, score_run, sheet

from reenact.quality.objects.labels import agreement, f1_per_state, state_f1
from reenact.toy.activities.catalogue import ACTIVITIES

Scores = dict[tuple[str, str, str], list[ThingScore]]
"""By activity, way and variant."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--activities", nargs="*", default=list(ACTIVITIES))
    parser.add_argument("--variants", nargs="*", default=["30-360p", "15-360p"])
    parser.add_argument("--ways", nargs="*", default=["told", "default"])
    parser.add_argument("--motion", default="static")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument(
        "--set", nargs="*", default=[], help="settings of all runs, as camera.path.method=none"
    )
    parser.add_argument("--cache", type=Path, default=Path("/tmp/reenact_objects_video"))
    parser.add_argument("--sheets", type=Path, default=None)
    parser.add_argument("--real", nargs="*", default=None, help=f"of {', '.join(REAL)}")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    options = parser.parse_args()
    if options.real is not None:
        for name in options.real or REAL:
            print(*real_agreement(name, options.shared / "data", options.cache), sep="\n", flush=True)
        return
    scores, seconds = run_all(options)
    for way in options.ways:
        print(*table(scores, way, options.variants), *rates(scores, way, options.variants), "", sep="\n")
    print(*times(seconds), sep="\n")


def run_all(options: argparse.Namespace) -> tuple[Scores, dict[str, list[float]]]:
    """Film, run and score, clip by clip; a line is printed for each thing."""
    scores: Scores = {}
    seconds: dict[str, list[float]] = defaultdict(list)
    heads = [
        "clip",
        "way",
        "thing",
        "J",
        "lost",
        "shape",
        "posed",
        "place cm (raw)",
        "turn deg",
        "size",
        "states right",
    ]
    print("| " + " | ".join([*heads, "unknown", "F1"]) + " |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for text in options.variants:
        rate, size = text.split("-")
        for activity in options.activities:
            clip = film(options.cache, activity, options.seed, options.motion, Variant(float(rate), size))
            shared: dict[str, float] = {}
            for way in options.ways:
                words = told(clip, options.cache / "told" / clip.folder.name) if way == "told" else []
                words += ["--set", "clip.max_fps_hz=61"] if float(rate) > 31 else []
                for setting in options.set:
                    words += ["--set", setting]
                made = "-".join([way, *options.set])
                run = run_film(options.cache, clip.video_path, clip.folder.name, made, words)
                of_stage = run.summary["stage_seconds"]
                shared.update({k: v for k, v in of_stage.items() if k in SHARED_STAGES and v > 0.02})
                length = len(clip.scene.clip.t_ns) / float(rate)
                for stage, spent in {**of_stage, **shared}.items():
                    seconds[f"{way} {stage}"].append(spent / length)
                things = score_run(clip, run, watched(clip), moved(clip))
                scores[activity, way, text] = things
                for thing in things:
                    print(line(activity, text, way, thing, run), flush=True)
                if options.sheets is not None and not run.failure:
                    options.sheets.mkdir(parents=True, exist_ok=True)
                    sheet(options.sheets / f"{clip.folder.name}-{way}.png", clip, run, 9)
    return scores, seconds


def line(activity: str, variant: str, way: str, thing: ThingScore, run: FilmRun) -> str:
    """One thing of one run."""
    cells = [f"{activity} {variant}", way, thing.name if thing.is_moved else f"({thing.name})"]
    cells += [f"{thing.overlap:.2f}", f"{thing.lost:.0%}", thing.kind, f"{thing.posed:.0%}"]
    cells += [f"{_median(thing.place, 100)} ({_median(thing.place_raw, 100)})", _median(thing.turn, 57.2958)]
    cells += [f"{thing.size:.0%}" if np.isfinite(thing.size) else "-"]
    cells += [
        f"{agreement(thing.counts):.2f}",
        f"{(thing.said == 0).mean():.2f}",
        f"{state_f1(thing.counts):.2f}",
    ]
    return "| " + " | ".join(cells) + f" |{' ' + run.failure if run.failure else ''}"


def _median(values: np.ndarray, unit: float) -> str:
    return f"{unit * np.median(values):.1f}" if len(values) else "-"


def table(scores: Scores, way: str, variants: list[str]) -> list[str]:
    """All things that hands move, by variant."""
    rows = [
        f"\n### {way}: all things that hands move\n",
        "| film | things | found / partly | J | with a pose | place cm, median (p90) | turn deg | size error "
        "| states right | unknown | macro F1 | F1 per state |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for variant in variants:
        things = [
            t for (_, w, v), some in scores.items() if w == way and v == variant for t in some if t.is_moved
        ]
        if not things:
            continue
        counts = np.sum([t.counts for t in things], axis=0)
        place = np.concatenate([t.place for t in things])
        turn = np.concatenate([t.turn for t in things])
        sizes = [t.size for t in things if np.isfinite(t.size)]
        said = np.concatenate([t.said for t in things])
        per = ", ".join(f"{s.name.lower()} {f:.2f}" for s, f in f1_per_state(counts).items())
        found = sum(t.overlap >= FOUND for t in things), sum(FOUND > t.overlap >= PARTLY for t in things)
        rows.append(
            f"| {variant} | {len(things)} | {found[0]} / {found[1]} | {np.mean([t.overlap for t in things]):.2f} "
            f"| {np.mean([t.posed for t in things]):.0%} "
            f"| {_median(place, 100)} ({100 * np.quantile(place, 0.9):.1f}) | {_median(turn, 57.2958)} "
            f"| {f'{np.median(sizes):.0%}' if sizes else '-'} | {agreement(counts):.3f} | {(said == 0).mean():.3f} "
            f"| {state_f1(counts):.3f} | {per} |"
        )
    return rows


def rates(scores: Scores, way: str, variants: list[str]) -> list[str]:
    """Agreement between filmings, over the things that hands move."""
    rows = [
        "",
        "| filmings | instants | same state | known in both | same among those |",
        "|---|---|---|---|---|",
    ]
    for a, b in combinations(variants, 2):
        sums = np.zeros(4, int)
        for (activity, w, v), things in scores.items():
            other = scores.get((activity, way, b))
            if w == way and v == a and other is not None:
                for x, y in zip(things, other, strict=True):
                    if x.is_moved:
                        sums += agree(x, y)
        if sums[0]:
            n, same, both, same_known = sums.tolist()
            rows.append(
                f"| {a} and {b} | {n} | {same / n:.3f} | {both / n:.3f} | {same_known / max(both, 1):.3f} |"
            )
    return rows


def times(seconds: dict[str, list[float]]) -> list[str]:
    """Time of each stage over the clip's duration."""
    ways = sorted({key.split()[0] for key in seconds})
    stages = list(dict.fromkeys(key.split()[1] for key in seconds))
    rows = [
        f"Time over the clip's duration (mean; {time.strftime('%H:%M')}):",
        "",
        "| stage | " + " | ".join(ways) + " |",
    ]
    rows.append("|---|" + "---|" * len(ways))
    for stage in stages:
        cells = [f"{np.mean(seconds.get(f'{way} {stage}', [0.0])):.2f}" for way in ways]
        rows.append(f"| {stage} | " + " | ".join(cells) + " |")
    return rows


if __name__ == "__main__":
    main()

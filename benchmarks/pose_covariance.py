"""Are refined poses as sure as they say? Errors of objects and hands on toy clips over the covariance of the solver.

Noise as in `objects/noise.py`, seeds from 100 on (the ones that the solver was tuned on; the toy suite's are 0 to 2).

    OMP_NUM_THREADS=1 python benchmarks/pose_covariance.py [--levels low middle high] [--first-seed 100] [--seeds 3]

`within`: share of frames whose place is off by less than two of its sigmas (square root of the trace of the covariance of
the place); `along` the same for the line of sight alone; `ratio` is the rms of error over sigma (1 is honest).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from objects.clips import suite, truths
from objects.noise import LEVELS, NoiseLevel, disturbed

from reenact.refine.interaction.bodies import HANDS
from reenact.refine.interaction.results import InteractionResult, refine_interaction
from reenact.scene import Scene


def errors(truth: Scene, result: InteractionResult) -> dict[str, list[np.ndarray]]:
    """Error vectors [t 3], covariances [t 3 3] and unit rays [t 3] of objects and hands, end to end."""
    assert truth.objects is not None
    assert truth.hands is not None
    out: dict[str, list[np.ndarray]] = {"objects": [], "hands": []}
    covariance, eye = result.covariance.covariance[..., :3, :3], truth.camera.T_world_camera[:, :3, 3]
    count = len(truth.objects.object_ids)
    for o in range(count):
        true = truth.objects.T_world_object[:, o, :3, 3]
        off = result.objects.T_world_object[:, o, :3, 3] - true
        out["objects"].append(pack(off, covariance[:, o], true - eye)[result.objects.valid[:, o]])
    for s in range(HANDS):
        both = result.hands.valid[:, s] & truth.hands.valid[:, s]
        true = truth.hands.joints_world[:, s].mean(axis=1)
        off = result.hands.joints_world[:, s].mean(axis=1) - true
        out["hands"].append(pack(off, covariance[:, count + s], true - eye)[both])
    return out


def pack(off: np.ndarray, covariance: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """Columns: error, sigma, error along the ray, sigma along it."""
    ray = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    sigma = np.sqrt(np.trace(covariance, axis1=1, axis2=2))
    along = np.sqrt(np.einsum("ti,tij,tj->t", ray, covariance, ray))
    return np.stack([np.linalg.norm(off, axis=1), sigma, np.abs((off * ray).sum(axis=1)), along], axis=1)


def run(level: NoiseLevel, first: int, seeds: int, cache: Path) -> dict[str, np.ndarray]:
    sums: dict[str, list[np.ndarray]] = {"objects": [], "hands": []}
    for config in suite(first, seeds):
        truth = truths(config, (30.0,), cache)[30.0]
        raw = disturbed(truth, level, config.seed)
        result = refine_interaction(raw.objects_raw, raw.hands, raw.camera, raw.support, raw.clip.t_ns)
        for kind, rows in errors(truth, result).items():
            sums[kind] += rows
    return {kind: np.concatenate(rows) for kind, rows in sums.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--levels", nargs="*", default=[level.name for level in LEVELS])
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("runs/pose_covariance"))
    args = parser.parse_args()
    print("| noise | what | error, mm | sigma, mm | within | along: error, mm | sigma, mm | within | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for level in (level for level in LEVELS if level.name in args.levels):
        for kind, v in run(level, args.first_seed, args.seeds, args.cache).items():
            off, sigma, along, sigma_along = v.T
            far = [1e3 * off.mean(), 1e3 * sigma.mean(), 1e3 * along.mean(), 1e3 * sigma_along.mean()]
            inside = [np.mean(off < 2 * sigma), np.mean(along < 2 * sigma_along)]
            ratio = np.sqrt(np.mean((along / sigma_along) ** 2))
            words = [
                f"{far[0]:.1f} | {far[1]:.1f} | {inside[0]:.1%}",
                f"{far[2]:.1f} | {far[3]:.1f} | {inside[1]:.1%}",
            ]
            print(f"| {level.name} | {kind} | {' | '.join(words)} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()

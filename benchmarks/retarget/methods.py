"""Retargeting, clip x robot x method: our whole-trajectory solve against mink frame by frame, on the same root.

    OMP_NUM_THREADS=1 python benchmarks/retarget/methods.py [--shared PATH] [--robots a,b]

Rates are EgoInfinity's (1 cm and 0.05 rad) on the final trajectory. For noisy clips the errors are against the
clean motion. `cpu s` is process time of the arm solve; `root s` that of the root search (once per clip and robot).
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from clips import BenchClip, all_clips

from reenact.quality.retarget import RetargetQuality, measure_retarget
from reenact.retarget.retarget import RetargetConfig, RetargetResult, retarget
from reenact.retarget.targets import make_targets
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot

HEADER = (
    f"{'clip':<27}{'robot':<17}{'method':<12}{'rate':>6}{'full':>6}{'pos cm':>8}{'ori deg':>8}{'margin':>7}"
    f"{'manip':>7}{'rough':>9}{'acc':>7}{'speed':>6}{'coll':>5}{'shift':>6}{'root s':>7}{'cpu s':>6}"
)


def measured(result: RetargetResult, clip: BenchClip, robot: Robot) -> RetargetQuality:
    """Quality against the clip's targets, or against the clean motion where the clip has noise added."""
    trajectory = result.trajectory
    if clip.clean is not None:
        clean = make_targets(clip.clean, clip.t_ns, trajectory.t_ns)
        T = np.where(trajectory.valid[..., None, None], clean.T_world_wrist, np.eye(4))
        trajectory = replace(trajectory, T_world_wrist_target=T)
    return measure_retarget(trajectory, robot)


def rms_acceleration(result: RetargetResult, robot: Robot) -> float:
    """Of the followed arms' joints, rad/s^2."""
    trajectory = result.trajectory
    columns = np.concatenate([robot.arms[s].joint_idx for s in result.report.sides])  # type: ignore[index]
    dt = float(np.median(np.diff(trajectory.t_ns))) * 1e-9
    return float(np.sqrt((np.diff(trajectory.q[:, columns], 2, axis=0) ** 2).mean()) / dt**2)


def row(
    clip: BenchClip, robot: Robot, method: str, T: np.ndarray | None
) -> tuple[str, np.ndarray, RetargetQuality]:
    """One line of the table, the root used and the numbers."""
    config = RetargetConfig(method="mink" if method == "mink" else "trajectory")
    started = time.process_time()
    result = retarget(clip.hands, clip.t_ns, robot, config, T_world_base=T)
    total = time.process_time() - started
    share = result.seconds["arms"] / sum(result.seconds.values())
    root = result.seconds["root"] / sum(result.seconds.values())
    q = measured(result, clip, robot)
    text = (
        f"{clip.name:<27}{robot.name.replace('unitree_', ''):<17}{method:<12}{q.ik_rate:>6.3f}{q.full_clip_rate:>6.3f}"
        f"{q.position_error_cm:>8.3f}{q.orientation_error_deg:>8.2f}{q.joint_limit_margin_rad:>7.3f}"
        f"{q.manipulability:>7.4f}{q.roughness_rad2:>9.5f}{rms_acceleration(result, robot):>7.1f}"
        f"{q.peak_velocity_ratio:>6.2f}{q.collision_frames:>5d}{q.time_shift_ms or 0.0:>6.1f}"
        f"{total * root if T is None else 0.0:>7.2f}{total * share:>6.2f}"
    )
    return text, result.root.T_world_base, q


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    parser.add_argument("--robots", default="unitree_g1_dex3,dual_fr3_leap")
    parser.add_argument("--only", default="", help="only clips whose name contains this")
    args = parser.parse_args()
    print(HEADER)
    kept: dict[tuple[str, str], list[RetargetQuality]] = {}
    for clip in all_clips(args.shared, args.only):
        for name in args.robots.split(","):
            robot = load_robot(name)
            T: np.ndarray | None = None
            for method in ("trajectory", "mink"):
                text, T, quality = row(clip, robot, method, T)
                kept.setdefault((name, method), []).append(quality)
                print(text, flush=True)
    print("\nmeans over clips: rate, full-clip rate, position cm, orientation deg, collision frames")
    fields = ("ik_rate", "full_clip_rate", "position_error_cm", "orientation_error_deg", "collision_frames")
    for (name, method), qualities in kept.items():
        means = [float(np.mean([getattr(q, field) for q in qualities])) for field in fields]
        print(f"{name:<18}{method:<12}" + "".join(f"{m:>9.3f}" for m in means))


if __name__ == "__main__":
    main()

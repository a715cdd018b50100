"""The whole spine on real clips, as a table: hands, jitter, robot errors, seconds per stage.

    python benchmarks/spine_clips.py SHARED/data OUT [--no-video]

Six clips nobody here made, two robots. Results are kept in docs/results.md with date and machine. A second call with the
same OUT repeats only what changed; seconds are those of the run that made each artefact.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from reenact.pipeline.progress import progress_for
from reenact.stages import layout
from reenact.stages.clip import Segment
from reenact.stages.run import ClipSource, RunRequest, run_clips
from reenact.stages.trajectory import RobotChoice

CLIPS = (
    "exo/sam2_cups",
    "exo/sam2_blocks",
    "exo/dexycb_pitcher",
    "exo/dexretargeting_hand",
    "ego/hot3d_site_dev",
    "ego/hawor_plate",
)
ROBOTS = ("unitree_g1_dex3", "dual_fr3_leap")
STAGES = ("clip", "camera", "landmarks", "hands")


def show(value: float | None, form: str = "{:.2f}") -> str:
    return "-" if value is None else form.format(value)


def axes(value: list[float] | None) -> str:
    return "-" if value is None else " / ".join(f"{v:.2f}" for v in value)


def hand_row(name: str, q: dict[str, Any]) -> str:
    """One clip's hands."""
    h, sides = q["hands"], [q["hands"]["left"], q["hands"]["right"]]
    errors = " , ".join(show(s["reprojection_median_percent"], "{:.1f}") for s in sides)
    jitter = " , ".join(axes(s["jitter_cm"]) for s in sides)
    spread = max(s["bone_length_spread_percent"] or 0.0 for s in sides)
    filled = " , ".join(str(s["filled_frames"]) for s in sides)
    return (
        f"| {name} | {h['frames']} | {h['frames_with_one']} | {h['frames_with_two']} | {filled} | {errors} | {jitter} "
        f"| {spread:.2f} |"
    )


def robot_row(name: str, robot: str, q: dict[str, Any]) -> str:
    """One clip and robot."""
    r = q["robots"][robot]
    return (
        f"| {name} | {robot} | {show(r['ik_rate'], '{:.3f}')} | {show(r['full_clip_rate'], '{:.3f}')} "
        f"| {show(r['position_error_cm'])} | {show(r['orientation_error_deg'])} "
        f"| {show(r['joint_limit_margin_rad'], '{:.3f}')} | {show(r['manipulability'], '{:.4f}')} "
        f"| {r['mean_squared_joint_velocity']:.3f} | {r['peak_velocity_ratio']:.2f} | {r['collision_frames']} "
        f"| {show(r['time_shift_ms'], '{:.1f}')} |"
    )


def time_row(name: str, q: dict[str, Any], duration_s: float) -> str:
    """Seconds of each stage; the sum without rendering against the clip's length."""
    s = q["stage_seconds"]
    trajectories = [s[f"trajectory_{r}"] for r in ROBOTS]
    alone = sum(s[k] for k in STAGES) + trajectories[0]
    cells = [f"{s[k]:.1f}" for k in STAGES] + [f"{t:.1f}" for t in trajectories]
    replays = [f"{s[f'replay_{r}']:.1f}" if f"replay_{r}" in s else "-" for r in ROBOTS]
    return f"| {name} | {duration_s:.1f} | {' | '.join(cells + replays)} | {alone / duration_s:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--no-video", action="store_true")
    args = parser.parse_args()
    sources = [ClipSource(args.data / c / "video.mp4", Segment(c.split("/")[1])) for c in CLIPS]
    robots = [RobotChoice.of(name) for name in ROBOTS]
    outcome = run_clips(RunRequest(sources, robots, args.out, with_video=not args.no_video), progress_for())
    print(*outcome.summary.lines(), sep="\n")
    numbers = {
        c.clip_id: json.loads((args.out / c.clip_id / layout.QUALITY).read_text()) for c in outcome.clips
    }
    durations = {}
    for clip in outcome.clips:
        fields = json.loads((clip.folders["clip"] / "clip.json").read_text())["fields"]
        durations[clip.clip_id] = fields["end_ns"] * 1e-9
    print("\n| clip | frames | one hand | two hands | filled L , R | reprojection % of box L , R | "
          "wrist jitter x / y / z cm L , R | bone spread % |\n" + "|---" * 8 + "|")  # fmt: skip
    print(*(hand_row(name, q) for name, q in numbers.items()), sep="\n")
    print("\n| clip | robot | IK rate | whole-clip rate | position cm | orientation deg | limit margin rad | "
          "manipulability | mean sq. joint velocity | peak speed / limit | collision frames | time shift ms |\n"
          + "|---" * 12 + "|")  # fmt: skip
    print(*(robot_row(name, robot, q) for name, q in numbers.items() for robot in ROBOTS), sep="\n")
    print("\n| clip | length s | " + " | ".join(STAGES) + " | G1 | FR3 | G1 video | FR3 video | G1, no video / length |\n"
          + "|---" * 11 + "|")  # fmt: skip
    print(*(time_row(name, q, durations[name]) for name, q in numbers.items()), sep="\n")


if __name__ == "__main__":
    main()

"""Six real clips as datasets: people's hands alone, and two robots; and the recorded G1 set. Then read by lerobot.

    python benchmarks/interop/export_real_clips.py SHARED/data OUT [--lerobot lerobot-env/bin/python]

Makes for each of the four sets a v3.0 and a v2.1 folder under OUT, validates both, and (with --lerobot, the Python of an
environment with lerobot 0.4.4) has lerobot read every frame of the v3.0 folder and convert and read the v2.1 one.
Exit code 0 only when nothing is wrong. A second call with the same OUT repeats only what is not there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from reenact.cli.main import main as reenact
from reenact.datasets.checks.validate import validate_dataset
from reenact.pipeline.progress import progress_for
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
G1_SET = "robot/g1_inspire_dev"


def robot_sets(data: Path, out: Path) -> dict[str, Path]:
    """The spine over all clips; one dataset per robot."""
    sources = [ClipSource(data / c / "video.mp4", Segment(c.split("/")[1])) for c in CLIPS]
    robots = [RobotChoice.of(name) for name in ROBOTS]
    outcome = run_clips(RunRequest(sources, robots, out / "run", with_video=False), progress_for())
    print(*outcome.summary.lines(), sep="\n")
    return dict(outcome.datasets)


def people_set(data: Path, out: Path) -> Path:
    """The same clips without a robot: the unified action space."""
    target = out / "people_v3"
    if not target.is_dir():
        pictures = ["--pictures", str(data), "--fps", "30"]
        assert reenact(["data", "import", str(out / "run"), "-o", str(target), *pictures]) == 0
    return target


def in_layout(source: Path, version: str, target: Path, episodes: list[str]) -> Path:
    """The set in another layout."""
    if not target.is_dir():
        words = ["data", "export", str(source), "--to", version, "-o", str(target)]
        assert reenact([*words, *(["--episodes", *episodes] if episodes else [])]) == 0
    return target


def g1_episodes(folder: Path) -> list[str]:
    """Indices of the recorded episodes that have their video in this copy."""
    names = {path.stem for path in folder.rglob("episode_*.mp4")}
    return [str(int(name.removeprefix("episode_"))) for name in sorted(names)]


def verdict(folder: Path) -> str:
    """What our own check finds."""
    found = validate_dataset(folder)
    errors = [f.code for f in found if f.level == "error"]
    return f"{len(errors)} errors {sorted(set(errors))}, {len(found) - len(errors)} warnings"


def by_lerobot(python: str, script: str, folder: Path) -> tuple[bool, str]:
    """Run one of the scripts beside this file in lerobot's environment."""
    start = time.perf_counter()
    command = [python, str(Path(__file__).with_name(script)), str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
    )
    lines = [x for x in done.stdout.splitlines() if x.startswith(("lerobot ", "robot "))]
    text = (
        "; ".join(lines) if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no output"])[-1]
    )
    return done.returncode == 0, f"{text} ({time.perf_counter() - start:.0f} s)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lerobot", default=None, help="Python of lerobot's own environment")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sets: dict[str, Path] = robot_sets(args.data, args.out)
    sets["people"] = people_set(args.data, args.out)
    g1 = args.data / G1_SET
    sets["g1_recorded"] = in_layout(g1, "v3.0", args.out / "g1_v3", g1_episodes(g1))
    sound = True
    for name, v3 in sets.items():
        v21 = in_layout(v3, "v2.1", args.out / f"{name}_v21", [])
        for version, folder, script in (
            ("v3.0", v3, "read_with_lerobot.py"),
            ("v2.1", v21, "convert_with_lerobot.py"),
        ):
            ours = verdict(folder)
            good, theirs = by_lerobot(args.lerobot, script, folder) if args.lerobot else (True, "not asked")
            sound &= good and ours.startswith("0 errors")
            print(f"| {name} | {version} | {ours} | {'read' if good else 'FAILED'}: {theirs} |", flush=True)
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

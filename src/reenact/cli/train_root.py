"""`reenact train root --robot R`: the learned root estimator of a robot, trained purely in simulation."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from reenact.cli.output import emit, note
from reenact.retarget.root.learned.config import NetConfig, TrainRootConfig

if TYPE_CHECKING:
    from reenact.retarget.root.learned.training import TrainRequest


@dataclass(frozen=True)
class RootOptions:
    """Options of `reenact train root`."""

    robot: Annotated[str, tyro.conf.arg(aliases=["-r"])]
    """Robot name or sheet file (see `reenact robots list`)."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Weights file (.safetensors; the card goes beside it); root_ROBOT.safetensors in this folder by default."""
    steps: int | None = None
    """Training steps. Same seed, steps, settings and machine give the same weights."""
    minutes: float = 20.0
    """Without --steps: about how long to train; a few steps are timed, and the card says how many it came to."""
    seed: int = 0
    """Seed of everything random."""
    size: Literal["small", "full"] = "small"
    """small: width 64, made for a CPU; full: the published width and layout, overnight or on many cores."""
    threads: int = 1
    """Threads of torch; more than one helps little at the small size."""
    set: tuple[str, ...] = ()
    """Any setting: --set batch=256 augment.jumps=0.3 (see --settings)."""
    settings: bool = False
    """Print every setting with its value and stop."""
    json: bool = False
    """Print one JSON object instead of words."""


def train_root(options: RootOptions) -> int:
    """Train, say what came of it. The same command again goes on from the last checkpoint."""
    config = config_of(options)
    if options.settings:
        from reenact.cli.settings import setting_lines

        print(*setting_lines(config), sep="\n")
        return 0
    from reenact.retarget.root.learned.errors import require_torch

    require_torch()
    import torch

    from reenact.retarget.root.learned.training import RootTrainer

    torch.set_num_threads(options.threads)
    request = _request(options)
    path = RootTrainer(request, config).run(_tell)
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    words = {k: card[k] for k in ("robot", "seed", "steps", "seconds", "sha256", "bytes", "commit")}
    words |= {"weights": str(path), "last": card["curve"][-1]}
    emit(words, _lines(words), options.json)
    return 0


def config_of(options: RootOptions) -> TrainRootConfig:
    """The full config: size, then `--set`."""
    from reenact.cli.settings import apply_settings

    config = replace(TrainRootConfig(), net=NetConfig.of_size(options.size))
    if options.size == "full":
        config = replace(config, draws=4)
    return apply_settings(config, options.set)


def _request(options: RootOptions) -> TrainRequest:
    from reenact.retarget.robot_arms import robot_arms
    from reenact.retarget.root.learned.training import TrainRequest
    from reenact.robots.registry import load_robot

    robot = load_robot(options.robot)
    out = options.out or Path(f"root_{robot.name}.safetensors")
    return TrainRequest(
        robot_name=robot.name,
        sheet_hash=robot.sheet_hash,
        arms=robot_arms(robot),
        seed=options.seed,
        out=out,
        command=_command(options),
        commit=_commit(),
        steps=options.steps,
        minutes=options.minutes,
    )


def _command(options: RootOptions) -> str:
    """The command that makes these weights again, paths left out."""
    words = ["reenact", "train", "root", "--robot", options.robot, "--seed", str(options.seed)]
    words += ["--size", options.size, "--threads", str(options.threads)]
    words += ["--set", *options.set] if options.set else []
    return shlex.join(words)


def _commit() -> str:
    """The commit of the source tree this runs from, or the package's version where there is none."""
    import subprocess

    from reenact import __version__

    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"version {__version__}"
    return found.stdout.strip() if found.returncode == 0 else f"version {__version__}"


def _tell(words: dict[str, Any]) -> None:
    """Progress on standard error: words for people, JSON lines for programs."""
    if not sys.stderr.isatty():
        print(json.dumps(words), file=sys.stderr, flush=True)
        return
    if words["event"] == "resumed":
        note(f"going on from step {words['step']} of {words['of']}")
        return
    note(
        f"step {words['step']:>6} of {words['of']}  {words['seconds']:>6.0f} s  loss {words['loss']:.3f}  "
        f"held out {words['held_out_loss']:.3f}  best of 5: {words['rotation_best_median']:.2f} rad, "
        f"{words['translation_best_median'] * 100:.1f} cm"
    )


def _lines(words: dict[str, Any]) -> list[str]:
    last = words["last"]
    return [
        f"{words['weights']}  {words['bytes'] / 1e6:.2f} MB  sha256 {words['sha256'][:16]}",
        f"{words['robot']}: {words['steps']} steps in {words['seconds'] / 60:.1f} minutes, seed {words['seed']}",
        f"held-out best of 5: {last['rotation_best_median']:.3f} rad, {last['translation_best_median'] * 100:.1f} cm",
    ]

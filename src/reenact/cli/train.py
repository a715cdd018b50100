"""`reenact train ACTION ...`: the small networks of one robot, trained in simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from reenact.cli.output import Actions, emit, run_action
from reenact.cli.train_root import RootOptions, train_root
from reenact.errors import InputError

DESCRIPTION = """usage: reenact train ACTION [options]

  fingers   fingertips to finger joints of a robot's hand (DexMan's neural finger IK); minutes on one core
  root      where the robot would stand, from how the hands move (EgoInfinity's root estimator); minutes on one core

`reenact train ACTION --help` lists its options. Needs the extra `learn` (torch)."""


@dataclass(frozen=True)
class FingersOptions:
    """Options of `reenact train fingers`."""

    robot: Annotated[str, tyro.conf.arg(aliases=["-r"])]
    """Robot name or sheet file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Where to write the network (.safetensors); use it with --set retarget.fingers.net.weights=FILE."""
    side: Literal["left", "right"] = "right"
    """Which hand; a left hand that mirrors the right one uses the same file."""
    minutes: float = 4.0
    """Longest time."""
    steps: int = 6000
    """Gradient steps."""
    seed: int = 0
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Pick the action, parse, train, print."""
    return run_action("train", DESCRIPTION, ACTIONS, args)


def _fingers(options: FingersOptions) -> int:
    from reenact import __version__
    from reenact.retarget.finger_methods.hand import HandModel
    from reenact.retarget.finger_methods.net import save_net
    from reenact.retarget.finger_methods.net_training import TrainConfig, train_net
    from reenact.robots.registry import load_robot

    robot = load_robot(options.robot)
    if options.side not in robot.hands:
        raise InputError(f"{robot.name} has no {options.side} hand with fingers", hint="reenact robots list")
    config = TrainConfig(minutes=options.minutes, steps=options.steps, seed=options.seed)
    say = (lambda _: None) if options.json else print
    net, report = train_net(HandModel(robot, options.side), config, say)
    about = {
        "made_by": f"reenact {__version__}: train fingers --robot {robot.name} --side {options.side}",
        "seed": str(config.seed),
        "steps": str(report.steps),
        "own_tip_error_m": f"{report.own_tip_error:.5f}",
        "human_tip_error_m": f"{report.human_tip_error:.5f}",
    }
    save_net(options.out, net, about)
    words = {
        "weights": str(options.out),
        "kilobytes": round(options.out.stat().st_size / 1000),
        "own_tip_error_mm": round(1e3 * report.own_tip_error, 2),
        "human_tip_error_mm": round(1e3 * report.human_tip_error, 2),
        "steps": report.steps,
        "seconds": round(report.seconds),
        "curve": report.curve,
    }
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in words.items() if key != "curve"]
    emit(words, lines, options.json)
    return 0


ACTIONS: Actions = {
    "fingers": (FingersOptions, _fingers),
    "root": (RootOptions, train_root),
}

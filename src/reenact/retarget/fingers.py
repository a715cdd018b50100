"""Finger joints over a whole clip, by any of the methods: limits, couplings and largest steps hold exactly.

The methods (compared in `benchmarks/retarget/fingers.py`) share one contract: human fingertips and finger angles in, free
joints out. What they share is here: bridging where no hand is seen, joint and speed limits, no step beyond `max_step`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64

from reenact.hands.joints import SIDES
from reenact.retarget.banded import BandedConfig, TaskTerms, TrajectoryProblem, solve_trajectory
from reenact.retarget.finger_map import bend_map
from reenact.retarget.finger_methods.hand import HandModel
from reenact.retarget.finger_methods.net import NetConfig, net_joints
from reenact.retarget.finger_methods.tips import HopConfig, TipsConfig, TipTerms, wanted_tips
from reenact.retarget.finger_methods.vectors import (
    DexPilotConfig,
    VectorConfig,
    VectorTerms,
    dexpilot_task,
    vector_task,
)
from reenact.retarget.limits import limit_velocity
from reenact.retarget.targets import HandTargets
from reenact.robots.model import Robot

FingerMethod = Literal["tips", "bend", "hop", "vector", "dexpilot", "net"]
"""Ways to choose finger joints."""


@dataclass(frozen=True)
class FingerConfig:
    """Which method, and its settings."""

    method: FingerMethod = "tips"
    """"tips": fingertips metre for metre, the thumb placed against them so that a pinch stays a pinch. "bend": the direct
    angle map (EgoInfinity). "hop": HOP's eq. 1. "vector", "dexpilot": the objectives of dex-retargeting. "net": a small
    network from fingertips to joints (DexMan), trained per hand with `reenact train fingers`."""
    tips: TipsConfig = field(default_factory=TipsConfig)
    hop: HopConfig = field(default_factory=HopConfig)
    vector: VectorConfig = field(default_factory=VectorConfig)
    dexpilot: DexPilotConfig = field(default_factory=DexPilotConfig)
    net: NetConfig = field(default_factory=NetConfig)
    vector_iterations: int = 10
    """Most steps of "vector": further ones lower its residual by less than 1 %."""
    sigma_acceleration: float = 40.0
    """Joint acceleration taken as ordinary by "tips" (rad/s^2, one sigma); fingers are light and quick."""
    keep_speed_limits: bool = True
    """Stay within the joints' speed limits. Without, only `max_step` binds."""
    max_step: float = 0.5
    """Largest joint step from one frame to the next (rad), whatever the speed limits and the frame rate."""
    band: BandedConfig = field(
        default_factory=lambda: BandedConfig(sigma_velocity_hold=0.3, max_iterations=15)
    )
    """Holding and stopping of the solve."""


def solve_fingers(
    robot: Robot, targets: HandTargets, side: int, config: FingerConfig | None = None
) -> Float64[np.ndarray, "t k"]:
    """Joint values of a hand (`robot.hands[side].joint_idx` order) over the clip, couplings and limits kept.

    Frames without a hand hold or bridge; a clip without this hand leaves the fingers at home.

    Raises:
        NoFingerNet: method "net", and no network was trained for this hand.
    """
    config = config or FingerConfig()
    model = HandModel(robot, SIDES[side])  # type: ignore[arg-type]
    valid = targets.valid[:, side]
    if not valid.any():
        home = robot.home_q[model.hand.joint_idx]
        return np.broadcast_to(home, (len(valid), len(home))).copy()
    speed = model.joints.velocity if config.keep_speed_limits else np.full(len(model.lower), np.inf)
    x = _choose(model, targets, side, speed, config)
    return model.write(limit_step(model, limit_velocity(x, targets.dt, speed), config.max_step))


def limit_step(
    model: HandModel, x: Float64[np.ndarray, "t n"], max_step: float
) -> Float64[np.ndarray, "t n"]:
    """The same motion with no joint, followers included, moving by more than `max_step` (rad) in one frame."""
    lead = np.maximum(np.abs(model.joints.matrix).max(axis=0), 1.0)
    return limit_velocity(x, np.ones(len(x) - 1), max_step / lead)


def _choose(
    model: HandModel, targets: HandTargets, side: int, velocity: np.ndarray, config: FingerConfig
) -> Float64[np.ndarray, "t n"]:
    """Free joints by the chosen method; the angle map is where the others start."""
    valid, tips = targets.valid[:, side], targets.tips_wrist[:, side]
    if config.method == "net":
        wanted = wanted_tips(model.hand, tips)
        return _bridge(net_joints(model, wanted, config.net), valid, targets.seconds)
    mapped = bend_map(model.robot, model.hand, targets.angles[:, side])
    start = model.read(_bridge(mapped, valid, targets.seconds))
    if config.method == "bend":
        return start
    terms, sigma_velocity = _terms(model, targets, side, start, config)
    smooth = config.sigma_acceleration if config.method == "tips" else 1e6
    most = config.vector_iterations if config.method == "vector" else config.band.max_iterations
    problem = TrajectoryProblem(
        dt=targets.dt,
        lower=model.lower,
        upper=model.upper,
        velocity=velocity,
        hold=np.broadcast_to(~valid[:, None], start.shape),
        sigma_acceleration=np.full(len(valid), smooth),
        config=replace(config.band, sigma_velocity=sigma_velocity, max_iterations=most),
    )
    return solve_trajectory(terms, start, problem)[0]


def _terms(
    model: HandModel, targets: HandTargets, side: int, start: np.ndarray, config: FingerConfig
) -> tuple[TaskTerms, float]:
    """The method's residual rows and the joint speed it takes as ordinary."""
    tips, valid = targets.tips_wrist[:, side], targets.valid[:, side].astype(float)
    if config.method == "tips":
        return TipTerms(model, tips, valid, start, config.tips), np.inf
    if config.method == "hop":
        return TipTerms(model, tips, valid, start, config.hop), config.hop.sigma_velocity
    wanted = wanted_tips(model.hand, tips)
    if config.method == "vector":
        task = vector_task(model, wanted, config.vector)
    else:
        task = dexpilot_task(model, wanted, targets.seconds, config.dexpilot)
    return VectorTerms(model, task, valid), task.sigma_velocity


def _bridge(
    q: Float64[np.ndarray, "t k"], valid: Bool[np.ndarray, " t"], seconds: Float64[np.ndarray, " t"]
) -> Float64[np.ndarray, "t k"]:
    """Straight lines over frames without a hand, held at the ends."""
    used = np.flatnonzero(valid)
    return np.stack([np.interp(seconds, seconds[used], q[used, k]) for k in range(q.shape[1])], axis=1)

"""Curves and strips of the report: which numbers over time, in which unit, against which threshold."""

from __future__ import annotations

import numpy as np

from reenact.hands.joints import SIDES
from reenact.quality.retarget import IK_POSITION, IK_ROTATION, side_curves
from reenact.robots.model import Robot
from reenact.robots.trajectory import JointTrajectory
from reenact.scene import HandTracks, Scene, Source
from reenact.viewer.report import SIDE_COLORS, Plot, Series
from reenact.viewer.strips import Strip


def _pair(values: np.ndarray, mask: np.ndarray) -> tuple[Series, ...]:
    """Left and right of [t 2]."""
    return tuple(
        Series(name, values[:, s], mask[:, s], SIDE_COLORS[s])
        for s, name in enumerate(SIDES)
        if mask[:, s].any()
    )


def hand_plots(scene: Scene) -> list[Plot]:
    """Reprojection error, confidence and stated depth uncertainty of both hands."""
    hands = scene.hands
    if hands is None:
        return []
    seen = hands.valid & (hands.source != Source.FILLED)
    return [
        Plot(
            "reprojection error",
            "% of hand box",
            _pair(hands.reprojection * 100, seen),
            "left blue, right orange",
        ),
        Plot("confidence", "", _pair(hands.confidence, hands.valid)),
        Plot("wrist speed", "m/s", _pair(wrist_speed(hands, scene.clip.t_seconds), hands.valid)),
        Plot(
            "depth, one sigma",
            "cm",
            _pair(hands.sigma_camera[..., 2] * 100, hands.valid),
            "random and scale error",
        ),
    ]


def wrist_speed(hands: HandTracks, t_seconds: np.ndarray) -> np.ndarray:
    """Speed of each wrist (m/s), [t 2]; central differences."""
    if len(t_seconds) < 2:
        return np.zeros(hands.valid.shape)
    velocity = np.gradient(hands.joints_world[:, :, 0], t_seconds, axis=0)
    return np.asarray(np.linalg.norm(velocity, axis=-1))


def robot_plots(trajectory: JointTrajectory, robot: Robot, index: int) -> list[Plot]:
    """Errors of the final trajectory against its targets, margin to joint limits, share of the speed limit."""
    sides = side_curves(trajectory, robot)
    valid = np.stack([s.valid for s in sides], axis=1)
    position = np.stack([s.position for s in sides], axis=1) * 100
    rotation = np.degrees(np.stack([s.rotation for s in sides], axis=1))
    margin = np.stack([s.margin for s in sides], axis=1)
    speed = speed_share(trajectory, robot)
    always = np.ones(len(speed), bool)
    name = robot.name
    return [
        Plot(
            "wrist position error",
            "cm",
            _pair(position, valid),
            name,
            (("1 cm", IK_POSITION * 100),),
            robot=index,
        ),
        Plot(
            "wrist rotation error",
            "deg",
            _pair(rotation, valid),
            name,
            (("0.05 rad", np.degrees(IK_ROTATION)),),
            robot=index,
        ),
        Plot("nearest joint limit", "rad", _pair(margin, valid), name, robot=index),
        Plot(
            "fastest joint",
            "of its limit",
            (Series("speed", speed, always, "#444444"),),
            name,
            (("limit", 1.0),),
            robot=index,
        ),
    ]


def speed_share(trajectory: JointTrajectory, robot: Robot) -> np.ndarray:
    """Per frame the largest joint speed over its limit, [t]; joints without a stated limit are left out."""
    share = np.zeros(len(trajectory.t_ns))
    if len(share) > 1:
        seconds = np.diff(trajectory.t_ns)[:, None] * 1e-9
        share[:-1] = (np.abs(np.diff(trajectory.q, axis=0)) / seconds / robot.velocity_limits).max(axis=1)
    return share


def robot_strips(trajectory: JointTrajectory, name: str) -> list[Strip]:
    """Where each arm's motion comes from."""
    codes = np.where(trajectory.valid, trajectory.source, Source.UNKNOWN)
    return [Strip(f"{name}, {side} arm", codes[:, s]) for s, side in enumerate(SIDES)]

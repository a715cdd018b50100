"""A base that goes along: for robots on legs or wheels the root may follow the slow part of the hands' path.

The clip's slow motion (where the hands are across the ground, and which way they point) becomes a path of a frame
that stands still in the middle; seen from it the clip is one in place, the root is found as always, and the base is
that root carried along. Up and height never change. Whittaker smoothing has no lag, so nothing is shifted in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from reenact.errors import InputError
from reenact.geometry.filters import whittaker
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import inverse
from reenact.retarget.targets import HandTargets
from reenact.robots.model import Robot

ROUNDS = 12
"""Times the smoothing is made longer before the base is simply left where it is."""


TURN_SLOWER = 1.6
"""Turns are smoothed over this many times the cut-off: hands turn more than the person does."""
PAIR_SHARE = 4.0
"""Weight (1/m) of the line between the hands beside the fingers' direction in telling where the person faces."""


class BaseCannotMove(InputError):
    """A moving root was asked of a robot that is bolted down."""


@dataclass(frozen=True)
class MovingRootConfig:
    """How a base may move."""

    cutoff_s: float = 3.0
    """Motion of the hands slower than this is the base's (s, period of half height)."""
    max_speed: float = 0.5
    """Fastest base (m/s); a slow walk."""
    max_turn: float = 0.8
    """Fastest turn of the base (rad/s)."""
    longer: float = 1.4
    """Where the path is too fast, the cut-off grows by this factor until it is not."""


@dataclass(frozen=True)
class BasePath:
    """How the base moves about the place where it stands on average."""

    T_world_carrier: Float64[np.ndarray, "t 4 4"]
    """Turns about the upward direction and moves across it; the average over the clip is near the identity."""
    cutoff_s: float
    reach: float
    """Diagonal of the box that the hands' slow place passes through (m)."""
    speed: float
    """Fastest move (m/s)."""
    turn: float
    """Fastest turn (rad/s)."""

    def sentence(self) -> str:
        """What a person should know."""
        return (
            f"the base moves: over {self.reach:.2f} m, at most {self.speed:.2f} m/s and {self.turn:.2f} rad/s "
            f"(slower than {self.cutoff_s:.1f} s)"
        )


def require_movable(robot: Robot) -> None:
    """Raises `BaseCannotMove` for a robot whose base is fixed."""
    if robot.sheet.base_kind == "fixed":
        raise BaseCannotMove(
            f"{robot.name} has a fixed base; a moving root needs legs or wheels",
            hint='leave moving_root out, or say base_kind = "wheeled" in the robot\'s sheet',
        )


def base_path(
    targets: HandTargets, sides: tuple[int, ...], up: Float64[np.ndarray, "3"], config: MovingRootConfig
) -> BasePath:
    """The path of the followed hands' slow motion, slowed until the limits hold."""
    cutoff = config.cutoff_s
    for _ in range(ROUNDS):
        place, angle, middle = _slow(targets, sides, up, cutoff)
        speed, turn = _fastest(place, targets.dt), _fastest(angle[:, None], targets.dt)
        if speed <= config.max_speed and turn <= config.max_turn:
            reach = float(np.linalg.norm(np.ptp(place, axis=0)))
            return BasePath(_carrier(place, angle, middle, up), cutoff, reach, speed, turn)
        cutoff *= config.longer
    still = np.broadcast_to(np.eye(4), (len(targets.t_ns), 4, 4)).copy()
    return BasePath(still, cutoff, 0.0, 0.0, 0.0)


def carried(targets: HandTargets, path: BasePath) -> HandTargets:
    """The targets seen from the moving carrier: the clip in place."""
    return replace(targets, T_world_wrist=inverse(path.T_world_carrier)[:, None] @ targets.T_world_wrist)


def _slow(
    targets: HandTargets, sides: tuple[int, ...], up: np.ndarray, cutoff_s: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smooth place of the hands across `up` [t 3] and turn about it [t], both about their means, and the mean place."""
    T, seen = targets.T_world_wrist[:, list(sides)], targets.valid[:, list(sides)].astype(float)
    across = np.eye(3) - np.outer(up, up)
    known = (seen.sum(axis=1) == len(sides)).astype(float)  # one hand alone would pull the middle to its side
    if not known.any():
        known = (seen.sum(axis=1) > 0).astype(float)
    weight = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1.0)
    place = np.einsum("ts,tsi->ti", weight, T[..., :3, 3]) @ across
    sign = np.array([1.0 if s == 0 else -1.0 for s in sides])
    facing = np.einsum("ts,s,tsi->ti", weight, sign, T[..., :3, 0]) @ across
    if len(sides) == 2:  # a person faces across the line from the left hand to the right
        facing = facing + PAIR_SHARE * np.cross(up, T[:, 1, :3, 3] - T[:, 0, :3, 3]) * known[:, None]
    first = np.einsum("t,ti->i", known, facing)
    first = first / max(float(np.linalg.norm(first)), 1e-9)
    length = known * np.linalg.norm(facing, axis=1)
    used = np.flatnonzero(length > 1e-6)
    turned = np.arctan2(np.cross(np.broadcast_to(first, facing.shape), facing) @ up, facing @ first)
    angle = np.interp(targets.seconds, targets.seconds[used], np.unwrap(turned[used]))
    place = whittaker(place, known, targets.seconds, cutoff_s, order=2)
    angle = whittaker(angle, length, targets.seconds, TURN_SLOWER * cutoff_s, order=2)
    middle = place.mean(axis=0)
    return place - middle, angle - angle.mean(), middle


def _carrier(place: np.ndarray, angle: np.ndarray, middle: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Turned by `angle` about the upright through the middle, then moved."""
    T = np.broadcast_to(np.eye(4), (len(place), 4, 4)).copy()
    T[:, :3, :3] = so3_exp(angle[:, None] * up)
    T[:, :3, 3] = middle + place - T[:, :3, :3] @ middle
    return T


def _fastest(values: np.ndarray, dt: np.ndarray) -> float:
    return float((np.linalg.norm(np.diff(values, axis=0), axis=1) / dt).max(initial=0.0))

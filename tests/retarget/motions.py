"""Motions with known answers: what a robot itself can do, turned into the hands that would ask for it."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from reenact.hands.joints import JOINT_NAMES_21, SIDES
from reenact.hands.skeleton import HandSkeleton
from reenact.quality.collisions import SelfContacts
from reenact.robots.model import Robot
from reenact.scene import HandTracks, Source


def times(frames: int, fps_hz: float = 30.0) -> np.ndarray:
    return np.rint(np.arange(frames) * 1e9 / fps_hz).astype(np.int64)


def yaw(angle: float, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """A gravity-aligned transform."""
    T = np.eye(4)
    c, s = np.cos(angle), np.sin(angle)
    T[:2, :2] = [[c, -s], [s, c]]
    T[:3, 3] = x, y, z
    return T


def random_joint_path(
    robot: Robot, side: str, seconds: np.ndarray, seed: int, step: float = 0.25, every_s: float = 0.5
) -> np.ndarray:
    """A smooth random walk of one arm's joints around home, well inside the limits, [t n]."""
    rng = np.random.default_rng(seed)
    idx = robot.arms[side].joint_idx  # type: ignore[index]
    inset = 0.15 * (robot.upper[idx] - robot.lower[idx])
    low, high = robot.lower[idx] + inset, robot.upper[idx] - inset
    knots = np.arange(0.0, seconds[-1] + 2 * every_s, every_s)
    walk = [np.clip(robot.home_q[idx] + rng.normal(size=len(idx)) * 0.3, low, high)]
    for _ in knots[1:]:
        walk.append(np.clip(walk[-1] + rng.normal(size=len(idx)) * step, low, high))
    q = CubicSpline(knots, np.array(walk))(seconds)
    return np.clip(q, robot.lower[idx], robot.upper[idx])


def own_motion(robot: Robot, t_ns: np.ndarray, seed: int, sides: tuple[str, ...] = SIDES) -> np.ndarray:
    """Wrist poses in the base of a random path of the robot itself, free of self-collision, [t 2 4 4]."""
    seconds, contacts = t_ns * 1e-9, SelfContacts(robot)
    for attempt in range(50):
        q = np.broadcast_to(robot.home_q, (len(t_ns), robot.n_q)).copy()
        for s, side in enumerate(sides):
            path = random_joint_path(robot, side, seconds, 1000 * seed + 10 * attempt + s)
            q[:, robot.arms[side].joint_idx] = path  # type: ignore[index]
        if not any(contacts.pairs(row) for row in q[::3]):
            break
    else:
        raise AssertionError("no path without self-collision")
    T = np.broadcast_to(np.eye(4), (len(t_ns), 2, 4, 4)).copy()
    for side in sides:
        T[:, SIDES.index(side)] = robot.T_base_wrist(q, side)  # type: ignore[arg-type]
    return T


def hands_at(
    T_world_wrist: np.ndarray, valid: np.ndarray | None = None, world_frame: str = "world", bend: float = 0.4
) -> HandTracks:
    """Hand tracks whose wrist frames are given, with half-closed fingers."""
    t = len(T_world_wrist)
    valid = np.ones((t, 2), bool) if valid is None else valid
    angles = np.zeros(20)
    angles[[0, 2, 3]] = 0.3
    for finger in range(1, 5):
        angles[[4 * finger, 4 * finger + 2, 4 * finger + 3]] = bend, bend, 0.6 * bend
    joints = np.zeros((t, 2, 21, 3))
    for s in (0, 1):
        local = HandSkeleton.adult(s).joints_wrist(angles)
        joints[:, s] = (
            local @ np.swapaxes(T_world_wrist[:, s, :3, :3], 1, 2) + T_world_wrist[:, s, None, :3, 3]
        )
    code = np.where(valid, np.uint8(Source.OBSERVED), np.uint8(Source.UNKNOWN)).astype(np.uint8)
    return HandTracks(
        joints_world=joints,
        valid=valid,
        confidence=valid.astype(float),
        source=code,
        sigma_camera=np.zeros((t, 2, 3)),
        reprojection=np.zeros((t, 2)),
        hand_length=np.full(2, 0.189),
        hand_length_source="truth",
        world_frame=world_frame,
        joint_names=JOINT_NAMES_21,
    )

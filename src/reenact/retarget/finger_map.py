"""The direct map of finger angles: each robot finger joint follows the human joint that plays its part.

EgoInfinity maps bend angles joint by joint with a gain (seed, 03); here the pairing comes from the sheet's roles
(`bend`, `spread`, `oppose`, `twist`) and the gain from the two ranges, so it works for any hand with a sheet.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import FINGERS
from reenact.hands.skeleton import ANGLE_NAMES
from reenact.robots.model import Finger, Hand, Robot

HUMAN_FULL_BEND = {"cmc": 0.9, "mcp": 1.5, "pip": 1.75, "dip": 1.2, "ip": 1.4}
"""Flexion of a closed human hand per joint (rad), the upper end of the gain: hand surgery norms (AAOS)."""
GAIN_RANGE = (0.8, 1.3)
"""Robot joints follow human ones within these factors."""


def followed_fingers(hand: Hand) -> dict[str, tuple[str, ...]]:
    """Human fingers each robot finger follows: its namesake; the last one also those the robot lacks beyond it."""
    names = hand.finger_names
    out: dict[str, tuple[str, ...]] = {name: (name,) for name in names}
    beyond = [n for n in FINGERS if n != "thumb" and n not in names]
    last = [n for n in names if n != "thumb"][-1:]
    if last and beyond:
        own = FINGERS.index(last[0])
        out[last[0]] = (last[0], *(n for n in beyond if FINGERS.index(n) > own))
    return out


def bend_map(robot: Robot, hand: Hand, angles: Float64[np.ndarray, "t 20"]) -> Float64[np.ndarray, "t k"]:
    """Joint values of the hand's joints (`hand.joint_idx` order), clipped to their limits."""
    position = {int(j): k for k, j in enumerate(hand.joint_idx)}
    q = np.clip(robot.home_q[hand.joint_idx], robot.lower[hand.joint_idx], robot.upper[hand.joint_idx])
    out = np.broadcast_to(q, (len(angles), len(q))).copy()
    for finger in hand.fingers:
        human = np.mean(
            [_finger_angles(angles, name) for name in followed_fingers(hand)[finger.name]], axis=0
        )
        for joint, value in zip(finger.joint_idx, _joint_values(robot, finger, human).T, strict=True):
            out[:, position[int(joint)]] = value
    return np.clip(out, robot.lower[hand.joint_idx], robot.upper[hand.joint_idx])


def _finger_angles(angles: np.ndarray, finger: str) -> np.ndarray:
    """The finger's four angles: base flexion, base abduction, two more flexions, [t 4]."""
    first = ANGLE_NAMES.index(next(n for n in ANGLE_NAMES if n.startswith(finger)))
    return angles[:, first : first + 4]


def _joint_values(robot: Robot, finger: Finger, human: np.ndarray) -> np.ndarray:
    """Values of the finger's joints [t k] from one human finger's angles [t 4]; a hollowing palm stays flat."""
    thumb = finger.name == "thumb"
    parts = ("cmc", "mcp", "ip") if thumb else ("mcp", "pip", "dip")
    flexions = dict(zip(parts, (human[:, 0], human[:, 2], human[:, 3]), strict=True))
    bends = [k for k, role in enumerate(finger.roles) if role == "bend"]
    opposes = "oppose" in finger.roles
    follow = _bend_parts(len(bends), parts[1:] if thumb and opposes else parts)
    values = np.zeros((len(human), len(finger.roles)))
    for k, role in enumerate(finger.roles):
        j, sign = int(finger.joint_idx[k]), finger.signs[k]
        most = robot.upper[j] if sign > 0 else -robot.lower[j]
        if role == "bend":
            part = follow[bends.index(k)]
            bend, full = _part(flexions, part)
            values[:, k] = sign * bend * np.clip(most / full, *GAIN_RANGE)
        elif role == "oppose" and thumb:
            values[:, k] = sign * flexions["cmc"] * np.clip(most / HUMAN_FULL_BEND["cmc"], *GAIN_RANGE)
        elif role == "spread":
            values[:, k] = sign * human[:, 1]
    return values


def _bend_parts(count: int, parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Which human flexions each of `count` bend joints follows, base to tip; a single joint follows them all."""
    if count == 1:
        return [parts]
    if count >= len(parts):
        return [(parts[min(k, len(parts) - 1)],) for k in range(count)]
    return [(parts[0],), *([(parts[k],) for k in range(1, count)])]


def _part(flexions: dict[str, np.ndarray], names: tuple[str, ...]) -> tuple[np.ndarray, float]:
    """Mean flexion of the named joints and their mean full bend."""
    return np.mean([flexions[n] for n in names], axis=0), float(np.mean([HUMAN_FULL_BEND[n] for n in names]))

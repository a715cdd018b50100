"""Where the toy camera is and how it moves.

In: a `ToyConfig` and a random generator. Out: the exact pinhole camera (integer pixel centres, so the middle of a
w-wide image is cx = (w - 1) / 2) and `T_world_camera` per frame.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.transforms import make_T
from reenact.toy.config import ToyConfig
from reenact.toy.person import EYES
from reenact.toy.rooms import TABLE_TOP

ORBIT = np.deg2rad(14.0)
"""Amplitude of the orbit about the table (rad)."""
ORBIT_PERIOD = 6.0
"""Seconds there and back."""
ASIDE = 0.38
"""How far the exo camera stands on the working hand's side (m): there the back of the hand stays in view."""
WATCHED_FROM_THE_MIDDLE = frozenset({"two_hand_lift", "handover", "cut"})
"""Activities of two working hands."""
SHAKE = {"exo": (0.006, 0.010), "shoulder": (0.006, 0.010), "ego": (0.012, 0.030)}
"""Amplitude of handheld shake: metres and radians."""


def make_camera(config: ToyConfig) -> PinholeCamera:
    """Square pixels, principal point in the middle."""
    horizontal = 2 * np.arctan(np.tan(np.deg2rad(config.fov_y_deg) / 2) * config.width_px / config.height_px)
    return PinholeCamera.from_fov(float(horizontal), config.width_px, config.height_px)


def camera_path(
    config: ToyConfig, rng: np.random.Generator, t: Float64[np.ndarray, " t"]
) -> Float64[np.ndarray, "t 4 4"]:
    """`T_world_camera` at clip times (s)."""
    eye, target = _standpoint(config, rng)
    eyes, targets = np.tile(eye, (len(t), 1)), np.tile(target, (len(t), 1))
    roll = np.zeros(len(t))
    if config.camera_motion == "orbit":
        start = rng.uniform(0, 2 * np.pi)
        angle = ORBIT * (np.sin(2 * np.pi * t / ORBIT_PERIOD + start) - 0.3 * np.sin(start))
        arm = eye - target
        eyes = target + np.stack([
            arm[0] * np.cos(angle) - arm[1] * np.sin(angle),
            arm[0] * np.sin(angle) + arm[1] * np.cos(angle),
            np.full(len(t), arm[2]),
        ], axis=1)  # fmt: skip
    if config.camera_motion == "handheld":
        metres, radians = SHAKE[config.view]
        eyes = eyes + metres * _wander(rng, t, 3)
        targets = targets + radians * np.linalg.norm(eye - target) * _wander(rng, t, 3)
        roll = radians * _wander(rng, t, 1)[:, 0]
    return np.stack([_aim(e, g, r) for e, g, r in zip(eyes, targets, roll, strict=True)])


def _standpoint(config: ToyConfig, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    jitter = rng.uniform(-1, 1, 6)
    table = np.array([0.0, 0.0, TABLE_TOP])
    if config.view == "ego":
        return EYES + 0.01 * jitter[:3], table + [0.0, -0.03, 0.05] + 0.015 * jitter[3:]
    out = 1.0 if config.main_side == "right" else -1.0
    if config.view == "shoulder":
        eye, target = np.array([0.34 * out, -0.34, 0.60]), np.array([-0.03 * out, -0.02, 0.05])
        return table + eye + 0.03 * jitter[:3], table + target + 0.02 * jitter[3:]
    eye = np.array([ASIDE * out if config.activity not in WATCHED_FROM_THE_MIDDLE else 0.0, 0.50, 0.47])
    return table + eye + [0.08, 0.03, 0.04] * jitter[:3], table + [0.0, -0.06, 0.06] + 0.015 * jitter[3:]


def _wander(rng: np.random.Generator, t: np.ndarray, count: int) -> np.ndarray:
    """Smooth random motion of about unit amplitude: a few incommensurate slow waves."""
    rates_hz, phase = rng.uniform(0.2, 1.6, (4, count)), rng.uniform(0, 2 * np.pi, (4, count))
    weight = 1 / (1 + rates_hz**2)
    waves = np.sin(2 * np.pi * t[:, None, None] * rates_hz + phase) * weight
    return waves.sum(axis=1) / np.sqrt((weight**2).sum(axis=0))


def _aim(eye: np.ndarray, target: np.ndarray, roll: float) -> np.ndarray:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    return make_T(np.stack([c * right + s * down, c * down - s * right, forward], axis=1), eye)

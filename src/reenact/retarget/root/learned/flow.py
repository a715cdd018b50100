"""Flow matching over SE(3), in coordinates that make root frames easy to learn. numpy; the network is a function.

A root `T_world_base = (R, t)` is written as `(R, y)` with `y = R^T (c - t)`: where the hands' centre `c` lies in the
robot's base. That is a smooth change of coordinates of SE(3); it keeps rotation errors from swinging the base around
the hands, and y has nearly the same narrow distribution for all clips. (Published: straight lines in t, rotation and
translation tangled.) Rotations follow geodesics and y straight lines, as published; both velocities count 1 : 1,
rotation in rad (body axes), y in one-sigmas of the training motions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from reenact.geometry.rotations import random_rotation, so3_exp, so3_log
from reenact.retarget.root.learned.config import FlowConfig
from reenact.retarget.root.learned.windows import Windows

Velocity = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(R [b d 3 3], y in sigmas [b d 3], time [b d]) to (body angular velocity, velocity of y), both [b d 3]."""


@dataclass(frozen=True)
class CentreScale:
    """Mean and one-sigma of the hands' centre in the base, over training motions (m)."""

    mean: Float64[np.ndarray, "3"]
    sigma: Float64[np.ndarray, "3"]


@dataclass(frozen=True)
class FlowPairs:
    """Points on flow paths and the velocities there: what the network is asked and what it should say."""

    R: Float64[np.ndarray, "b d 3 3"]
    y: Float64[np.ndarray, "b d 3"]
    time: Float64[np.ndarray, "b d"]
    spin: Float64[np.ndarray, "b d 3"]
    """Body axes (rad per unit of flow time)."""
    drift: Float64[np.ndarray, "b d 3"]


def centre_in_base(
    T_world_base: Float64[np.ndarray, "b 4 4"], centre: Float64[np.ndarray, "b 3"]
) -> Float64[np.ndarray, "b 3"]:
    """`y`: the hands' centre seen from the base (m)."""
    return np.einsum("bji,bj->bi", T_world_base[:, :3, :3], centre - T_world_base[:, :3, 3])


def start_rotations(
    windows: Windows, draws: int, config: FlowConfig, rng: np.random.Generator
) -> Float64[np.ndarray, "b d 3 3"]:
    """Noise rotations: upright with any yaw where gravity is given, uniform over SO(3) elsewhere.

    They are drawn in the window's own reference frame, so the same seed on a turned clip gives turned noise.
    """
    b = len(windows)
    yaw = np.zeros((b * draws, 3))
    yaw[:, 2] = rng.uniform(-np.pi, np.pi, b * draws)
    tilt = rng.normal(size=(b * draws, 3)) * config.tilt * np.array([1.0, 1.0, 0.0])
    upright = (so3_exp(yaw) @ so3_exp(tilt)).reshape(b, draws, 3, 3)
    uniform = random_rotation(rng, b * draws).reshape(b, draws, 3, 3)
    known = np.abs(windows.up).sum(axis=1) > 0
    return windows.reference()[:, None] @ np.where(known[:, None, None, None], upright, uniform)


def flow_pairs(
    windows: Windows,
    T_world_base: Float64[np.ndarray, "b 4 4"],
    scale: CentreScale,
    draws: int,
    config: FlowConfig,
    rng: np.random.Generator,
) -> FlowPairs:
    """`draws` points per clip on paths from noise to the true root (conditional flow matching)."""
    b = len(windows)
    y1 = (centre_in_base(T_world_base, windows.centre()) - scale.mean) / scale.sigma
    y0 = rng.normal(size=(b, draws, 3)) * config.centre_spread
    time = rng.uniform(size=(b, draws))
    R0 = start_rotations(windows, draws, config, rng)
    spin = so3_log(np.swapaxes(R0, -1, -2) @ T_world_base[:, None, :3, :3])
    drift = y1[:, None] - y0
    y = y0 + time[..., None] * drift
    return FlowPairs(R0 @ so3_exp(time[..., None] * spin), y, time, spin, drift)


def sample_roots(
    velocity: Velocity,
    windows: Windows,
    scale: CentreScale,
    draws: int,
    config: FlowConfig,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "b d 4 4"]:
    """Roots drawn by following the flow from noise in Euler steps."""
    R = start_rotations(windows, draws, config, rng)
    y = rng.normal(size=(len(windows), draws, 3)) * config.centre_spread
    dt = 1.0 / config.ode_steps
    for k in range(config.ode_steps):
        spin, drift = velocity(R, y, np.full(y.shape[:2], k * dt))
        R, y = R @ so3_exp(dt * spin), y + dt * drift
    T = np.broadcast_to(np.eye(4), (*y.shape[:2], 4, 4)).copy()
    T[..., :3, :3] = R
    centre = windows.centre()[:, None]
    T[..., :3, 3] = centre - (R @ (scale.mean + scale.sigma * y)[..., None])[..., 0]
    return T


def nearest_sample_errors(
    samples: Float64[np.ndarray, "b d 4 4"],
    truth: Float64[np.ndarray, "b 4 4"],
    centre: Float64[np.ndarray, "b 3"],
) -> dict[str, Float[np.ndarray, " b"]]:
    """Rotation (rad), translation and hands'-centre errors (m): mean over the samples, and of the nearest one."""
    R = np.swapaxes(truth[:, None, :3, :3], -1, -2) @ samples[..., :3, :3]
    angle = np.linalg.norm(so3_log(R), axis=-1)
    moved = np.linalg.norm(samples[..., :3, 3] - truth[:, None, :3, 3], axis=-1)
    seen = np.einsum("bdji,bdj->bdi", samples[..., :3, :3], centre[:, None] - samples[..., :3, 3])
    off = np.linalg.norm(seen - centre_in_base(truth, centre)[:, None], axis=-1)
    best = (angle + moved).argmin(axis=1)[:, None]
    found = {"rotation": angle, "translation": moved, "centre": off}
    out = {f"{name}_mean": values.mean(axis=1) for name, values in found.items()}
    return out | {f"{name}_best": np.take_along_axis(v, best, 1)[:, 0] for name, v in found.items()}

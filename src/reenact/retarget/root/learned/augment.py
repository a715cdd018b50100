"""What cameras and hand trackers make of a motion: viewpoints, noise, jumps, occlusion, missing gravity.

The truth never moves: every step changes what is seen, not where the robot stands. Order: camera (all poses become
camera-frame poses), depth error and noise, jumps, occlusion and missing hands, gravity.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import inverse
from reenact.retarget.root.learned.config import AugmentConfig, WindowConfig
from reenact.retarget.root.learned.motions import Motions
from reenact.retarget.root.learned.windows import Windows


def seen_by_cameras(
    motions: Motions, config: AugmentConfig, window: WindowConfig, rng: np.random.Generator
) -> tuple[Windows, Float64[np.ndarray, "b 4 4"]]:
    """Windows as a tracker would give them, in each clip's own camera frame, and the true roots `T_camera_base`."""
    T_base_wrist = motions.T_base_wrist
    valid = np.broadcast_to(motions.has_arm, T_base_wrist.shape[:3]).copy()
    centre = T_base_wrist[..., :3, 3][:, :, motions.has_arm].mean(axis=(1, 2))
    T_camera_base = inverse(draw_cameras(centre, config, rng))
    T = T_camera_base[:, None, None] @ T_base_wrist
    T = noisy(T, config, rng)
    T = _jumps(T, config, rng)
    valid &= ~_hidden(valid.shape, motions.has_arm, config, rng)
    T[~valid] = 0.0
    seconds = np.broadcast_to(window.step_s * np.arange(valid.shape[1]), valid.shape[:2]).copy()
    return Windows(T, valid, seconds, _gravity(T_camera_base, config, rng)), T_camera_base


def draw_cameras(
    centre: Float64[np.ndarray, "b 3"], config: AugmentConfig, rng: np.random.Generator
) -> Float64[np.ndarray, "b 4 4"]:
    """`T_base_camera` of cameras that look at the hands' centre with any roll, OpenCV axes.

    Azimuth 0 looks at the robot from the front. Rear cameras stand on either side of straight behind.
    """
    b = len(centre)
    azimuth = rng.uniform(-config.azimuth, config.azimuth, b)
    behind = rng.uniform(config.azimuth, 2.0 * np.pi - config.azimuth, b)
    azimuth = np.where(rng.uniform(size=b) < config.rear, behind, azimuth)
    elevation = rng.uniform(*config.elevation, b)
    level = np.cos(elevation)
    outward = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=1)
    forward = -outward
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    R = np.stack([right, np.cross(forward, right), forward], axis=2)
    roll = np.zeros((b, 3))
    roll[:, 2] = rng.uniform(-np.pi, np.pi, b)
    T = np.broadcast_to(np.eye(4), (b, 4, 4)).copy()
    T[:, :3, :3] = R @ so3_exp(roll)
    T[:, :3, 3] = centre + outward * rng.uniform(*config.distance, (b, 1))
    return T


def noisy(T: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """White noise per token, and a constant depth error per hand along the ray from the camera to it."""
    b, n = T.shape[:2]
    out = T.copy()
    amount = rng.uniform(0, 1, (b, 1, 1, 1))
    ray = T[..., :3, 3].mean(axis=1, keepdims=True)
    ray = ray / np.linalg.norm(ray, axis=-1, keepdims=True)
    depth = rng.normal(size=(b, 1, 2, 1)) * config.noise_depth * rng.uniform(0, 1, (b, 1, 1, 1))
    out[..., :3, 3] += depth * ray + rng.normal(size=(b, n, 2, 3)) * config.noise_position * amount
    turn = rng.normal(size=(b, n, 2, 3)) * (config.noise_rotation / np.sqrt(3.0)) * amount
    out[..., :3, :3] = out[..., :3, :3] @ so3_exp(turn)
    return out


def _jumps(T: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """One hand of some clips stands elsewhere for a while."""
    b, n = T.shape[:2]
    out = T.copy()
    inside = _spans(b, n, config.jump_share, rng)
    direction = rng.normal(size=(b, 3))
    direction *= rng.uniform(0, config.jump_size, (b, 1)) / np.linalg.norm(direction, axis=1, keepdims=True)
    jumping = rng.uniform(size=b) < config.jumps
    side = rng.integers(2, size=b)
    for s in (0, 1):
        here = inside & (jumping & (side == s))[:, None]
        out[:, :, s, :3, 3] += here[..., None] * direction[:, None]
    return out


def _spans(b: int, n: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """A run of tokens per clip, between one token and `share` of the window, [b n]."""
    length = rng.integers(1, max(2, round(share * n) + 1), size=b)
    first = np.floor(rng.uniform(size=b) * (n - length + 1)).astype(int)
    at = np.arange(n)
    return (at >= first[:, None]) & (at < (first + length)[:, None])


def _hidden(
    shape: tuple[int, ...], has_arm: np.ndarray, config: AugmentConfig, rng: np.random.Generator
) -> np.ndarray:
    """Tokens that are not seen: occlusion of one hand, hands absent throughout, clips shorter than a window.

    At least one token of one hand stays.
    """
    b, n = shape[:2]
    hidden = np.zeros(shape, bool)
    side = rng.integers(2, size=b)
    occluded = _spans(b, n, config.occlusion_share, rng) & (rng.uniform(size=(b, 1)) < config.occlusion)
    gone = rng.uniform(size=b) < config.one_handed
    if has_arm.all():
        for s in (0, 1):
            hidden[:, :, s] |= (side == s)[:, None] & (occluded | gone[:, None])
    lasts = rng.integers(max(1, n // 4), n, size=b)
    short = rng.uniform(size=b) < config.short
    hidden |= (short[:, None] & (np.arange(n) >= lasts[:, None]))[..., None]
    return hidden


def _gravity(T_camera_base: np.ndarray, config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """Upward unit vectors, tilted a little, or zeros where gravity is not given."""
    b = len(T_camera_base)
    axis = rng.normal(size=(b, 3))
    axis *= rng.uniform(0, config.gravity_noise, (b, 1)) / np.linalg.norm(axis, axis=1, keepdims=True)
    up = (so3_exp(axis) @ T_camera_base[:, :3, 2:3])[..., 0]
    known = rng.uniform(size=(b, 1)) >= config.gravity_dropout
    return np.where(known, up, 0.0)

"""Made-up scenes with known motion: smooth random textures looked at through a moving window."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

HEIGHT, WIDTH = 144, 256


def ground(seed: int, height: int = 600, width: int = 1000) -> np.ndarray:
    """A large coloured texture with structure at several scales, uint8 [h w 3]; every seed has its own colours."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cell in (8, 24, 80):
        noise = rng.normal(size=(height // cell + 2, width // cell + 2, 1)).astype(np.float32)
        colour = rng.normal(size=(1, 1, 3)).astype(np.float32) * 0.5 + 1.0
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)[..., None] * colour
    base = rng.uniform(60, 190, 3)
    return np.clip(base + 28 * picture, 0, 255).astype(np.uint8)


def shot(seed: int, count: int, *, heights_per_s: float = 0.0, fps_hz: float = 15.0) -> np.ndarray:
    """Frames [count 144 256 3] of a ground; the camera goes to the right at this rate."""
    picture = ground(seed)
    frames = []
    for i in range(count):
        x = 40 + heights_per_s * HEIGHT * i / fps_hz
        matrix = np.array([[1, 0, -x], [0, 1, -200.0]])
        frames.append(
            cv2.warpAffine(
                picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
            )
        )
    return np.stack(frames)


def times(count: int, fps_hz: float = 15.0) -> list[int]:
    return [round(i * 1e9 / fps_hz) for i in range(count)]


@dataclass
class MadeLook:
    t_ns: int
    small: np.ndarray
    large: np.ndarray | None = None


def hand_at(x: float, y: float, size: float) -> np.ndarray:
    """21 joints in a box of this size (image heights) centred there, pixels of a 144-row picture."""
    rng = np.random.default_rng(5)
    unit = rng.uniform(-0.5, 0.5, (21, 2))
    unit = (unit - unit.min(0)) / (unit.max(0) - unit.min(0)) - 0.5
    return (np.array([x, y]) + size * unit) * HEIGHT - 0.5

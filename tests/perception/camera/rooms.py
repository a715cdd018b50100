"""Pictures with exactly known cameras, drawn for these tests: a wireframe room, and a textured far wall."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from reenact.geometry.cameras import Camera
from reenact.geometry.rotations import so3_exp
from reenact.scene import Clip

LEVEL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""R_world_camera of a level camera looking along +Y of a world with +Z up."""


def make_clip(seconds: float, fps_hz: float, width_px: int, height_px: int) -> Clip:
    t_ns = np.rint(np.arange(round(seconds * fps_hz)) * 1e9 / fps_hz).astype(np.int64)
    return Clip(
        clip_id="room",
        source_name="room.mp4",
        source_sha256="",
        width_px=width_px,
        height_px=height_px,
        rotation_deg=0,
        nominal_fps_hz=fps_hz,
        t_ns=t_ns,
        end_ns=round(seconds * 1e9),
        source_frame_idx=np.arange(len(t_ns), dtype=np.int64),
    )


def room_edges(seed: int = 0) -> np.ndarray:
    """Ends [n 2 3] of the edges of a room and of boxes in it, all along the world's axes."""
    rng = np.random.default_rng(seed)
    boxes = [(np.array([-3.0, -1.0, -1.5]), np.array([3.0, 6.0, 1.5]))]
    for _ in range(12):
        low = rng.uniform([-2.8, 1.5, -1.5], [2.0, 5.0, 0.5])
        boxes.append((low, low + rng.uniform(0.3, 1.2, 3)))
    edges = []
    for low, high in boxes:
        corner = np.array([[low, high][(k >> i) & 1][i] for k in range(8) for i in range(3)]).reshape(8, 3)
        edges += [(corner[k], corner[k | 1 << i]) for k in range(8) for i in range(3) if not k >> i & 1]
    edges += [(np.array([x, 1.0, -1.5]), np.array([x, 6.0, -1.5])) for x in np.linspace(-2.5, 2.5, 6)]
    edges += [(np.array([-3.0, y, -1.5]), np.array([3.0, y, -1.5])) for y in np.linspace(1.5, 5.5, 5)]
    return np.array(edges)


def draw_room(
    camera: Camera, R_world_camera: np.ndarray, position: np.ndarray, seed: int = 0, clutter: int = 20
) -> np.ndarray:
    """RGB picture of the room with ``clutter`` lines that follow no axis, blur and noise."""
    rng = np.random.default_rng([seed, 1])
    grey = np.full((camera.height_px, camera.width_px), 190, np.uint8)
    for a, b in room_edges():
        points = (np.linspace(0, 1, 60)[:, None] * (b - a) + a - position) @ R_world_camera
        seen = camera.in_front(points) & (points[:, 2] > 0.1)
        pixels = camera.project(points)
        for i in np.flatnonzero(seen[1:] & seen[:-1]):
            _line(grey, pixels[i], pixels[i + 1], 60)
    for _ in range(clutter):
        start = rng.uniform([0, 0], [camera.width_px, camera.height_px])
        _line(grey, start, start + rng.normal(scale=0.1 * camera.width_px, size=2), 120)
    grey = cv2.GaussianBlur(grey, (0, 0), 0.8).astype(np.float64) + rng.normal(scale=3.0, size=grey.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _line(grey: np.ndarray, a: np.ndarray, b: np.ndarray, value: int) -> None:
    if max(np.abs(a).max(), np.abs(b).max()) < 1e4:
        p, q = (tuple(int(v) for v in np.round(x * 16)) for x in (a, b))
        cv2.line(grey, p, q, value, 2, cv2.LINE_AA, shift=4)


def look(pitch_deg: float, roll_deg: float, yaw_deg: float) -> np.ndarray:
    """R_world_camera of a camera turned by yaw (about up), pitched up, rolled clockwise."""
    yaw, pitch, roll = np.deg2rad([yaw_deg, pitch_deg, roll_deg])
    return (
        so3_exp(np.array([0, 0, yaw]))
        @ LEVEL
        @ so3_exp(np.array([pitch, 0, 0]))
        @ so3_exp(np.array([0, 0, roll]))
    )


def up_in_camera(R_world_camera: np.ndarray) -> np.ndarray:
    return R_world_camera.T @ [0.0, 0.0, 1.0]


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


def far_wall(seed: int = 0, size: int = 3000) -> np.ndarray:
    """A large textured picture to look at through a turning camera."""
    rng = np.random.default_rng(seed)
    wall = sum(
        cv2.resize(rng.normal(size=(size // s, size // s)), (size, size), interpolation=cv2.INTER_CUBIC)
        * s**0.5
        for s in (12, 40, 150)
    )
    wall = 128 + 45 * (wall - wall.mean()) / wall.std()
    return np.repeat(np.clip(wall, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def pan(
    wall: np.ndarray, heights_per_s: float, fps_hz: float, width_px: int, height_px: int, seconds: float = 1.5
) -> Iterator[tuple[int, np.ndarray]]:
    """A picture sliding over the wall while a person-like patch moves across; noise like a phone's."""
    noise = np.random.default_rng(5).integers(-6, 7, (height_px + 64, width_px + 64, 1), dtype=np.int16)
    zoom = height_px / 720
    for k in range(round(seconds * fps_hz)):
        t = k / fps_hz
        shift = heights_per_s * height_px * t
        M = np.array([[zoom, 0, -200 * zoom - shift], [0, zoom, -200 * zoom]])
        rgb = cv2.warpAffine(wall, M, (width_px, height_px), flags=cv2.INTER_AREA)
        x, w = round((0.1 + 0.4 * t) * width_px), round(0.25 * width_px)
        patch = wall[1500 : 1500 + height_px, 1500 : 1500 + w][: height_px // 2]
        rgb[height_px // 4 : height_px // 4 + len(patch), x : x + w] = patch[:, : max(0, width_px - x)]
        dx, dy = 7 * k % 64, 13 * k % 64
        noisy = rgb + noise[dy : dy + height_px, dx : dx + width_px]
        yield round(t * 1e9), np.clip(noisy, 0, 255).astype(np.uint8)

"""A drawn clip with known labels, landmarks and points: a hand takes a box from A to B on a patterned table.

Cheap enough for every test; no GL, no nets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from reenact.scene import Clip, FoundObjects, HandLandmarks, MaskLabel, Source

WIDTH, HEIGHT, FRAMES, FPS = 240, 160, 36, 15.0
BOX = (34, 26)
FIRST, LAST = np.array([70.0, 100.0]), np.array([160.0, 80.0])
"""Centre of the box before and after."""
STILL = (200, 40)
"""A thing that nobody touches."""
SKIN = (205, 150, 120)
HAND = np.array(
    [[0, 30], [-9, 22], [-14, 14], [-17, 7], [-19, 1], [-8, 8], [-9, -1], [-9, -7], [-9, -12], [-2, 6], [-2, -4],
     [-2, -11], [-2, -16], [4, 7], [5, -2], [5, -9], [5, -14], [9, 10], [11, 3], [12, -3], [12, -8]], np.float64
)  # fmt: skip
"""21 joints around the palm, pixels."""


@dataclass(frozen=True)
class Drawn:
    """Pictures and what is in them."""

    clip: Clip
    rgb: np.ndarray
    labels: np.ndarray
    landmarks: HandLandmarks
    centre: np.ndarray
    """Of the box per frame [t 2]."""

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        return zip(self.clip.t_ns.tolist(), self.rgb, strict=True)


def box_path() -> tuple[np.ndarray, np.ndarray]:
    """Box and hand centres [t 2]: the hand comes, takes the box along, leaves."""
    box, hand = np.zeros((FRAMES, 2)), np.zeros((FRAMES, 2))
    for i in range(FRAMES):
        u = np.clip((i - 11) / 12, 0, 1)
        u = u * u * (3 - 2 * u)
        box[i] = FIRST + u * (LAST - FIRST)
        away = max(0.0, (9 - i) / 9, (i - 25) / 9)
        hand[i] = box[i] + [16, 12] + away * np.array([40.0, 60.0])
    return box, hand


def draw(seed: int = 0, *, moves: bool = True) -> Drawn:
    """The clip; without motion the box stays at A and the hand does its way without it."""
    rng = np.random.default_rng(seed)
    table = np.full((HEIGHT, WIDTH, 3), (120, 110, 90), np.float64)
    table += cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)), (0, 0), 3)[..., None] * 60
    print_ = np.full((BOX[1], BOX[0], 3), (40, 60, 190), np.uint8)
    for _ in range(14):
        x, y = rng.integers(2, BOX[0] - 4), rng.integers(2, BOX[1] - 4)
        cv2.rectangle(print_, (int(x), int(y)), (int(x) + 5, int(y) + 3), (230, 220, 60), -1)
    box, hand = box_path()
    if not moves:
        box[:] = FIRST
    rgb = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    labels = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
    for i in range(FRAMES):
        picture = table.clip(0, 255).astype(np.uint8)
        cv2.circle(picture, STILL, 12, (60, 170, 80), -1)
        cv2.circle(labels[i], STILL, 12, int(MaskLabel.FIRST_OBJECT) + 1, -1)
        shift = np.array([[1, 0, box[i, 0] - BOX[0] / 2], [0, 1, box[i, 1] - BOX[1] / 2]])
        size = (WIDTH, HEIGHT)
        inside = cv2.warpAffine(np.full(BOX[::-1], 255, np.uint8), shift, size)
        layer = cv2.warpAffine(print_, shift, size)
        picture = np.where((inside > 127)[..., None], layer, picture)
        labels[i][inside > 127] = MaskLabel.FIRST_OBJECT
        cover = _hand_mask(hand[i])
        shade = rng.normal(size=(HEIGHT, WIDTH, 1)) * 4
        picture = np.where((cover > 0)[..., None], (np.array(SKIN) + shade).clip(0, 255), picture)
        labels[i][cover > 0] = MaskLabel.HAND_RIGHT
        rgb[i] = (picture + rng.normal(size=picture.shape) * 2).clip(0, 255).astype(np.uint8)
    return Drawn(_clip(), rgb, labels, _landmarks(hand), box)


def _hand_mask(at: np.ndarray) -> np.ndarray:
    canvas = np.zeros((HEIGHT, WIDTH), np.uint8)
    points = np.round((HAND + at) * 16).astype(np.int32)
    cv2.fillConvexPoly(canvas, cv2.convexHull(points[[0, 1, 5, 9, 13, 17]]), 1, cv2.LINE_8, 4)
    for finger in range(5):
        chain = points[[0, *range(1 + 4 * finger, 5 + 4 * finger)]]
        cv2.polylines(canvas, [chain[1:]], False, 1, 6, cv2.LINE_8, 4)
    return canvas


def _clip() -> Clip:
    t_ns = np.rint(np.arange(FRAMES + 1) * 1e9 / FPS).astype(np.int64)
    return Clip(
        clip_id="drawn", source_name="drawn.mp4", source_sha256="0" * 64, width_px=WIDTH, height_px=HEIGHT,
        rotation_deg=0, nominal_fps_hz=FPS, t_ns=t_ns[:-1], end_ns=int(t_ns[-1]),
        source_frame_idx=np.arange(FRAMES, dtype=np.int64),
    )  # fmt: skip


def _landmarks(hand: np.ndarray) -> HandLandmarks:
    px = np.zeros((FRAMES, 2, 21, 2))
    px[:, 1] = HAND + hand[:, None]
    valid = np.tile([False, True], (FRAMES, 1))
    return HandLandmarks(
        landmarks_px=px, landmarks_rel=np.zeros((FRAMES, 2, 21, 3)), valid=valid,
        confidence=valid.astype(np.float64), source=valid.astype(np.uint8) * np.uint8(Source.OBSERVED),
        backend="drawn", licence="none",
    )  # fmt: skip


def found(frames: tuple[int, ...] = (0, 0), confidence: float = 1.0) -> FoundObjects:
    """Boxes around the box and the still thing."""
    w, h = BOX
    box, _ = box_path()
    centre = box[frames[0]]
    boxes = [
        [centre[0] - w / 2, centre[1] - h / 2, centre[0] + w / 2, centre[1] + h / 2],
        [STILL[0] - 13, STILL[1] - 13, STILL[0] + 13, STILL[1] + 13],
    ]
    return FoundObjects(
        object_ids=("box", "still"), names=("box", "still"), roles=("manipulated", "target"),
        seed_frame=np.array(frames, np.int64), seed_box_px=np.array(boxes, np.float64),
        confidence=np.full(2, confidence), sources=("user_box", "user_box"), reasons=("drawn", "drawn"),
        backend="drawn", licence="none",
    )  # fmt: skip

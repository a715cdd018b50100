"""What the free hand's skin looks like: a place in a two-way palette for every drawn vertex.

One texture holds all colours of a skin: across it the tone goes from dark creases over plain skin to pale palm and
nails, up it from sallow to flushed. Vertices carry coordinates into it, so colour varies smoothly and has no seam.
Nails, knuckle wrinkles, and the creases of fingers and palm are what tell back from palm, for people and nets.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, UInt8

from reenact.hands.joints import LEFT
from reenact.hands.rest import MM, rest_hand

PALETTE_SIZE = 64
CREASE_WIDTH = 1.5 * MM
"""Half width of a crease; drawn vertices are about 2 mm apart."""
PALE = (0.87, 0.74, 0.66)
"""sRGB of nails, and the colour palms tend to on every skin."""
PALM_CREASES_MM = (
    ((30, -2), (47, 6), (63, 17), (74, 30), (78, 36)),  # around the ball of the thumb
    ((77, 33), (70, 12), (60, -8), (47, -27)),  # head line
    ((88, 8), (78, -2), (70, -18), (66, -40), (64, -50)),  # heart line
    ((5, -26), (2, 0), (5, 24)),  # wrist
)
"""Polylines (to the fingers, to the thumb) on the palm of the default adult at rest."""


@dataclass(frozen=True)
class SkinTone:
    """sRGB 0..1 of plain skin on the back of the hand."""

    base: tuple[float, float, float] = (0.74, 0.55, 0.45)


def palette(tone: SkinTone) -> UInt8[np.ndarray, "h w 3"]:
    """The palette of a skin: columns dark to pale, rows (first row v = 0) sallow to flushed."""
    u = np.linspace(-1, 1, PALETTE_SIZE)[None, :, None]
    v = np.linspace(0, 1, PALETTE_SIZE)[:, None, None]
    base = np.array(tone.base)
    dark, pale = base * [0.60, 0.46, 0.42], np.maximum(base + 0.3 * (1 - base), PALE)
    red = np.array([0.06, -0.07, -0.05])
    colour = np.where(u < 0, base - u * (dark - base), base + u * (pale - base)) + v * red
    return np.clip(np.rint(colour * 255), 0, 255).astype(np.uint8)


def palette_coordinates(
    side: int, points: Float[np.ndarray, "v 3"], normals: Float[np.ndarray, "v 3"]
) -> Float64[np.ndarray, "v 2"]:
    """Texture coordinates: (tone 0..1 with 0.5 plain skin, flush 0..1) of points on the rest mesh (wrist frame)."""
    if side != LEFT:
        points, normals = points * [-1.0, 1.0, 1.0], normals * [-1.0, 1.0, 1.0]
    rest = rest_hand()
    paint = _Paint(points - rest.flesh[0], normals)
    paint.palm()
    for finger in range(5):
        bones, joints = rest.bones[1 + 3 * finger : 4 + 3 * finger].copy(), rest.finger(finger)
        joints = joints - rest.flesh[0]
        bones[:, :3, 3] = joints[:3]
        paint.finger(finger, bones, joints)
    return np.clip(np.stack([0.5 + 0.5 * paint.tone, paint.flush], axis=1), 0.02, 0.98)


class _Paint:
    """Collects tone (-1 dark .. 1 pale) and flush (0..1) part by part, on a left hand."""

    def __init__(self, points: np.ndarray, normals: np.ndarray) -> None:
        self.points, self.normals = points, normals
        self.tone, self.flush = np.zeros(len(points)), np.full(len(points), 0.12)

    def palm(self) -> None:
        """Paler, redder palm side with its creases."""
        on_palm = _step(-self.normals[:, 1], 0.0, 0.5)
        hand = _step(self.points[:, 0], -30 * MM, 30 * MM)
        self.tone += 0.25 * on_palm * hand
        self.flush += 0.30 * on_palm * hand
        for line in PALM_CREASES_MM:
            near = _near_line(self.points[:, [0, 2]], np.array(line, float) * MM)
            self.tone -= 0.55 * near * _step(-self.normals[:, 1], 0.2, 0.6)

    def finger(self, finger: int, bones: np.ndarray, joints: np.ndarray) -> None:
        """Creases and wrinkles at the joints, red knuckles and tip, nail."""
        for k in range(3):
            T = bones[k]
            local = (self.points - T[:3, 3]) @ T[:3, :3]
            dorsal = self.normals @ T[:3, 1]
            near = np.exp(-((np.linalg.norm(local, axis=1) / (14 * MM)) ** 2))
            if finger > 0 or k > 0:
                self.flush += 0.20 * near * _step(dorsal, 0.0, 0.7)
                self.tone -= 0.08 * near * _step(dorsal, 0.0, 0.7)
            reach = np.hypot(local[:, 1], local[:, 2]) < 15 * MM
            lines_mm = ((), (-1.3, 1.7), (0.0,))[k]
            for offset in lines_mm:
                self.tone -= 0.5 * reach * _ridge(local[:, 0] - offset * MM) * _step(-dorsal, -0.2, 0.4)
            for offset in ((), (-3.0, 0.0, 3.0), (-1.5, 1.5))[k]:
                self.tone -= 0.22 * reach * _ridge(local[:, 0] - offset * MM) * _step(dorsal, 0.4, 0.8)
            if k == 0 and finger > 0:
                base = _ridge(local[:, 0] - (22.0, 24.0, 22.0, 18.0)[finger - 1] * MM) * _step(
                    -dorsal, 0.0, 0.5
                )
                self.tone -= 0.45 * (np.hypot(local[:, 1], local[:, 2]) < 15 * MM) * base
        tip = np.linalg.norm(self.points - joints[3], axis=1)
        self.flush += 0.30 * np.exp(-((tip / (12 * MM)) ** 2))
        self._nail(finger, bones[2], float(np.linalg.norm(joints[3] - joints[2])))

    def _nail(self, finger: int, T: np.ndarray, length: float) -> None:
        local = (self.points - T[:3, 3]) @ T[:3, :3]
        half_width = (7.0, 5.6, 5.8, 5.4, 4.6)[finger] * MM
        along, across = (local[:, 0] - 0.76 * length) / (0.30 * length), local[:, 2] / half_width
        inside = 1 - (np.abs(along) ** 4 + np.abs(across) ** 4) ** 0.25
        facing = _step(self.normals @ T[:3, 1], 0.25, 0.5) * (np.abs(local[:, 0] - 0.76 * length) < 0.02)
        plate = _step(inside, -0.10, 0.15) * facing
        self.tone = self.tone * (1 - plate) + 0.55 * plate
        self.flush = self.flush * (1 - plate) + 0.45 * plate
        self.tone += 0.45 * plate * _step(along, 0.65, 0.95)
        self.tone -= 0.45 * facing * np.exp(-((inside / 0.16) ** 2)) * (along < 0.7)


def _near_line(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    distance = np.full(len(points), np.inf)
    for a, b in itertools.pairwise(line):
        axis = b - a
        along = np.clip((points - a) @ axis / (axis @ axis), 0, 1)
        distance = np.minimum(distance, np.linalg.norm(points - a - along[:, None] * axis, axis=1))
    return _ridge(distance)


def _ridge(distance: np.ndarray) -> np.ndarray:
    return np.exp(-((distance / CREASE_WIDTH) ** 2))


def _step(x: np.ndarray, low: float, high: float) -> np.ndarray:
    u = np.clip((x - low) / (high - low), 0, 1)
    return u * u * (3 - 2 * u)

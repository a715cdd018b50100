"""Wrist poses from plain words: where fingers point, where the back of the hand faces, what lies in the grip.

In: directions and points in the world. Out: rotations and transforms of the wrist frame (METIS axes, both sides).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import inverse
from reenact.hands.joints import LEFT
from reenact.toy.hand_surface import HandSurface

Vector: TypeAlias = Sequence[float | int] | np.ndarray
"""Three numbers."""
ELBOW_GUESS = np.array([0.31, -0.37])
"""|x| and y of a resting elbow (m): forearms point away from it."""


def wrist_rotation(side: int, fingers: Vector, back: Vector) -> Float64[np.ndarray, "3 3"]:
    """`R_world_wrist` of a hand whose fingers point along `fingers` and whose back faces `back`."""
    f, b = np.array(fingers, float), np.array(back, float)
    f /= np.linalg.norm(f)
    b -= (b @ f) * f
    b /= np.linalg.norm(b)
    x = f if side == LEFT else -f
    return np.stack([x, b, np.cross(x, b)], axis=1)


def in_wrist(side: int, distal: float, dorsal: float, radial: float) -> Float64[np.ndarray, "3"]:
    """A point of the wrist frame given by directions that both hands share (m)."""
    return np.array([distal if side == LEFT else -distal, dorsal, radial])


def outward(side: int) -> float:
    """Sign of x on the person's left (-1) or right (+1)."""
    return (-1.0, 1.0)[side]


def heading(side: int, target: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "2"]:
    """Horizontal direction in which a forearm points when its hand is at `target`."""
    elbow = ELBOW_GUESS * [outward(side), 1.0]
    d = np.asarray(target)[:2] - elbow
    return d / np.linalg.norm(d)


def grip_point(surface: HandSurface, digits: tuple[int, ...], angles: np.ndarray) -> Float64[np.ndarray, "3"]:
    """Middle between the thumb's pad and those of other fingers, in the wrist frame: where a pinched thing sits."""
    skin = surface.points(angles, np.eye(4))
    thumb = skin[surface.tip_pads[0]].mean(axis=0)
    others = np.mean([skin[surface.tip_pads[d]].mean(axis=0) for d in digits if d != 0], axis=0)
    return 0.5 * (thumb + others)


def place_wrist(
    R_world_wrist: np.ndarray, grip_wrist: np.ndarray, target_world: np.ndarray, T_world_object: np.ndarray
) -> Float64[np.ndarray, "4 4"]:
    """`T_object_wrist` that brings a point of the wrist frame to a point in the world, at a given orientation."""
    T_world_wrist = np.eye(4)
    T_world_wrist[:3, :3] = R_world_wrist
    T_world_wrist[:3, 3] = target_world - R_world_wrist @ grip_wrist
    return inverse(T_world_object) @ T_world_wrist

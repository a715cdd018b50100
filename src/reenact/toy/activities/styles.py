"""The ways in which the toy hands take hold of things, and where the hand goes for each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.toy.grasps import Grasp, GraspStyle
from reenact.toy.hand_surface import HandSurface
from reenact.toy.plan import Stage
from reenact.toy.postures import COVER, FLAT, HOOK, OPEN, PINCH, PINCH_OPEN, RELAXED, WRAP
from reenact.toy.wrists import Vector, grip_point, heading, in_wrist, outward, place_wrist, wrist_rotation

WRAP_STYLE = GraspStyle("wrap", (0, 1, 2, 3, 4), palm=True, closed=WRAP, opened=OPEN)
"""Whole hand around an upright thing of 5 to 8 cm."""
PINCH_STYLE = GraspStyle("pinch", (0, 1, 2), palm=False, closed=PINCH, opened=PINCH_OPEN)
"""Thumb against two fingers, from above."""
SIDE_STYLE = GraspStyle("side", (1, 2, 3, 4), palm=True, closed=FLAT, opened=FLAT, freedom=(0.02, 0.15))
"""Flat hand against a side."""

COVER_STYLE = GraspStyle("cover", (0, 1, 2, 3, 4), palm=True, closed=COVER, opened=RELAXED)
"""Palm on top, fingers over the edges."""
GRIP_STYLE = GraspStyle("grip", (0, 1, 2, 3, 4), palm=True, closed=HOOK, opened=OPEN, freedom=(0.02, 0.30))
"""Fist around a handle."""


def wrap(stage: Stage, side: int, object_idx: int, height: float = 0.0, on_table: bool = True) -> Grasp:
    """Grasp an upright thing from the side of the hand, thumb up, `height` above its origin (m)."""
    T = stage.place[object_idx]
    fingers, back = wrap_directions(side, T[:3, 3])
    surface_point = T[:3, 3] + [0, 0, height]
    shape = stage.props[object_idx].outside
    reach = _half_width(shape, T, -back, surface_point)
    grip = in_wrist(side, 0.088, -(reach + 0.013), 0.0) * (stage.hand_length / 0.189)
    guess = place_wrist(wrist_rotation(side, fingers, back), grip, surface_point, T)
    return stage.grasp(side, object_idx, WRAP_STYLE, guess, on_table)


def wrap_directions(side: int, target: Float64[np.ndarray, "3"]) -> tuple[np.ndarray, np.ndarray]:
    """Where fingers point and the back of the hand faces when wrapping something upright at `target`."""
    h = heading(side, target)
    fingers = np.array([h[0], h[1], 0.0])
    return fingers, np.array([h[1], -h[0], 0.0]) * outward(side)


def wrap_exit(side: int, target: Float64[np.ndarray, "3"], length: float = 0.16) -> np.ndarray:
    """The way out of a wrap: sideways with the back of the hand ahead, and a little back."""
    fingers, back = wrap_directions(side, target)
    return length * (0.95 * back - 0.30 * fingers + [0, 0, 0.20])


def pinch(
    stage: Stage,
    side: int,
    object_idx: int,
    offset: Vector = (0, 0, 0),
    steep: float = 0.7,
) -> Grasp:
    """Grasp from above with thumb towards the person, at an offset from the origin (world axes, m)."""
    T = stage.place[object_idx]
    h = heading(side, T[:3, 3])
    level = float(np.sqrt(1 - steep**2))
    fingers = np.array([h[0] * level, h[1] * level, -steep])
    back = np.array([h[0] * steep, h[1] * steep, level])
    grip = grip_point(HandSurface.adult(side, stage.hand_length), (0, 1, 2), PINCH)
    guess = place_wrist(wrist_rotation(side, fingers, back), grip, T[:3, 3] + np.array(offset), T)
    return stage.grasp(side, object_idx, PINCH_STYLE, guess)


PINCH_EXIT = np.array([0.0, -0.03, 0.19])
"""The way out of a pinch: up and back (m)."""


def beside(stage: Stage, side: int, object_idx: int, height: float = 0.0, ahead: float = 0.0) -> Grasp:
    """Flat palm against the object's outer side, fingers forward."""
    T = stage.place[object_idx]
    back = np.array([outward(side), 0.0, 0.0])
    fingers = np.array([-outward(side) * 0.05, 1.0, -0.50])
    reach = _half_width(stage.props[object_idx].outside, T, -back, T[:3, 3])
    target = T[:3, 3] + back * reach + [0, ahead, height]
    guess = place_wrist(wrist_rotation(side, fingers, back), in_wrist(side, 0.10, -0.016, 0.0), target, T)
    return stage.grasp(side, object_idx, SIDE_STYLE, guess)


def beside_exit(side: int) -> np.ndarray:
    """The way out of a flat touch."""
    return np.array([outward(side) * 0.13, -0.06, 0.03])


def cover(stage: Stage, side: int, object_idx: int) -> Grasp:
    """Palm down on a flat thing, fingers bent over its edges."""
    T = stage.place[object_idx]
    h = heading(side, T[:3, 3])
    top = stage.props[object_idx].outside.mesh().vertices[:, 2].max()
    target = T[:3, 3] + [0, 0, top]
    R = wrist_rotation(side, np.array([h[0], h[1], -0.12]), np.array([0.0, 0.0, 1.0]))
    guess = place_wrist(R, in_wrist(side, 0.095, -0.024, 0.004), target, T)
    return stage.grasp(side, object_idx, COVER_STYLE, guess)


COVER_EXIT = np.array([0.0, -0.05, 0.13])
"""The way off a covered thing (m)."""


OBLIQUE = 0.75
"""Angle between a gripped handle and the line from little finger to thumb (rad)."""


def grip(stage: Stage, side: int, object_idx: int, T_world_object: np.ndarray) -> Grasp:
    """Fist around a tool's handle, which runs along the object's y through its origin; blade or head ahead.

    The thumb side looks up and ahead; the handle lies obliquely in the palm.
    """
    ahead, up = T_world_object[:3, 1], T_world_object[:3, 2]
    radial = np.cos(OBLIQUE) * ahead + np.sin(OBLIQUE) * up
    distal = np.sin(OBLIQUE) * ahead - np.cos(OBLIQUE) * up
    back = np.cross(distal, radial) * outward(side)
    R = wrist_rotation(side, distal, back)
    guess = place_wrist(R, in_wrist(side, 0.082, -0.028, 0.0), T_world_object[:3, 3], T_world_object)
    return stage.grasp(side, object_idx, GRIP_STYLE, guess, on_table=False)


def _half_width(shape: object, T: np.ndarray, direction: np.ndarray, through: np.ndarray) -> float:
    """Distance from a point inside to the surface against `direction` (world), by stepping."""
    steps = np.linspace(0, 0.25, 501)
    points = (through - direction * steps[:, None] - T[:3, 3]) @ T[:3, :3]
    outside = shape.distance(points) > 0  # type: ignore[attr-defined]
    return float(steps[int(np.argmax(outside))])

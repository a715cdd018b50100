"""The level that things stand on, by the points of the room that the path of a moving camera was found by.

The points and the path are one map: a wrong unit scales both alike, so that what rests on this level rests before the
camera whatever the unit is. Corners lie on things as well as on the table, never below it: the level is the lowest height
at which nearly as many lie, of those around the hands, as at any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.scene import CameraPath, CameraTrack, HandTracks


@dataclass(frozen=True)
class FloorConfig:
    """Lengths in metres. Chosen on rendered clips of seeds 2 and 6 (640 x 480, orbiting)."""

    around: float = 0.5
    """Points this near to where hands were (level) count; things are put down where hands are."""
    above: float = 0.08
    """A support is no farther than this above the hands' usual height: hands are that unsure along the view."""
    below: float = 0.5
    """Nor farther than this below the hands' usual height."""
    nearly: float = 0.8
    """The lowest height at which this part of the most points lie is the level: corners on things pull the most upward."""
    things: float = 0.015
    """One-sigma of what is left of that (m; the most points of a rendered clip lay 2 to 3.5 cm above its table)."""
    blur: float = 0.015
    """Least error of a point's height."""
    least: int = 12
    """Points that must lie at one height."""
    least_share: float = 0.2
    """And the share of those considered."""
    independent: float = 6.0
    """Neighbouring points err alike: at most so many independent readings."""


@dataclass(frozen=True)
class RoomFloor:
    """A level plane z = height of the scene's frame."""

    height: float
    own_sigma: float
    """One-sigma without that of the map's unit (m)."""
    drop: float
    """How far it lies below the middle of the camera's path (m): times the unit's relative sigma, the rest of its error."""
    points: int


def room_floor(
    path: CameraPath, camera: CameraTrack, hands: HandTracks | None, config: FloorConfig | None = None
) -> RoomFloor | None:
    """The level under the hands, or None: up is not known, no hands, or no height at which many points lie."""
    c = config or FloorConfig()
    if camera.world_frame != "world" or hands is None or not hands.valid.any():
        return None
    palms = hands.joints_world[hands.valid].mean(axis=1)
    usual = float(np.median(palms[:, 2]))
    points = path.points_world
    apart = np.linalg.norm(points[:, None, :2] - palms[None, :: max(1, len(palms) // 200), :2], axis=-1).min(
        axis=1, initial=np.inf
    )
    heights = points[
        (apart < c.around) & (points[:, 2] < usual + c.above) & (points[:, 2] > usual - c.below), 2
    ]
    if len(heights) < c.least:
        return None
    blur = float(np.hypot(c.blur, path.place_sigma / 2))
    level = _lowest_mode(heights, blur, c.nearly)
    on_it = np.abs(heights - level) < 1.5 * blur
    if on_it.sum() < max(c.least, c.least_share * len(heights)):
        return None
    eye = camera.scene_T_camera()[:, 2, 3]
    far = float(np.median(np.linalg.norm(palms - camera.scene_T_camera()[:, :3, 3].mean(axis=0), axis=-1)))
    lean = float(camera.gravity_sigma) * 0.5 * far
    readings = min(float(on_it.sum()) / 4, c.independent)
    own = float(np.sqrt(blur**2 / readings + lean**2 + c.things**2))
    return RoomFloor(level, own, float(eye.mean()) - level, int(on_it.sum()))


def _lowest_mode(values: Float64[np.ndarray, " n"], blur: float, nearly: float) -> float:
    """The lowest value around which at least that part of the most lie, each blurred by a normal of that width."""
    grid = np.arange(values.min(), values.max() + blur / 4, blur / 4)
    dense = np.exp(-0.5 * ((grid[:, None] - values[None]) / blur) ** 2).sum(axis=1)
    return float(grid[int(np.flatnonzero(dense >= nearly * dense.max())[0])])

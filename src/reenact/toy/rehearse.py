"""Looking a script over before it is filmed: nobody's hand goes through things, no wrist or speed is inhuman.

In: a `Script`. Out: what is wrong with it, in words; an empty list means it can be filmed.
"""

from __future__ import annotations

import numpy as np

from reenact.hands.joints import SIDES
from reenact.toy.arms import solve_arms
from reenact.toy.hand_surface import FOREARM, HandSurface
from reenact.toy.person import CHEST, forearm_turns
from reenact.toy.rooms import TABLE_TOP
from reenact.toy.script import Performance, Script, perform

RATE_HZ = 20.0
"""Instants per script second at which a script is looked over."""
DEEPEST = 0.0025
"""Deepest allowed entry of skin into an object or the table (m)."""
WRIST_BEND = np.deg2rad(75.0)
"""Largest angle between hand and forearm; flexion and extension reach 75 to 80 deg in adults."""
TOP_SPEED = 1.0
"""Fastest wrist (m/s) at natural speed."""
CLEAR = 0.01
"""Skin farther than this from an object is simply clear of it (m)."""
CELL = 0.004
"""Skin points are thinned to one per cube of this side (m)."""


def faults(script: Script, hand_length: float) -> list[str]:
    """Everything wrong with a script."""
    t = np.arange(0.0, script.duration, 1 / RATE_HZ)
    performance = perform(script, t)
    found = []
    arms = solve_arms(performance.T_world_wrist[:, :, :3, 3], CHEST, tuple(performance.present))
    turns = forearm_turns(arms, performance.T_world_wrist)
    for side in np.flatnonzero(performance.present):
        name = SIDES[side]
        bend = np.arccos(np.clip((np.trace(turns[:, side], axis1=-2, axis2=-1) - 1) / 2, -1, 1)).max()
        if bend > WRIST_BEND:
            found.append(f"{name} wrist bends {np.rad2deg(bend):.0f} deg")
        speed = (
            np.linalg.norm(np.diff(performance.T_world_wrist[:, side, :3, 3], axis=0), axis=-1).max()
            * RATE_HZ
        )
        if speed > TOP_SPEED:
            found.append(f"{name} wrist moves at {speed:.2f} m/s")
        for thing, depth in penetrations(script, performance, int(side), hand_length).items():
            if depth.max() > DEEPEST:
                found.append(
                    f"{name} hand {1e3 * depth.max():.1f} mm inside {thing} at {t[depth.argmax()]:.2f} s"
                )
    return found


def penetrations(
    script: Script, performance: Performance, side: int, hand_length: float, cell: float = CELL
) -> dict[str, np.ndarray]:
    """Depth of the deepest skin point inside each object and the table, per instant (m).

    Negative is clear; clearances of more than `CLEAR` are given as `CLEAR`.
    """
    surface = HandSurface.adult(side, hand_length)
    points = surface.thinned(cell) if cell > 0 else np.flatnonzero(surface.part != FOREARM)
    skin = surface.keep(points).points(performance.angles[:, side], performance.T_world_wrist[:, side])
    depth = {"the table": TABLE_TOP - skin[..., 2].min(axis=1)}
    for o, prop in enumerate(script.props):
        corners = prop.shape.mesh().vertices
        low, high = corners.min(axis=0) - CLEAR, corners.max(axis=0) + CLEAR
        T = performance.T_world_object[:, o]
        local = (skin - T[:, None, :3, 3]) @ T[:, :3, :3]
        near = ((local > low) & (local < high)).all(axis=-1)
        distance = np.full(near.shape, CLEAR)
        distance[near] = np.minimum(prop.shape.distance(local[near]), CLEAR)
        depth[f"{prop.name} {o}"] = -distance.min(axis=1)
    return depth

"""Looking a script over before it is filmed: nobody's hand goes through things, no wrist or speed is inhuman.

In: a `Script`. Out: what is wrong with it, in words; an empty list means it can be filmed.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import SIDES
from reenact.toy.arms import solve_arms
from reenact.toy.hand_surface import FOREARM, HandSurface
from reenact.toy.person import CHEST, forearm_turns
from reenact.toy.props import Prop
from reenact.toy.rooms import TABLE_TOP
from reenact.toy.script import Performance, Script, perform

RATE_HZ = 30.0
"""Instants per script second at which a script is looked over."""
DEEPEST = 0.002
"""Deepest allowed entry of skin into an object or the table (m)."""
OVERLAP = 0.001
"""Deepest allowed overlap of two objects (m)."""
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
    arms = solve_arms(performance.T_world_wrist[:, :, :3, 3], CHEST, performance.present)
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
    return found + collisions(script, performance, t)


def collisions(script: Script, performance: Performance, t: Float64[np.ndarray, " t"]) -> list[str]:
    """Objects that are carried through the table or through each other, in words."""
    found = []
    moved = {hold.object_idx for hold in script.holds}
    corners = [prop.shape.mesh().vertices for prop in script.props]
    for a in sorted(moved):
        name, T_a = script.props[a].name, performance.T_world_object[:, a]
        world_a = corners[a] @ T_a[:, :3, :3].swapaxes(-1, -2) + T_a[:, None, :3, 3]
        below = TABLE_TOP - world_a[..., 2].min(axis=1)
        if below.max() > 1e-4:
            found.append(f"{name} {1e3 * below.max():.1f} mm below the table at {t[below.argmax()]:.2f} s")
        for b in range(len(script.props)):
            if b == a or (a, b) in script.may_enter or (b, a) in script.may_enter:
                continue
            T_b = performance.T_world_object[:, b]
            world_b = corners[b] @ T_b[:, :3, :3].swapaxes(-1, -2) + T_b[:, None, :3, 3]
            depth = np.maximum(_inside(script.props[b], world_a, T_b), _inside(script.props[a], world_b, T_a))
            if depth.max() > OVERLAP:
                both = f"{name} and {script.props[b].name}"
                found.append(f"{both} overlap by {1e3 * depth.max():.1f} mm at {t[depth.argmax()]:.2f} s")
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
        depth[f"{prop.name} {o}"] = _inside(prop, skin, performance.T_world_object[:, o])
    return depth


def _inside(prop: Prop, points_world: np.ndarray, T_world_object: np.ndarray) -> np.ndarray:
    """How deep the deepest of points [t n 3] is in a prop, [t]; at least `-CLEAR`."""
    corners = prop.shape.mesh().vertices
    low, high = corners.min(axis=0) - CLEAR, corners.max(axis=0) + CLEAR
    local = (points_world - T_world_object[:, None, :3, 3]) @ T_world_object[:, :3, :3]
    near = ((local > low) & (local < high)).all(axis=-1)
    distance = np.full(near.shape, CLEAR)
    distance[near] = np.minimum(prop.shape.distance(local[near]), CLEAR)
    return -distance.min(axis=1)

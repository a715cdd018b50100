"""A toy performance as data, and how it is played: who moves what, and what that makes every object do.

In: a `Script` and script times. Out: a `Performance`: wrists, fingers, objects and interaction states per time. Objects
have no physics: an object held or pushed moves rigidly with its hand, and otherwise stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.geometry.transforms import inverse
from reenact.scene.interaction import InteractionState
from reenact.toy.motion import HandPart, play_fingers, play_wrist
from reenact.toy.props import Prop

MOVING_SPEED = 0.002
"""An object that no hand holds is `moving` above this speed (m/s); pushed objects start and stop smoothly."""
SWAY = 0.0012
"""Amplitude of the free hand's natural sway (m); held posture tremor and drift are of this order."""
SWAY_STILL = 0.35
"""Script seconds before and after each contact without any sway: fingers close and open in them."""
SWAY_CALM = 0.25
"""Script seconds over which the sway dies away before that, and comes back after."""


@dataclass(frozen=True)
class Hold:
    """Object and hand move as one from `begin` to `end` (script seconds)."""

    object_idx: int
    side: int
    begin: float
    end: float
    kind: str = "grasp"
    """"grasp" or "push"."""
    leads: bool = True
    """Whether this hand moves the object; False for a hand that goes along with another's motion."""
    steady: bool = False
    """No sway while held: the object slides on something, or a tool must meet its mark."""


@dataclass(frozen=True)
class Script:
    """Everything that happens, in script time."""

    name: str
    props: tuple[Prop, ...]
    T_world_object: Float64[np.ndarray, "o 4 4"]
    """Where the objects stand at the start."""
    parts: tuple[HandPart | None, HandPart | None]
    """Left and right hand; None is absent."""
    holds: tuple[Hold, ...]
    sway_seed: int
    may_enter: frozenset[tuple[int, int]] = frozenset()
    """Pairs of objects of which one cuts into the other."""

    @property
    def duration(self) -> float:
        """Natural length (s)."""
        return max(p.duration for p in self.parts if p is not None)


@dataclass(frozen=True)
class Performance:
    """The script on a time grid. Absent hands hold finite but meaningless numbers."""

    present: Bool[np.ndarray, "s=2"]
    T_world_wrist: Float64[np.ndarray, "t s=2 4 4"]
    angles: Float64[np.ndarray, "t s=2 20"]
    T_world_object: Float64[np.ndarray, "t o 4 4"]
    state: UInt8[np.ndarray, "t o"]


def perform(script: Script, t: Float64[np.ndarray, " t"]) -> Performance:
    """Play the script at the given script times (seconds, rising)."""
    instants = np.array([time for hold in script.holds for time in (hold.begin, hold.end)])
    times = np.concatenate([t, instants])  # holds need the wrist at their own instants too
    wrists = np.tile(np.eye(4), (len(times), 2, 1, 1))
    angles = np.zeros((len(times), 2, 20))
    objects = np.tile(script.T_world_object, (len(times), 1, 1, 1))
    parts = [p for p in script.parts if p is not None]
    for part in sorted(parts, key=lambda p: p.rides):
        wrists[:, part.side] = play_wrist(part, times, objects)
        if not part.rides:
            wrists[:, part.side, :3, 3] += _sway(script, part.side, times)
        angles[:, part.side] = play_fingers(part, times)
        objects = _carry(script, times, wrists, len(t))
    present = np.array([p is not None for p in script.parts])
    shown = slice(0, len(t))
    state = _states(script, t, objects[shown])
    return Performance(present, wrists[shown], angles[shown], objects[shown], state)


def _carry(script: Script, times: np.ndarray, wrists: np.ndarray, shown: int) -> np.ndarray:
    """Objects over time from the holds, in order of their beginning."""
    objects = np.tile(script.T_world_object, (len(times), 1, 1, 1))
    leading = [i for i, hold in enumerate(script.holds) if hold.leads]
    order = sorted(leading, key=lambda i: script.holds[i].begin)
    for n, i in enumerate(order):
        hold = script.holds[i]
        o, row = hold.object_idx, shown + 2 * i
        for k in order[:n]:  # the hand that has the object leads until it lets go
            before = script.holds[k]
            if before.object_idx == o and before.end > times[row]:
                row = shown + 2 * k + 1
        if times[row] >= hold.end:
            continue
        T_wrist_object = inverse(wrists[row, hold.side]) @ objects[row, o]
        during = (times >= times[row]) & (times < hold.end)
        after = times >= hold.end
        objects[during, o] = wrists[during, hold.side] @ T_wrist_object
        objects[after, o] = wrists[shown + 2 * i + 1, hold.side] @ T_wrist_object
    return objects


def _states(script: Script, t: np.ndarray, T_world_object: np.ndarray) -> np.ndarray:
    grasped = np.zeros((len(t), len(script.props), 2), bool)
    for hold in script.holds:
        if hold.kind == "grasp":
            grasped[(t >= hold.begin) & (t < hold.end), hold.object_idx, hold.side] = True
    state = np.where(
        _speed(t, T_world_object) > MOVING_SPEED, InteractionState.MOVING, InteractionState.STATIC
    )
    state = np.where(grasped[..., 0], InteractionState.GRASPED_LEFT, state)
    state = np.where(grasped[..., 1], InteractionState.GRASPED_RIGHT, state)
    return np.where(grasped.all(axis=-1), InteractionState.GRASPED_BOTH, state).astype(np.uint8)


def _speed(t: np.ndarray, T_world_object: np.ndarray) -> np.ndarray:
    if len(t) < 2:
        return np.zeros(T_world_object.shape[:2])
    return np.linalg.norm(np.gradient(T_world_object[..., :3, 3], t, axis=0), axis=-1)


def _sway(script: Script, side: int, t: np.ndarray) -> np.ndarray:
    """Slow smooth drift of a free hand, zero around every contact of that hand and while it pushes."""
    rng = np.random.default_rng([script.sway_seed, side])
    rates_hz, phase = rng.uniform(0.25, 1.1, (3, 3)), rng.uniform(0, 2 * np.pi, (3, 3))
    drift = SWAY * np.sin(2 * np.pi * rates_hz * t[:, None, None] + phase).sum(axis=1)
    calm = np.ones(len(t))
    for hold in script.holds:
        if hold.side != side and not _shared(script, hold, side):
            continue
        spans = [(hold.begin, hold.begin), (hold.end, hold.end)]
        if hold.kind == "push" or hold.steady or _shared(script, hold, side):
            spans = [(hold.begin, hold.end)]
        for begin, end in spans:
            away = np.maximum(np.maximum(begin - t, t - end) - SWAY_STILL, 0.0) / SWAY_CALM
            calm = np.minimum(calm, np.clip(away, 0, 1) ** 2 * (3 - 2 * np.clip(away, 0, 1)))
    return drift * calm[:, None]


def _shared(script: Script, hold: Hold, side: int) -> bool:
    """Whether the other hand holds the same object during part of this hold."""
    others = [h for h in script.holds if h.side == side and h.object_idx == hold.object_idx and h is not hold]
    return any(h.begin < hold.end and hold.begin < h.end for h in others)

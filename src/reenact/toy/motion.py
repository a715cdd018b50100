"""Smooth human-like motion of wrists and fingers: phases of minimum-jerk movement played on any time grid.

In: a `HandPart` (start pose and phases). Out: wrist transforms and joint angles at given times. Between phases the
hand is at rest, so speed and acceleration are continuous everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix, slerp
from reenact.geometry.transforms import make_T


def min_jerk(u: Float64[np.ndarray, "*b"]) -> Float64[np.ndarray, "*b"]:
    """0 to 1 with zero speed and acceleration at both ends (Flash & Hogan 1985); peak speed 1.875."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u**2)


@dataclass(frozen=True)
class Bend:
    """Fingers go to `angles` between two instants, given as fractions of the phase."""

    angles: Float64[np.ndarray, "20"]
    begin: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Phase:
    """One movement. What moves is a frame fixed to the wrist (the wrist itself, or an object in the hand)."""

    name: str
    duration: float
    """Seconds of script time."""
    to: Float64[np.ndarray, "4 4"] | None = None
    """`T_world_moved` at the end; None stays where it is."""
    T_moved_wrist: Float64[np.ndarray, "4 4"] = field(default_factory=lambda: np.eye(4))
    """The wrist in the moved frame, constant during the phase."""
    leave: Float64[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    """World vector of the path's first handle (m): which way it sets off."""
    arrive: Float64[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    """World vector from the goal to the path's last handle (m): from where it comes in."""
    turn: tuple[float, float] = (0.0, 1.0)
    """Fractions of the phase between which it turns; keeps a hand straight while it slips on or off something."""
    bends: tuple[Bend, ...] = ()
    rides_object_idx: int | None = None
    """The wrist follows this object rigidly instead of moving by itself."""


@dataclass(frozen=True)
class HandPart:
    """What one hand does, start to end."""

    side: int
    T_world_wrist: Float64[np.ndarray, "4 4"]
    angles: Float64[np.ndarray, "20"]
    phases: tuple[Phase, ...]

    @property
    def rides(self) -> bool:
        """Whether some phase follows an object."""
        return any(p.rides_object_idx is not None for p in self.phases)

    @property
    def duration(self) -> float:
        """Script seconds of all phases together."""
        return sum(p.duration for p in self.phases)


def play_fingers(part: HandPart, t: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, "t 20"]:
    """Joint angles at script times: each bend adds its smooth change to what came before."""
    angles = np.tile(part.angles, (len(t), 1))
    now, current = 0.0, part.angles
    for phase in part.phases:
        for bend in phase.bends:
            begin, end = now + bend.begin * phase.duration, now + bend.end * phase.duration
            u = min_jerk((t - begin) / max(end - begin, 1e-9))
            angles += u[:, None] * (bend.angles - current)
            current = bend.angles
        now += phase.duration
    return angles


def play_wrist(
    part: HandPart,
    t: Float64[np.ndarray, " t"],
    T_world_object: Float64[np.ndarray, "t o 4 4"] | None = None,
) -> Float64[np.ndarray, "t 4 4"]:
    """Wrist transforms at script times; `T_world_object` is needed where the hand rides on an object."""
    out = np.tile(part.T_world_wrist, (len(t), 1, 1))
    now, pose = 0.0, part.T_world_wrist
    for phase in part.phases:
        later = t >= now
        if phase.rides_object_idx is not None:
            if T_world_object is None:
                raise ValueError("a riding hand needs the object's motion")
            during = later & (t < now + phase.duration)
            out[during] = T_world_object[during, phase.rides_object_idx] @ phase.T_moved_wrist
            if phase.to is not None:
                pose = phase.to @ phase.T_moved_wrist
                out[later & ~during] = pose
        elif phase.to is not None:
            out[later] = _along(pose, phase, (t[later] - now) / max(phase.duration, 1e-9))
            pose = phase.to @ phase.T_moved_wrist
        now += phase.duration
    return out


def _along(T_world_wrist: np.ndarray, phase: Phase, fraction: np.ndarray) -> np.ndarray:
    """Poses of the wrist while the moved frame runs along its Bezier curve; `fraction` of the phase's time."""
    assert phase.to is not None
    T_wrist_moved = np.linalg.inv(phase.T_moved_wrist)
    start = T_world_wrist @ T_wrist_moved
    p0, p3 = start[:3, 3], phase.to[:3, 3]
    p1, p2 = p0 + phase.leave, p3 + phase.arrive
    s = min_jerk(fraction)[:, None]
    begin, end = phase.turn
    turned = min_jerk((fraction - begin) / (end - begin))
    points = (1 - s) ** 3 * p0 + 3 * s * (1 - s) ** 2 * p1 + 3 * s**2 * (1 - s) * p2 + s**3 * p3
    q0, q1 = quat_from_matrix(start[:3, :3]), quat_from_matrix(phase.to[:3, :3])
    n = len(fraction)
    moved = make_T(matrix_from_quat(slerp(np.tile(q0, (n, 1)), np.tile(q1, (n, 1)), turned)), points)
    moved[fraction <= 0], moved[fraction >= 1] = start, phase.to
    return moved @ phase.T_moved_wrist

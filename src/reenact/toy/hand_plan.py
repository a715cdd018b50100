"""`HandPlan`: one hand's phases as they are written, with durations from path lengths and human speeds.

In: moves and waits. Out: a `HandPart`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from reenact.toy.motion import Bend, HandPart, Phase, play_wrist
from reenact.toy.wrists import Vector

SHORTEST = 0.45
"""No movement is shorter (s)."""


@dataclass
class HandPlan:
    """One hand's phases as they are written."""

    side: int
    pose: np.ndarray
    angles: np.ndarray
    now: float = 0.0
    phases: list[Phase] = field(default_factory=list)
    start_pose: np.ndarray = field(default_factory=lambda: np.eye(4))
    start_angles: np.ndarray = field(default_factory=lambda: np.zeros(20))

    def __post_init__(self) -> None:
        self.start_pose, self.start_angles = self.pose.copy(), self.angles.copy()

    def add(self, phase: Phase) -> None:
        """Append a phase and follow its effect."""
        self.phases.append(phase)
        self.now += phase.duration
        if phase.to is not None:
            self.pose = phase.to @ phase.T_moved_wrist
        if phase.bends:
            self.angles = phase.bends[-1].angles

    def wait(self, duration: float, *bends: Bend) -> None:
        """Stay, perhaps moving the fingers."""
        if duration > 1e-9:
            self.add(Phase("wait", duration, bends=bends))

    def wait_until(self, time: float) -> None:
        """Stay until script time `time`; does nothing if that has passed."""
        self.wait(time - self.now)

    def move(
        self,
        name: str,
        to: np.ndarray,
        peak_speed: float,
        *,
        T_moved_wrist: np.ndarray | None = None,
        leave: Vector = (0, 0, 0),
        arrive: Vector = (0, 0, 0),
        turn: tuple[float, float] = (0.0, 1.0),
        bends: tuple[Bend, ...] = (),
        at_least: float = SHORTEST,
    ) -> None:
        """Move so that the wrist's top speed is about `peak_speed`."""
        fixed = np.eye(4) if T_moved_wrist is None else T_moved_wrist
        handles = np.array(leave, float), np.array(arrive, float)
        phase = Phase(name, 1.0, to, fixed, *handles, turn, bends)
        alone = HandPart(self.side, self.pose, self.angles, (phase,))
        path = play_wrist(alone, np.linspace(0, 1, 41))[:, :3, 3]
        speed = np.linalg.norm(np.diff(path, axis=0), axis=1).max() * 40
        duration = max(float(speed) / peak_speed, at_least)
        self.add(dataclasses.replace(phase, duration=duration))

    def part(self) -> HandPart:
        """The finished part."""
        return HandPart(self.side, self.start_pose, self.start_angles, tuple(self.phases))

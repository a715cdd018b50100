"""The unknowns: rigid poses of hands and objects, the scale error of depth, shared and of each thing's own, and how much
higher the support plane is than was thought."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.rotations import so3_exp

SHARED = slice(0, 1)
"""Where the shared scale error lies among a frame's unknowns."""
TABLE = slice(1, 2)
"""Where the error of the support plane's height lies (m); the same in all frames, but each frame has its copy."""
COMMON = 2
"""Unknowns of a frame before those of the bodies."""
PER_BODY = 7
"""Translation (3), rotation vector (3), own scale error (1)."""
HANDS = 2
"""Bodies 0 and 1 are the left and the right hand."""


def place_of(body: int) -> slice:
    """Unknowns of a body's translation."""
    return slice(COMMON + PER_BODY * body, COMMON + 3 + PER_BODY * body)


def turn_of(body: int) -> slice:
    """Unknowns of a body's rotation."""
    return slice(COMMON + 3 + PER_BODY * body, COMMON + 6 + PER_BODY * body)


def pose_of(body: int) -> slice:
    """Both, one after the other."""
    return slice(COMMON + PER_BODY * body, COMMON + 6 + PER_BODY * body)


def own_of(body: int) -> slice:
    """A body's own scale error."""
    return slice(COMMON + 6 + PER_BODY * body, COMMON + 7 + PER_BODY * body)


@dataclass(frozen=True)
class Observed:
    """What is known of all bodies; hands come first (two), then objects. Poses are of each body's middle."""

    T: Float64[np.ndarray, "t n 4 4"]
    weight: Float64[np.ndarray, "t n"]
    """How far each frame is believed, times its share of evidence."""
    sigma: Float64[np.ndarray, " n"]
    sigma_turn: Float64[np.ndarray, " n"]
    eye: Float64[np.ndarray, "t 3"]
    """Where the camera is."""
    t_seconds: Float64[np.ndarray, " t"]
    present: Bool[np.ndarray, " n"]
    """Bodies never seen stay where they are."""
    own_drift: Float64[np.ndarray, " n"]
    """Stated slow error of each one's distance from the camera (relative, one sigma); 0 where nothing is stated."""

    @property
    def step(self) -> float:
        """Typical time between frames (s)."""
        return float(np.median(np.diff(self.t_seconds))) if len(self.t_seconds) > 1 else 1 / 30


@dataclass(frozen=True)
class Bodies:
    """An estimate of everything."""

    T: Float64[np.ndarray, "t n 4 4"]
    shared: Float64[np.ndarray, " t"]
    """Things seem to be at (1 + shared + own) times their distance."""
    own: Float64[np.ndarray, "t n"]
    table: Float64[np.ndarray, " t"]
    """The support plane is that much higher than stated (m)."""

    def moved(self, step: Float64[np.ndarray, "t k"]) -> Bodies:
        """After a Gauss-Newton step; rotations are turned about the body's middle."""
        T, own = self.T.copy(), self.own.copy()
        for n in range(T.shape[1]):
            T[:, n, :3, 3] += step[:, place_of(n)]
            T[:, n, :3, :3] = so3_exp(step[:, turn_of(n)]) @ T[:, n, :3, :3]
            own[:, n] += step[:, own_of(n)][:, 0]
        return replace(self, T=T, shared=self.shared + step[:, 0], table=self.table + step[:, 1], own=own)


def undrifted(observed: Observed, bodies: Bodies) -> Float64[np.ndarray, "t n 4 4"]:
    """The observed poses with the estimated depth errors taken out."""
    T = observed.T.copy()
    scale = 1 + bodies.shared[:, None] + bodies.own
    T[..., :3, 3] = observed.eye[:, None] + (T[..., :3, 3] - observed.eye[:, None]) / scale[..., None]
    return T

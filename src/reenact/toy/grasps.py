"""How a hand takes hold of a solid: a wrist pose and finger angles whose skin touches it and does not enter it.

In: a style, a shape and a first guess of the wrist. Out: `Grasp`, found by damped least squares over wrist pose and all
20 angles on the real skin against the exact signed distance; deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.errors import NoResultError
from reenact.geometry.transforms import se3_exp
from reenact.toy.hand_surface import PALM, HandSurface
from reenact.toy.postures import LOWER, UPPER
from reenact.toy.shapes import Shape

CELL = 0.006
"""The search starts with one skin point per cube of this side (m); points found inside the object join it."""
PASSES = 4
"""Most times that points join."""
ROUNDS = 25
"""Most steps of one search."""
CLEARANCE = 0.004
"""Skin keeps this far from the table while grasping (m)."""
DEEPEST = 0.0025
"""Deepest that skin may enter the object in a finished grasp (m); soft fingertips give about that much."""
OPEN_GAP = 0.006
"""The opened fingers keep this far from the object (m)."""


class GraspNotFound(NoResultError):
    """The search found no pose that touches without entering."""


@dataclass(frozen=True)
class GraspStyle:
    """Which parts touch, and what the hand looks like before it adapts."""

    name: str
    digits: tuple[int, ...]
    """Fingers whose pads must touch."""
    palm: bool
    """Whether the palm must touch."""
    closed: Float64[np.ndarray, "20"]
    opened: Float64[np.ndarray, "20"]
    freedom: tuple[float, float] = (0.015, 0.20)
    """One-sigma of the wrist about the first guess: metres, radians."""


@dataclass(frozen=True)
class Grasp:
    """A way to hold one object with one hand."""

    style: str
    side: int
    T_object_wrist: Float64[np.ndarray, "4 4"]
    closed: Float64[np.ndarray, "20"]
    opened: Float64[np.ndarray, "20"]
    """Same wrist, fingers clear of the object."""
    deepest: float
    """Deepest skin point inside the object when closed (m, positive)."""
    gaps: Float64[np.ndarray, "6"]
    """Distance of each finger pad (thumb first) and the palm to the object when closed (m)."""


def fit_grasp(
    style: GraspStyle,
    shape: Shape,
    T_object_wrist: Float64[np.ndarray, "4 4"],
    side: int,
    hand_length: float,
    table_z: float | None,
) -> Grasp:
    """Adapt a style to a shape from a first guess of the wrist.

    Args:
        table_z: height of the table in the object's frame, which skin must stay above; None if there is none.

    Raises:
        GraspNotFound: skin would enter the object by more than `DEEPEST`.
    """
    full = HandSurface.adult(side, hand_length)
    T, closed = _search(style, shape, T_object_wrist, full, table_z)
    closed = _ease(full, shape, T, closed, style.opened)
    opened = _open(full, shape, T, closed, style.opened, table_z)
    skin = full.points(closed, T)
    distance = shape.distance(skin)
    deepest = float(max(-distance[full.part <= PALM].min(), 0.0))
    if deepest > DEEPEST:
        raise GraspNotFound(
            f"{style.name} grasp: skin enters the object by {1e3 * deepest:.1f} mm",
            hint="another first guess of the wrist, a smaller object or another style",
        )
    gaps = np.array([distance[i].min() for i in (*full.tip_pads, full.palm_pad)])
    return Grasp(style.name, side, T, closed, opened, deepest, gaps)


def _search(
    style: GraspStyle, shape: Shape, T_guess: np.ndarray, full: HandSurface, table_z: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Wrist and angles: search on few points, add those that ended up inside, search on."""
    keep = np.union1d(full.thinned(CELL), np.concatenate(full.tip_pads))
    x = np.concatenate([np.zeros(6), np.clip(style.closed, LOWER, UPPER)])
    for _ in range(PASSES):
        problem = _Problem(style, shape, T_guess, full.keep(keep), table_z)
        x = _descend(problem, x)
        distance = shape.distance(full.points(x[6:], problem.wrist(x)))
        inside = np.flatnonzero((distance < -0.0008) & (full.part <= PALM))
        if np.isin(inside, keep).all():
            break
        keep = np.union1d(keep, inside)
    return problem.wrist(x), x[6:]


class _Problem:
    """Residuals of a grasp; unknowns are a twist of the wrist (6) and 20 angles."""

    def __init__(
        self,
        style: GraspStyle,
        shape: Shape,
        T_guess: np.ndarray,
        surface: HandSurface,
        table_z: float | None,
    ) -> None:
        self.style, self.shape, self.surface = style, shape, surface
        self.T_guess, self.table_z = T_guess, table_z
        hand = surface.part <= PALM
        self.groups = [np.flatnonzero(hand & (surface.bone == b)) for b in range(16)]
        pads = [surface.tip_pads[d] for d in style.digits]
        self.pads = [*pads, surface.palm_pad] if style.palm else pads
        abduction = np.tile([False, True, False, False], 5)
        abduction[1] = False
        self.sigma = np.where(abduction, 0.12, 0.45)
        self.lower = np.concatenate([np.full(6, -np.inf), LOWER])
        self.upper = np.concatenate([np.full(6, np.inf), UPPER])

    def wrist(self, x: np.ndarray) -> np.ndarray:
        return self.T_guess @ se3_exp(x[..., :6])

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """[b r] for unknowns [b 26]."""
        T = self.wrist(x)
        skin = self.surface.points(x[:, 6:], T)
        distance = self.shape.distance(skin.reshape(-1, 3)).reshape(skin.shape[:-1])
        columns = [_soft_min(distance[:, p]) / 0.001 for p in self.pads]
        inside = np.maximum(0.0005 - distance, 0.0) / 0.001
        columns += [2.0 * np.sqrt((inside[:, g] ** 2).sum(axis=1) + 1e-12) for g in self.groups]
        if self.table_z is not None:
            below = np.maximum(self.table_z + CLEARANCE - skin[..., 2], 0.0) / 0.001
            columns += [np.sqrt((below[:, g] ** 2).sum(axis=1) + 1e-12) for g in self.groups]
        metres, radians = self.style.freedom
        parts = [np.stack(columns, axis=1), x[:, :3] / metres, x[:, 3:6] / radians]
        parts.append((x[:, 6:] - self.style.closed) / self.sigma)
        coupled = x[:, 6:].reshape(-1, 5, 4)[:, 1:]
        parts.append(
            (coupled[..., 3] - 0.6 * coupled[..., 2]) / 0.15
        )  # DIP follows PIP (Rijpkema & Girard 1991: 2/3)
        parts.append(np.diff(coupled[..., [0, 2]], axis=1).reshape(len(x), -1) / 0.35)  # fingers bend alike
        return np.concatenate(parts, axis=1)


def _soft_min(values: np.ndarray, width: float = 0.0008) -> np.ndarray:
    low = values.min(axis=1, keepdims=True)
    weight = np.exp(-(values - low) / width)
    return (values * weight).sum(axis=1) / weight.sum(axis=1)


def _descend(problem: _Problem, x: np.ndarray) -> np.ndarray:
    """Levenberg-Marquardt with numeric derivatives, kept within the joint limits."""
    step = np.concatenate([np.full(3, 1e-4), np.full(23, 1e-3)])
    damping, r = 1e-1, problem.residuals(x[None])[0]
    for _ in range(ROUNDS):
        J = ((problem.residuals(x + np.diag(step)) - r) / step[:, None]).T
        normal, gradient = J.T @ J, J.T @ r
        gained = 0.0
        for _ in range(6):
            move = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
            trial = np.clip(x - move, problem.lower, problem.upper)
            r_trial = problem.residuals(trial[None])[0]
            gained = float(r @ r - r_trial @ r_trial)
            if gained > 0:
                x, r, damping = trial, r_trial, max(damping / 3, 1e-6)
                break
            damping *= 4
        if gained < 1e-4 * float(r @ r) + 1e-6:
            break
    return x


def _ease(
    surface: HandSurface, shape: Shape, T: np.ndarray, closed: np.ndarray, opened: np.ndarray
) -> np.ndarray:
    """Open each finger just so far that its skin enters by at most a fraction of a millimetre."""
    mixes, trials, distance, _ = _mixtures(surface, shape, T, closed, opened)
    out = closed.copy()
    for finger in range(5):
        enough = distance[:, surface.part == finger].min(axis=1) >= -0.0008
        pick = int(np.argmax(enough)) if enough.any() else len(mixes) - 1
        out[4 * finger : 4 * finger + 4] = trials[pick, 4 * finger : 4 * finger + 4]
    return out


def _open(
    surface: HandSurface,
    shape: Shape,
    T: np.ndarray,
    closed: np.ndarray,
    opened: np.ndarray,
    table_z: float | None,
) -> np.ndarray:
    """Open each finger as far as object and table allow, by a way that does not lead through the object.

    Two ways are tried: towards the style's open posture, and by merely straightening what is bent.
    """
    straight = np.clip(closed - np.deg2rad(np.tile([30.0, 0.0, 30.0, 20.0], 5)), LOWER, UPPER)
    straight[:4] = np.clip(closed[:4] - np.deg2rad([30.0, 0.0, 20.0, 20.0]), LOWER[:4], UPPER[:4])
    out, best = closed.copy(), np.full(5, -np.inf)
    for goal in (opened, straight):
        _, trials, distance, height = _mixtures(surface, shape, T, closed, goal)
        for finger in range(5):
            mine = surface.part == finger
            gap = distance[:, mine].min(axis=1)
            free = gap > min(gap[0], 0.0) - 0.0007
            if table_z is not None:
                free &= height[:, mine].min(axis=1) - table_z >= 0.0025
            pick = max(int(np.argmin(np.append(free, False))) - 1, 0)
            if min(gap[pick], OPEN_GAP) > best[finger] + 0.001:
                best[finger] = min(gap[pick], OPEN_GAP)
                out[4 * finger : 4 * finger + 4] = trials[pick, 4 * finger : 4 * finger + 4]
    return out


def _mixtures(
    surface: HandSurface, shape: Shape, T: np.ndarray, closed: np.ndarray, opened: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Postures from closed to open with each skin point's distance to the object and height above its origin."""
    mixes = np.linspace(0.0, 1.0, 41)
    trials = closed + mixes[:, None] * (opened - closed)
    skin = surface.points(trials, np.tile(T, (len(mixes), 1, 1)))
    distance = shape.distance(skin.reshape(-1, 3)).reshape(skin.shape[:-1])
    return mixes, trials, distance, skin[..., 2]

"""When exactly a state begins and ends: human movements set off and arrive as minimum-jerk ones, too gently to be seen.

In the last tenth of a second before fingers are closed, or after a push has begun, nothing leaves the noise; a
segmentation puts the change where it does. The movement beside a change is fitted as a whole (one minimum-jerk movement
between two rests, Flash & Hogan 1985), and the change goes where that begins or ends, if the fit is sure enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64
from numpy.polynomial import Polynomial

MINIMUM_JERK: tuple[Polynomial, ...] = (Polynomial([0, 0, 0, 10, -15, 6]),)
"""Share of the way over the share of the time."""
GENTLE: tuple[Polynomial, ...] = (
    *MINIMUM_JERK,
    Polynomial([0, 0, 0, 0, 35, -84, 70, -20]),
    Polynomial([0, 0, 0, 0, 0, 126, -420, 540, -315, 70]),
)
"""Minimum jerk, snap and crackle: what a hand moves may set off more gently than the hand's own way does."""


@dataclass(frozen=True)
class EdgeConfig:
    """How changes are placed. Times in seconds."""

    reach_s: float = 0.30
    """A change moves by no more."""
    before_s: float = 0.45
    """How much of the movement that ends in a hold (or begins at its end) is looked at..."""
    after_s: float = 0.25
    """...and how much of the rest beside it."""
    step_s: float = 0.02
    """Instants are tried in steps of this."""
    shortest_s: float = 0.20
    """Movements are no shorter."""
    longest_s: float = 0.90
    """Movements into and out of a hold are no longer."""
    sure_s: float = 0.10
    """Changes that the fit leaves less sure than this (one sigma) stay where they are."""
    least_gain: float = 15.0
    """The movement must explain this much more than rest does (nats), beside half a nat for each number of the signal."""
    most_loss: float = 3.0
    """Rest takes over frames only while it explains them as well, but for this (nats)."""
    most_misfit: float = 2.5
    """Mean whitened square of what a whole movement leaves over; more is no single movement."""
    wider_s: float = 0.15
    """Where one hand takes over from the other, both changes are looked for this much farther away."""

    def wider(self) -> EdgeConfig:
        """For a change of hands."""
        more = {name: getattr(self, name) + self.wider_s for name in ("reach_s", "before_s", "after_s")}
        return replace(self, **more)


@dataclass(frozen=True)
class Signal:
    """A track that rests on one side of a change and moves on the other."""

    values: Float64[np.ndarray, "t n"]
    weight: Float64[np.ndarray, " t"]
    """Inverse variances."""


@dataclass(frozen=True)
class Movement:
    """One movement between two rests."""

    begin: float
    begin_sigma: float
    end: float
    end_sigma: float
    gain: float
    misfit: float


def fit_movement(
    signal: Signal,
    t: Float64[np.ndarray, " t"],
    window: tuple[float, float],
    begins: Float64[np.ndarray, " b"],
    ends: Float64[np.ndarray, " e"],
    limits: tuple[float, float],
    profiles: Sequence[Polynomial] = MINIMUM_JERK,
) -> Movement | None:
    """Movement with its begin and end among those given, lasting `limits` seconds; None where too little is seen.

    Instants are means over all that were tried, each as likely as its fit makes it.
    """
    rows = np.flatnonzero((t >= window[0]) & (t <= window[1]) & (signal.weight > 0))
    first, last = (x.ravel() for x in np.meshgrid(begins, ends, indexing="ij"))
    lasts = (last - first >= limits[0]) & (last - first <= limits[1])
    first, last = first[lasts], last[lasts]
    if len(rows) < 6 or len(first) == 0:
        return None
    w, u = signal.weight[rows], (t[rows] - first[:, None]) / (last - first)[:, None]
    values = signal.values[rows] - np.average(signal.values[rows], axis=0, weights=w)
    share = np.concatenate([profile(np.clip(u, 0.0, 1.0)) for profile in profiles])
    first, last = np.tile(first, len(profiles)), np.tile(last, len(profiles))
    share = share - (share @ w / w.sum())[:, None]
    power = np.maximum(share**2 @ w, 1e-9)
    gain = 0.5 * (((share * w) @ values) ** 2).sum(axis=1) / power
    rest = 0.5 * float((w[:, None] * values**2).sum())
    belief = np.exp(gain - gain.max())
    belief /= belief.sum()
    begin, end = float(belief @ first), float(belief @ last)
    freedom = max(0.5 * (len(rows) - 2) * values.shape[1], 1.0)
    return Movement(
        begin, float(np.sqrt(belief @ (first - begin) ** 2)), end, float(np.sqrt(belief @ (last - end) ** 2)),
        float(gain.max()), (rest - float(gain.max())) / freedom,
    )  # fmt: skip


def settled(
    signals: list[Signal], t: Float64[np.ndarray, " t"], edge: int, arrives: bool, config: EdgeConfig
) -> float | None:
    """When the last of the signals comes to rest near frame `edge` (or the first sets off); None where nobody can tell."""
    at = float(t[edge])
    instants = at + np.arange(-config.reach_s, config.reach_s + 1e-9, config.step_s)
    others = np.arange(config.shortest_s, config.longest_s + 1e-9, 0.05)
    found = []
    for signal in signals:
        if arrives:
            window = (at - config.before_s, at + config.after_s)
            begins = np.arange(at - config.longest_s, at + config.reach_s - config.shortest_s, 0.04)
            move = fit_movement(signal, t, window, begins, instants, (others[0], others[-1]))
            when, sigma = (move.end, move.end_sigma) if move else (0.0, np.inf)
        else:
            window = (at - config.after_s, at + config.before_s)
            ends = np.arange(at - config.reach_s + config.shortest_s, at + config.longest_s, 0.04)
            move = fit_movement(signal, t, window, instants, ends, (others[0], others[-1]))
            when, sigma = (move.begin, move.begin_sigma) if move else (0.0, np.inf)
        if (
            move is not None
            and move.gain >= config.least_gain + 0.5 * signal.values.shape[1]
            and sigma <= config.sure_s
        ):
            found.append(when)
    return None if not found else max(found) if arrives else min(found)


def ridden(
    path: Signal, t: Float64[np.ndarray, " t"], begin: int, end: int, config: EdgeConfig
) -> tuple[float, float] | None:
    """When a thing at rest before and after frames [begin, end) moves, if it does so in one movement."""
    end_at = float(t[min(end, len(t) - 1)])
    spread = np.arange(-config.reach_s, config.reach_s + 1e-9, config.step_s)
    window = (float(t[begin]) - config.after_s - 0.1, end_at + config.after_s + 0.1)
    move = fit_movement(
        path, t, window, t[begin] + spread, end_at + spread, (config.shortest_s, np.inf), GENTLE
    )
    if move is None or move.gain < config.least_gain or move.misfit > config.most_misfit:
        return None
    if max(move.begin_sigma, move.end_sigma) > config.sure_s:
        return None
    return move.begin, move.end


def shifted(probability: Float64[np.ndarray, "t z"], edge: int, to: int) -> Float64[np.ndarray, "t z"]:
    """The change at frame `edge` put at frame `to`: between them the two states change places."""
    out = probability.copy()
    if edge in (0, len(probability)) or edge == to:
        return out
    before, after = (int(probability[k].argmax()) for k in (edge - 1, edge))
    rows = slice(min(edge, to), max(edge, to))
    out[rows, before], out[rows, after] = probability[rows, after], probability[rows, before]
    return out


def between(
    probability: Float64[np.ndarray, "t z"], begin: int, end: int, state: int
) -> Float64[np.ndarray, "t z"]:
    """Frames [begin, end) given to a state: it changes places with the likeliest."""
    out = probability.copy()
    for k in range(begin, end):
        top = int(out[k].argmax())
        out[k, [top, state]] = out[k, [state, top]]
    return out


def runs(states: Int64[np.ndarray, " t"]) -> list[tuple[int, int, int]]:
    """(state, begin, end) of each run."""
    edges = [0, *(np.flatnonzero(np.diff(states)) + 1).tolist(), len(states)]
    return [(int(states[a]), a, b) for a, b in itertools.pairwise(edges)]

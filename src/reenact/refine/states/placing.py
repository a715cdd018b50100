"""Changes of state put where the movements beside them begin or end.

In: the evidence about one object and the posterior of its states. Out: the posterior with its changes moved.
"""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float64

from reenact.refine.states.config import BOTH, HANDS_OF, MOVING, StateConfig
from reenact.refine.states.edges import EdgeConfig, between, ridden, runs, settled, shifted
from reenact.refine.states.evidence import ObjectEvidence


def changes_placed(
    evidence: ObjectEvidence,
    probability: Float64[np.ndarray, "t z"],
    t_seconds: Float64[np.ndarray, " t"],
    config: StateConfig,
) -> Float64[np.ndarray, "t z"]:
    """Changes put where the movements beside them begin or end.

    A hand has joined when the last of it has come to rest on the object, and has left when the first of it sets off;
    where one hand follows the other, both hold in between.
    """
    out, row = probability, runs(probability.argmax(axis=1))
    for (before, start, edge), (after, _, stop) in itertools.pairwise(row):
        if before not in HANDS_OF or after not in HANDS_OF:
            continue
        come = [s for s in HANDS_OF[after] if s not in HANDS_OF[before]]
        gone = [s for s in HANDS_OF[before] if s not in HANDS_OF[after]]
        edges = config.edges.wider() if come and gone else config.edges
        there = _settled(evidence, come, t_seconds, edge, True, edges)
        away = _settled(evidence, gone, t_seconds, edge, False, edges)
        if come and gone:
            if there is not None and away is not None and start < there < away < stop:
                out = between(out, there, away, BOTH)
            continue
        to = there if there is not None else away
        if to is not None:
            to = min(max(to, start + 1), stop - 1)
            to = _while_at_rest(evidence, (start, edge, stop), to, (before, after), config)
            out = shifted(out, edge, to)
    for (before, _, begin), (state, _, end), (after, _, _) in zip(row[:-2], row[1:-1], row[2:], strict=True):
        span = ridden(evidence.path, t_seconds, begin, end, config.edges)
        if state == MOVING and before == after == 0 and span is not None:
            for edge, when in zip((begin, end), span, strict=True):
                out = shifted(out, edge, int(np.searchsorted(t_seconds, when - 1e-6)))
    return out


def _while_at_rest(
    evidence: ObjectEvidence,
    span: tuple[int, int, int],
    to: int,
    states: tuple[int, int],
    config: StateConfig,
) -> int:
    """The frame nearest to `to` up to which rest explains the object: what moves already is no longer at rest."""
    start, edge, stop = span

    def worse(begin: int, end: int) -> float:
        cost = evidence.place.ending(end, begin)[0] + evidence.turn.ending(end, begin)[0]
        moves = np.maximum(evidence.motion[begin:end], 0.0).sum()
        return float(cost + moves - evidence.still[begin:end].sum() - evidence.aloft[begin:end].sum())

    if states[0] == 0:
        before = worse(start, edge)
        while to > edge and worse(start, to) - before > config.edges.most_loss:
            to -= 1
    if states[1] == 0:
        before = worse(edge, stop)
        while to < edge and worse(to, stop) - before > config.edges.most_loss:
            to += 1
    return to


def _settled(
    evidence: ObjectEvidence, sides: list[int], t: np.ndarray, edge: int, arrives: bool, config: EdgeConfig
) -> int | None:
    """First frame after these hands have come to rest, or after the first of them has set off."""
    signals = [signal for side in sides for signal in evidence.grips[side] or ()]
    when = settled(signals, t, edge, arrives, config)
    return None if when is None else int(np.searchsorted(t, when - 1e-6))

"""The one state machine: per object and frame `static`, `moving`, `grasped_*` or `unknown`, with posterior confidence.

A semi-Markov chain over static, moving, held by left, right or both. A stretch is judged as a whole: how well one place
(static), one grip (held) or a smooth path (moving) explains it, with contact on top, all in nats whitened by the noise
of the tracks. Hysteresis is in seconds (shortest stretches, price of a change) and metres (through the noise).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.refine.states.edges import EdgeConfig, between, ridden, runs, settled, shifted
from reenact.refine.states.evidence import EvidenceConfig, ObjectEvidence
from reenact.refine.states.intervals import running_sums
from reenact.refine.states.semi_markov import posterior
from reenact.scene.interaction import InteractionState

STATES = (
    InteractionState.STATIC,
    InteractionState.MOVING,
    InteractionState.GRASPED_LEFT,
    InteractionState.GRASPED_RIGHT,
    InteractionState.GRASPED_BOTH,
)
"""Order of the states in posteriors. The chain has two more, pushed by the left and by the right hand: the object goes
with the hand, on the table, touched but not held; they count as moving."""
CHAIN = 7
FORBIDDEN = 1e4
"""Nats that no evidence makes up for."""
_MOVING, _HELD, _BOTH, _PUSHED = 1, (2, 3), 4, (5, 6)


@dataclass(frozen=True)
class StateConfig:
    """Settings of the machine. Times in seconds, prices in nats."""

    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    edges: EdgeConfig = field(default_factory=EdgeConfig)
    shortest_s: float = 0.12
    """No stretch is shorter, but at the ends of the clip."""
    change: float = 8.0
    """Price of a change of state: that it happens just now, and what its own constants explain by chance."""
    own_constants: tuple[float, ...] = (3.0, 0.0, 6.0, 6.0, 6.0, 6.0, 6.0)
    """What the constants of a stretch explain of the noise by chance, half a nat each: place and turn; grip and shape."""
    one_hand_more: float = 14.0
    """Price of a second hand joining or leaving."""
    push_to_hold: float = 7.0
    """More for the hand that pushes to hold, or the other way round: its fingers have to close."""
    moving_rate: float = 25.0
    """Price of free motion per second (nats/s): a smooth path follows noise that is not quite white, and things
    seldom move with no hand on them."""
    alone: float = 0.5
    """Share of the evidence against any hand's touch that speaks against free motion, too: few things move alone."""
    pushed_rate: float = 5.0
    """Price of being pushed per second (nats/s)."""
    held_rate: float = 1.0
    """Price of being held per second (nats/s)."""
    unknown_below: float = 0.5
    """Posterior below which the state is `unknown`: no state is likelier than all others together."""
    longest_s: float = 10.0
    """Stretches are judged whole up to this length, and in pieces of it where they last longer (s)."""
    least_doubt: float = 0.02
    """Holds less likely to be pushes are not judged again."""
    around_s: float = 0.3
    """What is judged again reaches as far to either side (s)."""
    longest_gap_s: float = 1.0
    """An object not seen for longer, and not held, is `unknown` in between."""
    hand_unseen_s: float = 1.0
    """A hold is `unknown` where its hand is not seen for longer, before and after (s)."""


@dataclass(frozen=True)
class ObjectStates:
    """States of one object."""

    state: UInt8[np.ndarray, " t"]
    confidence: Float64[np.ndarray, " t"]
    probability: Float64[np.ndarray, "t z=5"]
    """Posterior of each of `STATES`."""
    known: Bool[np.ndarray, " t"]


def infer(
    evidence: ObjectEvidence, t_seconds: Float64[np.ndarray, " t"], config: StateConfig
) -> ObjectStates:
    """States of one object over the clip."""
    probability = _posterior(evidence, evidence.contact, t_seconds, config)
    probability = _pushes_told(evidence, probability, t_seconds, config)
    probability = _changes_placed(evidence, probability, t_seconds, config)
    best = probability.argmax(axis=1)
    confidence = np.take_along_axis(probability, best[:, None], axis=1)[:, 0]
    hidden, doubt = _hidden_holders(evidence.hand_seen, t_seconds, best, config)
    confidence = confidence * doubt
    known = (confidence >= config.unknown_below) & _seen_lately(evidence.seen > 0, t_seconds, best, config)
    known &= ~hidden
    codes = np.array([int(s) for s in STATES], np.uint8)[best]
    state = np.where(known, codes, np.uint8(InteractionState.UNKNOWN)).astype(np.uint8)
    return ObjectStates(state, np.clip(confidence, 0, 1), probability, known)


def _posterior(
    evidence: ObjectEvidence, contact: np.ndarray, t_seconds: np.ndarray, config: StateConfig
) -> np.ndarray:
    """Probability of each of `STATES` per frame, [t 5]; `contact` as in the evidence."""
    frames = len(t_seconds)
    step = np.gradient(t_seconds) if frames > 1 else np.full(1, 1 / 30)
    ends = np.concatenate([[0.0], np.cumsum(step)])
    bases = running_sums(evidence.base)
    sums = running_sums(_rates(evidence, contact, step, config))

    def scores(b: int, first: int) -> np.ndarray:
        out = sums[b] - sums[first:b] - np.array(config.own_constants)
        out[:, 0] -= evidence.place.ending(b, first) + evidence.turn.ending(b, first)
        worse = np.full(b - first, np.inf)
        for side, costs in enumerate(evidence.relative):
            opposed, travel = evidence.opposition[side], evidence.travel[side]
            if costs is None or opposed is None:
                out[:, [_HELD[side], _PUSHED[side]]] = -np.inf
                worse[:] = -np.inf
                continue
            moved = np.sum([cost.ending(b, first) for cost in costs], axis=0)
            out[:, _HELD[side]] += opposed.ending(b, first) - moved
            out[:, _PUSHED[side]] += (travel.ending(b, first) if travel is not None else 0.0) - moved
            worse = np.minimum(worse, bases[b, side] - bases[first:b, side] - moved)
        out[:, _BOTH] += worse  # the object's noise is in both alike, so they do not add up
        short = (ends[b] - ends[first:b] < config.shortest_s - 1e-6) & (np.arange(first, b) > 0)
        if b < frames:
            out[short] = -np.inf
        return out

    longest = int(np.ceil(config.longest_s / max(float(np.median(step)), 1e-3)))
    probability = posterior(frames, CHAIN, scores, _transition(config), longest)
    probability[:, _MOVING] += probability[:, 5:].sum(axis=1)
    return probability[:, :5]


def _rates(
    evidence: ObjectEvidence, contact: np.ndarray, step: np.ndarray, config: StateConfig
) -> np.ndarray:
    """What each frame says for each state of the chain, [t 7]."""
    rate = np.zeros((len(step), CHAIN))
    rate[:, 0] = evidence.still + evidence.aloft
    alone = config.alone * np.minimum(evidence.touch.max(axis=1), 0.0)
    rate[:, 1] = evidence.aloft + evidence.moving + alone - config.moving_rate * step
    rate[:, 2:5] = contact - config.held_rate * step[:, None]
    rate[:, 2:4] += evidence.base
    pushed = np.minimum(evidence.touch, 0.0) + evidence.base + evidence.aloft[:, None]
    rate[:, 5:] = pushed - config.pushed_rate * step[:, None]
    return rate


def _pushes_told(
    evidence: ObjectEvidence, probability: np.ndarray, t_seconds: np.ndarray, config: StateConfig
) -> np.ndarray:
    """Holds by one hand that may as well be pushes are judged once more as if that hand could not hold there.

    Looks at a flat hand that rests on a box, pushes it and rests again all err in the same way, so their sum is no
    proof. What is told apart here is told by the stretch as a whole; both answers are mixed by how sure that is.
    """
    contact, doubt = evidence.contact.copy(), np.zeros(len(probability))
    best = probability.argmax(axis=1)
    for side, state in enumerate(_HELD):
        opposed, travel = evidence.opposition[side], evidence.travel[side]
        if opposed is None or travel is None:
            continue
        for begin, end in [(a, b) for which, a, b in runs(best) if which == state]:
            c = travel.config
            loose = (opposed.misfit(begin, end) - c.misfit) / c.misfit_softness
            like = travel.like_a_push(begin, end) / (1 + np.exp(-np.clip(loose, -30, 30)))
            if like < config.least_doubt:
                continue
            around = (t_seconds >= t_seconds[begin] - config.around_s) & (
                t_seconds < t_seconds[end - 1] + config.around_s
            )
            contact[around, side] = -FORBIDDEN
            doubt[around] = np.maximum(doubt[around], like)
    if not doubt.any():
        return probability
    other = _posterior(evidence, contact, t_seconds, config)
    return np.asarray(probability + doubt[:, None] * (other - probability))


_HANDS = {0: (), 2: (0,), 3: (1,), 4: (0, 1)}
"""Which hands hold, by state; what moves without being held is left out."""


def _changes_placed(
    evidence: ObjectEvidence, probability: np.ndarray, t_seconds: np.ndarray, config: StateConfig
) -> np.ndarray:
    """Changes put where the movements beside them begin or end.

    A hand has joined when the last of it has come to rest on the object, and has left when the first of it sets off;
    where one hand follows the other, both hold in between.
    """
    out, row = probability, runs(probability.argmax(axis=1))
    for (before, start, edge), (after, _, stop) in itertools.pairwise(row):
        if before not in _HANDS or after not in _HANDS:
            continue
        come = [s for s in _HANDS[after] if s not in _HANDS[before]]
        gone = [s for s in _HANDS[before] if s not in _HANDS[after]]
        edges = config.edges.wider() if come and gone else config.edges
        there = _settled(evidence, come, t_seconds, edge, True, edges)
        away = _settled(evidence, gone, t_seconds, edge, False, edges)
        if come and gone:
            if there is not None and away is not None and start < there < away < stop:
                out = between(out, there, away, _BOTH)
            continue
        to = there if there is not None else away
        if to is not None:
            to = min(max(to, start + 1), stop - 1)
            to = _while_at_rest(evidence, (start, edge, stop), to, (before, after), config)
            out = shifted(out, edge, to)
    for (before, _, begin), (state, _, end), (after, _, _) in zip(row[:-2], row[1:-1], row[2:], strict=True):
        span = ridden(evidence.path, t_seconds, begin, end, config.edges)
        if state == _MOVING and before == after == 0 and span is not None:
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
        return float(cost - evidence.still[begin:end].sum() - evidence.aloft[begin:end].sum())

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


def _transition(config: StateConfig) -> np.ndarray:
    """Log price of one state after another; a hold may follow itself with a new grip, rest may not follow rest."""
    price = np.full((CHAIN, CHAIN), -config.change)
    price[0, 0] = price[1, 1] = -np.inf  # else steps of rest would stand in for any slow motion
    for hand in (2, 3):
        price[hand, 4] = price[4, hand] = -config.one_hand_more
    for hand, pushed in zip(_HELD, _PUSHED, strict=True):
        price[hand, pushed] = price[pushed, hand] = -config.change - config.push_to_hold
    return price


def _hidden_holders(
    hand_seen: np.ndarray, t: np.ndarray, best: np.ndarray, config: StateConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Frames held by a hand that nobody has seen for too long before and after, and a factor on their confidence.

    That the object hangs in the air still says that something holds it; that it is this hand, nothing says any more.
    """
    gap = np.zeros(len(t))
    for state, sides in _HANDS.items():
        rows = best == state
        for side in sides:
            gap[rows] = np.maximum(gap[rows], _to_nearest(hand_seen[:, side], t)[rows])
    hidden = gap > config.hand_unseen_s
    doubt = np.where(hidden, np.exp(-np.minimum(gap, 1e3) / config.hand_unseen_s), 1.0)
    return hidden, doubt


def _to_nearest(seen: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Time to the nearest frame in which it is seen (s), [t]; infinite where it never is."""
    idx = np.flatnonzero(seen)
    if len(idx) == 0:
        return np.full(len(t), np.inf)
    after = np.clip(np.searchsorted(idx, np.arange(len(t))), 0, len(idx) - 1)
    before = np.maximum(after - 1, 0)
    apart = np.minimum(np.abs(t[idx[after]] - t), np.abs(t - t[idx[before]]))
    return np.asarray(np.where(seen, 0.0, apart))


def _seen_lately(seen: np.ndarray, t: np.ndarray, path: np.ndarray, config: StateConfig) -> np.ndarray:
    """False in long gaps of an object that no hand holds: what it did there nobody saw."""
    if not seen.any():
        return np.zeros(len(t), bool)
    return np.asarray((_to_nearest(seen, t) <= config.longest_gap_s) | (path >= 2))

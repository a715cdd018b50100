"""The one state machine: per object and frame `static`, `moving`, `grasped_*` or `unknown`, with posterior confidence.

A semi-Markov chain over static, moving, held by left, right or both. A stretch is judged as a whole: how well one place
(static), one grip (held) or a smooth path (moving) explains it, with contact on top, all in nats whitened by the noise
of the tracks. Hysteresis is in seconds (shortest stretches, price of a change) and metres (through the noise).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.refine.states.evidence import EvidenceConfig, ObjectEvidence
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
_MOVING, _HELD, _BOTH, _PUSHED = 1, (2, 3), 4, (5, 6)


@dataclass(frozen=True)
class StateConfig:
    """Settings of the machine. Times in seconds, prices in nats."""

    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    shortest_s: float = 0.12
    """No stretch is shorter, but at the ends of the clip."""
    change: float = 7.0
    """Price of a change of state: that it happens just now, and what its own constants explain by chance."""
    own_constants: tuple[float, ...] = (3.0, 0.0, 6.0, 6.0, 6.0, 6.0, 6.0)
    """What the constants of a stretch explain of the noise by chance, half a nat each: place and turn; grip and shape."""
    one_hand_more: float = 4.0
    """Price of a second hand joining or leaving."""
    moving_rate: float = 25.0
    """Price of free motion per second (nats/s): a smooth path follows noise that is not quite white, and things
    seldom move with no hand on them."""
    alone: float = 0.5
    """Share of the evidence against any hand's touch that speaks against free motion, too: few things move alone."""
    pushed_rate: float = 5.0
    """Price of being pushed per second (nats/s)."""
    held_rate: float = 1.0
    """Price of being held per second (nats/s)."""
    unknown_below: float = 0.6
    """Posterior below which the state is `unknown`."""
    longest_gap_s: float = 1.0
    """An object not seen for longer, and not held, is `unknown` in between."""


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
    frames = len(t_seconds)
    step = np.gradient(t_seconds) if frames > 1 else np.full(1, 1 / 30)
    ends = np.concatenate([[0.0], np.cumsum(step)])
    rate = np.zeros((frames, CHAIN))
    rate[:, 0] = evidence.still + evidence.aloft
    alone = config.alone * np.minimum(evidence.touch.max(axis=1), 0.0)
    rate[:, 1] = evidence.aloft + evidence.moving + alone - config.moving_rate * step
    held_base = np.column_stack([evidence.base, 0.5 * evidence.base.sum(axis=1)])
    rate[:, 2:5] = evidence.contact + held_base - config.held_rate * step[:, None]
    pushed = np.minimum(evidence.touch, 0.0) + evidence.base + evidence.aloft[:, None]
    rate[:, 5:] = pushed - config.pushed_rate * step[:, None]
    sums = np.concatenate([np.zeros((1, CHAIN)), np.cumsum(rate, axis=0)])

    def scores(b: int) -> np.ndarray:
        out = np.tile(sums[b] - sums[:b], 1)
        out[:, 0] -= evidence.place.ending(b) + evidence.turn.ending(b)
        held = []
        for side, costs in enumerate(evidence.relative):
            if costs is None:
                out[:, [_HELD[side], _BOTH, _PUSHED[side]]] = -np.inf
                held.append(np.zeros((b, 2)))
                continue
            place, turn, shape = costs
            held.append(np.stack([place.ending(b) + turn.ending(b), shape.ending(b)], axis=1))
            out[:, [_HELD[side], _PUSHED[side]]] -= held[-1].sum(axis=1)[:, None]
        out[:, 4] -= 0.5 * (held[0] + held[1]).sum(axis=1)
        out -= np.array(config.own_constants)
        short = (ends[b] - ends[:b] < config.shortest_s - 1e-6) & (np.arange(b) > 0)
        if b < frames:
            out[short] = -np.inf
        return out

    path, probability = posterior(frames, CHAIN, scores, _transition(config))
    probability[:, _MOVING] += probability[:, 5:].sum(axis=1)
    probability = probability[:, :5]
    path = np.where(path >= 5, _MOVING, path)
    confidence = np.take_along_axis(probability, path[:, None], axis=1)[:, 0]
    known = (confidence >= config.unknown_below) & _seen_lately(evidence.seen > 0, t_seconds, path, config)
    codes = np.array([int(s) for s in STATES], np.uint8)[path]
    state = np.where(known, codes, np.uint8(InteractionState.UNKNOWN)).astype(np.uint8)
    return ObjectStates(state, np.clip(confidence, 0, 1), probability, known)


def _transition(config: StateConfig) -> np.ndarray:
    """Log price of one state after another; a hold may follow itself with a new grip, rest may not follow rest."""
    price = np.full((CHAIN, CHAIN), -config.change)
    price[0, 0] = price[1, 1] = -np.inf  # else steps of rest would stand in for any slow motion
    for hand in (2, 3):
        price[hand, 4] = price[4, hand] = -config.one_hand_more
    return price


def _seen_lately(seen: np.ndarray, t: np.ndarray, path: np.ndarray, config: StateConfig) -> np.ndarray:
    """False in long gaps of an object that no hand holds (what it did there nobody saw), unless it stayed put."""
    idx = np.flatnonzero(seen)
    if len(idx) == 0:
        return np.zeros(len(t), bool)
    after = np.clip(np.searchsorted(idx, np.arange(len(t))), 0, len(idx) - 1)
    before = np.maximum(after - 1, 0)
    to_next, to_last = np.abs(t[idx[after]] - t), np.abs(t - t[idx[before]])
    near = np.where(seen, 0.0, np.minimum(to_next, to_last))
    return np.asarray((near <= config.longest_gap_s) | (path >= 2))

"""The one state machine: per object and frame `static`, `moving`, `grasped_*` or `unknown`, with posterior confidence.

A semi-Markov chain over static, moving, held by left, right or both. A stretch is judged as a whole: how well one place
(static), one grip (held) or a smooth path (moving) explains it, with contact on top, all in nats whitened by the noise
of the tracks. Hysteresis is in seconds (shortest stretches, price of a change) and metres (through the noise). Then holds
that may be pushes are judged once more, changes are placed (`placing`), and what nobody saw is not claimed (`trust`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.refine.states.config import BOTH, CHAIN, FORBIDDEN, HELD, MOVING, PUSHED, STATES, StateConfig
from reenact.refine.states.edges import runs
from reenact.refine.states.evidence import ObjectEvidence
from reenact.refine.states.intervals import running_sums
from reenact.refine.states.placing import changes_placed
from reenact.refine.states.semi_markov import posterior
from reenact.refine.states.trust import gone_doubt, hidden_holders, seen_lately
from reenact.scene.interaction import InteractionState


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
    probability = changes_placed(evidence, probability, t_seconds, config)
    best = probability.argmax(axis=1)
    confidence = np.take_along_axis(probability, best[:, None], axis=1)[:, 0]
    hidden, doubt = hidden_holders(evidence.hand_seen, t_seconds, best, config)
    confidence = confidence * doubt * gone_doubt(evidence.seen > 0, t_seconds, best, config)
    known = (confidence >= config.unknown_below) & seen_lately(evidence.seen > 0, t_seconds, best, config)
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
        out[:, 0] -= evidence.absence.ending(b, first)
        worse = np.full(b - first, np.inf)
        for side, costs in enumerate(evidence.relative):
            opposed, travel = evidence.opposition[side], evidence.travel[side]
            if costs is None or opposed is None:
                out[:, [HELD[side], PUSHED[side]]] = -np.inf
                worse[:] = -np.inf
                continue
            moved = np.sum([cost.ending(b, first) for cost in costs], axis=0)
            out[:, HELD[side]] += opposed.ending(b, first) - moved
            out[:, PUSHED[side]] += (travel.ending(b, first) if travel is not None else 0.0) - moved
            worse = np.minimum(worse, bases[b, side] - bases[first:b, side] - moved)
        if all(gain is not None for gain in evidence.together):
            gains = [gain.ending(b, first) for gain in evidence.together if gain is not None]
            out[:, BOTH] += np.clip(np.minimum(*gains), 0.0, config.most_together)
        out[:, BOTH] += worse  # the object's noise is in both alike, so they do not add up
        short = (ends[b] - ends[first:b] < config.shortest_s - 1e-6) & (np.arange(first, b) > 0)
        if b < frames:
            out[short] = -np.inf
        return out

    longest = int(np.ceil(config.longest_s / max(float(np.median(step)), 1e-3)))
    probability = posterior(frames, CHAIN, scores, _transition(config), longest)
    probability[:, MOVING] += probability[:, 5:].sum(axis=1)
    return probability[:, :5]


def _rates(
    evidence: ObjectEvidence, contact: np.ndarray, step: np.ndarray, config: StateConfig
) -> np.ndarray:
    """What each frame says for each state of the chain, [t 7]."""
    rate = np.zeros((len(step), CHAIN))
    rate[:, 0] = evidence.still + evidence.aloft - np.maximum(evidence.motion, 0.0)
    alone = config.alone * np.minimum(evidence.touch.max(axis=1), 0.0)
    rate[:, 1] = evidence.aloft + evidence.moving + alone - config.moving_rate * step
    rate[:, 2:5] = contact - config.held_rate * step[:, None]
    rate[:, 2:4] += evidence.base + evidence.with_hand
    rate[:, 4] += np.maximum(evidence.with_hand, 0.0).sum(axis=1) + np.minimum(
        evidence.with_hand.min(axis=1), 0.0
    )
    other = evidence.touch[:, ::-1] > 0
    unseen = config.unseen_rate * step[:, None] * evidence.hand_gone * other
    rate[:, 2:4] -= unseen
    rate[:, 4] -= unseen.max(axis=1)
    pushed = np.minimum(evidence.touch, 0.0) + evidence.base + evidence.aloft[:, None] + evidence.with_hand
    rate[:, 5:] = pushed - config.pushed_rate * step[:, None]
    rate[:, [MOVING, *PUSHED]] += np.minimum(evidence.motion, 0.0)[:, None]
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
    for side, state in enumerate(HELD):
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


def _transition(config: StateConfig) -> np.ndarray:
    """Log price of one state after another; a hold may follow itself with a new grip, rest may not follow rest."""
    price = np.full((CHAIN, CHAIN), -config.change)
    price[0, 0] = price[1, 1] = -np.inf  # else steps of rest would stand in for any slow motion
    for hand in (2, 3):
        price[hand, 4] = price[4, hand] = -config.one_hand_more
    for hand, pushed in zip(HELD, PUSHED, strict=True):
        price[hand, pushed] = price[pushed, hand] = -config.change - config.push_to_hold
    return price

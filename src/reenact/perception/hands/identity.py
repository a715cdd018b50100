"""Which tracklet is the left hand and which the right: one decision over the whole clip.

The net's handedness is noisy frame by frame (1-10 % of egocentric frames give two hands the same label) and
wrong for seconds in grasps seen from the side, so nothing is decided there. A dynamic programme gives each
piece to the left slot, to the right slot, or to none, such that a slot never holds two hands at once and the
sum, in seconds, of handedness evidence, usual order of the hands, and cost of leaps and handovers is best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from reenact.perception.hands.order import HandOrder
from reenact.perception.hands.tracklet import Tracklet

LEFT, RIGHT, NEITHER = 0, 1, -1


@dataclass(frozen=True)
class IdentityConfig:
    """Weights of the clip-level decision; evidence is counted in seconds of a sure label."""

    keep_bias: float = 1.05
    """Evidence for being a hand at all; above 1 a hand is rather given the only free slot than dropped."""
    order_weight: float = 0.8
    """Weight of the usual order of the two hands, where both are seen."""
    order_sure: float = 0.8
    """The order is learnt from frames whose two labels are both at least this sure."""
    order_full_s: float = 1.0
    """Seconds of such frames for full weight."""
    free_leap: float = 0.5
    """Hand sizes that a slot may leap for nothing,"""
    free_speed: float = 6.0
    """plus this many per second of gap (egocentric clips move whole hands by 0.2 sizes a frame)."""
    leap_cost_s: float = 0.4
    """Cost of a slot leaping by a hand size or more."""
    handover_cost_s: float = 0.4
    """Cost of a hand going on in the other slot where this slot's hand has just been."""
    memory_s: float = 0.5
    """Time constant with which a slot forgets where its hand was."""
    max_overlap_s: float = 0.3
    """Pieces of one slot may overlap this long (a hand found anew before its old track died); the later wins."""


@dataclass(frozen=True)
class _State:
    """What the slots held last (indices of pieces, -1 = nothing yet), the score, and all choices so far."""

    last: tuple[int, int]
    score: float
    choices: tuple[int, ...]


def assign_slots(pieces: list[Tracklet], order: HandOrder, dt: float, config: IdentityConfig) -> list[int]:
    """LEFT, RIGHT or NEITHER for each piece (sorted by start). Exact for costs between last pieces of the slots."""
    states = {(-1, -1): _State((-1, -1), 0.0, ())}
    for idx in range(len(pieces)):
        following: dict[tuple[int, int], _State] = {}
        for state in states.values():
            for option in _options(state, idx, pieces, order, dt, config):
                best = following.get(option.last)
                if best is None or option.score > best.score:
                    following[option.last] = option
        states = following
    return list(max(states.values(), key=lambda state: state.score).choices)


def _options(
    state: _State, idx: int, pieces: list[Tracklet], order: HandOrder, dt: float, config: IdentityConfig
) -> list[_State]:
    options = [replace(state, choices=(*state.choices, NEITHER))]
    piece = pieces[idx]
    for slot in (LEFT, RIGHT):
        held = pieces[state.last[slot]] if state.last[slot] >= 0 else None
        other = pieces[state.last[1 - slot]] if state.last[1 - slot] >= 0 else None
        if held is not None and not _may_follow(held, piece, dt, config):
            continue
        gain = dt * _evidence(piece, slot, held, config)
        if held is not None:
            gain -= _leap_cost(held, piece, dt, config)
        if other is not None:
            left, right = (piece, other) if slot == LEFT else (other, piece)
            gain += config.order_weight * dt * order.total(left, right)
            gain -= _handover_cost(other, piece, dt, config)
        last = (idx, state.last[1]) if slot == LEFT else (state.last[0], idx)
        options.append(_State(last, state.score + gain, (*state.choices, slot)))
    return options


def _may_follow(before: Tracklet, after: Tracklet, dt: float, config: IdentityConfig) -> bool:
    overlap = before.stop - after.start
    return overlap <= 0 or (overlap * dt <= config.max_overlap_s and after.stop > before.stop)


def _evidence(piece: Tracklet, slot: int, held: Tracklet | None, config: IdentityConfig) -> float:
    """In frames; those that another piece of the slot already covers do not count for being a hand."""
    overlap = max(0, held.stop - piece.start) if held is not None else 0
    presence = sum(hand.presence for hand in piece.hands[overlap:])
    sign = 1.0 if slot == RIGHT else -1.0
    return config.keep_bias * presence + sign * float(piece.evidence()[overlap:].sum())


def _leap_cost(before: Tracklet, after: Tracklet, dt: float, config: IdentityConfig) -> float:
    """Grows with the distance (hand sizes) beyond what a hand may do in the gap; forgotten with time."""
    gap_s = max(after.start - before.stop + 1, 1) * dt
    excess = min(max(_distance(before, after) - config.free_leap - config.free_speed * gap_s, 0.0), 1.0)
    return config.leap_cost_s * excess * math.exp(-gap_s / config.memory_s)


def _handover_cost(other: Tracklet, piece: Tracklet, dt: float, config: IdentityConfig) -> float:
    """High where this piece starts just where and when the other slot's hand ended."""
    gap_s = (piece.start - other.stop) * dt
    if gap_s < -config.max_overlap_s or other.stop > piece.stop:
        return 0.0
    nearness = min(max(1.5 - _distance(other, piece), 0.0), 1.0)
    return config.handover_cost_s * nearness * math.exp(-max(gap_s, 0.0) / config.memory_s)


def _distance(before: Tracklet, after: Tracklet) -> float:
    """From the last palm of one to the first palm of the other, in hand sizes."""
    last, first = before.hands[-1], after.hands[0]
    return float(np.hypot(*(first.palm_px - last.palm_px))) / max(first.size_px, last.size_px)

"""Which tracklet is the left hand and which the right: one decision over the whole clip.

The net's handedness is noisy frame by frame (1-10 % of egocentric frames give two hands the same label), so
nothing is decided there. Tracklets are cut where they seem to change hands, then a dynamic programme gives
each piece to the left slot, to the right slot, or to none, such that a slot never holds two hands at once and
the sum of evidence (in seconds of sure handedness) less the cost of leaps within a slot is greatest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from reenact.perception.hands.tracklet import Tracklet

LEFT, RIGHT, NEITHER = 0, 1, -1


@dataclass(frozen=True)
class IdentityConfig:
    """Weights of the clip-level decision."""

    keep_bias: float = 0.7
    """Evidence for being a hand at all: a piece whose mean evidence speaks against the only free slot by more
    than this (p below 0.15) is dropped rather than mislabelled."""
    flip_min_s: float = 0.2
    """Both sides of a cut must speak for their hand with at least this much evidence (seconds)."""
    leap_cut: float = 0.7
    """A palm that moves further than this between frames (hand sizes) may have leapt to the other hand: cut."""
    leap_cost_s: float = 0.5
    """Cost of a slot leaping by a hand size or more."""
    flip_cost_s: float = 0.4
    """Cost of giving two adjoining pieces of one tracklet to different slots."""
    memory_s: float = 1.0
    """Time constant with which a slot forgets where its hand was."""
    link_gap_s: float = 0.5
    """Pieces of a slot closer than this in time count as one run when short runs are removed."""
    min_run_s: float = 0.25
    """Shorter runs are taken for false hands and removed."""
    min_run_presence: float = 0.6
    """Runs of lower mean presence are removed."""


def cut_tracklets(
    tracks: list[Tracklet], dt: float, config: IdentityConfig, counts: Counter[str]
) -> list[Tracklet]:
    """Cut tracklets at leaps of the palm and where the handedness turns over for good."""
    next_id = max((track.tracklet_id for track in tracks), default=-1) + 1
    pieces: list[Tracklet] = []
    for track in tracks:
        cuts = sorted(
            {*_leaps(track, config.leap_cut), *_turnovers(track.evidence() * dt, config.flip_min_s)}
        )
        counts["cuts"] += len(cuts)
        edges = [0, *cuts, len(track.hands)]
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            pieces.append(track.cut(track.start + first, track.start + last, next_id))
            next_id += 1
    return sorted(pieces, key=lambda piece: (piece.start, piece.tracklet_id))


def _leaps(track: Tracklet, limit: float) -> list[int]:
    palms = np.array([hand.palm_px for hand in track.hands])
    sizes = np.array([hand.size_px for hand in track.hands])
    steps = np.linalg.norm(np.diff(palms, axis=0), axis=1) / sizes[:-1]
    return [int(i) + 1 for i in np.flatnonzero(steps > limit)]


def _turnovers(evidence: Float[np.ndarray, "n"], min_s: float, offset: int = 0) -> list[int]:
    """Places where all before speaks for one hand and all after for the other, found by halving."""
    if len(evidence) < 2:
        return []
    before = np.cumsum(evidence)[:-1]
    after = evidence.sum() - before
    place = int(np.argmax(np.abs(before - after)))
    opposed = before[place] * after[place] < 0
    if not opposed or min(abs(before[place]), abs(after[place])) < min_s:
        return []
    cut = place + 1
    return [
        *_turnovers(evidence[:cut], min_s, offset),
        offset + cut,
        *_turnovers(evidence[cut:], min_s, offset + cut),
    ]


@dataclass(frozen=True)
class _State:
    """What the slots held last (indices of pieces, -1 = nothing yet), the score, and all choices so far."""

    last: tuple[int, int]
    score: float
    choices: tuple[int, ...]


def assign_slots(pieces: list[Tracklet], dt: float, config: IdentityConfig) -> list[int]:
    """LEFT, RIGHT or NEITHER for each piece (sorted by start). Exact for costs between neighbours in a slot."""
    states = {(-1, -1): _State((-1, -1), 0.0, ())}
    for idx, piece in enumerate(pieces):
        following: dict[tuple[int, int], _State] = {}
        for state in states.values():
            for option in _options(state, idx, piece, pieces, dt, config):
                best = following.get(option.last)
                if best is None or option.score > best.score:
                    following[option.last] = option
        states = following
    return list(max(states.values(), key=lambda state: state.score).choices)


def _options(
    state: _State, idx: int, piece: Tracklet, pieces: list[Tracklet], dt: float, config: IdentityConfig
) -> list[_State]:
    options = [replace(state, choices=(*state.choices, NEITHER))]
    evidence = float(piece.evidence().sum())
    presence = float(sum(hand.presence for hand in piece.hands))
    for slot, sign in ((LEFT, -1.0), (RIGHT, 1.0)):
        held = state.last[slot]
        if held >= 0 and pieces[held].stop > piece.start:
            continue
        gain = dt * (sign * evidence + config.keep_bias * presence)
        if held >= 0:
            gain -= _leap_cost(pieces[held], piece, dt, config)
        other = state.last[1 - slot]
        if other >= 0 and _adjoining(pieces[other], piece):
            gain -= config.flip_cost_s
        last = (idx, state.last[1]) if slot == LEFT else (state.last[0], idx)
        options.append(_State(last, state.score + gain, (*state.choices, slot)))
    return options


def _leap_cost(before: Tracklet, after: Tracklet, dt: float, config: IdentityConfig) -> float:
    """Grows with the distance (hand sizes) beyond what a hand may do in the gap, and is forgotten with time."""
    gap_s = (after.start - before.stop + 1) * dt
    last, first = before.hands[-1], after.hands[0]
    distance = float(np.hypot(*(first.palm_px - last.palm_px))) / max(first.size_px, last.size_px)
    excess = float(np.clip(distance - 0.3 - 3.0 * gap_s, 0.0, 1.0))
    return config.leap_cost_s * excess * float(np.exp(-gap_s / config.memory_s))


def _adjoining(before: Tracklet, after: Tracklet) -> bool:
    return before.parent_id == after.parent_id and before.stop == after.start


def remove_weak_runs(
    pieces: list[Tracklet],
    slots: list[int],
    dt: float,
    frame_count: int,
    config: IdentityConfig,
    counts: Counter[str],
) -> list[int]:
    """The slots with runs that are too short or too unsure set to NEITHER; counts say how many and why."""
    result = list(slots)
    min_frames = min(config.min_run_s / dt, frame_count / 2)
    for slot in (LEFT, RIGHT):
        for run in _runs([i for i, s in enumerate(slots) if s == slot], pieces, config.link_gap_s / dt):
            hands = [hand for i in run for hand in pieces[i].hands]
            reason = ""
            if len(hands) < min_frames:
                reason = "short_run"
            elif float(np.mean([hand.presence for hand in hands])) < config.min_run_presence:
                reason = "low_presence_run"
            if reason:
                counts[f"removed_{reason}s"] += 1
                counts[f"removed_{reason}_frames"] += len(hands)
                for i in run:
                    result[i] = NEITHER
    return result


def _runs(indices: list[int], pieces: list[Tracklet], max_gap: float) -> list[list[int]]:
    runs: list[list[int]] = []
    for i in indices:
        if runs and pieces[i].start - pieces[runs[-1][-1]].stop <= max_gap:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs

"""Cutting tracklets where they seem to pass from one hand to the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from reenact.perception.hands.tracklet import Tracklet


@dataclass(frozen=True)
class CutConfig:
    """Where a tracklet may have changed hands."""

    flip_min_s: float = 0.2
    """Both sides of a cut must speak for their hand with at least this much evidence (seconds)."""
    leap: float = 0.7
    """A palm that moves further than this between frames (hand sizes) may have leapt to the other hand."""


def cut_tracklets(
    tracks: list[Tracklet], dt: float, config: CutConfig, counts: Counter[str]
) -> list[Tracklet]:
    """Pieces of all tracklets, by their first frame; ``dt`` is the frame time in seconds."""
    next_id = max((track.tracklet_id for track in tracks), default=-1) + 1
    pieces: list[Tracklet] = []
    for track in tracks:
        cuts = sorted({*_leaps(track, config.leap), *turnovers(track.evidence() * dt, config.flip_min_s)})
        counts["cuts"] += len(cuts)
        for first, last in pairwise([0, *cuts, len(track.hands)]):
            pieces.append(track.cut(track.start + first, track.start + last, next_id))
            next_id += 1
    return sorted(pieces, key=lambda piece: (piece.start, piece.tracklet_id))


def _leaps(track: Tracklet, limit: float) -> list[int]:
    palms = np.array([hand.palm_px for hand in track.hands])
    sizes = np.array([hand.size_px for hand in track.hands])
    steps = np.linalg.norm(np.diff(palms, axis=0), axis=1) / sizes[:-1]
    return [int(i) + 1 for i in np.flatnonzero(steps > limit)]


def turnovers(evidence: Float[np.ndarray, " n"], min_s: float, offset: int = 0) -> list[int]:
    """Places where all before speaks for one hand and all after for the other, found by halving.

    ``evidence`` is signed, in seconds per frame; either side must sum to at least ``min_s``.
    """
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
        *turnovers(evidence[:cut], min_s, offset),
        offset + cut,
        *turnovers(evidence[cut:], min_s, offset + cut),
    ]

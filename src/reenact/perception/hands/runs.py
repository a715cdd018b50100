"""Removing false hands: runs of a slot that are too short or too unsure, counted and named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from reenact.perception.hands.identity import LEFT, NEITHER, RIGHT
from reenact.perception.hands.tracklet import Tracklet


@dataclass(frozen=True)
class RunConfig:
    """What a run of one slot must be to stay."""

    link_gap_s: float = 0.5
    """Pieces of a slot closer than this in time count as one run."""
    min_run_s: float = 0.25
    """Shorter runs (sum of their frames) are taken for false hands."""
    min_presence: float = 0.6
    """Runs of lower mean presence are taken for false hands."""


def remove_weak_runs(
    pieces: list[Tracklet],
    slots: list[int],
    dt: float,
    frame_count: int,
    config: RunConfig,
    counts: Counter[str],
) -> list[int]:
    """The slots, with weak runs set to NEITHER; ``counts`` gets how many runs and frames, by reason."""
    result = list(slots)
    min_frames = min(config.min_run_s / dt, frame_count / 2)
    for slot in (LEFT, RIGHT):
        own = [i for i, s in enumerate(slots) if s == slot]
        for run in _runs(own, pieces, config.link_gap_s / dt):
            presence = [hand.presence for i in run for hand in pieces[i].hands]
            if len(presence) < min_frames:
                reason = "short"
            elif float(np.mean(presence)) < config.min_presence:
                reason = "unsure"
            else:
                continue
            counts[f"removed_{reason}_runs"] += 1
            counts[f"removed_{reason}_run_frames"] += len(presence)
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

"""States and contacts against truth: F1 per state, precision and recall."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from reenact.scene.interaction import InteractionState


def confusion(state: UInt8[np.ndarray, "*b"], true: UInt8[np.ndarray, "*b"]) -> Int64[np.ndarray, "6 6"]:
    """Counts [true, said]; add those of several clips before asking for F1."""
    codes = len(InteractionState)
    pairs = true.astype(np.int64).ravel() * codes + state.astype(np.int64).ravel()
    return np.bincount(pairs, minlength=codes * codes).reshape(codes, codes)


def f1_per_state(counts: Int64[np.ndarray, "6 6"]) -> dict[InteractionState, float]:
    """F1 of each state that occurs in truth; `unknown` said in its place is a miss, never a hit."""
    out: dict[InteractionState, float] = {}
    for state in InteractionState:
        if state == InteractionState.UNKNOWN or counts[state].sum() == 0:
            continue
        hits = counts[state, state]
        out[state] = float(2 * hits / (counts[state].sum() + counts[:, state].sum()))
    return out


def state_f1(counts: Int64[np.ndarray, "6 6"]) -> float:
    """Mean of the F1 of all states that occur in truth (macro)."""
    scores = f1_per_state(counts)
    return float(np.mean(list(scores.values()))) if scores else float("nan")


def agreement(counts: Int64[np.ndarray, "6 6"]) -> float:
    """Share of frames with the true state."""
    return float(np.trace(counts) / max(counts.sum(), 1))


def precision_recall(
    said: Bool[np.ndarray, "*b"], true: Bool[np.ndarray, "*b"], valid: Bool[np.ndarray, "*b"]
) -> tuple[int, int, int]:
    """Hits, all said, all true: add those of several clips, then divide (`precision`, `recall`)."""
    said, true = said & valid, true & valid
    return int((said & true).sum()), int(said.sum()), int(true.sum())


def ratios(counts: Iterable[tuple[int, int, int]]) -> tuple[float, float]:
    """Precision and recall of summed counts; nan where nothing was said or true."""
    hits, said, true = (sum(column) for column in zip(*counts, strict=True))
    return hits / said if said else float("nan"), hits / true if true else float("nan")

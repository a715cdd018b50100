"""How far a hand's records can be believed: slow errors of distance, place, turn and fingertips, and doubtful frames.

A hand found in one picture says that its distance is less sure than its place across. Such a hand was lifted out of the
picture by a net, and so were its turn and its fingers: they err by a centimetre or more for a second or so, which no noise
from frame to frame betrays. The sizes below are those of rendered clips (seeds 20 and 21; fingertips within a hold: 0.2 to
4 cm, mostly 0.5 to 1.5, turn 1 to 6 degrees, place across 0.1 to 0.5 cm); a lens that is not known adds to none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.refine.states.observations import HandErrors
from reenact.scene import HandTracks


@dataclass(frozen=True)
class HandErrorConfig:
    """Sizes of slow errors."""

    least: float = 0.01
    """Hands whose distance is surer than this (m, one sigma) count as sure, and stay where they are."""
    lifted: float = 2.0
    """A hand whose distance is less sure than its place across by this factor was lifted out of one picture."""
    unsaid: float = 0.04
    """Error of such a hand's distance besides what is stated (m: stated 6 % of 0.6 m, measured 9 %)."""
    tip: float = 0.008
    """Slow error of its fingertips in its own frame (m)."""
    turn: float = 0.052
    """Slow error of its turn (rad)."""
    across: float = 0.0032
    """Slow error of its place across the line of sight (m)."""
    sure: float = 0.6
    """Frames whose hand is believed less than this count less..."""
    doubt: float = 4.0
    """...by this power of their confidence over it: below 0.5, most of such hands are centimetres off in the picture."""


def hand_errors(hands: HandTracks, side: int, config: HandErrorConfig) -> HandErrors:
    """Slow errors of one hand; none where it is never seen or its distance is sure."""
    rows = hands.valid[:, side]
    if not rows.any():
        return HandErrors()
    sigma = np.median(hands.sigma_camera[rows, side], axis=0)
    across, depth = float(min(sigma[0], sigma[1])), float(sigma[2])
    if depth <= config.least:
        return HandErrors()
    if depth < config.lifted * across:
        return HandErrors(depth=depth)
    return HandErrors(float(np.hypot(depth, config.unsaid)), config.across, config.turn, config.tip)


def trust_of_hand(hands: HandTracks, side: int, config: HandErrorConfig) -> Float64[np.ndarray, " t"]:
    """Weight of each seen hand: one that its finder is not sure of is likely to be somewhere else."""
    sure = np.minimum(hands.confidence[:, side] / config.sure, 1.0) ** config.doubt
    return np.where(hands.valid[:, side], np.maximum(sure, 0.01), 0.0)

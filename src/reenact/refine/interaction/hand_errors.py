"""How far a hand's records can be believed: slow errors of distance, place, turn and fingertips, and doubtful frames.

A hand found in one picture says that its distance is less sure than its place across. Such a hand was lifted out of the
picture by a net, and so were its turn and its fingers: they err by a centimetre or more for a second or so, which no noise
from frame to frame betrays. The shares below were measured on rendered clips (seeds 20 and 21, median over hands; fingertips
within a hold: 0.5 to 4 cm, median 1.0, at 4 cm of depth).
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
    understated: float = 1.4
    """The distance of such a hand errs by this factor more than stated (stated 6 %, measured 9 %)."""
    tip_share: float = 0.2
    """Slow error of its fingertips in its own frame, as a share of the stated error of its distance."""
    turn_share: float = 1.3
    """Slow error of its turn (rad per m of the same)."""
    across_share: float = 0.08
    """Slow error of its place across the line of sight, as a share of the same."""
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
    return HandErrors(
        depth=config.understated * depth,
        across=config.across_share * depth,
        turn=config.turn_share * depth,
        tip=config.tip_share * depth,
    )


def trust_of_hand(hands: HandTracks, side: int, config: HandErrorConfig) -> Float64[np.ndarray, " t"]:
    """Weight of each seen hand: one that its finder is not sure of is likely to be somewhere else."""
    sure = np.minimum(hands.confidence[:, side] / config.sure, 1.0) ** config.doubt
    return np.where(hands.valid[:, side], np.maximum(sure, 0.01), 0.0)

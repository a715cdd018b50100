"""Which way the person faces, from the hands alone.

Three cues, each a horizontal vector that points forward: fingers point away from the body; the right hand is on the
right; with the palm down the thumb points inward. They are added, so that a weak cue says little, and averaged over
seconds: a body turns slowly, and hands that cross or turn over for a moment do not turn it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.filters import whittaker
from reenact.hands.joints import LEFT, RIGHT, WRIST, wrist_frame

MIDDLE_KNUCKLE = 9
APART = 0.25
"""Distance between the hands (m) at which their line counts in full."""
THUMB_WEIGHT = 0.5
"""Weight of the thumb cue; fingers and the line between the hands have 1."""


def facing(
    joints_world: Float64[np.ndarray, "t s=2 j=21 3"],
    valid: Bool[np.ndarray, "t s=2"],
    up: Float64[np.ndarray, "3"],
    t_seconds: Float64[np.ndarray, " t"],
    cutoff_s: float,
) -> tuple[Float64[np.ndarray, "t 3"], Float64[np.ndarray, " t"]]:
    """Unit horizontal vectors forward, and how well the cues agree over the window (0 = not at all, 1 = fully).

    At least one hand must be valid in one frame. Where the cues cancel altogether the direction is arbitrary and the
    agreement 0.
    """
    cues, weight = _cues(joints_world, valid, up)
    share = np.where(weight[:, None] > 0, cues / np.maximum(weight, 1e-9)[:, None], 0.0)
    smooth = whittaker(share, weight, t_seconds, cutoff_s, order=1)  # a short clip gets one direction
    smooth -= (smooth @ up)[:, None] * up
    length = np.linalg.norm(smooth, axis=1)
    start = _any_horizontal(up)
    forward = np.where(length[:, None] > 1e-6, smooth / np.maximum(length, 1e-6)[:, None], start)
    return forward, np.minimum(length, 1.0)


def _cues(joints: np.ndarray, valid: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the cues [t 3] and the largest sum they could have [t]; both 0 where no hand is."""
    total, weight = np.zeros((len(joints), 3)), np.zeros(len(joints))
    for side in (LEFT, RIGHT):
        seen = valid[:, side]
        hand = joints[seen, side]
        fingers = _flat(hand[:, MIDDLE_KNUCKLE] - hand[:, WRIST], up)
        R = wrist_frame(hand, side)
        inward = R[..., 2] if side == RIGHT else -R[..., 2]  # a right hand's thumb points to the left
        palm_down = np.maximum(R[..., 1] @ up, 0.0)
        thumb = np.cross(inward, up) * palm_down[:, None]
        length = np.maximum(np.linalg.norm(hand[:, MIDDLE_KNUCKLE] - hand[:, WRIST], axis=1), 1e-6)
        total[seen] += fingers / length[:, None] + THUMB_WEIGHT * thumb
        weight[seen] += 1 + THUMB_WEIGHT
    both = valid.all(axis=1)
    line = _flat(joints[both, RIGHT, WRIST] - joints[both, LEFT, WRIST], up)
    length = np.maximum(np.linalg.norm(line, axis=1), 1e-9)
    total[both] += np.cross(up, line) * np.minimum(1 / length, 1 / APART)[:, None]
    weight[both] += 1
    return total, weight


def _flat(vectors: np.ndarray, up: np.ndarray) -> np.ndarray:
    return np.asarray(vectors - (vectors @ up)[:, None] * up)


def _any_horizontal(up: np.ndarray) -> np.ndarray:
    side = np.cross(up, np.eye(3)[int(np.argmin(np.abs(up)))])
    return np.asarray(side / np.linalg.norm(side))

"""What is out of sight: hands that have been gone for long, and things that would be in sight if they lay there."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from reenact.geometry.mesh_distance import SignedDistanceGrid
from reenact.refine.states.config import EvidenceConfig
from reenact.refine.states.observations import HandObservation, RigidTrack
from reenact.refine.states.trust import to_nearest


def gone(
    hand: HandObservation | None, t: Float64[np.ndarray, " t"], config: EvidenceConfig
) -> Float64[np.ndarray, " t"]:
    """How far a hand has been out of sight for long, before and after: nothing for a blink, one from `2 gone_s`."""
    if hand is None:
        return np.ones(len(t))
    return np.clip(to_nearest(hand.rigid.weight > 0, t) / config.gone_s - 1, 0.0, 1.0)


def in_the_open(
    track: RigidTrack,
    hands: tuple[HandObservation | None, HandObservation | None],
    grid: SignedDistanceGrid | None,
    eye: Float64[np.ndarray, "t 3"],
    config: EvidenceConfig,
) -> Float64[np.ndarray, " t"]:
    """How far a thing that is not seen would be in sight, if it were where it is thought to be: 0 to 1.

    Nil where it is seen, where a hand is in front of that place in the picture, and where a hand may be that is not seen.
    """
    ray = track.smooth[:, :3, 3] - eye
    far = np.linalg.norm(ray, axis=1)
    size = 0.5 * grid.cell * float(min(grid.values.shape)) if grid is not None else 0.0
    bare = 1 - track.known
    for hand in hands:
        if hand is None:
            continue
        to = hand.joints(hand.rigid.smooth) - eye[:, None]
        cosine = np.einsum("tji,ti->tj", to, ray) / np.maximum(
            np.linalg.norm(to, axis=2) * far[:, None], 1e-9
        )
        off = far * np.arccos(np.clip(cosine.max(axis=1), -1.0, 1.0))
        bare = bare * np.where(off > config.cover + size, hand.rigid.known, 0.0)
    return np.asarray(bare)

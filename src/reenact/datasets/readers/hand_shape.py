"""What 21 points say by themselves: their order, and whether they are a left or a right hand."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.orders import MANO_TO_OPENPOSE, reorder
from reenact.hands.joints import LEFT, MCPS, RIGHT, WRIST, bone_lengths, finger_joints

_CLEAR = 0.85
"""The right order's bones must be this much shorter in sum than the wrong one's."""


def openpose_or_mano(points: Float[np.ndarray, "t n=21 3"]) -> str:
    """ "openpose" or "mano" (16 then tips), whichever makes the shorter hand.

    Raises:
        DamagedSource: neither is clearly shorter.
    """
    straight = float(np.median(bone_lengths(points).sum(-1)))
    mano = float(np.median(bone_lengths(reorder(points, MANO_TO_OPENPOSE, 21)[0]).sum(-1)))
    if straight < _CLEAR * mano:
        return "openpose"
    if mano < _CLEAR * straight:
        return "mano"
    raise DamagedSource(
        f"bones sum to {straight:.2f} m in OpenPose order and {mano:.2f} m in MANO order",
        hint="neither order fits clearly",
    )


def side_by_shape(joints: Float[np.ndarray, "t j=21 3"], clear: float = 0.1) -> int | None:
    """0 left, 1 right, by which way fingers curl and the thumb lies; None where flat hands do not tell.

    The palm's normal is the cross product of wrist-to-index and wrist-to-little-finger knuckle; fingers curl and the
    thumb lies to its one side on a right hand, to the other on a left one.
    """
    across = np.cross(joints[:, MCPS[0]] - joints[:, WRIST], joints[:, MCPS[3]] - joints[:, WRIST])
    normal = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-12)
    size = np.linalg.norm(joints[:, MCPS[1]] - joints[:, WRIST], axis=-1)
    bends = []
    for finger in range(5):
        base, _, _, tip = finger_joints(finger)
        bends.append(((joints[:, tip] - joints[:, base]) * normal).sum(-1) / np.maximum(size, 1e-12))
    score = float(np.median(np.mean(bends, axis=0)))
    if abs(score) < clear:
        return None
    return RIGHT if score * _RIGHT_SIGN > 0 else LEFT


_RIGHT_SIGN = 1.0
"""Sign on a right hand: index x little knuckle points out of its palm, where fingers curl. HOT3D, DexYCB, MediaPipe
and our skeleton agree."""

"""The pose the free hand's mesh was made in, and where its flesh lies against the joints.

Everything here is a left hand of the default adult in its wrist frame: x to the fingers, y to the back of the hand,
z to the thumb. A right hand is its mirror image (x negated).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from reenact.hands.joints import LEFT, finger_joints
from reenact.hands.skeleton import HandSkeleton

MM = 1e-3

FLESH_OFFSET_MM = {
    # joint: (along its bone to the tip, to the back of the hand)
    0: (-9.0, 0.0),
    1: (-9.0, 2.0), 2: (0.5, 1.5), 3: (4.5, 1.5), 4: (5.0, 0.0),
    5: (-4.0, 1.0), 6: (1.5, 1.5), 7: (2.0, 1.5), 8: (2.5, 0.0),
    9: (-3.0, 1.5), 10: (1.5, 1.5), 11: (2.0, 1.5), 12: (2.5, 0.0),
    13: (-4.0, 1.0), 14: (1.0, 1.0), 15: (1.5, 1.0), 16: (2.5, 0.0),
    17: (-4.0, 1.0), 18: (0.5, 1.0), 19: (1.0, 1.0), 20: (2.5, 0.0),
}  # fmt: skip
"""From each of our joints to the anatomical one. The 21 joints are where hand-landmark nets put them, not where
bones meet: the nets' wrist lies on the heel of the hand about 1 cm past the crease, their thumb base in the middle
of the thenar ball, their knuckles a little towards the fingers, their tips inside the nail. Measured on this mesh
by benchmarks/toy_hand_detection.py and seen alike on photographs; so placed, our joints agree with the nets'."""


def _rest_angles() -> Float64[np.ndarray, "20"]:
    angles = np.zeros(20)
    angles[:4] = np.deg2rad([6.0, 0.0, 12.0, 12.0])
    for finger, spread_deg in zip(range(1, 5), (4.0, 0.0, -4.0, -7.0), strict=True):
        angles[4 * finger : 4 * finger + 4] = np.deg2rad([10.0, spread_deg, 14.0, 9.0])
    angles.flags.writeable = False
    return angles


REST_ANGLES = _rest_angles()
"""Fingers a little spread and bent, the middle of what they do."""


@functools.cache
def rest_transforms(side: int = LEFT) -> Float64[np.ndarray, "17 4 4"]:
    """`T_wrist_bone` of palm, 15 finger bones and forearm of the default adult at `REST_ANGLES`; read-only."""
    T = np.concatenate([HandSkeleton.adult(side).bone_transforms(REST_ANGLES), np.eye(4)[None]])
    T.flags.writeable = False
    return T


@dataclass(frozen=True)
class RestHand:
    """What the flesh is laid on."""

    joints: Float[np.ndarray, "j=21 3"]
    """Our joints (those of the nets), metres."""
    flesh: Float[np.ndarray, "j=21 3"]
    """Anatomical joints: `joints` moved by `FLESH_OFFSET_MM`."""
    bones: Float[np.ndarray, "17 4 4"]
    """As `rest_transforms`."""
    dorsal: Float[np.ndarray, "5 3 3"]
    """Unit vector from the palm side to the back (nail) side of each finger's three bones."""

    def finger(self, finger: int) -> Float[np.ndarray, "4 3"]:
        """Anatomical joints of a finger (0 thumb .. 4 pinky), base to tip."""
        return self.flesh[list(finger_joints(finger))]


def rest_hand() -> RestHand:
    """The default adult left hand at rest."""
    bones = rest_transforms()
    joints = HandSkeleton.adult(LEFT).joints_wrist(REST_ANGLES)
    flesh = joints.copy()
    for joint, (along, back) in FLESH_OFFSET_MM.items():
        R = bones[bone_at(joint), :3, :3]
        flesh[joint] += R[:, :2] @ np.array([along, back]) * MM
    return RestHand(joints, flesh, bones, bones[1:16, :3, 1].reshape(5, 3, 3))


def bone_at(joint: int) -> int:
    """The bone (0 palm, 1..15) whose frame a joint's offset is given in: the one it starts, for tips the last."""
    if joint == 0:
        return 0
    finger, k = divmod(joint - 1, 4)
    return 1 + 3 * finger + min(k, 2)

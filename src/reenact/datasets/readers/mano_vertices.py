"""Hand joints out of the 778 vertices of a MANO mesh, without the licensed model: means of a few vertices each.

MANO's own regressor is part of the model and may not be passed on. Which vertices lie around a joint is a fact of the
mesh's numbering, like the fingertips' numbers: six per joint, chosen so that their mean follows the joint in a clip
that publishes both (DexYCB, one hand, 74 frames of a grasp). There the means are off by 0.3 to 1.7 mm (little finger's
knuckle 2.6, at most 6); in a TACO clip of another hand the bones so made keep their lengths to 0.2 to 3.5 mm (rms).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.datasets.readers.errors import DamagedSource

VERTICES = 778
AROUND: dict[int, tuple[int, ...]] = {
    0: (33, 35, 40, 191, 205, 214),
    1: (1, 36, 40, 113, 230, 233),
    2: (10, 28, 43, 123, 248, 252),
    3: (707, 708, 711, 712, 713, 757),
    5: (127, 128, 132, 138, 144, 262),
    6: (49, 87, 134, 166, 167, 212),
    7: (294, 295, 300, 330, 331, 340),
    9: (75, 262, 270, 293, 368, 380),
    10: (358, 359, 364, 365, 373, 389),
    11: (406, 407, 410, 411, 440, 453),
    13: (76, 160, 162, 163, 276, 510),
    14: (471, 474, 477, 483, 487, 492),
    15: (500, 512, 519, 522, 523, 551),
    17: (161, 202, 592, 593, 611, 696),
    18: (586, 591, 603, 610, 612, 613),
    19: (625, 626, 628, 631, 633, 641),
}
"""Vertices around each joint but the tips, by OpenPose-21 number."""
JOINT_SIGMA = 0.003
"""One-sigma of a joint made this way (m), beside the hand's own."""


def joints_from_vertices(
    vertices: Float[np.ndarray, "t v 3"], tip_vertices: tuple[int, ...]
) -> Float64[np.ndarray, "t j=21 3"]:
    """The 21 joints of a hand from its mesh, on either side; the five tips (thumb first) are vertices themselves."""
    if vertices.shape[1] != VERTICES:
        raise DamagedSource(f"a hand of {vertices.shape[1]} vertices", hint=f"MANO has {VERTICES}")
    joints = np.zeros((len(vertices), 21, 3))
    for joint, around in AROUND.items():
        joints[:, joint] = np.asarray(vertices[:, list(around)], np.float64).mean(axis=1)
    joints[:, 4::4] = vertices[:, list(tip_vertices)]
    return joints

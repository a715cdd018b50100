"""The skin of a hand of which only the 21 joints are known."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from reenact.hands.joints import wrist_transform
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton


def skin_of_joints(
    joints: Float[np.ndarray, "*b j=21 3"], side: int, hand_length: float
) -> Float64[np.ndarray, "*b v 3"]:
    """Vertices as in `HandMesh.load(side)`, in the frame of the joints (m).

    The angles are fitted to the joints' directions; bones have the lengths of a hand of `hand_length`, and the forearm
    goes straight on.
    """
    flat = np.asarray(joints, float).reshape(-1, 21, 3)
    T = wrist_transform(flat, side)
    local = (flat - T[:, None, :3, 3]) @ T[:, :3, :3]
    skeleton = HandSkeleton.adult(side, hand_length)
    skin = HandMesh.load(side).pose(skeleton, skeleton.fit_angles(local), T)
    return skin.reshape(*np.shape(joints)[:-2], *skin.shape[1:])

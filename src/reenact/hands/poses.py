"""Named hand poses as 20 joint angles, for studies, tests and pictures."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

# thumb: CMC flexion, CMC abduction, MCP, IP; fingers: MCP flexion, MCP abduction, PIP, DIP (degrees)
_POSES_DEG = {
    "open": ((0, 0, 5, 5), (2, 5, 4, 3), (2, 0, 4, 3), (2, -4, 4, 3), (2, -8, 5, 4)),
    "relaxed": ((12, 0, 15, 18), (22, 2, 28, 14), (28, 0, 32, 16), (32, -1, 34, 17), (34, -3, 34, 17)),
    "pinch": ((27, -18, 18, 8), (41, -4, 48, 36), (32, 0, 30, 16), (24, -2, 24, 13), (18, -6, 20, 11)),
    "grasp": ((30, 6, 22, 20), (42, 3, 46, 24), (46, 0, 50, 26), (50, -2, 52, 26), (54, -5, 50, 26)),
    "point": ((34, 0, 34, 30), (6, 2, 8, 5), (66, 0, 82, 44), (70, -1, 84, 44), (72, -3, 80, 42)),
    "power": ((34, 2, 30, 30), (64, 2, 72, 38), (68, 0, 78, 40), (72, -1, 78, 40), (74, -3, 74, 38)),
}
POSE_NAMES = tuple(_POSES_DEG)
"""open: flat; relaxed: hanging hand; pinch: thumb to index; grasp: round a glass; point; power: round a thin bar."""


def named_pose(name: str) -> Float64[np.ndarray, "20"]:
    """The angles (rad) of a pose in `POSE_NAMES`, for either side."""
    return np.deg2rad(np.array(_POSES_DEG[name], dtype=np.float64)).reshape(20)

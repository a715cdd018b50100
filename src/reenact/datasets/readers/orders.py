"""Hand joint orders of the published sets, and the way from each to OpenPose-21.

Every map lists, for our joint 0..20, the source's index; -1 where the source has no such joint.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.datasets.readers.errors import DamagedSource

MANO_TO_OPENPOSE = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
"""MANO-16 then tips thumb..pinky (HaMeR's map). MANO has pinky (7-9) before ring (10-12)."""

ARIA_TO_OPENPOSE = (5, -1, 6, 7, 0, 8, 9, 10, 1, 11, 12, 13, 2, 14, 15, 16, 3, 17, 18, 19, 4)
"""HOT3D/Aria-21: tips first, wrist at 5, no thumb base, palm centre (20) unused."""

HOLOLENS_TO_OPENPOSE = (1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 15, 17, 18, 19, 20, 22, 23, 24, 25)
"""HoloLens-26 (palm, wrist, thumb 4, fingers 5 each): metacarpal bases 6, 11, 16, 21 have no joint of ours."""

MANUS_TO_OPENPOSE = (0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 21, 22, 23, 24)
"""25 glove keypoints: wrist, thumb 4, then per finger metacarpal base, MCP, PIP, DIP, tip."""

SMPLX_TIP_VERTICES = (744, 320, 443, 554, 671)
"""MANO vertices that smplx and HOT3D call fingertips, thumb to pinky."""
MANOPTH_TIP_VERTICES = (745, 317, 444, 556, 673)
"""Those of manopth (DexYCB, TACO): a few millimetres away from smplx's."""


def egodex_names(side: str) -> tuple[str, ...]:
    """EgoDex (ARKit) joint names of one hand ("left"/"right") in our order; the four metacarpals are left out."""
    thumb = [f"{side}Thumb{part}" for part in ("Knuckle", "IntermediateBase", "IntermediateTip", "Tip")]
    fingers = [
        f"{side}{finger}Finger{part}"
        for finger in ("Index", "Middle", "Ring", "Little")
        for part in ("Knuckle", "IntermediateBase", "IntermediateTip", "Tip")
    ]
    return (f"{side}Hand", *thumb, *fingers)


def reorder(
    points: Float[np.ndarray, "*b n 3"], order: tuple[int, ...], source_count: int
) -> tuple[Float64[np.ndarray, "*b j=21 3"], Bool[np.ndarray, " j=21"]]:
    """Points in our order, and which of our joints the source has (others hold zeros)."""
    if points.shape[-2] != source_count:
        raise DamagedSource(
            f"{points.shape[-2]} hand joints", hint=f"this order has {source_count}; another convention?"
        )
    index = np.array(order)
    out = np.asarray(points, np.float64)[..., np.maximum(index, 0), :]
    out[..., index < 0, :] = 0.0
    return out, index >= 0

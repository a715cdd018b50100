"""What scale a depth has, by the hands in it: their drawn skin, and as a second opinion their width (DexMan B.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

HAND_LENGTH_SIGMA = 0.06
"""Relative spread of adult hands: the floor of every scale that comes from an assumed hand."""
KNOWN_HAND_SIGMA = 0.02
"""The same for a hand that was measured with a tape, as in `refine.hands.uncertainty`."""
WIDTH_SIGMA = 0.05
"""Relative one-sigma of the width rule beside the hand's size: what the mask leaves out or adds at its two ends."""


@dataclass(frozen=True)
class ScaleEstimate:
    """metres = scale * measured."""

    scale: float
    sigma_relative: float
    source: str
    """"hand_skin" or "hand_width"."""
    count: int
    """Hands looked at, one per side and frame."""


def scale_from_ratios(
    drawn_to_measured: Float[np.ndarray, " n"],
    source: str,
    *,
    hand_sigma: float = HAND_LENGTH_SIGMA,
    focal_sigma: float = 0.0,
    rule_sigma: float = 0.0,
) -> ScaleEstimate | None:
    """One scale for a clip: the median of what its hands say one by one; None without any.

    Hands placed by their size are as far off as size and focal length are: both are in the sigma.
    """
    if len(drawn_to_measured) == 0:
        return None
    middle = float(np.median(drawn_to_measured))
    scatter = 1.48 * float(np.median(np.abs(drawn_to_measured - middle))) / middle
    # hands of successive frames are wrong together: some ten of them are independent at most
    random = scatter / np.sqrt(min(len(drawn_to_measured), 10))
    sigma = float(np.sqrt(hand_sigma**2 + focal_sigma**2 + rule_sigma**2 + random**2))
    return ScaleEstimate(middle, sigma, source, len(drawn_to_measured))


def width_ratio(
    skin_camera: Float[np.ndarray, "v 3"], cloud: Float[np.ndarray, "n 3"], trim: float = 1.0
) -> float:
    """DexMan B.2 for one hand: (x_max - x_min of the hand mesh) / (x_max - x_min of its unprojected pixels).

    trim: percent left out at both ends, so that one stray pixel does not decide (0: as in the paper, which looks at the
    right hand of the first frame only).
    """
    low, high = np.percentile(cloud[:, 0], [trim, 100 - trim])
    # the mesh is trimmed alike, weighted by nothing: its vertices lie about as dense as pixels do
    mesh_low, mesh_high = np.percentile(skin_camera[:, 0], [trim, 100 - trim])
    return float((mesh_high - mesh_low) / max(high - low, 1e-9))

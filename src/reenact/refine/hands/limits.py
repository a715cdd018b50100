"""How far human finger joints go: limits on the 20 angles of `HandSkeleton`, as bounds and as a clamp.

The skeleton's own decomposition is swing-only: two angles at each base joint (flexion, abduction), one at each hinge,
no twist, so limits are plain intervals, with abduction shrinking as a knuckle bends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True)
class JointLimitsConfig:
    """Intervals in degrees. Zero is the skeleton's flat hand with slightly fanned fingers.

    Active ranges after the American Academy of Orthopaedic Surgeons (Greene & Heckman, The Clinical Measurement of
    Joint Motion, 1994; the same figures in Norkin & White): finger MCP flexion 90, hyperextension 45, abduction 20;
    PIP 0..100; DIP 0..90; thumb MCP 0..50, IP 0..80 with 20 of hyperextension. The American Society for Surgery of
    the Hand gives thumb MCP -10..55, IP -15..80, DIP 0..80. Clinical textbooks put full PIP flexion at 110. Pressing
    on things goes some 10 deg beyond active motion, hence the margins. Widened where marked hands demand it: studio
    mocap (InterHand, DexYCB) shows ring and little fingers swung 22..35 deg from the thumb in ordinary grasps.
    """

    mcp_flexion_deg: tuple[float, float] = (-45.0, 100.0)
    """Index to pinky knuckles."""
    index_abduction_deg: tuple[float, float] = (-25.0, 25.0)
    """Positive is toward the thumb."""
    middle_abduction_deg: tuple[float, float] = (-25.0, 20.0)
    ring_abduction_deg: tuple[float, float] = (-30.0, 20.0)
    pinky_abduction_deg: tuple[float, float] = (-40.0, 20.0)
    pip_flexion_deg: tuple[float, float] = (-10.0, 115.0)
    dip_flexion_deg: tuple[float, float] = (-20.0, 90.0)
    thumb_cmc_flexion_deg: tuple[float, float] = (-35.0, 60.0)
    """From a thumb held 45 deg off the palm's edge; saddle joint, about 50 deg of travel plus the choice of zero."""
    thumb_cmc_abduction_deg: tuple[float, float] = (-45.0, 35.0)
    thumb_mcp_flexion_deg: tuple[float, float] = (-20.0, 70.0)
    thumb_ip_flexion_deg: tuple[float, float] = (-30.0, 90.0)
    bent_abduction: float = 0.5
    """Part of the abduction range left at 90 deg of knuckle flexion, where the side ligaments are taut."""

    def bounds(self) -> tuple[Float64[np.ndarray, " 20"], Float64[np.ndarray, " 20"]]:
        """Lower and upper bound of each of `ANGLE_NAMES` (rad), straight knuckles."""
        thumb = (
            self.thumb_cmc_flexion_deg,
            self.thumb_cmc_abduction_deg,
            self.thumb_mcp_flexion_deg,
            self.thumb_ip_flexion_deg,
        )
        rows = list(thumb)
        for abduction in (
            self.index_abduction_deg,
            self.middle_abduction_deg,
            self.ring_abduction_deg,
            self.pinky_abduction_deg,
        ):
            rows += [self.mcp_flexion_deg, abduction, self.pip_flexion_deg, self.dip_flexion_deg]
        table = np.deg2rad(np.array(rows))
        return table[:, 0], table[:, 1]


def limit_angles(
    angles: Float64[np.ndarray, "*b 20"], config: JointLimitsConfig | None = None
) -> Float64[np.ndarray, "*b 20"]:
    """The nearest allowed angles (rad). Applying it twice changes nothing more."""
    config = config or JointLimitsConfig()
    lower, upper = config.bounds()
    clipped = np.clip(np.asarray(angles, dtype=np.float64), lower, upper)
    for finger in range(1, 5):
        flexion, abduction = clipped[..., 4 * finger], 4 * finger + 1
        bent = np.clip(flexion / (np.pi / 2), 0.0, 1.0)
        left = 1.0 - (1.0 - config.bent_abduction) * bent
        clipped[..., abduction] = np.clip(
            clipped[..., abduction], lower[abduction] * left, upper[abduction] * left
        )
    return clipped


def beyond_limits(
    angles: Float64[np.ndarray, "*b 20"], config: JointLimitsConfig | None = None
) -> Float64[np.ndarray, "*b"]:
    """Largest violation over the 20 angles (rad); 0 for an anatomical hand."""
    return np.asarray(np.abs(np.asarray(angles) - limit_angles(angles, config)).max(axis=-1))

"""Up for a camera on a path: what single pictures said, carried into one frame by the path's turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, eq=False)
class UpSights:
    """Up in the camera's axes at some times of a clip, with its source."""

    t_ns: Int64[np.ndarray, " k"]
    up_camera: Float64[np.ndarray, "k 3"]
    """Unit vectors."""
    sigma: float
    """One-sigma of one of them, radians."""
    source: str
    """"user", "lines" or "prior"."""


def level_up(
    sights: UpSights, T_map_camera: Float64[np.ndarray, "t 4 4"], t_ns: Int64[np.ndarray, " t"]
) -> tuple[Float64[np.ndarray, "3"], float]:
    """Up in the map's frame and its one-sigma (radians).

    A prior holds for the usual picture, so it is averaged over the path; what lines said is averaged over the pictures
    they were found in. The sigma is never below the scatter of what was averaged.
    """
    if sights.source == "prior":
        ups = T_map_camera[:, :3, :3] @ sights.up_camera[0]
    else:
        frame = np.abs(t_ns[None] - sights.t_ns[:, None]).argmin(axis=1)
        ups = np.einsum("kij,kj->ki", T_map_camera[frame, :3, :3], sights.up_camera)
    up = ups.mean(axis=0)
    up = up / max(np.linalg.norm(up), 1e-12)
    scatter = float(np.sqrt((np.arccos(np.clip(ups @ up, -1, 1)) ** 2).mean()))
    return up, scatter if sights.source == "lines" and scatter > sights.sigma else sights.sigma

"""What the pose role reads and gives.

In: per frame a label picture, and where there are any: depth points, followed points, hands, the support plane. Out:
`ObjectPoses`, world poses with covariance; the stage makes `ObjectTracks` and `PoseCovariance` of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.perception.pose.model import ObjectModel


@dataclass(frozen=True)
class Plane:
    """Points x with normal . x = offset, camera frame; the normal points to the things on it."""

    normal: Float64[np.ndarray, " 3"]
    offset: float
    sigma: float
    """Of the offset (m)."""
    sigma_normal: float = 0.0
    """Of the normal's direction (rad)."""

    @property
    def level_known(self) -> bool:
        """Whether the normal says which way things stand."""
        return self.sigma_normal < 0.2


def _none() -> np.ndarray:
    return np.zeros(0)


def _no_points() -> np.ndarray:
    return np.zeros((0, 3))


@dataclass(frozen=True)
class Sighting:
    """One object in one frame; everything metric is in the camera's frame of that frame."""

    label: UInt8[np.ndarray, "h w"]
    """`MaskLabel` codes, perhaps smaller than the camera's frame."""
    code: int
    mask_valid: bool
    T_world_camera: Float64[np.ndarray, "4 4"]
    t_seconds: float
    cloud: Float64[np.ndarray, "n 3"] = field(default_factory=_no_points)
    """Depth points inside the mask."""
    cloud_sigma: Float64[np.ndarray, " n"] = field(default_factory=_none)
    track_idx: Int64[np.ndarray, " k"] = field(default_factory=lambda: np.zeros(0, np.int64))
    """Which followed points of the clip are seen on this object."""
    track_flat: Float64[np.ndarray, "k 2"] = field(default_factory=lambda: np.zeros((0, 2)))
    """Their x/z and y/z."""
    track_points: Float64[np.ndarray, "k 3"] = field(default_factory=_no_points)
    track_sigma: Float64[np.ndarray, " k"] = field(default_factory=_none)
    """Metres along the ray; 0 where the point has no depth."""
    hand: Float64[np.ndarray, "m 3"] = field(default_factory=_no_points)
    """Finger joints that seem to hold the object."""
    hand_sigma: Float64[np.ndarray, "m 3"] = field(default_factory=_no_points)
    plane: Plane | None = None
    resting: bool = True
    """It does not move in the picture and no finger is at it: where there is a plane, it stands on it."""


@dataclass(frozen=True)
class PoseStart:
    """A pose that is known beforehand, as a fitted shape brings it."""

    frame: int
    T_world_object: Float64[np.ndarray, "4 4"]


@dataclass(frozen=True)
class ObjectPoses:
    """One object over t frames. Rows that are not valid hold the last known pose and must not be read."""

    T_world_object: Float64[np.ndarray, "t 4 4"]
    valid: Bool[np.ndarray, " t"]
    confidence: Float64[np.ndarray, " t"]
    covariance: Float64[np.ndarray, "t 6 6"]
    """Of (translation of the origin, rotation vector), world axes."""
    notes: Mapping[str, Any]
    """What was done and why frames have no pose; plain JSON."""


@runtime_checkable
class SightingSource(Protocol):
    """Gives sightings of one object, frame by frame, in any order."""

    def __len__(self) -> int:
        """Frames."""

    def __getitem__(self, frame: int) -> Sighting:
        """The object in that frame."""


@runtime_checkable
class PoseBackend(Protocol):
    """One way to find poses."""

    @property
    def name(self) -> str:
        """Stored as provenance."""

    @property
    def licence(self) -> str:
        """Of the weights behind the numbers, "none" without."""

    def track(self, model: ObjectModel, sightings: SightingSource, start: PoseStart | None) -> ObjectPoses:
        """Poses in every frame; frames that cannot be told are not valid, never an error."""

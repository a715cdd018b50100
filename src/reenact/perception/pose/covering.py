"""A rotation moved so that the object covers its mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from reenact.perception.pose.contract import Plane, Sighting
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.window import Camera, mask_box


@dataclass(frozen=True)
class SeenBox:
    """The mask's bounding box in x/z, y/z, and which of its sides are only where the picture ends."""

    low: Float64[np.ndarray, " 2"]
    high: Float64[np.ndarray, " 2"]
    cut_low: Bool[np.ndarray, " 2"]
    cut_high: Bool[np.ndarray, " 2"]

    @staticmethod
    def of(mask: Bool[np.ndarray, "h w"], camera: Camera) -> SeenBox:
        """From a mask that is not empty."""
        low, high = mask_box(mask, camera)
        ends = [mask[:, :2].any(), mask[:2].any(), mask[:, -2:].any(), mask[-2:].any()]
        return SeenBox(low, high, np.array(ends[:2]), np.array(ends[2:]))

    def shift(
        self, low: Float64[np.ndarray, " 2"], high: Float64[np.ndarray, " 2"]
    ) -> Float64[np.ndarray, " 2"]:
        """From a drawn box to this one: its middle on the middle, or edge on edge where the other edge is cut."""
        middle = (self.low + self.high - low - high) / 2
        only_high, only_low = self.cut_low & ~self.cut_high, self.cut_high & ~self.cut_low
        return np.where(only_high, self.high - high, np.where(only_low, self.low - low, middle))

    def overlap(self, low: Float64[np.ndarray, " 2"], high: Float64[np.ndarray, " 2"]) -> float:
        """Of a drawn box and this one: common area over that of both."""
        both = np.prod(np.maximum(np.minimum(high, self.high) - np.maximum(low, self.low), 0.0))
        either = np.prod(high - low) + np.prod(self.high - self.low) - both
        return float(both / max(float(either), 1e-12))

    def growth(self, low: Float64[np.ndarray, " 2"], high: Float64[np.ndarray, " 2"]) -> float:
        """How much larger a drawn box is, along sides that are not cut (1 where all are)."""
        whole = ~(self.cut_low | self.cut_high)
        if not whole.any():
            return 1.0
        return float((high - low)[whole].max() / max(float((self.high - self.low)[whole].max()), 1e-6))


def place(
    refiner: PoseRefiner, sighting: Sighting, R: Float[np.ndarray, "3 3"], seen: SeenBox
) -> Float64[np.ndarray, "4 4"]:
    """The rotation, moved so that the object covers its mask: at the depth that is measured, else standing on the
    plane, else as far away as its size says."""
    model, plane = refiner.model, sighting.plane
    T = np.eye(4)
    T[:3, :3] = R
    offsets = model.points @ R.T
    wide = float(max(np.ptp(offsets, axis=0)[:2]))
    z = wide / max(float((seen.high - seen.low).max()), 1e-6) + float(np.ptp(offsets[:, 2])) / 2
    if len(sighting.cloud) >= 10:
        z = float(np.median(sighting.cloud[:, 2])) + 0.6 * float(-offsets[:, 2].min())
    T[:3, 3] = np.array([*(seen.low + seen.high) / 2, 1.0]) * z
    stands = plane is not None and len(sighting.cloud) < 10 and sighting.resting
    for _ in range(3 if len(sighting.cloud) < 10 else 2):
        if stands and plane is not None:
            T[:3, 3] = _on_plane(T[:3, 3], plane, float((offsets @ plane.normal).min()))
        T[:2, 3] += seen.shift(*refiner.extent(T)) * T[2, 3]
        if not stands and len(sighting.cloud) < 10:
            T[:3, 3] *= seen.growth(*refiner.extent(T))
        if len(sighting.cloud) >= 10:
            T[:3, 3] *= 1.0 + refiner.depth_offset(T, sighting) / T[2, 3]
    return T


def _on_plane(origin: np.ndarray, plane: Plane, lowest: float) -> np.ndarray:
    """The origin moved along its ray until the object's lowest point is on the plane; unmoved if the ray is level."""
    along = float(origin @ plane.normal)
    if abs(along) < 1e-6:
        return origin
    factor = (plane.offset - lowest) / along
    return origin * factor if factor > 0.05 else origin

"""`ObjectShapes`: where each object's mesh and its metric size come from, and how sure they are.

The meshes themselves are stored once, in `ObjectTracks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int64

from reenact.records import Record

SHAPE_KINDS = (
    "user_mesh",
    "known_primitive",
    "box",
    "cylinder",
    "sphere",
    "ellipsoid",
    "visual_hull",
    "truth",
    "unknown",
)
SCALE_SOURCES = ("user", "hand", "depth", "support", "prior", "truth", "unknown")


@dataclass(frozen=True, kw_only=True)
class ObjectShapes(Record):
    """One row per object of the object tracks."""

    SCHEMA = "reenact.object_shapes"
    VERSION = 1

    object_ids: tuple[str, ...]
    kinds: tuple[str, ...]
    """One of `SHAPE_KINDS` each."""
    size: Float64[np.ndarray, "o 3"]
    """Extent along the object's own axes (m)."""
    sigma_size: Float64[np.ndarray, "o 3"]
    """One-sigma of the extent (m)."""
    scale_sources: tuple[str, ...]
    """One of `SCALE_SOURCES` each."""
    confidence: Float64[np.ndarray, " o"]
    symmetry_axis: Float64[np.ndarray, "o 3"]
    """Unit axis of continuous symmetry in the object's frame; zeros where there is none."""
    symmetry_orders: Int64[np.ndarray, "stated 3"] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    """How many turns about the object's x, y and z, through the middle of its bounding box, look alike (1: none, 2: half
    turns, as a box has them about all three); together they generate a group, and with a continuous axis 2 across it
    means upside down. No rows: not stated (scenes of before 2026-11-21)."""

    def check(self) -> None:
        count = len(self.size)
        for name in ("object_ids", "kinds", "scale_sources"):
            self.require(
                len(getattr(self, name)) == count, name, f"has {len(getattr(self, name))}", f"{count}"
            )
        self.require(
            len(self.symmetry_orders) in (0, count),
            "symmetry_orders",
            f"has {len(self.symmetry_orders)} rows",
            f"{count}",
        )
        self.require(bool((self.symmetry_orders >= 1).all()), "symmetry_orders", "has entries below 1")
        self.require(
            set(self.kinds) <= set(SHAPE_KINDS), "kinds", f"are {self.kinds}", f"each one of {SHAPE_KINDS}"
        )
        known = set(self.scale_sources) <= set(SCALE_SOURCES)
        self.require(known, "scale_sources", f"are {self.scale_sources}", f"each one of {SCALE_SOURCES}")
        self.require(bool((self.sigma_size >= 0).all()), "sigma_size", "has negative entries")
        self.require_fraction("confidence")

"""`ObjectShapes`: where each object's mesh and its metric size come from, and how sure they are.

The meshes themselves are stored once, in `ObjectTracks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

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
    symmetry_order: tuple[int, ...]
    """Discrete turns about the object's z that look alike (1: none); ignored where there is a continuous axis."""

    def check(self) -> None:
        count = len(self.size)
        for field in ("object_ids", "kinds", "scale_sources", "symmetry_order"):
            self.require(
                len(getattr(self, field)) == count, field, f"has {len(getattr(self, field))}", f"{count}"
            )
        self.require(
            set(self.kinds) <= set(SHAPE_KINDS), "kinds", f"are {self.kinds}", f"each one of {SHAPE_KINDS}"
        )
        known = set(self.scale_sources) <= set(SCALE_SOURCES)
        self.require(known, "scale_sources", f"are {self.scale_sources}", f"each one of {SCALE_SOURCES}")
        self.require(bool((self.sigma_size >= 0).all()), "sigma_size", "has negative entries")
        self.require_fraction("confidence")

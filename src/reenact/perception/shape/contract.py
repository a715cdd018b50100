"""`ShapeEstimate`: what a shape backend says of one object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from reenact.errors import InputError
from reenact.perception.pose.contract import PoseStart
from reenact.perception.pose.symmetry import Symmetry


class BadShape(InputError):
    """A mesh file or size given by the user that cannot be used."""


@dataclass(frozen=True)
class ShapeEstimate:
    """One object's mesh and how sure its size is."""

    kind: str
    """One of `scene.shapes.SHAPE_KINDS`."""
    vertices: Float64[np.ndarray, "v 3"]
    """Metres, object frame (z up as it usually stands; a user's mesh keeps its own frame)."""
    faces: Int64[np.ndarray, "f 3"]
    sigma_size: Float64[np.ndarray, " 3"]
    """One-sigma of the extent along x, y, z (m)."""
    scale_source: str
    """One of `scene.shapes.SCALE_SOURCES`."""
    confidence: float
    symmetry: Symmetry = field(default_factory=Symmetry.none)
    start: PoseStart | None = None
    """The pose in the frame the shape was fitted in."""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> Float64[np.ndarray, " 3"]:
        """Extent along the object's own axes (m)."""
        extent: np.ndarray = np.ptp(self.vertices, axis=0)
        return extent

    @property
    def known(self) -> bool:
        """Whether the metres come from anything better than a guess."""
        return self.scale_source not in ("prior", "unknown")

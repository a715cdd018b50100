"""`FoundObjects`: which things of a clip are worth tracking, where they were first seen, and why they were chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from reenact.records import Record


@dataclass(frozen=True, kw_only=True)
class FoundObjects(Record):
    """The answer of the role *discover*: o objects, each with one box in one frame to start from."""

    SCHEMA = "reenact.found_objects"
    VERSION = 1

    object_ids: tuple[str, ...]
    names: tuple[str, ...]
    """A user's label carried through, or a plain description ("red object")."""
    roles: tuple[str, ...]
    """"manipulated" (moved by a hand), "target" (acted upon, does not move by itself) or "unknown"."""
    seed_frame: Int64[np.ndarray, " o"]
    seed_box_px: Float64[np.ndarray, "o 4"]
    """x0 y0 x1 y1 in the clip's upright full-size frame."""
    confidence: Float64[np.ndarray, " o"]
    sources: tuple[str, ...]
    """"user_box", "user_click", "motion", "hand", "colour" or "truth"."""
    reasons: tuple[str, ...]
    """One plain sentence each."""
    backend: str
    licence: str

    def check(self) -> None:
        count = len(self.seed_frame)
        for field in ("object_ids", "names", "roles", "sources", "reasons"):
            self.require(
                len(getattr(self, field)) == count, field, f"has {len(getattr(self, field))}", f"{count}"
            )
        self.require(len(set(self.object_ids)) == count, "object_ids", f"{self.object_ids} repeat")
        known = {"manipulated", "target", "unknown"}
        self.require(set(self.roles) <= known, "roles", f"are {self.roles}", f"each one of {sorted(known)}")
        self.require_fraction("confidence")

"""`FoundObjects`: which things of a clip are worth tracking, where they were first seen, and why they were chosen."""

from __future__ import annotations

import dataclasses
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
    outline_px: Float64[np.ndarray, "n 2"] = dataclasses.field(default_factory=lambda: np.zeros((0, 2)))
    """Outlines of the objects in their seed frames, end to end, where more than a box is known."""
    outline_start: Int64[np.ndarray, " o1"] = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    """`outline_px[outline_start[i]:outline_start[i + 1]]` is object i's, closed; empty: only the box is known."""

    def outline(self, object_idx: int) -> Float64[np.ndarray, "m 2"]:
        """Outline of one object in its seed frame; empty where only the box is known."""
        if len(self.outline_start) == 0:
            return np.zeros((0, 2))
        start, end = self.outline_start[object_idx : object_idx + 2]
        return self.outline_px[start:end]

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
        starts = self.outline_start
        fits = len(starts) == 0 or (
            len(starts) == count + 1
            and int(starts[0]) == 0
            and int(starts[-1]) == len(self.outline_px)
            and bool((np.diff(starts) >= 0).all())
        )
        self.require(
            fits, "outline_start", f"is {starts.tolist()}", f"empty, or {count + 1} rising numbers from 0"
        )

"""Who touches what, and what each object is doing: contacts and interaction states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.records import Record

CONTACT_POINTS = ("thumb_tip", "index_tip", "middle_tip", "ring_tip", "pinky_tip", "palm")


class InteractionState(IntEnum):
    """State of one object in one frame; `unknown` is a state of its own, never a default in disguise."""

    UNKNOWN = 0
    STATIC = 1
    MOVING = 2
    GRASPED_LEFT = 3
    GRASPED_RIGHT = 4
    GRASPED_BOTH = 5


@dataclass(frozen=True, kw_only=True)
class ContactTracks(Record):
    """Contact of six hand points (see `CONTACT_POINTS`) of each side with each object."""

    SCHEMA = "reenact.contact_tracks"
    VERSION = 1

    touching: Bool[np.ndarray, "t s=2 k=6 o"]
    distance: Float64[np.ndarray, "t s=2 k=6 o"]
    """Signed distance of the hand point's surface to the object's (m), negative inside."""
    confidence: Float64[np.ndarray, "t s=2 o"]
    valid: Bool[np.ndarray, "t s=2 o"]
    source: UInt8[np.ndarray, "t s=2 o"]

    def check(self) -> None:
        self.require_fraction("confidence")


@dataclass(frozen=True, kw_only=True)
class ContactPlaces(Record):
    """Where on each object each hand point is, and since when it touches; goes with `ContactTracks`."""

    SCHEMA = "reenact.contact_places"
    VERSION = 1

    place_object: Float64[np.ndarray, "t s=2 k=6 o 3"]
    """Nearest point of the object's surface, in the object's frame (m)."""
    since_ns: Int64[np.ndarray, "t s=2 k=6 o"]
    """When the present contact began; the frame's own time where there is none."""
    valid: Bool[np.ndarray, "t s=2 o"]


@dataclass(frozen=True, kw_only=True)
class InteractionStates(Record):
    """`InteractionState` codes per frame and object."""

    SCHEMA = "reenact.interaction_states"
    VERSION = 1

    state: UInt8[np.ndarray, "t o"]
    confidence: Float64[np.ndarray, "t o"]
    """Posterior probability of the state said; 0 where it is unknown."""
    valid: Bool[np.ndarray, "t o"]
    source: UInt8[np.ndarray, "t o"]

    def check(self) -> None:
        known = int(self.state.max(initial=0)) <= max(InteractionState)
        self.require(
            known, "state", f"holds code {self.state.max(initial=0)}", f"0..{int(max(InteractionState))}"
        )
        self.require_fraction("confidence")

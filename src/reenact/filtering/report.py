"""What pass 1 says about a video, ready for JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reenact.filtering.camera import CameraVerdict
from reenact.filtering.cuts import Cut
from reenact.filtering.hands import HandNumbers


class Reason(StrEnum):
    """Why a stretch was rejected. The first six are EgoInfinity's words."""

    CUTS_TOO_SHORT = "cuts_too_short"
    LOW_HAND_RATIO = "low_hand_ratio"
    BG_MOVING = "bg_moving"
    HAND_TOO_SMALL = "hand_too_small"
    HAND_TOO_LARGE = "hand_too_large"
    HAND_TRUNCATED = "hand_truncated"
    NOT_LONGEST_SHOT = "not_longest_shot"
    TOO_SHORT = "too_short"
    NO_HANDS = "no_hands"
    NO_HANDS_AT_A_GLANCE = "no_hands_at_a_glance"
    HANDS_IDLE = "hands_idle"
    CAMERA_LOST = "camera_lost"
    TRANSITION = "transition"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch [start_ns, end_ns) of the video."""

    start_ns: int
    """From the first frame."""
    end_ns: int
    """Not of the stretch."""
    is_kept: bool
    """True: worth reconstructing."""
    reasons: tuple[Reason, ...]
    """Every rule that it broke; empty where it is kept."""
    flags: tuple[str, ...]
    """Worth knowing, no reason to reject: ``camera_moving``, ``camera_unknown``."""
    hands: HandNumbers | None
    """None where no hand was looked for."""
    camera: CameraVerdict | None
    """None where it was not watched."""

    @property
    def seconds(self) -> float:
        """Length."""
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True, kw_only=True)
class FilterReport:
    """Segments tile [0, duration_ns): none overlap, nothing is left out."""

    config_name: str
    """Rule set."""
    duration_ns: int
    """Length of the video."""
    cuts: tuple[Cut, ...]
    """Shot boundaries, in order."""
    segments: tuple[Segment, ...]
    """In order of time."""

    @property
    def kept(self) -> tuple[Segment, ...]:
        """Those worth reconstructing."""
        return tuple(segment for segment in self.segments if segment.is_kept)

    @property
    def kept_ratio(self) -> float:
        """Share of the video's time that is kept."""
        return sum(s.end_ns - s.start_ns for s in self.kept) / max(1, self.duration_ns)

    def as_json(self) -> dict[str, Any]:
        """Plain dicts, lists, strings and numbers."""
        return {**dataclasses.asdict(self), "kept_ratio": self.kept_ratio}

"""`Candidate`: a region in one frame that may be an object worth following."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool


@dataclass(frozen=True)
class Candidate:
    """One guess, in small pixels."""

    frame: int
    mask: Bool[np.ndarray, "h w"]
    score: float
    """0..1: how clear the evidence is."""
    source: str
    """"motion", "hand" or "colour", as in `FoundObjects.sources`."""
    reason: str
    """The evidence in words."""
    start_s: float = 0.0
    """When it is in the clip, to sort by."""

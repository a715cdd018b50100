"""What a depth backend gives: frame by frame a picture of depths, of a stated kind, with its uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from reenact.errors import InputError
from reenact.scene import Source

KINDS = ("depth_metric", "depth_scale_invariant")


class DepthMismatch(InputError):
    """Depth that does not belong to the clip: other number of frames, other shape, no calibration."""


@dataclass(frozen=True)
class DepthImage:
    """One frame."""

    values: Float32[np.ndarray, "h w"]
    """z along the optical axis, 0 where unknown: metres if the kind is metric, any unit otherwise."""
    sigma_relative: float
    """Relative one-sigma of a known pixel; of its shape only, where the kind is scale invariant."""
    confidence: float
    """0..1, of the frame as a whole."""
    source: Source = Source.OBSERVED


@runtime_checkable
class DepthBackend(Protocol):
    """One way to know depth. The pictures cover the clip's upright frame, perhaps with fewer pixels."""

    @property
    def name(self) -> str:
        """Stored as provenance."""

    @property
    def licence(self) -> str:
        """Of the weights behind the numbers, "none" without."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""

    @property
    def scale_source(self) -> str:
        """As in `DepthFrames`: "sensor", "stereo", "hand", "support", "user", "truth" or "unknown"."""

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of what was read."""

    def frame(self, frame: int) -> DepthImage | None:
        """Depth of a frame of the clip; None where nothing is known of it.

        Raises:
            DepthMismatch: the frame cannot be read or has another size than the first.
        """


@dataclass(frozen=True)
class ChunkSpan:
    """Frames first .. first + count - 1 of the clip, which a net looked at together."""

    first: int
    count: int


@runtime_checkable
class ChunkedDepthBackend(DepthBackend, Protocol):
    """Depth of a net that takes long clips in overlapping chunks; each chunk has a scale and a shift of its own.

    `frame` gives the first chunk that knows a frame; the chunks' scales are not brought together here.
    """

    @property
    def chunks(self) -> tuple[ChunkSpan, ...]:
        """In order of time, each overlapping the one before."""

    def chunk_frame(self, chunk: int, frame: int) -> DepthImage | None:
        """Depth of a frame of the clip by one chunk, None outside it."""

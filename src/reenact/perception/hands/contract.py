"""What every hand backend owes the rest: frames in, one :class:`HandLandmarks` record out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

from jaxtyping import UInt8
from numpy import ndarray

from reenact.scene import HandLandmarks

Frame: TypeAlias = tuple[int, UInt8[ndarray, "h w 3"]]
"""(t_ns, RGB image). Times strictly rise; every frame is its own array that the producer no longer changes
(backends keep the last second to track backward in time)."""


@runtime_checkable
class HandBackend(Protocol):
    """One way to find hands. Slots of the result: 0 = the person's left hand, 1 = the right one."""

    @property
    def name(self) -> str:
        """Backend and model version, stored as provenance."""

    @property
    def licence(self) -> str:
        """SPDX licence of the model the numbers come from."""

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of the last :meth:`detect`: what was run, found, and removed and why."""

    def detect(self, frames: Iterable[Frame]) -> HandLandmarks:
        """Landmarks of both hands in every frame, in the order of the frames.

        Raises:
            NoFrames: the iterable was empty.
            BadFrame: a frame is not uint8 (h, w, 3), changes size, or its time does not rise.
        """

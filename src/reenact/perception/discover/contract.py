"""What every discover backend owes the rest: frames and hands in, one `FoundObjects` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from reenact.scene import CameraTrack, Clip, FoundObjects, HandLandmarks

Frame: TypeAlias = tuple[int, UInt8[np.ndarray, "h w 3"]]
"""(t_ns, RGB picture of any size with the clip's shape). Times strictly rise."""


@runtime_checkable
class ObjectFinder(Protocol):
    """One way to decide what is manipulated."""

    @property
    def name(self) -> str:
        """Backend and version, stored as provenance."""

    @property
    def licence(self) -> str:
        """SPDX licence of the model the numbers come from."""

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of the last :meth:`find`: what was considered, what was rejected, and why."""

    def find(
        self, frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, camera: CameraTrack | None = None
    ) -> FoundObjects:
        """Objects, best first; none is a legal answer, and the diagnostics then say why.

        Raises:
            WrongFrames: the frames are not those of the clip.
            BadObjectHint: a user's box or click does not lie in the clip.
        """

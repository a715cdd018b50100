"""What every mask backend owes the rest: found objects in, a label volume and one `MaskTracks` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from reenact.errors import InputError
from reenact.scene import Clip, FoundObjects, HandLandmarks, MaskTracks

Frame: TypeAlias = tuple[int, UInt8[np.ndarray, "h w 3"]]
"""(t_ns, RGB picture of any size with the clip's shape). Times strictly rise."""

MAX_OBJECTS = 64
"""Most objects a label volume is made for."""


class TooManyObjects(InputError):
    """More objects than labels."""


@dataclass(frozen=True)
class ObjectMasks:
    """Labels and how far they can be trusted."""

    labels: UInt8[np.ndarray, "t h w"]
    """`MaskLabel` codes; object i of the found objects is ``FIRST_OBJECT + i``. A lost object has no pixels."""
    tracks: MaskTracks


@runtime_checkable
class MaskBackend(Protocol):
    """One way to outline objects over a clip."""

    @property
    def name(self) -> str:
        """Backend and version, stored as provenance."""

    @property
    def licence(self) -> str:
        """SPDX licence of the model the numbers come from."""

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of the last :meth:`segment`: where each object was lost and found again, and why."""

    def segment(
        self, frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, found: FoundObjects
    ) -> ObjectMasks:
        """Labels of all frames, from the seed boxes forward and backward; hands and arms have their own labels.

        With no found object the labels still hold hands and arms.

        Raises:
            WrongFrames: the frames are not those of the clip.
            TooManyObjects: more than ``MAX_OBJECTS`` objects.
        """

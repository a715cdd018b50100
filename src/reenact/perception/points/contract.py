"""What every point backend owes the rest: frames and labels in, one `PointTracks` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from reenact.errors import InputError
from reenact.perception.masks.contract import ObjectMasks
from reenact.scene import Clip, PointTracks

Frame: TypeAlias = tuple[int, UInt8[np.ndarray, "h w 3"]]
"""(t_ns, RGB picture of any size with the clip's shape). Times strictly rise."""


class LabelsDoNotFit(InputError):
    """Labels of another clip: other number of frames, or more objects than the record names."""


@runtime_checkable
class PointBackend(Protocol):
    """One way to follow points."""

    @property
    def name(self) -> str:
        """Backend and version, stored as provenance."""

    @property
    def licence(self) -> str:
        """SPDX licence of the model the numbers come from."""

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of the last :meth:`track`: points per object, how long they live, why they end."""

    def track(self, frames: Iterable[Frame], clip: Clip, masks: ObjectMasks) -> PointTracks:
        """Points on each object and on the background, pixels of the clip's full size; nothing lifted yet.

        Raises:
            WrongFrames: the frames are not those of the clip.
            LabelsDoNotFit: the masks are not those of the clip.
        """


def check_labels(clip: Clip, masks: ObjectMasks) -> None:
    """Raises LabelsDoNotFit unless labels, mask record and clip belong together."""
    want = len(clip.t_ns)
    if len(masks.labels) != want or len(masks.tracks.valid) != want:
        raise LabelsDoNotFit(
            f"{len(masks.labels)} frames of labels, {len(masks.tracks.valid)} of the mask record",
            hint=f"{clip.clip_id} has {want}",
        )

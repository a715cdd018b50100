"""What every camera backend owes the rest: frames of a clip in, one `CameraTrack` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

from jaxtyping import UInt8
from numpy import ndarray

from reenact.errors import InputError, NoResultError
from reenact.scene import CameraTrack, Clip

Frame: TypeAlias = tuple[int, UInt8[ndarray, "h w 3"]]
"""(t_ns, RGB picture of any size with the clip's shape). Times strictly rise; every picture is its own array."""


class NoCameraFrames(NoResultError):
    """No frames were given to look at."""


class BadCameraFrame(InputError):
    """A frame that does not belong to the clip: wrong shape, wrong type, or a time that does not rise."""


@runtime_checkable
class CameraBackend(Protocol):
    """One way to find the camera of a clip."""

    @property
    def name(self) -> str:
        """Backend and version, stored as provenance."""

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of the last :meth:`estimate`: each decision with its numbers and its reason."""

    def estimate(self, frames: Iterable[Frame], clip: Clip) -> CameraTrack:
        """The camera over all frames of the clip, in pixels of the clip's own size.

        ``frames`` may be all frames of the clip or a sample (about 5 a second serve as well), at full size
        or shrunk.

        Raises:
            NoCameraFrames: the iterable was empty.
            BadCameraFrame: a frame is not uint8 (h, w, 3), has another shape than the clip, or goes back in time.
        """

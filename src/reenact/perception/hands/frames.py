"""Checks on the frames a backend is given; wrong frames fail here, with their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from reenact.errors import InputError
from reenact.perception.hands.contract import Frame


class NoFrames(InputError):
    """There was nothing to look at."""


class BadFrame(InputError):
    """A frame is not what the contract says."""


def checked_frames(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The same frames, one by one.

    Raises:
        BadFrame: not uint8 (h, w, 3), another size than the first, or a time that does not rise.
        NoFrames: there was none.
    """
    shape: tuple[int, ...] | None = None
    last_ns: int | None = None
    for idx, (t_ns, image) in enumerate(frames):
        if (
            not isinstance(image, np.ndarray)
            or image.dtype != np.uint8
            or image.ndim != 3
            or image.shape[2] != 3
        ):
            got = f"{getattr(image, 'dtype', type(image).__name__)} {getattr(image, 'shape', '')}"
            raise BadFrame(f"frame {idx} is {got}", hint="frames are RGB uint8 arrays (h, w, 3)")
        if shape is not None and image.shape != shape:
            raise BadFrame(f"frame {idx} has shape {image.shape}, the first had {shape}")
        if last_ns is not None and t_ns <= last_ns:
            raise BadFrame(
                f"frame {idx} has time {t_ns} ns, the one before {last_ns} ns", hint="times must rise"
            )
        shape, last_ns = image.shape, t_ns
        yield t_ns, image
    if shape is None:
        raise NoFrames("no frames were given to the hand backend")

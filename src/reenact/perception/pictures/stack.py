"""`PictureStack`: a clip's frames, shrunk and held in memory, so that a backend can go forward and backward."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from jaxtyping import Float, Int64, UInt8

from reenact.errors import InputError
from reenact.scene import Clip

Frame: TypeAlias = tuple[int, UInt8[np.ndarray, "h w 3"]]
"""(t_ns, RGB picture of any size with the clip's shape). Times strictly rise."""


class WrongFrames(InputError):
    """The frames given are not those of the clip."""


@dataclass(frozen=True)
class StackConfig:
    """How small the frames are held."""

    width_px: int = 480
    """Width at which frames are looked at; less where the clip is smaller or the memory would not do."""
    max_bytes: int = 768 * 1024 * 1024
    """Most memory the frames may take; longer clips are looked at smaller."""


@dataclass(frozen=True)
class PictureStack:
    """All frames of a clip at one small size."""

    t_ns: Int64[np.ndarray, " t"]
    rgb: UInt8[np.ndarray, "t h w 3"]
    full_width_px: int
    """Size of the clip's frames, to which all pixels in records belong."""
    full_height_px: int
    frame_idx: Int64[np.ndarray, " t"]
    """Frames of the clip that are held; all of them unless asked otherwise."""

    @property
    def width_px(self) -> int:
        """Columns of the small frames."""
        return int(self.rgb.shape[2])

    @property
    def height_px(self) -> int:
        """Rows of the small frames."""
        return int(self.rgb.shape[1])

    @property
    def scale(self) -> Float[np.ndarray, "2"]:
        """Full-size pixels per small pixel, x and y."""
        return np.array([self.full_width_px / self.width_px, self.full_height_px / self.height_px])

    def to_small(self, points_px: Float[np.ndarray, "*b 2"]) -> Float[np.ndarray, "*b 2"]:
        """Pixels of the clip's full size to those of the stack; whole numbers are pixel centres."""
        return (points_px + 0.5) / self.scale - 0.5

    def to_full(self, points_px: Float[np.ndarray, "*b 2"]) -> Float[np.ndarray, "*b 2"]:
        """The way back."""
        return (points_px + 0.5) * self.scale - 0.5

    def box_to_small(self, box_px: Float[np.ndarray, "4"]) -> Float[np.ndarray, "4"]:
        """A box x0 y0 x1 y1, full size to small."""
        return self.to_small(box_px.reshape(2, 2)).reshape(4)

    def box_to_full(self, box_px: Float[np.ndarray, "4"]) -> Float[np.ndarray, "4"]:
        """A box x0 y0 x1 y1, small to full size."""
        return self.to_full(box_px.reshape(2, 2)).reshape(4)


def read_stack(
    frames: Iterable[Frame], clip: Clip, config: StackConfig | None = None, every: int = 1
) -> PictureStack:
    """Hold the clip's frames (or every n-th of them) at the working size.

    Raises:
        WrongFrames: another number of frames than the clip has, other times, or another shape of picture.
    """
    config = config or StackConfig()
    count = len(clip.t_ns)
    width, height = working_size(clip, config)
    kept = np.arange(0, count, every, dtype=np.int64)
    rgb = np.empty((len(kept), height, width, 3), np.uint8)
    seen = 0
    for t_ns, picture in frames:
        if seen == count:
            raise WrongFrames(f"more than the {count} frames of {clip.clip_id} were given")
        _check(seen, t_ns, picture, clip)
        if seen % every == 0:
            rgb[seen // every] = _resized(picture, width, height)
        seen += 1
    if seen != count:
        raise WrongFrames(f"{seen} frames were given", hint=f"{clip.clip_id} has {count}")
    return PictureStack(clip.t_ns[kept], rgb, clip.width_px, clip.height_px, kept)


def working_size(clip: Clip, config: StackConfig) -> tuple[int, int]:
    """(width, height) at which the clip's frames are held."""
    width = min(config.width_px, clip.width_px)
    shape = clip.height_px / clip.width_px
    affordable = int(np.sqrt(config.max_bytes / (3.0 * len(clip.t_ns) * shape)))
    width = max(32, min(width, affordable))
    return width, max(16, round(width * shape))


def _check(idx: int, t_ns: int, picture: np.ndarray, clip: Clip) -> None:
    if t_ns != int(clip.t_ns[idx]):
        raise WrongFrames(f"frame {idx} has time {t_ns} ns", hint=f"the clip says {int(clip.t_ns[idx])} ns")
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise WrongFrames(
            f"frame {idx} is {picture.dtype} {picture.shape}", hint="frames are RGB uint8 (h, w, 3)"
        )
    height, width = picture.shape[:2]
    if abs(width * clip.height_px - height * clip.width_px) > 2 * max(clip.width_px, clip.height_px):
        raise WrongFrames(
            f"frame {idx} is {width} x {height}", hint=f"the clip is {clip.width_px} x {clip.height_px}"
        )


def _resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = width <= picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)

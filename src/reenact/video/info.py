"""What is known of a video before any of its pixels are used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """One video file or picture folder. Sizes are those of the upright picture with square pixels."""

    name: str
    """File or folder name, without its parents (paths are no part of a result)."""
    sha256: str
    """Digest of the file's bytes; for a folder, of its file names and digests in order."""
    codec: str
    """Name of the codec, e.g. ``h264``."""
    width_px: int
    """Width after rotation and pixel aspect."""
    height_px: int
    """Height after rotation and pixel aspect."""
    rotation_deg: int
    """Counter-clockwise turn (0, 90, 180, 270) that was applied to make the stored picture upright."""
    is_mirrored: bool
    """True where the container asks for a mirror image before the turn."""
    nominal_fps_hz: float
    """(frames - 1) / (time from first to last frame); 0 for a single frame."""
    is_variable_rate: bool
    """True where frame distances differ by more than the container's own rounding."""
    start_ns: int
    """The container's clock at the first frame; all other times count from there."""
    duration_ns: int
    """From the first frame until the last one ends: frames fill the half-open interval [0, duration_ns)."""
    frame_count: int
    """Frames found in the file."""
    declared_frame_count: int
    """Frames that the container claims; 0 where it does not say. More than ``frame_count``: cut short."""

    @property
    def is_truncated(self) -> bool:
        """True where the container promises more frames than the file holds."""
        return self.declared_frame_count > self.frame_count


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def scaled_size(width_px: int, height_px: int, max_height: int | None) -> tuple[int, int]:
    """Width and height of a picture shrunk (never enlarged) to at most ``max_height`` rows.

    Shrunk sizes are even, as 4:2:0 wants them, so that the aspect may be off by less than one pixel.
    """
    if max_height is None or height_px <= max_height:
        return width_px, height_px
    height = max(2, max_height - max_height % 2)
    return max(2, 2 * round(width_px * height / height_px / 2)), height

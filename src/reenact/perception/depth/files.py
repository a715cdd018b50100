"""Depth pictures in a folder: 16-bit PNG (or TIFF) of an RGB-D camera, or float `.npy`, one file per frame."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import Float32, Int64, UInt16

from reenact.perception.depth.contract import DepthImage, DepthMismatch

_SUFFIXES = (".png", ".tif", ".tiff", ".npy")


@dataclass(frozen=True)
class DepthFilesConfig:
    """How the numbers in the files are to be read."""

    encoding: Literal["linear", "inverse_plus_one"] = "linear"
    """linear: metres = value x unit; inverse_plus_one: metres = 65535 / value - 1 (video_to_data's stereo depth)."""
    unit: float = 0.001
    """Metres per step of a linear file; 0.001 is what most RGB-D cameras write. `.npy` files hold metres already."""
    sigma_relative: float = 0.01
    """Relative one-sigma; 1 % at 1 m is a usual figure of structured light and time of flight."""
    metric: bool = True
    """False: the scale of the numbers means nothing (a net's relative depth)."""
    max_depth: float = 15.0
    """Metres beyond which a value is taken for none."""


class DepthFolder:
    """The files of a folder in the order of their names (numbers by value)."""

    licence = "none"

    def __init__(
        self, folder: Path, frame_idx: Int64[np.ndarray, " t"], config: DepthFilesConfig | None = None
    ) -> None:
        """frame_idx: the clip's frames counted in its source; a folder with one file per source frame is cut likewise.

        Raises:
            DepthMismatch: no depth files, or neither one per frame of the clip nor one per frame of its source.
        """
        self.config = config or DepthFilesConfig()
        self._files = find_depth_files(folder)
        count = len(self._files)
        if count == len(frame_idx):
            self._at = np.arange(count)
        elif count > int(frame_idx.max(initial=-1)) and len(frame_idx) > 0:
            self._at = np.asarray(frame_idx)
        else:
            raise DepthMismatch(
                f"{folder.name} holds {count} depth files{_first_gap(self._files)}",
                hint=f"one per frame of the clip ({len(frame_idx)}) or of its source "
                f"(at least {int(frame_idx.max(initial=-1)) + 1}) is needed",
            )
        self._shape: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """Backend and encoding."""
        return f"files_{self.config.encoding}"

    @property
    def kind(self) -> str:
        """See the contract."""
        return "depth_metric" if self.config.metric else "depth_scale_invariant"

    @property
    def scale_source(self) -> str:
        """See the contract."""
        return "sensor" if self.config.metric else "unknown"

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """What was found."""
        return {"files": len(self._files), "first": self._files[0].name, "unit": self.config.unit}

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract; None where the file holds no value at all."""
        path = self._files[int(self._at[frame])]
        values = self._read(path)
        if self._shape is None:
            self._shape = values.shape
        if values.shape != self._shape:
            raise DepthMismatch(f"{path.name} is {values.shape}", hint=f"the first file is {self._shape}")
        known = float((values > 0).mean())
        return DepthImage(values, self.config.sigma_relative, min(1.0, 0.3 + known)) if known > 0 else None

    def _read(self, path: Path) -> Float32[np.ndarray, "h w"]:
        if path.suffix == ".npy":
            values = np.load(path, allow_pickle=False)
        else:
            values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if values is None or values.ndim != 2:
            shape = "no picture" if values is None else f"{values.dtype}{values.shape}"
            raise DepthMismatch(f"{path.name} is {shape}", hint="depth files have one channel")
        if values.dtype.kind == "f":
            metres = np.where(np.isfinite(values), values, 0).astype(np.float32)
        elif values.dtype == np.uint16:
            metres = decode(values, self.config.encoding, self.config.unit)
        else:
            raise DepthMismatch(f"{path.name} holds {values.dtype}", hint="uint16, or float metres")
        top = self.config.max_depth if self.config.metric else np.inf
        return np.where((metres > 0) & (metres < top), metres, 0).astype(np.float32)


def decode(values: UInt16[np.ndarray, "h w"], encoding: str, unit: float) -> Float32[np.ndarray, "h w"]:
    """Metres of stored steps; 0 where the file has none."""
    if encoding == "linear":
        return (values.astype(np.float64) * unit).astype(np.float32)
    known = (values > 0) & (values < 65535)
    return np.where(known, 65535.0 / np.maximum(values, 1) - 1.0, 0.0).astype(np.float32)


def _first_gap(files: Sequence[Path]) -> str:
    """Where the numbers in the names first leave one out, in words; empty where they do not."""
    numbers = [int(found[-1]) for found in (re.findall(r"\d+", p.stem) for p in files) if found]
    steps = np.diff(numbers)
    if len(steps) == 0 or len(numbers) < len(files) or not (steps > np.median(steps)).any():
        return ""
    k = int(np.argmax(steps > np.median(steps)))
    return f", none between {numbers[k]} and {numbers[k + 1]}"


def find_depth_files(folder: Path) -> list[Path]:
    """Depth files by name, runs of digits in order of their value.

    Raises:
        DepthMismatch: there is no such folder, or none in it.
    """
    if not folder.is_dir():
        raise DepthMismatch(f"no folder of depth pictures at {folder}")
    files = [p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES]
    if not files:
        raise DepthMismatch(
            f"{folder.name} holds no depth pictures", hint=f"looked for {', '.join(_SUFFIXES)}"
        )
    return sorted(
        files, key=lambda p: [(int(s), "") if s.isdigit() else (0, s) for s in re.split(r"(\d+)", p.stem)]
    )

"""Depth that a net made elsewhere, in chunks: `.npz` or `.h5` files in a folder, one per chunk (or one for the clip).

Each holds `depth` [n h w] (float, z along the optical axis, 0 or not finite where unknown) and may hold `first` (its
first frame, 0 without it). Frames are counted in the source of the clip where the files reach that far, else in the
clip. A net's own metres are what it was taught, not measured: the scale is taken for unknown whatever the net says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jaxtyping import Float32, Int64

from reenact.perception.depth.contract import ChunkSpan, DepthImage, DepthMismatch

SUFFIXES = (".npz", ".h5", ".hdf5")


@dataclass(frozen=True)
class NetDepthConfig:
    """What is not in the files."""

    sigma_relative: float = 0.03
    """Relative one-sigma of a pixel against the rest of its frame (nets for video: 2 to 5 % on indoor sets)."""
    licence: str = "unknown"
    """Of the net's weights; travels into the provenance."""


@dataclass(frozen=True)
class _Chunk:
    path: Path
    first: int
    depth: Float32[np.ndarray, "n h w"]


class NetDepthFiles:
    """A `ChunkedDepthBackend` over a folder of arrays."""

    name = "net_files"
    kind = "depth_scale_invariant"
    scale_source = "unknown"

    def __init__(
        self, folder: Path, frame_idx: Int64[np.ndarray, " t"], config: NetDepthConfig | None = None
    ) -> None:
        """frame_idx: the clip's frames counted in its source.

        Raises:
            DepthMismatch: no such files; arrays of other shapes; chunks that leave frames of the clip out.
        """
        self.config = config or NetDepthConfig()
        pieces = sorted((_read(p) for p in find_net_files(folder)), key=lambda c: c.first)
        shapes = {c.depth.shape[1:] for c in pieces}
        if len(shapes) > 1:
            raise DepthMismatch(f"depth chunks in {folder.name} have the shapes {sorted(shapes)}")
        end = max(c.first + len(c.depth) for c in pieces)
        last = int(frame_idx.max(initial=-1))
        if end == len(frame_idx):
            self._at = np.arange(end)
        elif end > last:
            self._at = np.asarray(frame_idx)
        else:
            raise DepthMismatch(
                f"the depth in {folder.name} ends at frame {end - 1}",
                hint=f"the clip has {len(frame_idx)} frames, the last is number {last} of its source",
            )
        spans = [(c, self._span(c)) for c in pieces]
        self._pieces = [c for c, span in spans if span.count]
        self.chunks = tuple(span for _, span in spans if span.count)

    def _span(self, chunk: _Chunk) -> ChunkSpan:
        inside = np.flatnonzero((self._at >= chunk.first) & (self._at < chunk.first + len(chunk.depth)))
        return ChunkSpan(int(inside[0]), len(inside)) if len(inside) else ChunkSpan(0, 0)

    @property
    def licence(self) -> str:
        """See the contract."""
        return self.config.licence

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """What was found."""
        return {"files": [c.path.name for c in self._pieces], "first_frames": [c.first for c in self._pieces]}

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract; of the first chunk that has the frame."""
        for i, c in enumerate(self.chunks):
            if c.first <= frame < c.first + c.count:
                return self.chunk_frame(i, frame)
        return None

    def chunk_frame(self, chunk: int, frame: int) -> DepthImage | None:
        """See the contract."""
        span, piece = self.chunks[chunk], self._pieces[chunk]
        if not span.first <= frame < span.first + span.count:
            return None
        values = piece.depth[int(self._at[frame]) - piece.first]
        values = np.where(np.isfinite(values) & (values > 0), values, 0).astype(np.float32)
        known = float((values > 0).mean())
        return DepthImage(values, self.config.sigma_relative, min(1.0, 0.3 + known)) if known > 0 else None


def find_net_files(folder: Path) -> list[Path]:
    """Array files by name, runs of digits in order of their value.

    Raises:
        DepthMismatch: there is no such folder, or none in it.
    """
    files = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES] if folder.is_dir() else []
    if not files:
        raise DepthMismatch(f"{folder} holds no depth arrays", hint=f"looked for {', '.join(SUFFIXES)}")
    return sorted(
        files, key=lambda p: [(int(s), "") if s.isdigit() else (0, s) for s in re.split(r"(\d+)", p.stem)]
    )


def _read(path: Path) -> _Chunk:
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as file:
            parts = {name: np.asarray(file[name]) for name in file.files}
    else:
        with h5py.File(path, "r") as file:
            parts = {name: np.asarray(file[name]) for name in file}
    depth = parts.get("depth")
    if depth is None or depth.ndim != 3 or depth.dtype.kind != "f" or len(depth) == 0:
        what = f"{depth.dtype}{depth.shape}" if depth is not None else f"not there (it holds {sorted(parts)})"
        raise DepthMismatch(f"`depth` in {path.name} is {what}", hint="float, frames x height x width")
    return _Chunk(path, int(parts.get("first", 0)), depth.astype(np.float32))

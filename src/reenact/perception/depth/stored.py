"""Depth on disk: a volume of 16-bit steps beside the `DepthFrames` record, written frame by frame and read as metres."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from reenact.perception.depth.contract import DepthBackend
from reenact.records import load_record, save_record
from reenact.records.volumes import VolumeReader, VolumeWriter
from reenact.scene import DepthFrames, Source

UNIT = 2.5e-4
"""Metres per stored step: a quarter of a millimetre, up to 16 m in 16 bits."""
NAME, VOLUME = "depth", "depth.h5"


def write_depth(
    backend: DepthBackend, frames: int, folder: Path, report: Callable[[int, int], None] | None = None
) -> DepthFrames:
    """Ask the backend for every frame and store them.

    Frames that the backend does not know are stored as zeros and are not valid.
    """
    images: list[tuple[bool, float, float, int]] = []
    shape: tuple[int, int] | None = None
    with VolumeWriter(
        folder / VOLUME, unit=f"{UNIT} of the record's unit", meaning="z along the axis, 0 = unknown"
    ) as out:
        waiting = 0
        for k in range(frames):
            image = backend.frame(k)
            if image is None:
                images.append((False, 0.0, 0.0, int(Source.UNKNOWN)))
                waiting += shape is None
                if shape is not None:
                    out.append(np.zeros(shape, np.uint16))
            else:
                if shape is None:
                    shape = (image.values.shape[0], image.values.shape[1])
                    for _ in range(waiting):
                        out.append(np.zeros(shape, np.uint16))
                out.append(
                    np.clip(np.rint(image.values.astype(np.float64) / UNIT), 0, 65535).astype(np.uint16)
                )
                images.append((True, image.sigma_relative, image.confidence, int(image.source)))
            if report is not None:
                report(k + 1, frames)
        if shape is None:
            shape = (1, 1)
            for _ in range(frames):
                out.append(np.zeros(shape, np.uint16))
    return _record(backend, images, shape, folder)


def _record(
    backend: DepthBackend, images: list[tuple[bool, float, float, int]], shape: tuple[int, int], folder: Path
) -> DepthFrames:
    valid, sigma, confidence, source = (np.array(column) for column in zip(*images, strict=True))
    record = DepthFrames(
        kind=backend.kind,
        unit=UNIT,
        scale=np.ones(len(images)),
        shift=np.zeros(len(images)),
        sigma_relative=sigma.astype(np.float64),
        scale_source=backend.scale_source,
        valid=valid.astype(bool),
        confidence=confidence.astype(np.float64),
        source=source.astype(np.uint8),
        width_px=shape[1],
        height_px=shape[0],
        backend=backend.name,
        licence=backend.licence,
    )
    save_record(record, folder, NAME)
    return record


class StoredDepth:
    """Reads a depth artefact: call it with a frame for (metres, relative sigma), None where nothing is known."""

    def __init__(self, folder: Path) -> None:
        self.record = load_record(DepthFrames, folder, NAME)
        self._volume = VolumeReader(folder / VOLUME)

    @property
    def metric(self) -> bool:
        """Whether the values are metres."""
        return self.record.kind == "depth_metric"

    def __call__(self, frame: int) -> tuple[Float32[np.ndarray, "h w"], float] | None:
        """One frame; 0 where unknown."""
        if not self.record.valid[frame]:
            return None
        stored = self._volume[frame].astype(np.float64)
        r = self.record
        metres = np.where(stored > 0, r.scale[frame] * stored * r.unit + r.shift[frame], 0.0)
        return np.maximum(metres, 0).astype(np.float32), float(r.sigma_relative[frame])

    def close(self) -> None:
        """Close the file."""
        self._volume.close()

    def __enter__(self) -> StoredDepth:
        return self

    def __exit__(self, *_: Any) -> None:
        with contextlib.suppress(OSError):
            self.close()

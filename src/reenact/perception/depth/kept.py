"""Depth that is dear to make, made once: every frame of a backend in a volume on disk, read back as often as needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from reenact.perception.depth.contract import DepthBackend, DepthImage
from reenact.records.volumes import VolumeReader, VolumeWriter


class KeptDepth:
    """The same backend to look at; use as a context manager. The volume stays in `folder`."""

    def __init__(self, backend: DepthBackend, frames: int, folder: Path) -> None:
        """Asks the backend for all frames. Raises what it raises."""
        self._backend = backend
        self._images: list[DepthImage | None] = []
        self._rows: dict[int, int] = {}
        path = folder / "kept.h5"
        with VolumeWriter(path, unit="the backend's", meaning="z along the axis, 0 = unknown") as out:
            for k in range(frames):
                image = backend.frame(k)
                if image is not None:
                    self._rows[k] = len(self._rows)
                    out.append(image.values)
                    none = np.zeros((0, 0), np.float32)
                    image = DepthImage(none, image.sigma_relative, image.confidence, image.source)
                self._images.append(image)
        self._volume = VolumeReader(path) if self._rows else None

    @property
    def name(self) -> str:
        """Of the backend within."""
        return self._backend.name

    @property
    def licence(self) -> str:
        """Of the backend within."""
        return self._backend.licence

    @property
    def kind(self) -> str:
        """Of the backend within."""
        return self._backend.kind

    @property
    def scale_source(self) -> str:
        """Of the backend within."""
        return self._backend.scale_source

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Of the backend within."""
        return self._backend.diagnostics

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract."""
        image = self._images[frame]
        if image is None or self._volume is None:
            return None
        values = self._volume[self._rows[frame]]
        return DepthImage(values, image.sigma_relative, image.confidence, image.source)

    def __enter__(self) -> KeptDepth:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._volume is not None:
            self._volume.close()

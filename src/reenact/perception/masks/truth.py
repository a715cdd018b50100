"""The truth backend: known labels, brought to the order of the found objects, with losses of stated size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from reenact.errors import InputError
from reenact.perception.masks.contract import Frame, ObjectMasks
from reenact.scene import Clip, FoundObjects, HandLandmarks, MaskLabel, MaskTracks, Scene, Source


class NoTrueMasks(InputError):
    """The truth lacks objects, or does not have the objects that were found."""


@dataclass(frozen=True)
class TruthMasksConfig:
    """Losses put on the truth; none by default."""

    dropout: float = 0.0
    """Fraction of frames in which each object is lost, independently, 0..1."""
    min_area_px: int = 12
    """An object that shows fewer pixels counts as not seen."""
    seed: int = 0
    """Seed of the losses."""


class TruthMasks:
    """Labels of a scene that knows them."""

    name = "truth"
    licence = "none"

    def __init__(
        self, truth: Scene, labels: Callable[[int], UInt8[np.ndarray, "h w"]], config: TruthMasksConfig | None = None
    ) -> None:  # fmt: skip
        """``labels``: frame -> true `MaskLabel` codes, objects in the order of ``truth.objects``."""
        if truth.objects is None:
            raise NoTrueMasks(f"the truth of {truth.clip.clip_id} has no objects", hint="use a toy clip")
        self.config = config or TruthMasksConfig()
        self._truth, self._labels = truth, labels
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Frames in which each object is seen."""
        return self._diagnostics

    def segment(
        self, frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, found: FoundObjects
    ) -> ObjectMasks:
        """The contract's form; pixels are not looked at."""
        return self.masks(found.object_ids)

    def masks(self, object_ids: tuple[str, ...]) -> ObjectMasks:
        """Labels of these objects of the truth; other objects become background.

        Raises:
            NoTrueMasks: the truth has no object of that id.
        """
        objects = self._truth.objects
        assert objects is not None
        unknown = [name for name in object_ids if name not in objects.object_ids]
        if unknown:
            raise NoTrueMasks(f"the truth has no object {unknown}", hint=f"it has {objects.object_ids}")
        table = np.arange(256, dtype=np.uint8)
        table[MaskLabel.FIRST_OBJECT :] = MaskLabel.BACKGROUND
        for k, name in enumerate(object_ids):
            code = MaskLabel.FIRST_OBJECT + objects.object_ids.index(name)
            table[code] = MaskLabel.FIRST_OBJECT + k
        count = len(self._truth.clip.t_ns)
        labels = np.stack([table[self._labels(frame)] for frame in range(count)])
        return self._with_losses(labels, object_ids)

    def _with_losses(self, labels: np.ndarray, object_ids: tuple[str, ...]) -> ObjectMasks:
        count = len(labels)
        codes = MaskLabel.FIRST_OBJECT + np.arange(len(object_ids))
        area = np.stack([(labels == code).sum(axis=(1, 2)) for code in codes], axis=1).astype(np.float64) \
            if len(codes) else np.zeros((count, 0))  # fmt: skip
        rng = np.random.default_rng(self.config.seed)
        lost = rng.random((count, len(object_ids))) < self.config.dropout
        valid = (area >= self.config.min_area_px) & ~lost
        for k, code in enumerate(codes.tolist()):
            for frame in np.flatnonzero(~valid[:, k]).tolist():
                labels[frame][labels[frame] == code] = MaskLabel.BACKGROUND
        self._diagnostics = {
            name: int(n) for name, n in zip(object_ids, valid.sum(axis=0).tolist(), strict=True)
        }
        source = Source.TRUTH if self.config.dropout == 0 else Source.OBSERVED
        tracks = MaskTracks(
            object_ids=object_ids, valid=valid, confidence=valid.astype(np.float64),
            source=np.where(valid, np.uint8(source), np.uint8(Source.UNKNOWN)), area_px=np.where(valid, area, 0.0),
            occluded_share=np.zeros(valid.shape), width_px=labels.shape[2], height_px=labels.shape[1],
            backend=self.name, licence=self.licence,
        )  # fmt: skip
        return ObjectMasks(labels, tracks)

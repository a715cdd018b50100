"""What is where in the picture: the codes of a label volume and the record that says how far it can be trusted.

A mask artefact is `masks.h5` (uint8 [t h w] of `MaskLabel` codes, see `records.volumes`) beside `masks.json`.
Labels exclude each other: a pixel of an object behind a hand is the hand's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from reenact.records import Record


class MaskLabel(IntEnum):
    """Codes of the mask volume; object i (in the order of the object tracks) is `FIRST_OBJECT + i`."""

    BACKGROUND = 0
    HAND_LEFT = 1
    HAND_RIGHT = 2
    ARM_LEFT = 3
    """Forearm (skin and sleeve) and upper arm, wrist excluded."""
    ARM_RIGHT = 4
    BODY = 5
    """Torso and head."""
    TABLE = 6
    FIRST_OBJECT = 16


@dataclass(frozen=True, kw_only=True)
class MaskTracks(Record):
    """Trust in the label volume, per frame and object; the pixels themselves are in `masks.h5`."""

    SCHEMA = "reenact.mask_tracks"
    VERSION = 1

    object_ids: tuple[str, ...]
    """In the order of the codes."""
    valid: Bool[np.ndarray, "t o"]
    """False where the object was lost; its pixels of that frame are then not to be read."""
    confidence: Float64[np.ndarray, "t o"]
    source: UInt8[np.ndarray, "t o"]
    area_px: Float64[np.ndarray, "t o"]
    occluded_share: Float64[np.ndarray, "t o"]
    """Estimated share of the object's outline that hands or other followed things cover, 0..1."""
    width_px: int
    """Size of the label frames; may be smaller than the clip's."""
    height_px: int
    backend: str
    licence: str

    def check(self) -> None:
        self.require_fraction("confidence", "occluded_share")
        count = self.valid.shape[1]
        self.require(
            len(self.object_ids) == count, "object_ids", f"has {len(self.object_ids)} ids", f"{count}"
        )

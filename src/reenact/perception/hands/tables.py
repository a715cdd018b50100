"""From labelled tracklets to the arrays of the :class:`HandLandmarks` record."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from reenact.perception.hands.identity import NEITHER
from reenact.perception.hands.tracklet import Tracklet
from reenact.scene import HandLandmarks, Source


def landmarks_record(
    pieces: list[Tracklet], slots: list[int], frame_count: int, *, backend: str, licence: str
) -> HandLandmarks:
    """One row per frame and side; rows without a hand are zero and invalid. Later pieces overwrite earlier ones."""
    landmarks_px = np.zeros((frame_count, 2, 21, 2))
    landmarks_rel = np.zeros((frame_count, 2, 21, 3))
    valid = np.zeros((frame_count, 2), dtype=bool)
    confidence = np.zeros((frame_count, 2))
    for piece, slot in zip(pieces, slots, strict=True):
        if slot == NEITHER:
            continue
        rows = slice(piece.start, piece.stop)
        landmarks_px[rows, slot] = [hand.landmarks_px for hand in piece.hands]
        landmarks_rel[rows, slot] = [hand.landmarks_rel for hand in piece.hands]
        confidence[rows, slot] = [min(max(hand.presence, 0.0), 1.0) for hand in piece.hands]
        valid[rows, slot] = True
    source = np.where(valid, np.uint8(Source.OBSERVED), np.uint8(Source.UNKNOWN)).astype(np.uint8)
    return HandLandmarks(
        landmarks_px=landmarks_px,
        landmarks_rel=landmarks_rel,
        valid=valid,
        confidence=confidence,
        source=source,
        backend=backend,
        licence=licence,
    )


def same_label_frames(tracks: list[Tracklet]) -> int:
    """Frames in which, judged frame by frame, two hands would carry the same label."""
    sides: dict[int, list[int]] = defaultdict(list)
    for track in tracks:
        for offset, hand in enumerate(track.hands):
            sides[track.start + offset].append(hand.side)
    return sum(len(labels) != len(set(labels)) for labels in sides.values())

"""The whole clip: follow hands through the frames, then say which is which and remove the false ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from reenact.perception.hands.config import MediaPipeHandsConfig
from reenact.perception.hands.contract import Frame
from reenact.perception.hands.cuts import cut_tracklets
from reenact.perception.hands.frames import checked_frames
from reenact.perception.hands.identity import NEITHER, assign_slots
from reenact.perception.hands.landmarks import HandReader
from reenact.perception.hands.order import learn_order
from reenact.perception.hands.palm import PalmSource
from reenact.perception.hands.runs import remove_weak_runs
from reenact.perception.hands.tables import landmarks_record, same_label_frames
from reenact.perception.hands.tracker import HandFollower
from reenact.perception.hands.tracklet import Tracklet
from reenact.scene import HandLandmarks

ACCOUNT_KEYS = (
    "frames",
    "frames_with_one_hand",
    "frames_with_two_hands",
    "palm_runs",
    "tile_runs",
    "landmark_runs",
    "tracklets",
    "cuts",
    "found_in_tiles",
    "backfilled_frames",
    "same_label_frames_before",
    "duplicates_ended",
    "rejected_size",
    "rejected_palm_length",
    "rejected_outside",
    "unassigned_frames",
    "removed_short_runs",
    "removed_short_run_frames",
    "removed_unsure_runs",
    "removed_unsure_run_frames",
)
"""All keys of the account, always there: what was run, what was found, what was refused and removed."""


def follow_clip(
    frames: Iterable[Frame],
    finder: PalmSource,
    reader: HandReader,
    config: MediaPipeHandsConfig,
    *,
    backend: str,
    licence: str,
) -> tuple[HandLandmarks, dict[str, Any]]:
    """Landmarks of both hands in every frame, and the account of what was run, found and removed.

    Raises:
        NoFrames, BadFrame: see :func:`~.frames.checked_frames`.
    """
    palm_runs, landmark_runs = finder.runs, reader.runs
    follower = HandFollower(config.tracker, config.plausible, config.tiles, finder, reader)
    times = []
    for frame_idx, (t_ns, image) in enumerate(checked_frames(frames)):
        follower.step(frame_idx, t_ns, image)
        times.append(t_ns)
    tracks, counts = follower.finish(), follower.counts
    dt = float(np.median(np.diff(times))) * 1e-9 if len(times) > 1 else 1.0 / 30.0
    pieces, slots = _labelled(tracks, dt, len(times), config, counts)
    counts["frames"], counts["tracklets"] = len(times), len(tracks)
    counts["palm_runs"] = finder.runs - palm_runs
    counts["landmark_runs"] = reader.runs - landmark_runs
    counts["same_label_frames_before"] = same_label_frames(tracks)
    result = landmarks_record(pieces, slots, len(times), backend=backend, licence=licence)
    return result, _account(counts, result)


def _labelled(
    tracks: list[Tracklet], dt: float, frame_count: int, config: MediaPipeHandsConfig, counts: Counter[str]
) -> tuple[list[Tracklet], list[int]]:
    pieces = cut_tracklets(tracks, dt, config.cuts, counts)
    identity = config.identity
    order = learn_order(pieces, dt, sure=identity.order_sure, full_s=identity.order_full_s)
    slots = assign_slots(pieces, order, dt, identity)
    counts["unassigned_frames"] = sum(
        len(piece.hands) for piece, slot in zip(pieces, slots, strict=True) if slot == NEITHER
    )
    return pieces, remove_weak_runs(pieces, slots, dt, frame_count, config.runs, counts)


def _account(counts: Counter[str], result: HandLandmarks) -> dict[str, Any]:
    """The counts under :data:`ACCOUNT_KEYS`."""
    per_frame = result.valid.sum(axis=1)
    counts["frames_with_one_hand"] = int((per_frame == 1).sum())
    counts["frames_with_two_hands"] = int((per_frame == 2).sum())
    return {key: int(counts[key]) for key in ACCOUNT_KEYS}

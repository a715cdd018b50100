"""The CPU hand backend: MediaPipe's palm and landmark nets with our own graph, tracker and identity.

Model: MediaPipe Hands "full" (Google, Apache-2.0), taken from the 0.10.21 wheel on first use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from reenact.perception.hands.contract import Frame
from reenact.perception.hands.cuts import CutConfig, cut_tracklets
from reenact.perception.hands.detection import HandDetection, joint_distance
from reenact.perception.hands.frames import checked_frames
from reenact.perception.hands.identity import IdentityConfig, assign_slots
from reenact.perception.hands.landmarks import LandmarkReader
from reenact.perception.hands.nets import RunnerName, choose_runner, load_landmark_net, load_palm_net
from reenact.perception.hands.order import learn_order
from reenact.perception.hands.palm import PalmFinder
from reenact.perception.hands.plausible import PlausibleConfig, why_not_a_hand
from reenact.perception.hands.runs import RunConfig, remove_weak_runs
from reenact.perception.hands.tables import landmarks_record, same_label_frames
from reenact.perception.hands.tiles import TileConfig, square_tiles
from reenact.perception.hands.tracker import HandFollower, TrackerConfig, look_at_palm
from reenact.perception.hands.weights import ensure_model_files
from reenact.scene import HandLandmarks


@dataclass(frozen=True)
class MediaPipeHandsConfig:
    """Everything that changes the result of :class:`MediaPipeHands`."""

    cache_dir: Path | None = None
    """Folder of the two model files; None = the platform's user cache."""
    runner: RunnerName = "auto"
    """litert, opencv, or auto (litert if installed)."""
    threads: int = 1
    """Threads of the nets (LiteRT only)."""
    mirrored: bool = False
    """The video is a selfie view (left and right exchanged)."""
    min_palm_score: float = 0.5
    """Palm net's score threshold (MediaPipe's)."""
    palm_nms_iou: float = 0.3
    """Overlap above which palm boxes are merged (MediaPipe's)."""
    tracker: TrackerConfig = field(default_factory=TrackerConfig)
    """Following hands from frame to frame."""
    tiles: TileConfig = field(default_factory=TileConfig)
    """Searching enlarged parts of the frame."""
    plausible: PlausibleConfig = field(default_factory=PlausibleConfig)
    """Limits of what may be a hand."""
    cuts: CutConfig = field(default_factory=CutConfig)
    """Where a track may have changed hands."""
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    """Left or right, decided over the clip."""
    runs: RunConfig = field(default_factory=RunConfig)
    """Which runs are too weak to be hands."""


class MediaPipeHands:
    """Two-hand landmarks of a clip on one CPU core.

    Raises (on construction): HandModelsMissing, HandModelCorrupt, RunnerMissing.
    """

    licence = "Apache-2.0"

    def __init__(self, config: MediaPipeHandsConfig | None = None) -> None:
        self.config = config or MediaPipeHandsConfig()
        palm_path, landmark_path = ensure_model_files(self.config.cache_dir)
        self._runner = choose_runner(self.config.runner)
        palm_net = load_palm_net(palm_path, self._runner, self.config.threads)
        self._finder = PalmFinder(
            palm_net, min_score=self.config.min_palm_score, min_iou=self.config.palm_nms_iou
        )
        landmark_net = load_landmark_net(landmark_path, self._runner, self.config.threads)
        self._reader = LandmarkReader(landmark_net, mirrored=self.config.mirrored)
        self._diagnostics: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Model, version and runner."""
        return f"mediapipe-hands-full-0.10.21/{self._runner}"

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """JSON-able account of the last :meth:`detect`; see :func:`_account`."""
        return self._diagnostics

    def detect(self, frames: Iterable[Frame]) -> HandLandmarks:
        """Landmarks of both hands in every frame; see :class:`~.contract.HandBackend`.

        Memory: the frames of the last second (at most ``tracker.lookback_bytes``).
        """
        palm_runs, landmark_runs = self._finder.runs, self._reader.runs
        config = self.config
        follower = HandFollower(config.tracker, config.plausible, config.tiles, self._finder, self._reader)
        times = []
        for frame_idx, (t_ns, image) in enumerate(checked_frames(frames)):
            follower.step(frame_idx, t_ns, image)
            times.append(t_ns)
        counts = follower.counts
        tracks = follower.finish()
        dt = float(np.median(np.diff(times))) * 1e-9 if len(times) > 1 else 1.0 / 30.0
        pieces = cut_tracklets(tracks, dt, config.cuts, counts)
        identity = config.identity
        order = learn_order(pieces, dt, sure=identity.order_sure, full_s=identity.order_full_s)
        slots = assign_slots(pieces, order, dt, identity)
        counts["unassigned_frames"] = sum(len(p.hands) for p, s in zip(pieces, slots, strict=True) if s < 0)
        slots = remove_weak_runs(pieces, slots, dt, len(times), config.runs, counts)
        counts["palm_runs"] = self._finder.runs - palm_runs
        counts["landmark_runs"] = self._reader.runs - landmark_runs
        counts["tracklets"] = len(tracks)
        counts["frames"] = len(times)
        counts["same_label_frames_before"] = same_label_frames(tracks)
        result = landmarks_record(pieces, slots, len(times), backend=self.name, licence=self.licence)
        self._diagnostics = _account(counts, result)
        return result

    def detect_image(self, image: UInt8[np.ndarray, "h w 3"], *, tiles: bool = False) -> list[HandDetection]:
        """Hands of one image, best presence first, no tracking and no identity (two may be of one side).

        ``tiles`` also searches all tiles of ``config.tiles`` (tens of palm-net runs).
        """
        windows: list[tuple[int, int, int, int] | None] = [None]
        if tiles:
            height, width = image.shape[:2]
            for fraction in self.config.tiles.fractions:
                windows += square_tiles(width, height, fraction, self.config.tiles.min_overlap)
        found = [
            look_at_palm(palm, image, self._reader)
            for window in windows
            for palm in self._finder.find(image, window)
        ]
        return self._distinct(found, image)

    def _distinct(self, found: list[HandDetection], image: UInt8[np.ndarray, "h w 3"]) -> list[HandDetection]:
        height, width = image.shape[:2]
        kept: list[HandDetection] = []
        for hand in sorted(found, key=lambda hand: -hand.presence):
            good = hand.presence >= self.config.tracker.min_presence
            good = good and why_not_a_hand(hand, width, height, self.config.plausible) is None
            limit = self.config.tracker.same_hand_distance
            if good and all(joint_distance(hand, other) >= limit for other in kept):
                kept.append(hand)
        return kept


def _account(counts: Counter[str], result: HandLandmarks) -> dict[str, Any]:
    """Counts of everything run, found and removed, and of the frames with one and two hands."""
    per_frame = result.valid.sum(axis=1)
    return {
        **{key: int(value) for key, value in sorted(counts.items())},
        "frames_with_one_hand": int((per_frame == 1).sum()),
        "frames_with_two_hands": int((per_frame == 2).sum()),
    }

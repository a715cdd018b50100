"""The CPU hand backend: MediaPipe's palm and landmark nets with our own graph, tracker and identity.

Model: MediaPipe Hands "full" (Google, Apache-2.0), taken from the 0.10.21 wheel on first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from reenact.perception.hands.box import read_box
from reenact.perception.hands.config import MediaPipeHandsConfig
from reenact.perception.hands.contract import Frame
from reenact.perception.hands.detection import HandDetection, joint_distance
from reenact.perception.hands.follow import follow_clip
from reenact.perception.hands.frames import checked_frames
from reenact.perception.hands.landmarks import LandmarkReader
from reenact.perception.hands.nets import choose_runner, load_landmark_net, load_palm_net
from reenact.perception.hands.palm import PalmFinder
from reenact.perception.hands.plausible import why_not_a_hand
from reenact.perception.hands.tiles import Window, square_tiles
from reenact.perception.hands.tracker import look_at_palm
from reenact.perception.hands.weights import ensure_model_files
from reenact.scene import HandLandmarks

__all__ = ["MediaPipeHands", "MediaPipeHandsConfig"]


class MediaPipeHands:
    """Two-hand landmarks of a clip on one CPU core."""

    licence = "Apache-2.0"

    def __init__(self, config: MediaPipeHandsConfig | None = None) -> None:
        """Load the nets; the first time ever this fetches the model files.

        Raises:
            HandModelsMissing, HandModelCorrupt: see :func:`~.weights.ensure_model_files`.
            RunnerMissing: ``config.runner`` names a runner that is not installed.
        """
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
        """JSON-able account of the last :meth:`detect`: counts of all that was run, found and removed."""
        return self._diagnostics

    def detect(self, frames: Iterable[Frame]) -> HandLandmarks:
        """Landmarks of both hands in every frame; see :class:`~.contract.HandBackend`.

        Memory: the frames of the last second (at most ``config.tracker.lookback_bytes``).
        """
        result, self._diagnostics = follow_clip(
            frames, self._finder, self._reader, self.config, backend=self.name, licence=self.licence
        )
        return result

    def detect_image(self, image: UInt8[np.ndarray, "h w 3"], *, tiles: bool = False) -> list[HandDetection]:
        """Hands of one RGB image, best presence first, no tracking and no identity (two may be of one side).

        ``tiles`` also searches all windows of ``config.tiles`` (tens of palm-net runs).

        Raises:
            BadFrame: the image is not uint8 (h, w, 3).
        """
        ((_, image),) = checked_frames([(0, image)])
        height, width = image.shape[:2]
        windows: list[Window | None] = [None]
        if tiles:
            for fraction in self.config.tiles.fractions:
                windows += square_tiles(width, height, fraction, self.config.tiles.min_overlap)
        found = [
            look_at_palm(palm, image, self._reader)
            for window in windows
            for palm in self._finder.find(image, window)
        ]
        return self._distinct(found, width, height)

    def detect_box(
        self, image: UInt8[np.ndarray, "h w 3"], box_px: Float[np.ndarray, "4"]
    ) -> list[HandDetection]:
        """Hands in a known box x0, y0, x1, y1 of one RGB image, best presence first; no palm net, no identity.

        Raises:
            BadFrame: the image is not uint8 (h, w, 3).
        """
        ((_, image),) = checked_frames([(0, image)])
        height, width = image.shape[:2]
        return self._distinct(read_box(image, box_px, self._reader), width, height)

    def _distinct(self, found: list[HandDetection], width_px: int, height_px: int) -> list[HandDetection]:
        limits = self.config.tracker
        kept: list[HandDetection] = []
        for hand in sorted(found, key=lambda hand: -hand.presence):
            good = hand.presence >= limits.min_presence
            good = good and why_not_a_hand(hand, width_px, height_px, self.config.plausible) is None
            if good and all(joint_distance(hand, other) >= limits.same_hand_distance for other in kept):
                kept.append(hand)
        return kept

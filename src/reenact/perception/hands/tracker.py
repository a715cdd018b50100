"""Following hands through a clip: find palms, look again where a hand just was, and track back in time.

MediaPipe's scheme (the palm net runs only when a hand is missing) with four differences: the region is
moved with the hand, two tracks on one hand are noticed, hands too small are searched in tiles, and a newly
found hand is followed backward through the last second, so that tracks do not start late.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from reenact.perception.hands.detection import HandDetection, box_iou, joint_distance, palm_distance
from reenact.perception.hands.landmarks import HandReader
from reenact.perception.hands.palm import Palm, PalmSource
from reenact.perception.hands.plausible import PlausibleConfig, why_not_a_hand
from reenact.perception.hands.roi import roi_from_landmarks, roi_from_palm
from reenact.perception.hands.tiles import TileBudget, TileConfig
from reenact.perception.hands.tracklet import Tracklet

Image = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class TrackerConfig:
    """Thresholds of following hands."""

    min_presence: float = 0.5
    """Landmark net's presence score that keeps a track alive (MediaPipe's threshold)."""
    max_tracks: int = 3
    """Hands followed at once; one more than a person has, so that a false one does not block a true one."""
    wanted_tracks: int = 2
    """With fewer than this the palm net searches."""
    search_every_s: float = 0.1
    """Pause between palm searches while a hand is missing; tracking back fills what the pause missed."""
    eager_s: float = 0.5
    """For this long after a hand was lost the palm net searches every frame."""
    recheck_every_s: float = 1.0
    """Pause between palm searches while all wanted hands are tracked."""
    looks: tuple[tuple[float, float], ...] = ((0.5, 1.0), (1.0, 1.2), (0.0, 1.4))
    """(part of the last frame's motion added, enlargement) of the region to look at; the later ones are tried
    only when the hand was not seen by the earlier."""
    same_hand_distance: float = 0.35
    """Mean distance of equal joints, in hand sizes, below which two detections are one hand."""
    same_hand_iou: float = 0.7
    """Overlap of the landmark boxes above which two detections are one hand."""
    same_palm_distance: float = 0.25
    """Palm centres closer than this (hand sizes) are one hand: of two palms in one place only one is seen."""
    known_palm_distance: float = 0.6
    """A palm this close (in hand sizes) to a tracked palm is that one."""
    lookback_s: float = 1.0
    """How far a newly found hand is followed backward."""
    lookback_bytes: int = 256 * 1024 * 1024
    """Most memory the kept frames may take."""


class HandFollower:
    """Feed frames in order by :meth:`step`; :meth:`finish` gives the tracklets."""

    def __init__(
        self,
        config: TrackerConfig,
        plausible: PlausibleConfig,
        tiles: TileConfig,
        finder: PalmSource,
        reader: HandReader,
    ) -> None:
        self._config, self._plausible, self._tiles = config, plausible, tiles
        self._finder, self._reader = finder, reader
        self._budget = TileBudget(tiles)
        self._active: list[Tracklet] = []
        self._done: list[Tracklet] = []
        self._past: deque[tuple[int, int, Image]] = deque()
        self._last_search_ns: int | None = None
        self._last_loss_ns: int | None = None
        self._count = 0
        self.counts: Counter[str] = Counter()

    def step(self, frame_idx: int, t_ns: int, image: Image) -> None:
        """Follow the known hands into this frame and look for new ones where some are missing."""
        self._budget.tick()
        self._follow(t_ns, image)
        self._drop_duplicates()
        if self._search_due(t_ns):
            self._last_search_ns = t_ns
            self._search(frame_idx, image)
        self._remember(frame_idx, t_ns, image)

    def finish(self) -> list[Tracklet]:
        """All tracklets, by their first frame."""
        self._done += self._active
        self._active = []
        self.counts["tile_runs"] = self._budget.runs
        return sorted(self._done, key=lambda track: (track.start, track.tracklet_id))

    def _follow(self, t_ns: int, image: Image) -> None:
        alive = []
        for track in self._active:
            hand = self._look_again(track, image)
            if hand is not None:
                track.push(hand)
                alive.append(track)
            else:
                self._done.append(track)
                self._last_loss_ns = t_ns
        self._active = alive

    def _look_again(self, track: Tracklet, image: Image, *, backward: bool = False) -> HandDetection | None:
        for motion_gain, enlargement in self._config.looks:
            roi = track.next_roi(motion_gain, enlargement, backward=backward)
            hand = self._reader.read(image, roi)
            if self._accepted(hand, image, self._config.min_presence, is_followed=True):
                doubt = min(hand.palm_length / self._plausible.min_palm_length, 1.0)
                return replace(hand, presence=hand.presence * doubt)
        return None

    def _accepted(
        self, hand: HandDetection, image: Image, min_presence: float, *, is_followed: bool = False
    ) -> bool:
        if hand.presence < min_presence:
            return False
        height, width = image.shape[:2]
        reason = why_not_a_hand(hand, width, height, self._plausible, is_followed=is_followed)
        if reason is not None:
            self.counts[f"rejected_{reason}"] += 1
        return reason is None

    def _drop_duplicates(self) -> None:
        """Where two tracks look at one hand, the one the hand agrees less with ends before this frame."""
        for i, first in enumerate(self._active):
            for second in self._active[i + 1 :]:
                if not self._same(first.hands[-1], second.hands[-1]):
                    continue
                loser = max((first, second), key=_disagreement)
                loser.hands.pop()
                self._active.remove(loser)
                if loser.hands:
                    self._done.append(loser)
                self.counts["duplicates_ended"] += 1
                return self._drop_duplicates()

    def _same(self, a: HandDetection, b: HandDetection) -> bool:
        if palm_distance(a, b) < self._config.same_palm_distance:
            return True
        if joint_distance(a, b) < self._config.same_hand_distance:
            return True
        return box_iou(a.box_px, b.box_px) > self._config.same_hand_iou

    def _search_due(self, t_ns: int) -> bool:
        if len(self._active) >= self._config.max_tracks:
            return False
        if self._last_search_ns is None:
            return True
        pause_s = self._config.recheck_every_s
        if len(self._active) < self._config.wanted_tracks:
            lost = self._last_loss_ns
            eager = lost is not None and (t_ns - lost) * 1e-9 <= self._config.eager_s
            pause_s = 0.0 if eager else self._config.search_every_s
        return (t_ns - self._last_search_ns) * 1e-9 >= pause_s - 1e-6

    def _search(self, frame_idx: int, image: Image) -> None:
        missing = len(self._active) < self._config.wanted_tracks
        self._adopt(self._finder.find(image), frame_idx, image, self._config.min_presence)
        if not missing or len(self._active) >= self._config.wanted_tracks:
            return
        height, width = image.shape[:2]
        for window in self._budget.next_windows(width, height, anything_tracked=bool(self._active)):
            found = self._finder.find(image, window)
            before = len(self._active)
            self._adopt(found, frame_idx, image, self._tiles.min_presence)
            self.counts["found_in_tiles"] += len(self._active) - before

    def _adopt(self, palms: list[Palm], frame_idx: int, image: Image, min_presence: float) -> None:
        for palm in palms:
            if len(self._active) >= self._config.max_tracks:
                return
            if any(self._is_known(palm, track) for track in self._active):
                continue
            hand = look_at_palm(palm, image, self._reader)
            if not self._accepted(hand, image, min_presence):
                continue
            if any(self._same(hand, track.hands[-1]) for track in self._active):
                continue
            track = Tracklet(self._count, frame_idx, [hand])
            self._count += 1
            self._active.append(track)
            self._track_back(track)

    def _is_known(self, palm: Palm, track: Tracklet) -> bool:
        hand = track.hands[-1]
        reach = self._config.known_palm_distance * max(hand.size_px, palm.size_px)
        return float(np.hypot(*(palm.centre_px - hand.palm_px))) < reach

    def _track_back(self, track: Tracklet) -> None:
        """Extend the track's start through the kept frames, until the hand is gone or already known there."""
        for frame_idx, _, image in reversed(self._past):
            hand = self._look_again(track, image, backward=True)
            if hand is None or any(self._same(hand, other) for other in self._hands_in(frame_idx)):
                return
            track.push_front(hand)
            self.counts["backfilled_frames"] += 1

    def _hands_in(self, frame_idx: int) -> list[HandDetection]:
        tracks = [*self._active, *self._done]
        return [track.at(frame_idx) for track in tracks if track.start <= frame_idx < track.stop]

    def _remember(self, frame_idx: int, t_ns: int, image: Image) -> None:
        self._past.append((frame_idx, t_ns, image))
        oldest_ns = t_ns - round(self._config.lookback_s * 1e9)
        while self._past[0][1] < oldest_ns or len(self._past) * image.nbytes > self._config.lookback_bytes:
            self._past.popleft()
            if not self._past:
                return


def look_at_palm(palm: Palm, image: Image, reader: HandReader) -> HandDetection:
    """Landmarks of a palm: one look through the palm's region and a better one through the landmarks' own."""
    rough = reader.read(image, roi_from_palm(palm.box_px, palm.keypoints_px))
    if rough.presence < 0.1:
        return rough
    fine = reader.read(image, roi_from_landmarks(rough.landmarks_px))
    return fine if fine.presence >= rough.presence * 0.9 else rough


def _disagreement(track: Tracklet) -> float:
    """How badly the track's newest hand fits its own past: jump in hand sizes plus change of handedness."""
    if len(track.hands) < 2:
        return 10.0
    now, before = track.hands[-1], track.hands[-2]
    jump = float(np.hypot(*(now.palm_px - before.palm_px))) / before.size_px
    usual = float(np.mean([hand.p_right for hand in track.hands[-16:-1]]))
    return jump + abs(now.p_right - usual) + 1.0 / len(track.hands)

"""From shots and looks to kept and rejected stretches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reenact.filtering.camera import MOVING, STILL, CameraConfig, CameraLook, CameraVerdict, camera_verdict
from reenact.filtering.config import FilterConfig
from reenact.filtering.cuts import Cut
from reenact.filtering.hands import HandLook, HandNumbers, hand_numbers, present_runs
from reenact.filtering.published import flow_verdict
from reenact.filtering.report import Reason, Segment

Interval = tuple[int, int]


def shots_between(cuts: list[Cut], duration_ns: int) -> list[Interval]:
    """Intervals [start, end) that no cut touches, in order; cuts may overlap each other."""
    shots, start = [], 0
    for cut in sorted(cuts, key=lambda cut: cut.start_ns):
        if cut.start_ns > start:
            shots.append((start, min(cut.start_ns, duration_ns)))
        start = max(start, cut.end_ns)
    if start < duration_ns:
        shots.append((start, duration_ns))
    return shots


class Judge:
    """Applies the rules of one config to what was seen of one video."""

    def __init__(
        self, config: FilterConfig, duration_ns: int, hands: list[HandLook], camera: list[CameraLook]
    ) -> None:
        self.config, self.duration_ns = config, duration_ns
        self._hands, self._camera = hands, camera

    def segments(self, cuts: list[Cut]) -> tuple[Segment, ...]:
        """Stretches that tile [0, duration_ns)."""
        shots = shots_between(cuts, self.duration_ns)
        longest = max(shots, key=lambda shot: shot[1] - shot[0], default=None)
        found: list[Segment] = []
        for shot in shots:
            if self.config.longest_shot_only and shot != longest:
                found.append(_rejected(shot, Reason.NOT_LONGEST_SHOT))
            elif len(shots) > 1 and shot[1] - shot[0] < (self.config.min_uncut_s or 0.0) * 1e9:
                found.append(_rejected(shot, Reason.CUTS_TOO_SHORT))
            elif shot[1] - shot[0] < self.config.min_segment_s * 1e9:
                found.append(_rejected(shot, Reason.TOO_SHORT))
            else:
                found += self._stretches(shot)
        return tuple(_tiled(found, self.duration_ns))

    def _stretches(self, shot: Interval) -> Iterator[Segment]:
        """Runs with hands, judged, and what lies between them."""
        looks = [look for look in self._hands if shot[0] <= look.t_ns < shot[1]]
        if not self.config.hands.split_at_gaps:
            yield self._judged(shot, _evenly(looks, self.config.hands.looks_per_shot))
            return
        done = shot[0]
        for start, end in present_runs(looks, *shot, self.config.hands.max_gap_s):
            if start > done:
                yield _rejected((done, start), Reason.NO_HANDS)
            yield self._judged((start, end), [look for look in looks if start <= look.t_ns < end])
            done = end
        if done < shot[1]:
            yield _rejected((done, shot[1]), Reason.NO_HANDS)

    def _judged(self, interval: Interval, looks: list[HandLook]) -> Segment:
        start, end = interval
        rules = self.config.hands
        hands = hand_numbers(looks, rules.border_heights, rules.max_step_s)
        camera = self._verdict([look for look in self._camera if start <= look.t_ns < end])
        reasons = tuple(self._broken_rules((end - start) / 1e9, hands, camera))
        return Segment(
            start_ns=start,
            end_ns=end,
            is_kept=not reasons,
            reasons=reasons,
            flags=() if camera.motion == STILL else (f"camera_{camera.motion}",),
            hands=hands,
            camera=camera,
        )

    def _verdict(self, looks: list[CameraLook]) -> CameraVerdict:
        rules = self.config.camera
        return camera_verdict(looks, rules) if isinstance(rules, CameraConfig) else flow_verdict(looks, rules)

    def _broken_rules(self, seconds: float, hands: HandNumbers, camera: CameraVerdict) -> Iterator[Reason]:
        c, area, rate = self.config, hands.mean_area, camera.heights_per_s
        if seconds < c.min_segment_s:
            yield Reason.TOO_SHORT
        if hands.hand_ratio < c.min_hand_ratio:
            yield Reason.LOW_HAND_RATIO
        if c.max_camera_rate is not None and rate is not None and rate > c.max_camera_rate:
            yield Reason.BG_MOVING
        if (
            c.max_camera_lost is not None
            and camera.motion == MOVING
            and camera.lost_ratio > c.max_camera_lost
        ):
            yield Reason.CAMERA_LOST
        if area is not None and area < c.min_hand_area:
            yield Reason.HAND_TOO_SMALL
        if area is not None and area > c.max_hand_area:
            yield Reason.HAND_TOO_LARGE
        if hands.truncated_ratio > c.max_truncated_ratio:
            yield Reason.HAND_TRUNCATED
        if (
            c.min_fast_speed is not None
            and hands.fast_speed is not None
            and hands.fast_speed < c.min_fast_speed
        ):
            yield Reason.HANDS_IDLE


def _evenly(looks: list[HandLook], count: int | None) -> list[HandLook]:
    if count is None or len(looks) <= count:
        return looks
    return [looks[i] for i in np.linspace(0, len(looks) - 1, count).astype(int)]


def _rejected(interval: Interval, reason: Reason) -> Segment:
    start, end = interval
    return Segment(
        start_ns=start, end_ns=end, is_kept=False, reasons=(reason,), flags=(), hands=None, camera=None
    )


def _tiled(segments: list[Segment], duration_ns: int) -> Iterator[Segment]:
    """The same, with the transitions between shots put in."""
    done = 0
    for segment in segments:
        if segment.start_ns > done:
            yield _rejected((done, segment.start_ns), Reason.TRANSITION)
        yield segment
        done = segment.end_ns
    if done < duration_ns:
        yield _rejected((done, duration_ns), Reason.TRANSITION)

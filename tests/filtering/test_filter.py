from __future__ import annotations

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reenact.filtering.camera import CameraConfig, CameraLook
from reenact.filtering.config import FilterConfig, HandConfig
from reenact.filtering.cuts import Cut
from reenact.filtering.glance import GlanceConfig, glance_times, nothing_report, shows_nothing
from reenact.filtering.hands import HandBox, HandLook
from reenact.filtering.judge import Judge, shots_between
from reenact.filtering.report import Reason
from reenact.filtering.source import filter_source
from reenact.video.reader import VideoReader
from reenact.video.scan import scan_frames
from reenact.video.sparse import frames_between
from reenact.video.writer import VideoWriter

from .scenes import MadeLook, hand_at, shot, times

S = 1_000_000_000
FPS = 15.0


def looks_of(frames, rate_hz=3.0):
    every = round(FPS / rate_hz)
    return [
        MadeLook(t, frame, frame if i % every == 0 else None)
        for i, (t, frame) in enumerate(zip(times(len(frames), FPS), frames, strict=True))
    ]


def moving_hand(size=0.2, x0=0.3, speed=0.1):
    """A hand that drifts to the right with every call (a third of a second)."""
    calls = iter(range(10_000))
    return lambda rgb: hand_at(x0 + speed / 3 * (next(calls) % 20), 0.5, size)[None]


def no_hand(rgb):
    return np.zeros((0, 21, 2))


def run(frames, find_hands, config=None):
    return filter_source(looks_of(frames), find_hands, round(len(frames) * S / FPS), config)


def check_tiles(report):
    edges = [(s.start_ns, s.end_ns) for s in report.segments]
    assert edges[0][0] == 0
    assert edges[-1][1] == report.duration_ns
    assert all(a[1] == b[0] for a, b in itertools.pairwise(edges))
    assert all(a < b for a, b in edges)
    assert all(s.is_kept == (not s.reasons) for s in report.segments)


def test_a_moving_hand_before_a_still_camera_is_kept_whole():
    report = run(shot(1, 60), moving_hand())
    check_tiles(report)
    (segment,) = report.segments
    assert segment.is_kept
    assert segment.flags == ()
    assert segment.camera.motion == "still"
    assert segment.hands.median_speed == pytest.approx(0.1, rel=0.05)
    assert report.kept_ratio == 1.0


def test_a_moving_camera_is_flagged_by_default_and_rejected_by_the_published_rules():
    frames = shot(1, 90, heights_per_s=0.3)
    assert run(frames, moving_hand()).segments[0].flags == ("camera_moving",)
    published = run(frames, moving_hand(), FilterConfig.egoinfinity())
    assert published.segments[0].reasons == (Reason.BG_MOVING,)


@pytest.mark.parametrize(
    ("find_hands", "reason"),
    [
        (moving_hand(size=0.04), Reason.HAND_TOO_SMALL),
        (moving_hand(size=0.97, x0=0.6), Reason.HAND_TOO_LARGE),
        (moving_hand(speed=0.0), Reason.HANDS_IDLE),
        (moving_hand(x0=0.05, speed=0.01), Reason.HAND_TRUNCATED),
        (no_hand, Reason.NO_HANDS),
    ],
)
def test_each_rule_gives_its_reason(find_hands, reason):
    report = run(shot(1, 60), find_hands)
    check_tiles(report)
    assert not report.kept
    assert any(reason in s.reasons for s in report.segments)


def test_a_rule_that_is_off_rejects_nothing():
    config = dataclasses.replace(FilterConfig(), min_fast_speed=None)
    assert run(shot(1, 60), moving_hand(speed=0.0), config).kept_ratio == 1.0


def test_shots_are_judged_apart_and_the_camera_is_not_compared_across_them():
    film = np.concatenate([shot(1, 60), shot(2, 20), shot(3, 60, heights_per_s=0.3)])
    report = run(film, moving_hand())
    check_tiles(report)
    kept = report.kept
    assert [s.flags for s in kept] == [(), ("camera_moving",)]
    assert kept[0].camera.heights_per_s < 0.01
    assert kept[1].camera.heights_per_s == pytest.approx(0.3, rel=0.1)
    assert kept[0].end_ns / S == pytest.approx(4.0, abs=0.07)
    assert kept[1].start_ns / S == pytest.approx(80 / 15, abs=0.07)
    assert [s.reasons for s in report.segments if s.seconds > 1 and not s.is_kept] == [(Reason.TOO_SHORT,)]


def test_stretches_without_hands_are_cut_out():
    calls = iter(range(1000))

    def sometimes(rgb):
        i = next(calls)
        return hand_at(0.3 + 0.03 * (i % 20), 0.5, 0.2)[None] if i < 12 or i > 26 else no_hand(rgb)

    report = run(shot(1, 15 * 14), sometimes)
    check_tiles(report)
    assert [s.is_kept for s in report.segments] == [True, False, True]
    assert report.segments[1].reasons == (Reason.NO_HANDS,)
    assert report.segments[1].seconds == pytest.approx(5.0, abs=0.4)


def test_published_rules_keep_the_longest_shot_only():
    film = np.concatenate([shot(1, 90), shot(2, 120)])
    film[:90] = 255 - film[:90] // 4  # ffmpeg's score needs a large change of brightness
    film[90:] = film[90:] // 4
    report = run(film, moving_hand(), FilterConfig.egoinfinity())
    check_tiles(report)
    assert [s.reasons for s in report.segments] == [(Reason.NOT_LONGEST_SHOT,), ()]
    assert report.segments[1].hands.looks == 8
    short = np.concatenate([film[60:90], film[90:150]])
    report = run(short, moving_hand(), FilterConfig.egoinfinity())
    assert [s.reasons for s in report.segments] == [(Reason.NOT_LONGEST_SHOT,), (Reason.CUTS_TOO_SHORT,)]


def test_published_thresholds_are_what_was_published():
    c = FilterConfig.egoinfinity()
    assert c.max_camera_rate * 360 * 0.1 == pytest.approx(2.0)
    assert c.hands.border_heights * 360 == pytest.approx(5)
    assert (c.min_hand_ratio, c.min_hand_area, c.max_hand_area, c.max_truncated_ratio) == (
        0.75,
        0.005,
        0.4,
        0.5,
    )
    assert (c.min_uncut_s, c.hands.looks_per_shot, c.cuts.threshold) == (5.0, 8, 0.4)


INTERVALS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 12)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(INTERVALS, st.lists(st.booleans(), min_size=33, max_size=33), st.booleans(), st.booleans())
def test_segments_always_tile_the_video(intervals, present, split, longest):
    """Whatever the cuts and hands: no overlap, nothing left out, and kept parts avoid every cut."""
    duration = 100 * S // 10
    cuts = [
        Cut(start_ns=a * S // 10, end_ns=min(duration, (a + n) * S // 10), kind="cut", change=1.0)
        for a, n in intervals
    ]
    box = HandBox(0.4, 0.4, 0.6, 0.6, 0.5, 0.5)
    hands = [HandLook(i * S // 3, 1.7, (box,) if there else ()) for i, there in enumerate(present[:30])]
    camera = [CameraLook(t_ns=i * S // 2, heights_per_s=0.0, wander_heights=0.0) for i in range(20)]
    config = FilterConfig(
        hands=HandConfig(split_at_gaps=split),
        longest_shot_only=longest,
        min_fast_speed=None,
        min_segment_s=0.5,
    )
    segments = Judge(config, duration, hands, camera).segments(cuts)
    assert segments[0].start_ns == 0
    assert segments[-1].end_ns == duration
    assert all(a.end_ns == b.start_ns for a, b in itertools.pairwise(segments))
    for segment in segments:
        assert segment.start_ns < segment.end_ns
        if segment.is_kept:
            assert all(
                c.end_ns <= segment.start_ns or c.start_ns >= segment.end_ns
                for c in cuts
                if c.end_ns > c.start_ns
            )
            assert not any(segment.start_ns < c.start_ns < segment.end_ns for c in cuts)


def test_shots_between_overlapping_cuts():
    cuts = [
        Cut(start_ns=a, end_ns=b, kind="cut", change=1.0)
        for a, b in ((10, 30), (20, 25), (40, 40), (90, 120))
    ]
    assert shots_between(cuts, 100) == [(0, 10), (30, 40), (40, 90)]
    assert shots_between([], 100) == [(0, 100)]


def test_the_report_is_json():
    report = run(np.concatenate([shot(1, 60), shot(2, 60)]), moving_hand())
    row = json.loads(json.dumps(report.as_json()))
    assert row["kept_ratio"] == pytest.approx(report.kept_ratio)
    assert row["segments"][0]["hands"]["hand_ratio"] == 1.0
    assert row["cuts"][0]["kind"] == "cut"


def test_a_glance_rules_out_only_what_shows_nothing():
    config = GlanceConfig()
    grid = glance_times(60 * S, config)
    assert len(grid) == 30
    assert grid[0] > 0
    assert grid[-1] < 60 * S
    assert np.diff(grid).max() <= config.every_s * S * 1.01
    nothing = [HandLook(int(t), 1.7, ()) for t in grid]
    something = [*nothing[:-1], HandLook(int(grid[-1]), 1.7, (HandBox(0, 0, 1, 1, 0.5, 0.5),))]
    assert shows_nothing(nothing, config)
    assert not shows_nothing(something, config)
    assert not shows_nothing(nothing[: config.min_pictures - 1], config)
    report = nothing_report(nothing, 60 * S, FilterConfig())
    check_tiles(report)
    assert report.segments[0].reasons == (Reason.NO_HANDS_AT_A_GLANCE,)
    assert len(glance_times(S, config)) == 1


def test_a_real_file_goes_through_video_and_filter(tmp_path):
    film = np.concatenate([shot(1, 90, fps_hz=30), shot(2, 90, heights_per_s=0.3, fps_hz=30)])
    path = tmp_path / "film.mp4"
    with VideoWriter(path, 256, 144, 30, keyframe_every=250, crf=18) as out:
        for frame in film:
            out.write(frame)
    reader = VideoReader(path)
    grid = np.arange(0, reader.index.end_ns, S // 3, dtype=np.int64)
    report = filter_source(
        scan_frames(reader, small_height=144, large_height=144, large_t_ns=grid),
        moving_hand(),
        reader.index.end_ns,
        FilterConfig(),
        lambda start_ns, end_ns: frames_between(reader, start_ns, end_ns, max_height=144),
    )
    check_tiles(report)
    assert [c.start_ns for c in report.cuts] == [3 * S]
    assert [s.flags for s in report.kept] == [(), ("camera_moving",)]


def test_memory_of_the_watch_does_not_grow(monkeypatch):
    from reenact.filtering import source

    held = []
    real = source._Watch.add

    def add(self, picture, rgb):
        real(self, picture, rgb)
        held.append(len(self._waiting) + len(self._hard._seen) + len(self._dissolves._seen))

    monkeypatch.setattr(source._Watch, "add", add)
    run(np.tile(shot(1, 10), (30, 1, 1, 1)), no_hand)
    assert max(held) <= 3 * 20
    assert max(held[150:]) <= max(held[:150])


def test_default_config_takes_camera_from_blocks():
    assert isinstance(FilterConfig().camera, CameraConfig)

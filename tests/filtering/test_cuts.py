from __future__ import annotations

import itertools

import numpy as np
import pytest

from reenact.filtering.blocks import BlockConfig, is_blank, match_blocks, structure_change
from reenact.filtering.cuts import BLANK, HARD, CutConfig, CutFinder
from reenact.filtering.dissolves import DissolveConfig, DissolveFinder
from reenact.filtering.pictures import colour_change, grey_change, picture_of
from reenact.filtering.published import SceneScoreConfig, SceneScoreCuts
from reenact.video.reader import VideoReader

from .scenes import shot, times


def cuts_of(frames, *, step=1, fps_hz=15.0, exact=True):
    t_ns = times(len(frames), fps_hz)

    def read(start_ns, end_ns):
        return [(t, f) for t, f in zip(t_ns, frames, strict=True) if start_ns <= t <= end_ns]

    finder = CutFinder(CutConfig(), read if exact else None)
    for i in range(0, len(frames), step):
        finder.add(picture_of(t_ns[i], frames[i]))
    found = finder.finish(round(len(frames) * 1e9 / fps_hz))
    return [(c.kind, round(c.start_ns * fps_hz / 1e9, 3), round(c.end_ns * fps_hz / 1e9, 3)) for c in found]


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("step", [1, 2])
def test_every_cut_is_found_on_its_frame_and_no_other(rate, step):
    frames = np.concatenate([shot(k, 20 + k, heights_per_s=rate, fps_hz=30) for k in range(5)])
    truth = np.cumsum([20 + k for k in range(5)])[:-1]
    found = cuts_of(frames, step=step, fps_hz=30)
    assert [(kind, start) for kind, start, _ in found] == [(HARD, t) for t in truth]


def test_without_reading_again_a_cut_takes_the_time_between_two_looks():
    frames = np.concatenate([shot(1, 21), shot(2, 20)])
    ((kind, start, end),) = cuts_of(frames, step=2, exact=False)
    assert kind == HARD
    assert 20 <= start <= 21 <= end == 22  # frame 20 was seen to be of the shot before, 22 of the one after


@pytest.mark.parametrize(("length", "white"), list(itertools.product((1, 2, 5), (255, 150))))
def test_a_flash_is_no_cut(length, white):
    frames = shot(3, 40, heights_per_s=0.2)
    frames[20 : 20 + length] = np.minimum(255, frames[20 : 20 + length] // 3 + np.uint16(white)).astype(
        np.uint8
    )
    assert cuts_of(frames) == []


def test_exposure_is_no_cut():
    frames = shot(3, 40, heights_per_s=0.2)
    step = frames.copy()
    step[20:] = (step[20:] * 0.5).astype(np.uint8)
    ramp = (frames * np.linspace(1, 0.3, 40)[:, None, None, None]).astype(np.uint8)
    assert cuts_of(step) == cuts_of(ramp) == []


def test_a_foreign_picture_of_a_moment_is_no_cut_but_a_longer_one_makes_two():
    frames = shot(3, 60)
    frames[30:33] = shot(8, 3)
    assert cuts_of(frames) == []
    frames[30:45] = shot(8, 15)
    assert [start for _, start, _ in cuts_of(frames)] == [30, 45]


def test_long_black_parts_two_shots_even_of_one_scene_and_short_black_does_not():
    frames = shot(4, 60)
    frames[20:23] = 0
    assert cuts_of(frames) == []
    frames[20:40] = 0
    assert cuts_of(frames) == [(BLANK, 20, 40)]
    frames[:5] = 3
    frames[55:] = 250
    assert cuts_of(frames) == [(BLANK, 0, 5), (BLANK, 20, 40), (BLANK, 55, 60)]


def test_a_black_film_is_one_blank():
    assert cuts_of(np.zeros((30, 144, 256, 3), np.uint8)) == [(BLANK, 0, 30)]


def test_no_frames_give_no_cuts():
    assert CutFinder(CutConfig()).finish(0) == []


def test_the_size_of_the_pictures_does_not_matter():
    import cv2

    frames = np.concatenate([shot(1, 20), shot(2, 20)])
    for size in ((128, 72), (512, 288)):
        resized = np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])
        assert [start for _, start, _ in cuts_of(resized)] == [20]


def test_blocks_tell_how_the_content_moved():
    frames = shot(5, 3, heights_per_s=1.5)
    matches = match_blocks(picture_of(0, frames[0]), picture_of(1, frames[1]), BlockConfig())
    assert matches.found_share > 0.7
    moved = np.median(matches.displacement[matches.is_found], axis=0)
    assert moved == pytest.approx([-0.1, 0.0], abs=0.003)  # the camera goes right, the content left


def test_measures_are_zero_on_equal_pictures_and_symmetric():
    a, b = (picture_of(0, shot(k, 1)[0]) for k in (1, 2))
    config = BlockConfig()
    for measure in (colour_change, grey_change, lambda x, y: structure_change(x, y, config)):
        assert measure(a, a) == pytest.approx(0, abs=1e-9)
        assert measure(a, b) == pytest.approx(measure(b, a))
        assert measure(a, b) > 0.3
    assert not is_blank(a, config)
    assert is_blank(picture_of(0, np.full((144, 256, 3), 90, np.uint8)), config)


@pytest.mark.parametrize("seconds", [0.4, 0.8])
def test_a_dissolve_is_found_and_a_moving_camera_is_none(seconds):
    n = round(seconds * 15)
    a, b = shot(1, 20 + n), shot(2, 40)
    u = np.linspace(0, 1, n)[:, None, None, None]
    film = np.concatenate([a[:20], (a[20:] * (1 - u) + b[:n] * u).astype(np.uint8), b[n:]])
    finder = DissolveFinder(DissolveConfig())
    for t_ns, frame in zip(times(len(film)), film, strict=True):
        finder.add(picture_of(t_ns, frame))
    (cut,) = finder.cuts
    assert cut.start_ns / 1e9 * 15 <= 20 + n / 2 <= cut.end_ns / 1e9 * 15
    for rate in (0.0, 0.2, 0.6, 1.2):
        finder = DissolveFinder(DissolveConfig())
        for t_ns, frame in zip(times(60), shot(6, 60, heights_per_s=rate), strict=True):
            finder.add(picture_of(t_ns, frame))
        assert finder.cuts == []


def test_scene_score_is_the_smaller_of_difference_and_its_change():
    def flat(value):
        return picture_of(value, np.full((72, 128, 3), value, np.uint8))

    finder = SceneScoreCuts(SceneScoreConfig(0.4))
    for value in (
        10,
        20,
        61,
        103,
        146,
        60,
    ):  # differences 10, 41, 42, 43, 86: only the first and last jump count
        finder.add(flat(value))
    assert [c.start_ns for c in finder.finish(0)] == [60]


CLIPS = (
    "exo/sam2_cups",
    "exo/sam2_blocks",
    "exo/dexycb_pitcher",
    "exo/v2d_chair",
    "ego/hawor_plate",
    "ego/hot3d_site_dev",
)


@pytest.fixture(scope="module")
def real(shared_dir):
    """The first 2.4 s of six real clips at 256x144 and 30 Hz."""
    import cv2

    clips = {}
    for name in CLIPS:
        reader = VideoReader(shared_dir / "data" / name / "video.mp4")
        frames = [f for _, f in zip(range(72), reader.frames(144), strict=False)]
        clips[name] = np.stack([cv2.resize(f, (256, 144), interpolation=cv2.INTER_AREA) for _, f in frames])
    return clips


@pytest.mark.parametrize("step", [1, 2])
def test_real_clips_hold_no_cut_and_their_joins_one_each(real, step):
    for name, frames in real.items():
        assert cuts_of(frames, step=step, fps_hz=30) == [], name
    rng = np.random.default_rng(step)
    for _ in range(3):
        parts = [real[CLIPS[k]][: int(rng.integers(40, 72))] for k in rng.permutation(len(CLIPS))]
        truth = np.cumsum([len(p) for p in parts])[:-1]
        found = cuts_of(np.concatenate(parts), step=step, fps_hz=30)
        assert [start for _, start, _ in found] == truth.tolist()

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reenact.video.reader import VideoReader
from reenact.video.scan import scan_frames
from reenact.video.sparse import frames_between, frames_near, plan_sparse

from .clips import number_in, write_with_pts


@pytest.fixture(scope="module", params=[(1, 0), (12, 0), (12, 2), (60, 3)], ids=lambda p: f"gop{p[0]}b{p[1]}")
def reader(tmp_path_factory, request):
    gop, b_frames = request.param
    path = tmp_path_factory.mktemp("sparse") / "s.mp4"
    write_with_pts(path, list(range(7, 67)), Fraction(1, 30), gop=gop, b_frames=b_frames)
    return VideoReader(path)


@pytest.mark.parametrize("step_ms", [20, 150, 700, 1900])
def test_sparse_frames_equal_those_of_a_full_pass(reader, step_ms):
    grid = np.arange(30, 2000, step_ms, dtype=np.int64) * 1_000_000
    everything = dict(reader.frames())
    seen = list(frames_near(reader, grid))
    wanted = np.unique(np.abs(reader.frame_t_ns[None] - grid[:, None]).argmin(1))
    assert [number_in(rgb) for _, rgb in seen] == wanted.tolist()
    assert all((everything[t] == rgb).all() for t, rgb in seen)


def test_within_the_tolerance_a_key_frame_is_taken(reader):
    grid = np.arange(100, 2000, 300, dtype=np.int64) * 1_000_000
    tolerance_ns = 90_000_000
    seen = np.array([t for t, _ in frames_near(reader, grid, tolerance_ns=tolerance_ns)])
    assert (np.abs(seen[None] - grid[:, None]).min(1) <= tolerance_ns).all()
    loose = plan_sparse(reader.index, grid, tolerance_ns=2 * 10**9)
    assert reader.index.is_key[loose.frame_idx].all()
    assert loose.decoded_frames == len(loose.frame_idx)
    assert loose.decoded_frames <= plan_sparse(reader.index, grid).decoded_frames


def test_a_file_without_time_stamps_is_read_through(tmp_path):
    path = tmp_path / "raw.h264"
    write_with_pts(path, list(range(20)), Fraction(1, 30), container="h264")
    reader = VideoReader(path)
    grid = reader.frame_t_ns[[3, 11]]
    assert [number_in(rgb) for _, rgb in frames_near(reader, grid)] == [3, 11]


def test_real_clips_give_the_same_pictures(shared_dir):
    reader = VideoReader(shared_dir / "data/exo/sam2_cups/video.mp4")
    grid = np.arange(0, 10, 2, dtype=np.int64) * 1_000_000_000
    sparse = dict(frames_near(reader, grid, max_height=120))
    full = {t: rgb for t, rgb in reader.frames(max_height=120) if t in sparse}
    assert len(sparse) == 5
    assert all((sparse[t] == full[t]).all() for t in sparse)


def test_frames_between_are_all_in_the_closed_interval(reader):
    t_ns = reader.frame_t_ns
    seen = list(frames_between(reader, int(t_ns[7]), int(t_ns[13])))
    assert [number_in(rgb) for _, rgb in seen] == list(range(7, 14))
    assert list(frames_between(reader, int(t_ns[7]) + 1, int(t_ns[8]) - 1)) == []


def test_a_scan_gives_all_frames_that_others_need_with_their_own_times(reader):
    seen = list(scan_frames(reader, small_height=64))
    numbers = [number_in(look.small) for look in seen]
    assert [look.t_ns for look in seen] == reader.frame_t_ns[numbers].tolist()
    assert 15 <= len(seen) <= 60
    keys = np.flatnonzero(reader.index.is_key)
    assert set(keys.tolist()) <= set(numbers)
    assert len(list(scan_frames(reader, is_draft=False))) == 60


def test_a_scan_gives_large_pictures_at_the_wanted_instants_only(reader):
    grid = np.arange(0, 2000, 300, dtype=np.int64) * 1_000_000
    seen = [
        look
        for look in scan_frames(reader, small_height=16, large_height=64, large_t_ns=grid)
        if look.large is not None
    ]
    assert len(seen) == len(grid)
    late = np.array([look.t_ns for look in seen]) - grid
    assert (late >= 0).all()
    assert late.max() < 140_000_000  # at most the three B frames that the draft leaves out
    assert {look.large.shape for look in seen} == {(64, 96, 3)}
    assert {look.small.shape[0] for look in seen} == {16}

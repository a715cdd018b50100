from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reenact.video.reader import VideoReader
from reenact.video.sparse import frames_near, plan_sparse

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

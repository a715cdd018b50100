from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from reenact.video.container import ns_of_pts
from reenact.video.convert import FrameConverter
from reenact.video.facts import StreamFacts
from reenact.video.orient import UPRIGHT
from reenact.video.probe import probe
from reenact.video.reader import VideoReader
from reenact.video.sampling import GridError, nearest_frames
from reenact.video.writer import VideoWriter

from .clips import coded_frame, number_in, write_with_pts

MS = 1_000_000


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """40 numbered frames at uneven times, B frames, 1/90000 s clock, first frame not at zero."""
    rng = np.random.default_rng(3)
    pts = (9000 + np.concatenate([[0], np.cumsum(rng.integers(1500, 6000, 39))])).tolist()
    path = tmp_path_factory.mktemp("vfr") / "uneven.mp4"
    write_with_pts(path, pts, Fraction(1, 90_000))
    return path, pts


def test_time_stamps_are_exact_to_the_nanosecond(uneven):
    path, pts = uneven
    truth = [round(Fraction(p, 90_000) * 10**9) - round(Fraction(pts[0], 90_000) * 10**9) for p in pts]
    reader = VideoReader(path)
    assert reader.frame_t_ns.tolist() == truth
    seen = [(t, number_in(rgb)) for t, rgb in reader.frames()]
    assert seen == list(zip(truth, range(40), strict=True))


def test_long_times_do_not_lose_precision():
    day = 24 * 3600 * 90_000
    assert ns_of_pts(day * 365 + 1, Fraction(1, 90_000)) == 365 * 86400 * 10**9 + 11111
    assert ns_of_pts(-1, Fraction(1, 1000)) == -MS


def test_probe_tells_uneven_from_even_rate(uneven, tmp_path):
    assert probe(uneven[0]).is_variable_rate
    even = tmp_path / "even.mp4"
    with VideoWriter(even, 96, 64, Fraction(30000, 1001)) as out:
        for i in range(31):
            out.write(coded_frame(i))
    info = probe(even)
    assert not info.is_variable_rate
    assert info.nominal_fps_hz == pytest.approx(30000 / 1001, rel=1e-12)
    assert info.frame_count == info.declared_frame_count == 31
    assert abs(info.duration_ns - 31 * 1001 / 30000 * 1e9) <= 1
    assert (info.codec, info.rotation_deg, info.start_ns) == ("h264", 0, 0)


def test_millisecond_rounding_of_matroska_is_not_variable_rate(tmp_path):
    path = tmp_path / "rounded.mkv"
    write_with_pts(path, list(range(30)), Fraction(1, 30), container="matroska")
    info = probe(path)
    assert not info.is_variable_rate
    assert info.nominal_fps_hz == pytest.approx(30, rel=1e-3)


def test_files_without_time_stamps_count_frames_at_the_nominal_rate(tmp_path):
    path = tmp_path / "raw.h264"
    write_with_pts(path, list(range(20)), Fraction(1, 30), container="h264")
    seen = [(t, number_in(rgb)) for t, rgb in VideoReader(path).frames()]
    assert [n for _, n in seen] == list(range(20))
    assert np.ptp(np.diff([t for t, _ in seen])) <= 1


@pytest.mark.parametrize("step_ms", [7, 33, 100, 400])
def test_a_grid_gets_the_nearest_frame_whatever_the_rates(uneven, step_ms):
    reader = VideoReader(uneven[0])
    grid = np.arange(-50 * MS, reader.info.duration_ns + 50 * MS, step_ms * MS, dtype=np.int64)
    seen = list(reader.frames(grid_t_ns=grid))
    assert [t for t, _ in seen] == grid.tolist()
    by_brute_force = np.abs(reader.frame_t_ns[None] - grid[:, None]).argmin(1)
    assert [number_in(rgb) for _, rgb in seen] == by_brute_force.tolist()
    assert nearest_frames(reader.frame_t_ns, grid).tolist() == by_brute_force.tolist()


def test_pictures_of_a_grid_do_not_share_memory(uneven):
    grid = np.arange(0, 20, dtype=np.int64) * MS
    pictures = [rgb for _, rgb in VideoReader(uneven[0]).frames(grid_t_ns=grid)]
    pictures[0][:] = 0
    assert pictures[1].any()


def test_a_grid_stops_decoding_when_it_is_full(uneven):
    reader = VideoReader(uneven[0])
    (only,) = reader.frames(grid_t_ns=np.array([0], np.int64))
    assert number_in(only[1]) == 0


@pytest.mark.parametrize(
    "grid",
    [np.array([], np.int64), np.array([0.0, 1.0]), np.array([0, 0], np.int64), np.zeros((2, 2), np.int64)],
)
@pytest.mark.usefixtures("unchecked")
def test_a_bad_grid_is_refused_by_name(uneven, grid):
    with pytest.raises(GridError):
        next(VideoReader(uneven[0]).frames(grid_t_ns=grid))


def test_nearest_frame_of_a_single_frame_is_that_frame():
    assert nearest_frames(np.array([5], np.int64), np.array([-9, 0, 99], np.int64)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("width", "height", "limit"), [(96, 64, 63), (1280, 718, 481), (98, 66, None), (642, 362, 99)]
)
def test_pictures_shrink_to_the_limit_and_keep_aspect(tmp_path, width, height, limit):
    path = tmp_path / "size.mp4"
    with VideoWriter(path, width, height, 30) as out:
        out.write(coded_frame(0, width, height))
    _, rgb = next(VideoReader(path).frames(max_height=limit))
    assert rgb.shape[0] == (limit - limit % 2 if limit else height)
    assert abs(rgb.shape[1] / rgb.shape[0] - width / height) <= 1 / rgb.shape[0]
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous


def test_anamorphic_video_comes_out_with_square_pixels(tmp_path):
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(coded_frame(5), format="rgb24")))
        out.mux(stream.encode())
    info = probe(path)
    assert (info.width_px, info.height_px) == (128, 64)
    assert next(VideoReader(path).frames())[1].shape == (64, 128, 3)


@pytest.mark.parametrize(("width", "height"), [(96, 64), (1280, 720)])
def test_colours_survive_writing_and_reading(tmp_path, width, height):
    colours = np.array(
        [(200, 30, 40), (30, 180, 60), (20, 40, 220), (128, 128, 128), (250, 250, 5)], np.uint8
    )
    path = tmp_path / "colour.mp4"
    with VideoWriter(path, width, height, 30, crf=5) as out:
        for colour in colours:
            out.write(np.broadcast_to(colour, (height, width, 3)))
    seen = np.array([rgb[rgb.shape[0] // 2, rgb.shape[1] // 2] for _, rgb in VideoReader(path).frames()])
    assert np.abs(seen.astype(int) - colours).max() <= 4


def test_digest_is_that_of_the_bytes(uneven):
    import hashlib

    assert probe(uneven[0]).sha256 == hashlib.sha256(uneven[0].read_bytes()).hexdigest()


def test_threads_do_not_change_a_pixel(uneven):
    one = [rgb for _, rgb in VideoReader(uneven[0], threads=1).frames()]
    two = [rgb for _, rgb in VideoReader(uneven[0], threads=2).frames()]
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "rgb24"])
@pytest.mark.parametrize("limit", [720, 480, 360, 180])
def test_shrinking_does_not_move_the_picture(pix_fmt, limit):
    """The phase of a sine along x and y stays where the pixel centres say; half a pixel would be seen tenfold."""
    width, height, period = 1280, 720, 120.0
    y, x = np.mgrid[0:height, 0:width]
    grey = (128 + 50 * np.sin(2 * np.pi * x / period) + 50 * np.sin(2 * np.pi * y / period)).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(np.stack([grey] * 3, -1), format="rgb24").reformat(format=pix_fmt)
    rgb = FrameConverter(StreamFacts("none", width, height, UPRIGHT, 1), limit).rgb(frame)
    for axis, count in ((0, width), (1, height)):
        profile = rgb[..., 1].mean(axis)
        centres = (np.arange(len(profile)) + 0.5) * count / len(profile) - 0.5
        phase = 2 * np.pi * centres / period
        basis = np.stack([np.sin(phase), np.cos(phase), np.ones_like(phase)], -1)
        sine, cosine, _ = np.linalg.lstsq(basis, profile, rcond=None)[0]
        shift = np.arctan2(cosine, sine) / (2 * np.pi) * period * len(profile) / count
        assert abs(shift) < 0.05


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p"])
def test_the_plane_path_gives_the_picture_of_the_one_pass_path(pix_fmt):
    rng = np.random.default_rng(1)
    blocks = np.kron(rng.integers(0, 255, (9, 16, 3)), np.ones((80, 80, 1))).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(blocks, format="rgb24").reformat(format=pix_fmt)
    ours = FrameConverter(StreamFacts("none", 1280, 720, UPRIGHT, 1), 360).rgb(frame)
    peer = frame.reformat(640, 360, "rgb24", src_colorspace="ITU709", interpolation="AREA").to_ndarray()
    assert np.abs(ours[20::40, 20::40].astype(int) - peer[20::40, 20::40]).max() <= 3

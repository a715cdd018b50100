from __future__ import annotations

import av
import numpy as np
import pytest

from reenact.video import errors
from reenact.video.folder import ImageFolderReader
from reenact.video.source import open_video

from .clips import coded_frame, number_in

START_NS = 1_771_445_398_921_412_053


def save_picture(path, rgb):
    codec, pix_fmt, container = {".png": ("png", "rgb24", "image2"), ".jpg": ("mjpeg", "yuvj444p", "image2")}[
        path.suffix
    ]
    with av.open(str(path), "w", format=container, options={"update": "1"}) as out:
        stream = out.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = rgb.shape[1], rgb.shape[0], pix_fmt
        out.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        out.mux(stream.encode())


@pytest.fixture(params=[".png", ".jpg"])
def stamped(tmp_path, request):
    """Twelve pictures named by uneven nanoseconds; the last names are shorter in no way, order is numeric."""
    offsets = np.cumsum([0, 3, 5, 3, 3, 8, 3, 3, 3, 5, 3, 3]) * 100_000_001
    for i, offset in enumerate(offsets.tolist()):
        save_picture(tmp_path / f"{START_NS + offset}{request.param}", coded_frame(i))
    (tmp_path / "readme.txt").write_text("not a picture")
    return tmp_path, offsets


def test_times_come_from_the_names(stamped):
    folder, offsets = stamped
    source = open_video(folder)
    seen = [(t, number_in(rgb)) for t, rgb in source.frames()]
    assert seen == list(zip(offsets.tolist(), range(12), strict=True))
    info = source.info
    assert (info.width_px, info.height_px, info.frame_count, info.start_ns) == (96, 64, 12, START_NS)
    assert info.is_variable_rate


def test_a_grid_takes_the_nearest_picture(stamped):
    folder, offsets = stamped
    grid = np.arange(0, 4_500_000_000, 130_000_000, dtype=np.int64)
    seen = [number_in(rgb) for _, rgb in open_video(folder).frames(grid_t_ns=grid, max_height=32)]
    assert seen == np.abs(offsets[None] - grid[:, None]).argmin(1).tolist()


def test_a_rate_orders_names_by_number(tmp_path):
    for i in (0, 1, 2, 9, 10, 11):
        save_picture(tmp_path / f"frame{i}.png", coded_frame(i))
    source = ImageFolderReader(tmp_path, fps_hz=10)
    assert [(t, number_in(rgb)) for t, rgb in source.frames()] == [
        (100_000_000 * k, i) for k, i in enumerate((0, 1, 2, 9, 10, 11))
    ]
    assert not source.info.is_variable_rate
    assert source.info.nominal_fps_hz == 10


def test_names_without_time_need_a_rate(tmp_path):
    save_picture(tmp_path / "frame1.png", coded_frame(0))
    with pytest.raises(errors.ImageNameError, match="frame1"):
        open_video(tmp_path)


def test_empty_folders_damaged_and_unlike_pictures(tmp_path):
    with pytest.raises(errors.EmptyVideoError):
        open_video(tmp_path)
    for i in range(3):
        save_picture(tmp_path / f"{i}.png", coded_frame(i))
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:40])
    source = open_video(tmp_path, fps_hz=5)
    assert [t for t, _ in source.frames()] == [0, 400_000_000]
    assert source.damaged_frames == 1
    save_picture(tmp_path / "3.png", coded_frame(0, 60, 60))
    with pytest.raises(errors.PictureSizeError, match="60x60"):
        list(open_video(tmp_path, fps_hz=5).frames())


def test_the_digest_follows_names_and_bytes(tmp_path):
    digests = set()
    for folder, name, i in (("a", "1", 0), ("b", "1", 1), ("c", "2", 0), ("d", "1", 0)):
        (tmp_path / folder).mkdir()
        save_picture(tmp_path / folder / f"{name}.png", coded_frame(i))
        digests.add(open_video(tmp_path / folder, fps_hz=1).info.sha256)
    assert len(digests) == 3


def test_real_stereo_folder(shared_dir):
    source = open_video(shared_dir / "data/gt/v2d_basketball/front_stereo_camera_left")
    assert source.info.frame_count == 203
    assert (source.info.width_px, source.info.height_px) == (960, 600)
    assert source.info.nominal_fps_hz == pytest.approx(3.0, abs=0.01)
    assert np.diff(source.frame_t_ns).min() > 300_000_000

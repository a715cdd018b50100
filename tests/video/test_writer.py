from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reenact.errors import InputError, SetupError
from reenact.video.container import read_index
from reenact.video.errors import VideoWriteError
from reenact.video.reader import VideoReader
from reenact.video.writer import FrameShapeError, VideoWriter, write_frames

from .clips import coded_frame, number_in


def test_what_is_written_is_read_back_in_order(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", 96, 64, 25, crf=15) as out:
        for i in range(50):
            out.write(coded_frame(i))
    seen = [(t, number_in(rgb)) for t, rgb in VideoReader(tmp_path / "a.mp4").frames()]
    assert seen == [(40_000_000 * i, i) for i in range(50)]


@pytest.mark.parametrize("every", [2, 30])
def test_key_frames_come_as_often_as_asked(tmp_path, every):
    with VideoWriter(tmp_path / "k.mp4", 96, 64, 30, keyframe_every=every) as out:
        for _ in range(61):
            out.write(coded_frame(9))
    keys = np.flatnonzero(read_index(tmp_path / "k.mp4").is_key)
    assert keys.tolist() == list(range(0, 61, every))


def test_the_name_appears_only_when_all_is_written(tmp_path):
    path = tmp_path / "late.mp4"
    with VideoWriter(path, 96, 64, 30) as out:
        out.write(coded_frame(0))
        assert not path.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["late.mp4"]


def test_an_exception_leaves_nothing_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "old.mp4"
    path.write_bytes(b"old")

    def fail() -> None:
        with VideoWriter(path, 96, 64, 30) as out:
            out.write(coded_frame(0))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["old.mp4"]
    assert path.read_bytes() == b"old"


def test_frames_from_anywhere_make_a_whole_video_or_none(tmp_path):
    told = []
    write_frames(tmp_path / "a.mp4", (coded_frame(i) for i in range(7)), 25, written=told.append)
    assert [number_in(rgb) for _, rgb in VideoReader(tmp_path / "a.mp4").frames()] == list(range(7))
    assert told == list(range(1, 8))
    write_frames(tmp_path / "none.mp4", iter(()), 25)

    def breaks():
        yield coded_frame(0)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_frames(tmp_path / "b.mp4", breaks(), 25)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def test_odd_sizes_gain_one_doubled_row_or_column(tmp_path):
    picture = coded_frame(3, 97, 65)
    with VideoWriter(tmp_path / "odd.mp4", 97, 65, 30, crf=5) as out:
        out.write(picture)
    _, rgb = next(VideoReader(tmp_path / "odd.mp4").frames())
    assert rgb.shape == (66, 98, 3)
    assert np.abs(rgb[:65, :97].astype(int) - picture).mean() < 4


@pytest.mark.parametrize(
    "picture",
    [np.zeros((64, 95, 3), np.uint8), np.zeros((64, 96, 3), np.float32), np.zeros((64, 96), np.uint8)],
)
@pytest.mark.usefixtures("unchecked")
def test_a_wrong_picture_is_refused_with_the_right_shape_in_the_message(tmp_path, picture):
    with VideoWriter(tmp_path / "a.mp4", 96, 64, 30) as out:
        out.write(coded_frame(0))
        with pytest.raises(FrameShapeError, match=r"\(64, 96, 3\)"):
            out.write(picture)


def test_bytes_are_the_same_every_time(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        with VideoWriter(tmp_path / name, 96, 64, 30) as out:
            for i in range(20):
                out.write(coded_frame(i))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_no_folder_no_frame_and_bad_sizes_are_named_errors(tmp_path):
    with pytest.raises(VideoWriteError, match="cannot write") as caught:
        VideoWriter(tmp_path / "absent" / "a.mp4", 96, 64, 30)
    assert isinstance(caught.value, SetupError)
    with pytest.raises(VideoWriteError, match="no frame"), VideoWriter(tmp_path / "a.mp4", 96, 64, 30):
        pass
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError):
        VideoWriter(tmp_path / "a.mp4", 0, 64, 30)


FULL_DISK = """
import resource, sys
import numpy as np
from reenact.video.errors import VideoWriteError
from reenact.video.writer import VideoWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
rng = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1], 128, 128, 30, crf=10) as out:
        for _ in range(40):
            out.write(rng.integers(0, 255, (128, 128, 3)).astype(np.uint8))
except VideoWriteError as error:
    print("named:", error)
"""


def test_no_more_room_on_disk_is_a_named_error_and_leaves_nothing(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.mp4")], capture_output=True, text=True, timeout=60
    )
    assert run.stdout.startswith("named: cannot write"), run.stdout + run.stderr
    assert not list(tmp_path.iterdir())

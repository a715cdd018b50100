from __future__ import annotations

import os
import random
from fractions import Fraction

import av
import numpy as np
import pytest

from reenact.errors import InputError
from reenact.video import errors
from reenact.video.probe import probe
from reenact.video.reader import VideoReader
from reenact.video.source import open_video

from .clips import number_in, write_with_pts


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """60 frames with the header in front (fragments), so that a cut file still opens."""
    path = tmp_path_factory.mktemp("damage") / "whole.mkv"
    write_with_pts(path, list(range(60)), Fraction(1, 30), container="matroska")
    return path


def write_audio(path, with_cover: bool = False):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=44100)
        for i in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 44100, 1024 * i, Fraction(1, 44100)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


BAD = {
    "absent.mp4": (None, errors.NoSuchVideoError, "no such file"),
    "empty.mp4": (b"", errors.EmptyVideoError, "0 bytes"),
    "notes.mp4": (b"this is a text about cats\n" * 40, errors.NotAVideoError, "not a video"),
    "random.mp4": (random.Random(0).randbytes(20_000), errors.NotAVideoError, "not a video"),
    "list.m3u8": (b"#EXTM3U\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n", errors.NotAVideoError, "not a video"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_files_are_named_errors(tmp_path, name):
    content, kind, words = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for call in (probe, VideoReader, open_video):
        with pytest.raises(kind, match=words) as caught:
            call(tmp_path / name)
        assert isinstance(caught.value, InputError)
        assert caught.value.exit_code == 3
        assert caught.value.hint


def test_audio_only_says_that_there_are_no_pictures(tmp_path):
    write_audio(tmp_path / "song.m4a")
    with pytest.raises(errors.NoVideoStreamError, match="audio"):
        probe(tmp_path / "song.m4a")


def test_header_without_frames_is_a_named_error(tmp_path, whole):
    data = whole.read_bytes()
    cut = data.index(b"\x1f\x43\xb6\x75")  # first matroska cluster
    (tmp_path / "head.mkv").write_bytes(data[:cut])
    with pytest.raises(errors.NothingDecodedError):
        VideoReader(tmp_path / "head.mkv").info  # noqa: B018


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_a_named_error(tmp_path, whole):
    path = tmp_path / "locked.mkv"
    path.write_bytes(whole.read_bytes())
    path.chmod(0)
    with pytest.raises(errors.NoSuchVideoError, match="permission"):
        probe(path)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_cut_file_gives_its_first_frames(tmp_path, whole, share):
    data = whole.read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: int(share * len(data))])
    whole_times = VideoReader(whole).frame_t_ns
    seen = [(t, number_in(rgb)) for t, rgb in VideoReader(path).frames()]
    numbers = [n for _, n in seen]
    assert [t for t, _ in seen] == whole_times[numbers].tolist()
    assert 0 < len(numbers) < 60
    assert numbers[:-1] == list(range(len(numbers) - 1))  # the B frames before the last one may be cut off


def test_a_cut_mp4_is_seen_to_be_truncated(tmp_path, shared_dir):
    source = (shared_dir / "data/exo/sam2_blocks/video.mp4").read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(source[: len(source) // 3])
    info = probe(path)
    assert info.is_truncated
    assert info.declared_frame_count == 292
    assert 0 < info.frame_count < 292


@pytest.mark.parametrize("seed", range(4))
def test_broken_frames_are_counted_and_left_out(tmp_path, whole, seed):
    data = bytearray(whole.read_bytes())
    rng = random.Random(seed)
    for at in rng.sample(range(len(data) // 4, len(data) - 400), 8):
        data[at] ^= 0xFF
    path = tmp_path / "broken.mkv"
    path.write_bytes(bytes(data))
    reader = VideoReader(path, threads=1)
    times = [t for t, _ in reader.frames()]
    assert (np.diff(times) > 0).all()
    assert 0 < len(times) < 60
    assert len(times) + reader.damaged_frames >= len(reader.frame_t_ns) - 1
    assert reader.damaged_frames > 0 or len(reader.frame_t_ns) < 60


def test_a_grid_over_broken_frames_takes_the_nearest_whole_one(tmp_path, whole):
    data = bytearray(whole.read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 60):
        data[at] ^= 0xFF
    path = tmp_path / "hole.mkv"
    path.write_bytes(bytes(data))
    reader = VideoReader(path, threads=1)
    alive = np.array([t for t, _ in reader.frames()], np.int64)
    grid = np.arange(0, 2_000_000_000, 50_000_000, dtype=np.int64)
    seen = list(reader.frames(grid_t_ns=grid))
    whole_times = VideoReader(whole).frame_t_ns
    chosen = np.array([whole_times[number_in(rgb)] for _, rgb in seen])
    assert (np.abs(chosen - grid) <= np.abs(alive[None] - grid[:, None]).min(1) + 1_000_000).mean() > 0.9
    assert len(seen) == len(grid)

"""Laws of records: what is wrong cannot be built, what was written comes back, half a write is no write."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
from jaxtyping import Bool, Float64

from reenact.errors import RecordError
from reenact.records import Record, load_record, record_exists, save_record
from reenact.records.files import atomic_file, atomic_folder
from reenact.records.volumes import VolumeReader, VolumeWriter


@dataclass(frozen=True, kw_only=True)
class Track(Record):
    SCHEMA = "test.track"
    VERSION = 3
    points: Float64[np.ndarray, "t 3"]
    valid: Bool[np.ndarray, " t"]
    rate_hz: float
    names: tuple[str, ...]
    note: str | None = None


def track(**changes: object) -> Track:
    fields = {
        "points": np.arange(6.0).reshape(2, 3),
        "valid": np.array([True, False]),
        "rate_hz": 30.0,
        "names": ("a",),
    }
    return Track(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"points": np.zeros((2, 4))}, "shape (2, 4)"),
        ({"points": np.zeros((2, 3), np.float32)}, "float32"),
        ({"points": [[0, 0, 0]]}, "numpy array, got list"),
        ({"valid": np.array([True])}, "Track.valid"),
        ({"points": np.array([[0, 0, 0], [0, np.nan, 0.0]])}, "nan at index (1, 1)"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_arrays_cannot_be_built(changes: dict, said: str) -> None:
    with pytest.raises(RecordError) as error:
        track(**changes)
    assert said in str(error.value)


def test_arrays_are_read_only_and_the_callers_array_stays_writable() -> None:
    mine = np.zeros((2, 3))
    record = track(points=mine)
    with pytest.raises(ValueError, match="read-only"):
        record.points[0, 0] = 1
    mine[0, 0] = 5
    assert record.points[0, 0] == 0


def test_a_saved_record_comes_back_equal(tmp_path) -> None:
    record = track(rate_hz=25.0, note="ä")
    save_record(record, tmp_path, "track")
    again = load_record(Track, tmp_path, "track")
    np.testing.assert_array_equal(again.points, record.points)
    assert again.points.dtype == record.points.dtype
    assert (again.valid == record.valid).all()
    assert (again.rate_hz, again.names, again.note) == (25.0, ("a",), "ä")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["track.json", "track.safetensors"]


def test_same_record_same_bytes(tmp_path) -> None:
    for folder in ("a", "b"):
        save_record(track(), tmp_path / folder, "track")
    for name in ("track.json", "track.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda h: h | {"schema": "other"}, "holds a 'other'"),
        (lambda h: h | {"version": 2}, "version 2"),
        (lambda h: h | {"fields": {"names": ["a"]}}, "lacks rate_hz"),
    ],
)
def test_a_foreign_header_is_refused(tmp_path, edit, said) -> None:
    save_record(track(), tmp_path, "track")
    path = tmp_path / "track.json"
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(RecordError, match=said):
        load_record(Track, tmp_path, "track")


def test_damaged_and_absent_files_are_named(tmp_path) -> None:
    with pytest.raises(RecordError, match="no record 'track'"):
        load_record(Track, tmp_path, "track")
    save_record(track(), tmp_path, "track")
    (tmp_path / "track.safetensors").write_bytes(b"\x00" * 20)
    assert record_exists(tmp_path, "track")
    with pytest.raises(RecordError, match="cannot be read"):
        load_record(Track, tmp_path, "track")


def test_a_failed_write_leaves_the_old_and_nothing_else(tmp_path) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(KeyError), atomic_file(target) as path:
        path.write_text("half")
        raise KeyError
    assert target.read_text() == "old"
    folder = tmp_path / "folder"
    with pytest.raises(KeyError), atomic_folder(folder) as path:
        (path / "half").write_text("half")
        raise KeyError
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_a_folder_is_replaced_whole(tmp_path) -> None:
    for text in ("one", "two"):
        with atomic_folder(tmp_path / "x") as path:
            (path / text).write_text(text)
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["two"]
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_volumes_come_back_frame_by_frame(tmp_path) -> None:
    frames = np.random.default_rng(0).integers(0, 5000, (5, 24, 32)).astype(np.uint16)
    with VolumeWriter(tmp_path / "depth.h5", unit="mm", meaning="z of the camera") as writer:
        for frame in frames:
            writer.append(frame)
    with VolumeReader(tmp_path / "depth.h5") as reader:
        assert (len(reader), reader.unit) == (5, "mm")
        np.testing.assert_array_equal(reader[3], frames[3])
        np.testing.assert_array_equal(reader[1:4], frames[1:4])


def test_a_volume_with_an_odd_frame_is_not_written(tmp_path) -> None:
    with (
        pytest.raises(RecordError, match="frame 1 of"),
        VolumeWriter(tmp_path / "v.h5", unit="m", meaning="depth") as writer,
    ):
        writer.append(np.zeros((4, 4), np.uint8))
        writer.append(np.zeros((4, 5), np.uint8))
    assert list(tmp_path.iterdir()) == []

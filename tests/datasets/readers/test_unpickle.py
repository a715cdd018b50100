"""The restricted unpickler: reads arrays, numbers, words, containers; runs nothing."""

from __future__ import annotations

import base64
import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest

from reenact.datasets.readers.errors import DamagedSource, ForbiddenPickle
from reenact.datasets.readers.restricted_unpickle import UnpickleConfig, read_pickle, read_pickles


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def test_reads_what_data_sets_pickle(tmp_path: Path) -> None:
    value = {
        "a": np.arange(6.0).reshape(2, 3), 3: [1, 2.5, float("inf"), None, True, "x", (1, 2)], "s": np.float32(2),
        "o": np.array([1, "a", None], dtype=object), "f": np.asfortranarray(np.eye(3)[:, :2]), "b": b"\x00\xff",
    }  # fmt: skip
    files = []
    for protocol in (0, 2, 4, 5):
        files.append(tmp_path / f"{protocol}.pkl")
        files[-1].write_bytes(pickle.dumps(value, protocol=protocol))
    for got in read_pickles(files):
        assert got["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert got[3] == [1, 2.5, float("inf"), None, True, "x", (1, 2)]
        assert got["s"] == 2.0
        assert got["o"] == [1, "a", None]
        assert got["f"].tolist() == [[1, 0], [0, 1], [0, 0]]
        assert got["b"] == b"\x00\xff"


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cos\nsystem\n(S'touch MARK'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy.testing._private.utils\nruncode\n(S'1'\ntR.",
        b"c_codecs\nencode\n(S'aa'\nS'rot13'\ntR.",
        b"cnumpy\nndarray\n((I1\ntS'O'\ntR.",
    ],
)
def test_nothing_of_the_pickles_choosing_runs(tmp_path: Path, opcodes: bytes) -> None:
    mark = tmp_path / "ran"
    (tmp_path / "e.pkl").write_bytes(opcodes.replace(b"MARK", str(mark).encode()))
    with pytest.raises((ForbiddenPickle, DamagedSource)):
        read_pickle(tmp_path / "e.pkl")
    assert not mark.exists()


def test_an_object_that_would_run_a_command_is_refused_by_name(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    np.save(tmp_path / "e.npy", np.array({"x": Evil(mark)}, dtype=object))
    with pytest.raises(ForbiddenPickle, match=r"posix\.system"):
        read_pickle(tmp_path / "e.npy")
    assert not mark.exists()


def test_limits_hold(tmp_path: Path) -> None:
    (tmp_path / "big.pkl").write_bytes(pickle.dumps({"x": list(range(50))}))
    bomb: object = []
    for _ in range(100):
        bomb = [bomb]
    (tmp_path / "deep.pkl").write_bytes(pickle.dumps(bomb))
    with pytest.raises(DamagedSource, match="nested deeper"):
        read_pickle(tmp_path / "deep.pkl")
    (tmp_path / "cut.pkl").write_bytes(pickle.dumps(np.zeros(1000))[:-40])
    with pytest.raises(DamagedSource):
        read_pickle(tmp_path / "cut.pkl")
    np.save(tmp_path / "huge.npy", np.zeros((4000, 4000)))
    with pytest.raises(DamagedSource, match="limits"):
        read_pickle(tmp_path / "huge.npy", UnpickleConfig(memory_mb=64))


TORCH_PICKLE = (
    "eNrVkrtOwzAUhp0LFIUCFRsbYxBSVUK5dAIqxGLuLFmQVRJDgkJcOw6iSJWyFAHKhtkYGHkMHoWViRmJgQOpBEh9Aaz8Psrx73Oc"
    "L87M+zcdfY+usnPtQuVlyYQXVEkqwyhR+SQR9CgNI59IGidMkHNH3YF1rLAlEFonVOUVErGWT44FOyNHHUkTcDVnNYQy/daKPh42"
    "3qdPn3anqpm+9WrA3OXIdivQty2YZB6LyDkVSchiroHBHYOVKJQyooTGftiKuX7tWpCUnTYlSXhJE250uWm7Q5BMAiYkH8K6a8Bb"
    "GEs+jE3X/KrB4hNewmaaQk/bLX2ZiyNz5H1/grUBB5cHRdLimjsOnkZ93mk0arXGwpyzWOdFXa+dcgOXtyU396DaIUeDvFqrWka/"
    "R7YC0yo8oAz0CHoGvYDQGkIV0DSotqZ6al9hDRtYv1LYxNqVuslHgU1EPQlo4HeM7gifCuqvh54EwjP7SsKeXItVYNpBqWn9B+Kb"
    "YBkEfHmuDsFZcv4A1wcC//EC8P4VRqV+HOnHAijCeg+w9tRNMNEHllY/AQMO0+o="
)
"""`{"x": torch.arange(12.).reshape(3, 4)[:, 1:3], "n": torch.tensor([7, 8])}` as torch 2.13 pickles it, zlib, base64."""


def test_torch_tensors_are_read_without_torch(tmp_path: Path) -> None:
    (tmp_path / "t.pkl").write_bytes(zlib.decompress(base64.b64decode(TORCH_PICKLE)))
    got = read_pickle(tmp_path / "t.pkl")
    assert got["x"].tolist() == [[1.0, 2.0], [5.0, 6.0], [9.0, 10.0]]
    assert got["x"].dtype == np.float32
    assert got["n"].tolist() == [7, 8]

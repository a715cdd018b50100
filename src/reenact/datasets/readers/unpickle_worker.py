"""Runs alone, in its own process: turns pickles into one JSON tree and one npz of plain arrays.

    python -I unpickle_worker.py OUT_FOLDER ENCODING MEMORY_MB CPU_S FILE [FILE ...]

The only file of the package that unpickles. Allowed: None, numbers, words, containers, numpy arrays, and torch tensors
of the legacy storage form (rebuilt with numpy; torch is not imported). Everything else is refused before it is
looked up, so no code of the pickle's choosing can run; limits on memory, time, files and processes hold besides.
Standard library and numpy only; imports nothing of ours.
"""

from __future__ import annotations

import io
import json
import pickle  # rule: allowed: the restricted reader itself, in a process of its own
import resource
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

REFUSED, DAMAGED = 3, 4
"""Exit codes: the pickle asks for something forbidden; the file is broken or too big."""
MAX_NODES = 20_000_000
_NDARRAY = "ndarray"  # a word, so that a pickle can name the class but never call it
_TORCH_DTYPES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "<i1", "ByteStorage": "<u1", "BoolStorage": "?",
}  # fmt: skip


class Forbidden(Exception):
    """A name outside the list."""


def _encode(text: str, codec: str = "latin1") -> bytes:
    """Bytes as protocol 2 stores them; no other codec is looked up."""
    if codec not in ("latin1", "latin-1"):
        raise Forbidden(f"_codecs.encode to {codec!r}")
    return text.encode("latin1")


def _array_shell(kind: Any, shape: Any, code: Any) -> np.ndarray:
    if kind != _NDARRAY:
        raise Forbidden(f"an array of {kind!r}")
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _numpy_scalar(dtype: np.dtype, data: Any = b"") -> Any:
    if dtype.hasobject:
        raise Forbidden("a numpy scalar of objects")
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    return np.frombuffer(raw, dtype=dtype, count=1)[0]


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    return np.frombuffer(bytes(data), dtype=dtype).reshape(shape, order=order)


def _torch_storage(data: bytes) -> np.ndarray:
    """torch's pre-zip serialisation: four pickles (magic, version, system, storage), keys, then raw numbers."""
    stream = io.BytesIO(data)
    found: dict[str, np.ndarray] = {}

    def persistent(key: Any) -> np.ndarray:
        kind, storage, name, _, count = key[:5]
        if kind != "storage" or not isinstance(storage, str):
            raise Forbidden(f"torch's persistent {kind!r}")
        return found.setdefault(str(name), np.zeros(int(count), np.dtype(_TORCH_DTYPES[storage])))

    for _ in range(3):
        Restricted(stream).load()
    result = Restricted(stream, persistent=persistent).load()
    for name in Restricted(stream).load():
        (count,) = struct.unpack("<q", stream.read(8))
        storage = found[str(name)]
        if count != len(storage):
            raise ValueError(f"storage {name} holds {count} numbers, {len(storage)} promised")
        storage[:] = np.frombuffer(stream.read(count * storage.itemsize), storage.dtype)
    return result


def _torch_tensor(storage: np.ndarray, offset: int, size: Any, stride: Any, *_: Any) -> np.ndarray:
    size, stride = tuple(map(int, size)), tuple(map(int, stride))
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if all(size) else offset
    if offset < 0 or min(stride, default=0) < 0 or (all(size) and last >= len(storage)):
        raise ValueError("a tensor leaves its storage")
    step = storage.itemsize
    view = np.lib.stride_tricks.as_strided(storage[offset:], size, tuple(s * step for s in stride))
    return view.copy()


_NAMES: dict[tuple[str, str], Any] = {
    **{("builtins", name): kind for name, kind in
       (("dict", dict), ("list", list), ("tuple", tuple), ("set", set), ("frozenset", frozenset),
        ("int", int), ("float", float), ("bool", bool), ("complex", complex), ("bytearray", bytearray))},
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): np.dtype,
    ("torch.storage", "_load_from_bytes"): _torch_storage,
    ("torch._utils", "_rebuild_tensor_v2"): _torch_tensor,
}  # fmt: skip
for _core in ("numpy.core", "numpy._core"):
    _NAMES[_core + ".multiarray", "_reconstruct"] = _array_shell
    _NAMES[_core + ".multiarray", "scalar"] = _numpy_scalar
    _NAMES[_core + ".numeric", "_frombuffer"] = _from_buffer
for _name in _TORCH_DTYPES:
    _NAMES["torch", _name] = _name  # a word: says which numbers follow


class Restricted(pickle.Unpickler):
    """Knows the names above and no other."""

    def __init__(self, stream: Any, encoding: str = "ASCII", persistent: Any = None) -> None:
        super().__init__(stream, encoding=encoding)
        self._persistent = persistent

    def find_class(self, module: str, name: str) -> Any:
        """The allowed thing of that name; never an import."""
        module = "builtins" if module == "__builtin__" else module
        if (module, name) not in _NAMES:
            raise Forbidden(f"{module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Only torch's legacy storages have such references."""
        if self._persistent is None:
            raise Forbidden("a persistent reference")
        return self._persistent(pid)


class Flattener:
    """Containers to JSON nodes `[kind, content]`, arrays to named npz entries."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self._nodes = 0

    def node(self, value: Any, depth: int = 0) -> Any:
        """The JSON form of a value."""
        self._nodes += 1
        if depth > 60 or self._nodes > MAX_NODES:
            raise ValueError("nested deeper than 60 levels, or more than 20 million values")
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return value
        if isinstance(value, float):
            return value if np.isfinite(value) else ["number", repr(value)]
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return self._array(value)
        if isinstance(value, (np.generic, complex)):
            return self._array(np.asarray(value))
        if isinstance(value, (bytes, bytearray)):
            return ["bytes", bytes(value).decode("latin1")]
        return self._container(value, depth + 1)

    def _array(self, value: np.ndarray) -> Any:
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(value) if value.ndim else value
        return ["array", name]

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return ["dict", [[self.node(k, depth), self.node(v, depth)] for k, v in value.items()]]
        if isinstance(value, np.ndarray):
            items: Any = value.item() if value.ndim == 0 else value.tolist()
            return self.node(items, depth)
        if isinstance(value, (list, tuple, set, frozenset)):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return [kind, [self.node(v, depth) for v in value]]
        raise Forbidden(f"a value of {type(value).__name__}")


def load(path: Path, encoding: str) -> Any:
    """A `.npy` (plain or of objects) or a pickle."""
    with path.open("rb") as stream:
        if stream.read(6) != b"\x93NUMPY":
            stream.seek(0)
            return Restricted(stream, encoding).load()
        stream.seek(0)
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        _, _, dtype = read(stream)
        if dtype.hasobject:
            return Restricted(stream, encoding).load()
    return np.load(path, allow_pickle=False)


def limit(memory_mb: int, cpu_s: int) -> None:
    """Memory, seconds, file size, and no child processes."""
    for what, most in (
        (resource.RLIMIT_AS, memory_mb << 20),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, memory_mb << 20),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main(arguments: list[str]) -> int:
    """Exit code 0, `REFUSED` or `DAMAGED` with one line on stderr."""
    out, encoding, memory_mb, cpu_s, *files = arguments
    limit(int(memory_mb), int(cpu_s))
    flattener, trees = Flattener(), []
    for name in files:
        try:
            trees.append(flattener.node(load(Path(name), encoding)))
        except Forbidden as error:
            print(f"{Path(name).name}: {error}", file=sys.stderr)
            return REFUSED
        except (pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError,
                MemoryError, OverflowError, UnicodeError, struct.error, OSError) as error:  # fmt: skip
            print(f"{Path(name).name}: {type(error).__name__}: {error}", file=sys.stderr)
            return DAMAGED
    np.savez(Path(out) / "arrays.npz", **flattener.arrays)  # type: ignore[arg-type]
    (Path(out) / "tree.json").write_text(json.dumps(trees, allow_nan=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Read pickled data sets without trusting them: a separate process does it, see `unpickle_worker`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.errors import DamagedSource, ForbiddenPickle

_WORKER = Path(__file__).with_name("unpickle_worker.py")
_REFUSED = 3


@dataclass(frozen=True)
class UnpickleConfig:
    """Limits of the reading process."""

    memory_mb: int = 8192
    """Address space and size of what it writes."""
    cpu_s: int = 300
    """Processor seconds."""
    encoding: str = "latin1"
    """How words of Python 2 pickles are read; numpy arrays in them need latin1."""


def read_pickles(paths: Sequence[Path], config: UnpickleConfig | None = None) -> list[Any]:
    """The contents of pickles or `.npy` files of objects, as dicts, lists, tuples, numbers, words and numpy arrays.

    Raises:
        ForbiddenPickle: a file asks for anything else; nothing of it was run.
        DamagedSource: a file is broken, or reading it passed the limits.
    """
    config = config or UnpickleConfig()
    with tempfile.TemporaryDirectory(prefix="reenact-unpickle-") as folder:
        command = [sys.executable, "-I", str(_WORKER), folder, config.encoding]
        command += [str(config.memory_mb), str(config.cpu_s), *(str(Path(p).resolve()) for p in paths)]
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread)
        said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
        if done.returncode == _REFUSED:
            raise ForbiddenPickle(
                f"a pickle asks for {said}", hint="only arrays, numbers, words and containers are read"
            )
        if done.returncode != 0:
            raise DamagedSource(
                f"reading pickles failed: {said or f'exit {done.returncode}'}",
                hint=f"limits are {config.memory_mb} MB and {config.cpu_s} s",
            )
        trees = json.loads((Path(folder) / "tree.json").read_text(encoding="utf-8"))
        with np.load(Path(folder) / "arrays.npz", allow_pickle=False) as arrays:
            loaded = {name: arrays[name] for name in arrays.files}
    return [_value(tree, loaded) for tree in trees]


def read_pickle(path: Path, config: UnpickleConfig | None = None) -> Any:
    """One file; see `read_pickles`."""
    return read_pickles([path], config)[0]


def _value(node: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(node, list):
        return node
    kind, content = node
    if kind == "array":
        return arrays[content] if arrays[content].ndim else arrays[content].item()
    if kind == "number":
        return float(content)
    if kind == "bytes":
        return content.encode("latin1")
    if kind == "dict":
        return {_key(_value(k, arrays)): _value(v, arrays) for k, v in content}
    items = [_value(v, arrays) for v in content]
    return tuple(items) if kind == "tuple" else items


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key

"""Content keys: what an artefact was made from, as one SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from reenact.pipeline.canonical import plain
from reenact.pipeline.errors import ItemError

KEY_FORMAT = 1
"""Goes into every key; raised when the layout of artefacts or keys changes."""
CHUNK_BYTES = 1 << 20


def stage_key(name: str, version: str, config: object, input_keys: Mapping[str, str]) -> str:
    """SHA-256 (hex) of stage name, code version, resolved config and the keys of its inputs.

    Raises:
        UnkeyableError: the config holds a value without canonical text.
    """
    content = {
        "format": KEY_FORMAT,
        "stage": name,
        "version": version,
        "config": plain(config),
        "inputs": dict(input_keys),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def source_key(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, or of the names and bytes of all files below a folder.

    The file's own name is no part of it: the same bytes under another name are the same source.

    Raises:
        ItemError: no such file, or it may not be read.
    """
    try:
        if path.is_dir():
            return _folder_digest(path)
        return _file_digest(path)
    except FileNotFoundError as error:
        raise ItemError(f"no such file: {path}", hint="check the path") from error
    except PermissionError as error:
        raise ItemError(
            f"no permission to read {error.filename or path}", hint="check the file's mode"
        ) from error


def source_stamp(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Size and modification time of the file(s): cheap to compare, to see that a source changed meanwhile."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    try:
        return tuple((file.name, (stat := file.stat()).st_size, stat.st_mtime_ns) for file in files)
    except OSError as error:
        raise ItemError(f"no such file: {error.filename or path}", hint="check the path") from error


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _folder_digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [[path.relative_to(folder).as_posix(), _file_digest(path)] for path in files]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

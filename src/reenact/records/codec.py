"""The file form of a record: `<name>.json` (schema, version, words and numbers) and `<name>.safetensors` (arrays).

Read and write are one mirrored pair; nothing here can run code from a file.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from reenact.errors import RecordError
from reenact.records.base import Record, field_types, is_array_type
from reenact.records.files import atomic_file

R = TypeVar("R", bound=Record)


def record_exists(folder: Path, name: str) -> bool:
    """Whether a whole record of that name lies in the folder (the JSON half is written last)."""
    return (Path(folder) / f"{name}.json").is_file()


def save_record(record: Record, folder: Path, name: str) -> None:
    """Write a record into a folder, arrays first, so that the JSON half stands for the whole.

    Raises `SetupError` when the disk is full or not writable.
    """
    from safetensors.numpy import save

    folder = Path(folder)
    arrays, words = {}, {}
    for field, annotation in field_types(type(record)).items():
        value = getattr(record, field)
        if is_array_type(annotation):
            arrays[field] = value
        else:
            words[field] = list(value) if isinstance(value, tuple) else value
    header = {"schema": record.SCHEMA, "version": record.VERSION, "fields": words}
    header["arrays"] = {k: {"dtype": str(a.dtype), "shape": list(a.shape)} for k, a in arrays.items()}
    with atomic_file(folder / f"{name}.safetensors") as path:
        path.write_bytes(save({k: np.ascontiguousarray(a) for k, a in arrays.items()}))
    with atomic_file(folder / f"{name}.json") as path:
        path.write_text(json.dumps(header, indent=1, sort_keys=True, allow_nan=False), encoding="utf-8")


def load_record(cls: type[R], folder: Path, name: str) -> R:
    """Read a record back, checked as if it were built anew.

    Raises `RecordError` when it is absent, of another kind or version, or does not fit its own header.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(folder) / f"{name}.json"
    if not path.is_file():
        raise RecordError(
            f"no record {name!r} in {folder}", hint=f"expected {path.name} and {name}.safetensors"
        )
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        arrays = load(path.with_suffix(".safetensors").read_bytes())
    except (json.JSONDecodeError, SafetensorError, FileNotFoundError) as error:
        raise RecordError(
            f"{path} cannot be read: {error}", hint="the file is damaged; make it anew"
        ) from error
    _check_header(cls, header, path)
    types_ = field_types(cls)
    given = {**header["fields"], **arrays}
    if missing := sorted(set(types_) - set(given) - _defaulted(cls)):
        raise RecordError(
            f"{path} lacks {', '.join(missing)}", hint=f"{cls.SCHEMA} version {cls.VERSION} has them"
        )
    words = {k: _restore(types_[k], v) for k, v in given.items() if k in types_}
    return cls(**words)


def _check_header(cls: type[Record], header: dict[str, Any], path: Path) -> None:
    if header.get("schema") != cls.SCHEMA:
        raise RecordError(f"{path} holds a {header.get('schema')!r}", hint=f"expected a {cls.SCHEMA!r}")
    if header.get("version") != cls.VERSION:
        raise RecordError(
            f"{path} has version {header.get('version')}", hint=f"this release reads version {cls.VERSION}"
        )


def _defaulted(cls: type[Record]) -> set[str]:
    return {
        f.name
        for f in dataclasses.fields(cls)
        if f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING
    }


def _restore(annotation: Any, value: Any) -> Any:
    """Undo what JSON loses: lists back to (nested) tuples, floats written as integers."""
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    if isinstance(value, list):
        return tuple(tuple(v) if isinstance(v, list) else v for v in value)
    if float in options and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value

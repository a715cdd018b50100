"""`notes.json` beside a stage's records: what the backend decided and why, as plain JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

NOTES_NAME = "notes.json"


def write_notes(folder: Path, notes: Mapping[str, Any]) -> None:
    """Save the notes."""
    write_json(folder / NOTES_NAME, notes)


def write_json(path: Path, value: Any) -> None:
    """Save as JSON; numpy values and dataclasses become plain ones, NaN and infinity become null."""
    text = json.dumps(to_plain(value), indent=1, sort_keys=True, allow_nan=False)
    path.write_text(text, encoding="utf-8")


def read_notes(folder: Path) -> dict[str, Any]:
    """What `write_notes` saved."""
    return read_json(folder / NOTES_NAME)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def to_plain(value: Any) -> Any:
    """Dataclasses and numpy to dicts, lists and numbers."""
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return to_plain(value.tolist())
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if hasattr(value, "__dataclass_fields__"):
        return {name: to_plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value if isinstance(value, str | int | bool | None) else str(value)

"""The one text form of a config, from which content keys are made."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from pathlib import PurePath
from typing import Any

from reenact.pipeline.errors import UnkeyableError

LARGEST_EXACT = 2**53
"""Floats up to here that are whole numbers are written as such, so that equal values have one form."""


def canonical_json(config: object) -> str:
    """Compact JSON with sorted keys; equal configs give equal text, whatever the order of their fields.

    Allowed are dataclasses (with their class name), str, bool, int, finite float, None, tuples, enums (class and
    member name) and paths (as text). 1 and 1.0 are the same number, and so are 0.0 and -0.0.

    Raises:
        UnkeyableError: naming the field that holds anything else.
    """
    return json.dumps(plain(config), sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value: object, where: str = "config") -> Any:
    """The same value in dicts, lists, strings and numbers; ``where`` names it in error messages."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            f.name: plain(getattr(value, f.name), f"{where}.{f.name}") for f in dataclasses.fields(value)
        }
        return {"dataclass": type(value).__name__, "fields": fields}
    if isinstance(value, enum.Enum):
        return {"enum": f"{type(value).__name__}.{value.name}"}
    if type(value) is tuple:
        return [plain(entry, f"{where}[{i}]") for i, entry in enumerate(value)]
    if isinstance(value, PurePath):
        return {"path": value.as_posix()}
    if type(value) is float:
        return _number(value, where)
    if value is None or type(value) in (str, bool, int):
        return value
    raise UnkeyableError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}, which has no canonical text",
        hint="use frozen dataclasses of str, bool, int, float, None, tuples, enums and paths",
    )


def _number(value: float, where: str) -> int | float:
    if not math.isfinite(value):
        raise UnkeyableError(f"{where} is {value}", hint="use None for 'no limit'")
    return int(value) if value.is_integer() and abs(value) <= LARGEST_EXACT else value

"""TOML tables into frozen dataclasses, by their type hints, with errors that say where and what.

Supported field types: float, int, str, bool, ``Literal``, ``tuple[X, ...]``, ``tuple[float, float, float]``,
``dict[str, X]``, ``X | None`` and dataclasses of these. A message reads
``sheet.toml: body 3 (left_elbow): joint.range: got [1.0, -1.0]; ...``.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from reenact.robots.errors import SheetError

T = TypeVar("T")


def read_table(cls: type[T], table: object, where: str) -> T:
    """Builds ``cls`` from a parsed TOML table; ``where`` opens every message.

    Raises:
        SheetError: an unknown or missing key, a value of the wrong type, or one the class refuses.
    """
    if not isinstance(table, Mapping):
        raise SheetError(f"{where}: got {table!r}", hint="a table of key = value lines belongs here")
    where = _label(where, table)
    hints = _hints(typing.cast(Any, cls))
    fields = {f.metadata.get("key", f.name): f for f in dataclasses.fields(typing.cast(Any, cls)) if f.init}
    for key in table:
        if key not in fields:
            raise SheetError(f"{where}: unknown key {key!r}", hint=_guess(key, fields))
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            values[field.name] = read_value(hints[field.name], table[key], f"{where}: {key}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise SheetError(
                f"{where}: key {key!r} is missing", hint=f"it is a {_describe(hints[field.name])}"
            )
    try:
        return cls(**values)
    except ValueError as err:
        raise SheetError(f"{where}: {err}") from err


def read_value(hint: Any, value: object, where: str) -> Any:
    """One value, checked against (and converted to) the type ``hint``."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return read_value(next(a for a in args if a is not type(None)), value, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return read_table(hint, value, where)
    if origin is tuple:
        return _read_tuple(hint, args, value, where)
    if origin is dict and isinstance(value, Mapping):
        return {str(k): read_value(args[1], v, f"{where}.{k}") for k, v in value.items()}
    if origin is Literal and value in args:
        return value
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool) == isinstance(value, bool):
        return value
    raise SheetError(f"{where}: got {value!r}", hint=f"it must be {_describe(hint)}")


def _read_tuple(hint: Any, args: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise SheetError(f"{where}: got {value!r}", hint=f"it must be {_describe(hint)}")
    if args[-1] is Ellipsis:
        return tuple(read_value(args[0], v, f"{where} {i}") for i, v in enumerate(value))
    if len(value) != len(args):
        raise SheetError(f"{where}: got {list(value)!r}", hint=f"it must be {_describe(hint)}")
    return tuple(read_value(a, v, f"{where}[{i}]") for i, (a, v) in enumerate(zip(args, value, strict=True)))


@functools.cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _label(where: str, table: Mapping[str, object]) -> str:
    name = table.get("name")
    return f"{where} ({name})" if isinstance(name, str) and where[-1:].isdigit() else where


def _guess(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + "known keys: " + ", ".join(known)


def _describe(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _describe(next(a for a in args if a is not type(None)))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin is tuple and args[-1] is Ellipsis:
        return f"list, each item a {_describe(args[0])}"
    if origin is tuple:
        return f"list of {len(args)} numbers"
    if origin is dict:
        return f"table whose values are each a {_describe(args[1])}"
    if dataclasses.is_dataclass(hint):
        return "table with keys " + ", ".join(f.metadata.get("key", f.name) for f in dataclasses.fields(hint))
    return {float: "number", int: "whole number", str: "text", bool: "true or false"}.get(hint, str(hint))

"""`--set PATH=VALUE`: any field of the run's config tree from the command line, typed by the field's own annotation.

The tree is the frozen dataclasses of the stages; nothing is listed by hand here. `--settings` prints it.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from reenact.errors import InputError

C = TypeVar("C")


class BadSetting(InputError):
    """A path that leads nowhere, or a value its field cannot take."""


def apply_settings(config: C, settings: Sequence[str]) -> C:
    """A copy of the config with each `a.b.c=value` put in place. Raises `BadSetting`."""
    for text in settings:
        path, equals, value = text.partition("=")
        if not equals:
            raise BadSetting(f"--set {text!r} has no '='", hint="for example --set hands.hand_length=0.18")
        config = _put(config, path.strip().split("."), value.strip(), path.strip())
    return config


def _put(config: Any, parts: list[str], value: str, path: str) -> Any:
    names = [f.name for f in dataclasses.fields(config)]
    if parts[0] not in names:
        raise BadSetting(f"--set {path}: there is no {parts[0]!r}", hint=f"one of {', '.join(names)}")
    current = getattr(config, parts[0])
    if len(parts) > 1:
        if not dataclasses.is_dataclass(current):
            raise BadSetting(f"--set {path}: {parts[0]!r} has no parts", hint=f"it is {current!r}")
        return dataclasses.replace(config, **{parts[0]: _put(current, parts[1:], value, path)})
    if dataclasses.is_dataclass(current):
        inner = ", ".join(f.name for f in dataclasses.fields(current))
        raise BadSetting(f"--set {path}: {parts[0]!r} is a group", hint=f"name one of its fields: {inner}")
    annotation = typing.get_type_hints(type(config))[parts[0]]
    try:
        return dataclasses.replace(config, **{parts[0]: parse_value(annotation, value)})
    except ValueError as error:
        raise BadSetting(f"--set {path}: {value!r} does not fit", hint=str(error)) from error


def parse_value(annotation: Any, text: str) -> Any:
    """Text to a value of the annotated type; raises ValueError that says what would fit.

    Knows str, int, float, bool, Path, None, Literal, unions of these, and tuples (comma-separated).
    """
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(typing.get_args(annotation), text)
    if annotation is type(None):
        if text.lower() in ("none", "null", ""):
            return None
        raise ValueError("none")
    if origin is typing.Literal:
        choices = typing.get_args(annotation)
        if text not in choices:
            raise ValueError(f"one of {', '.join(map(str, choices))}")
        return text
    if origin is tuple:
        return _tuple(typing.get_args(annotation), text)
    if annotation is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError("true or false")
        return text.lower() == "true"
    if annotation in (int, float, str, Path):
        try:
            return annotation(text)
        except ValueError:
            raise ValueError(f"a value of type {annotation.__name__}") from None
    raise ValueError(f"a {annotation}, which the command line cannot give; use Python")


def _first_that_fits(options: Sequence[Any], text: str) -> Any:
    reasons = []
    for option in sorted(options, key=lambda o: o is not type(None)):
        try:
            return parse_value(option, text)
        except ValueError as error:
            reasons.append(str(error))
    raise ValueError(" or ".join(reasons))


def _tuple(items: tuple[Any, ...], text: str) -> tuple[Any, ...]:
    parts = [p.strip() for p in text.split(",")] if text else []
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(parse_value(items[0], p) for p in parts)
    if len(parts) != len(items):
        raise ValueError(f"{len(items)} values with commas between them")
    return tuple(parse_value(item, part) for item, part in zip(items, parts, strict=True))


def setting_lines(config: Any, prefix: str = "") -> Iterator[str]:
    """`path = value` of every field in the tree, in the order of the code."""
    for f in dataclasses.fields(config):
        value = getattr(config, f.name)
        if dataclasses.is_dataclass(value):
            yield from setting_lines(value, f"{prefix}{f.name}.")
        else:
            yield f"{prefix}{f.name} = {value!r}"

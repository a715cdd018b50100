"""The plain part of YAML that calibration files use: nested maps by indentation, lists, numbers, words.

No anchors, tags, blocks or multi-line strings: those are refused, not guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reenact.datasets.readers.errors import DamagedSource


def read_plain_yaml(path: Path) -> Any:
    """Maps, lists and scalars of a file; raises `DamagedSource` for anything beyond."""
    lines = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.split(" #")[0].rstrip()
        if line.strip() and not line.lstrip().startswith("#") and line.strip() not in ("---", "..."):
            lines.append((number, len(line) - len(line.lstrip()), line.strip()))
    value, rest = _block(lines, lines[0][1] if lines else 0, path.name)
    if rest:
        raise DamagedSource(f"{path.name}:{rest[0][0]}: cannot be read", hint="plain maps and lists only")
    return value


_Lines = list[tuple[int, int, str]]


def _block(lines: _Lines, indent: int, name: str) -> tuple[Any, _Lines]:
    if not lines:
        return {}, lines
    if lines[0][2].startswith("- ") or lines[0][2] == "-":
        items: list[Any] = []
        while lines and lines[0][1] == indent and lines[0][2].startswith("-"):
            number, _, text = lines[0]
            body = text[1:].lstrip()
            if body.startswith("- ") or body == "" or _key(body) is not None:
                inner = (
                    indent + (len(text) - len(body)) if body else (lines[1][1] if len(lines) > 1 else indent)
                )
                lines = [(number, inner, body), *lines[1:]] if body else lines[1:]
                item, lines = _block(lines, inner, name)
            else:
                item, lines = _scalar(body, name, number), lines[1:]
            items.append(item)
        return items, lines
    table: dict[str, Any] = {}
    while lines and lines[0][1] == indent:
        number, _, text = lines[0]
        split = _key(text)
        if split is None:
            raise DamagedSource(f"{name}:{number}: {text[:40]!r} is neither a map nor a list")
        key, body = split
        lines = lines[1:]
        if body:
            table[key] = _scalar(body, name, number)
        elif lines and (lines[0][1] > indent or (lines[0][1] == indent and lines[0][2].startswith("-"))):
            table[key], lines = _block(lines, lines[0][1], name)
        else:
            table[key] = None
    return table, lines


def _key(text: str) -> tuple[str, str] | None:
    if text.startswith(("'", '"', "[", "{")):
        return None
    if text.endswith(":"):
        return text[:-1].strip(), ""
    key, found, body = text.partition(": ")
    return (key.strip(), body.strip()) if found else None


def _scalar(text: str, name: str, number: int) -> Any:
    if text[:1] in "&*!|>{":
        raise DamagedSource(f"{name}:{number}: {text[:20]!r} is beyond plain YAML")
    if text.startswith("["):
        inner = text[1:].rstrip("]").strip()
        return [_scalar(part.strip(), name, number) for part in inner.split(",")] if inner else []
    if text[:1] in "'\"" and text[-1:] == text[:1]:
        return text[1:-1]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "null": None, "~": None}.get(text.lower(), text)

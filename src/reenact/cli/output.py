"""How commands print: words for people, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, TypeVar

Options = TypeVar("Options")


def parse(options: type[Options], command: str, args: Sequence[str], description: str) -> Options:
    """Options from the command line; the dataclass is the parser. `--help` and mistakes exit as usual (0 and 2)."""
    import tyro

    return tyro.cli(options, prog=f"reenact {command}", description=description, args=list(args))


def emit(words: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print the result once, in the form asked for."""
    print(json.dumps(words, sort_keys=True) if as_json else "\n".join(lines))


def note(text: str) -> None:
    """A line for people that is no part of the result."""
    print(text, file=sys.stderr)

"""How commands print: words for people, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from reenact.errors import InputError

Options = TypeVar("Options")
Actions: TypeAlias = dict[str, tuple[type[Any], Callable[[Any], int]]]
"""Name of an action -> the dataclass of its options and what does it, which gives the exit code."""


def parse(options: type[Options], command: str, args: Sequence[str], description: str) -> Options:
    """Options from the command line; the dataclass is the parser. `--help` and mistakes exit as usual (0 and 2)."""
    import tyro

    return tyro.cli(options, prog=f"reenact {command}", description=description, args=list(args))


def run_action(command: str, description: str, actions: Actions, args: Sequence[str]) -> int:
    """Do the action that the first word names; its line in the description is its help.

    Raises:
        InputError: there is no such action.
    """
    if not args or args[0] in ("-h", "--help"):
        print(description)
        raise SystemExit(0 if args else 2)
    if args[0] not in actions:
        raise InputError(f"no action {args[0]!r}", hint=f"one of {', '.join(actions)}")
    options, action = actions[args[0]]
    words = description.partition(f"  {args[0]} ")[2].partition("\n")[0].strip()
    return action(parse(options, f"{command} {args[0]}", args[1:], words))


def emit(words: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print the result once, in the form asked for."""
    print(json.dumps(words, sort_keys=True) if as_json else "\n".join(lines))


def note(text: str) -> None:
    """A line for people that is no part of the result."""
    print(text, file=sys.stderr)

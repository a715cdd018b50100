"""`Finding`: one thing that would hurt a trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """An error breaks a loader or teaches something false; a warning wastes data or surprises."""

    code: str
    """Short and stable, e.g. `count-frames`; see docs/lerobot.md."""
    text: str
    """What was found, with the value found and the value expected."""
    level: Level = "error"
    is_fixable: bool = False
    """`--fix` can repair it, for what is right is certain."""


def spans(things: Sequence[object], most: int = 8) -> str:
    """Episode numbers or names for people: `0, 3, 7 and 12 more`."""
    shown = ", ".join(map(str, things[:most]))
    return shown + (f" and {len(things) - most} more" if len(things) > most else "")

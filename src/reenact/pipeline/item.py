"""What is run through a pipeline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reenact.pipeline.errors import ItemError

ITEM_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True)
class Item:
    """A name for people and the files it starts from. The id is no part of any key or path."""

    item_id: str
    """Printable, at most 200 characters, unique in a run."""
    sources: Mapping[str, Path]
    """Source name -> file or folder."""

    def __post_init__(self) -> None:
        if not ITEM_ID.fullmatch(self.item_id):
            raise ItemError(
                f"an item cannot be called {self.item_id!r}", hint="1 to 200 printable characters"
            )

"""What a finished artefact says about itself."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

MANIFEST_NAME = "manifest.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """Written into every artefact folder. Nothing in it depends on the machine but ``seconds``."""

    stage: str
    """Name of the stage."""
    version: str
    """Code version of the stage."""
    key: str
    """The artefact's own content key."""
    config: Any
    """The resolved config as ``canonical.plain`` gives it."""
    inputs: dict[str, str]
    """Content keys of the inputs by name."""
    files: dict[str, int]
    """Sizes in bytes of the other files in the folder, by relative path."""
    seconds: float
    """Wall time the stage took."""

    def write(self, folder: Path) -> None:
        """Save into the artefact folder."""
        text = json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)
        (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def read(folder: Path) -> Manifest:
        """Load from an artefact folder. Raises OSError, ValueError or TypeError where it is not one."""
        return Manifest(**json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8")))


def files_below(folder: Path) -> dict[str, int]:
    """Relative path -> size of every file in a folder, the manifest left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
    sizes.pop(MANIFEST_NAME, None)
    return sizes

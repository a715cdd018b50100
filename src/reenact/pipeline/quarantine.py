"""The list of items that failed, with their reasons: one JSON line each, appended whole."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from reenact.pipeline.errors import store_error
from reenact.pipeline.locks import locked
from reenact.pipeline.run_item import ItemResult

QUARANTINE_NAME = "quarantine.jsonl"
TRACEBACKS = "quarantine.tracebacks"
"""A stage cannot be called so, because of the dot."""


class Quarantine:
    """``<root>/quarantine.jsonl``, with the tracebacks of bugs in ``<root>/quarantine.tracebacks/``.

    Safe for concurrent runs.

    A line is a failure (item, stage, error, message, hint, traceback) or, when a later run brought the item
    through, its release (item, released). The last line about an item counts.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.path = self.root / QUARANTINE_NAME

    def note(self, result: ItemResult) -> None:
        """Add the item if it failed; release it if it had failed before and is done now.

        Raises:
            DiskFullError, NoPermissionError, StoreError.
        """
        if result.failure is not None:
            self._append(self._failure_row(result))
        elif result.item_id in self.entries():
            self._append({"item": result.item_id, "released": True})

    def entries(self) -> dict[str, dict[str, Any]]:
        """Item id -> its latest failure, released ones left out. A line torn by a crash is passed over."""
        found: dict[str, dict[str, Any]] = {}
        if not self.path.exists():
            return found
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            if row.get("released"):
                found.pop(row["item"], None)
            else:
                found[row["item"]] = row
        return found

    def _failure_row(self, result: ItemResult) -> dict[str, Any]:
        failure = result.failure
        assert failure is not None
        row = {
            "item": result.item_id,
            "stage": failure.stage,
            "error": failure.error,
            "message": failure.message,
            "hint": failure.hint,
            "exit_code": failure.exit_code,
            "traceback": None,
        }
        if failure.traceback:
            name = hashlib.sha256(f"{result.item_id}\0{failure.stage}".encode()).hexdigest()[:16] + ".txt"
            row["traceback"] = f"{TRACEBACKS}/{name}"
            self._write(self.root / TRACEBACKS / name, failure.traceback.encode(), os.O_TRUNC)
        return row

    def _append(self, row: dict[str, Any]) -> None:
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        self._make_folder(self.root)
        with locked(self.root / ".lock-quarantine"):
            self._write(self.path, (b"\n" if self._ends_torn() else b"") + line, os.O_APPEND)

    def _ends_torn(self) -> bool:
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise store_error(error, folder) from error

    def _write(self, path: Path, data: bytes, mode: int) -> None:
        self._make_folder(path.parent)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o644)
            try:
                os.write(handle, data)
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise store_error(error, path) from error

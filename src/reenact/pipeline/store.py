"""Artefacts on disk: complete under their key, or absent.

``<root>/<stage>/<key>/`` holds a finished artefact and is never changed. While it is made it is called
``.tmp-<key>`` and its maker holds the lock ``.lock-<key>``; whoever gets the lock and finds such a folder knows that
its maker died. Order of a commit: write all, sync files and folders, rename, sync the parent. (Any shorter order
can leave a torn or missing artefact that was reported as done when the power fails.)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from reenact.pipeline.errors import StageOutputError, StoreError, store_error
from reenact.pipeline.locks import locked
from reenact.pipeline.manifest import MANIFEST_NAME, Manifest

TMP, LOCK, OLD = ".tmp-", ".lock-", ".old-"


class ArtefactStore:
    """Artefacts below one root folder. Any number of processes may use the same root at the same time."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def folder(self, stage: str, key: str) -> Path:
        """Where the artefact is, or will be."""
        return self.root / stage / key

    def has(self, stage: str, key: str) -> bool:
        """True where the artefact is finished."""
        return (self.folder(stage, key) / MANIFEST_NAME).is_file()

    def manifest(self, stage: str, key: str) -> Manifest:
        """What a finished artefact says about itself. Raises StoreError where it is absent or unreadable."""
        try:
            return Manifest.read(self.folder(stage, key))
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"no readable artefact {stage}/{key[:12]}: {error}", hint="run it again"
            ) from error

    def add(self, stage: str, key: str, make: Callable[[Path], None], *, force: bool = False) -> bool:
        """Have ``make`` fill a folder and keep it under the key; False where it was there already.

        ``make`` must write ``manifest.json`` last. If another process is making the same artefact, wait for it.
        With ``force`` a finished artefact is made again and replaced.

        Raises:
            DiskFullError, NoPermissionError, StoreError: from the store's own work; what ``make`` raises passes.
            StageOutputError: ``make`` wrote no manifest.
        """
        if self.has(stage, key) and not force:
            return False
        parent = self.root / stage
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise store_error(error, parent) from error
        with locked(parent / f"{LOCK}{key}"):
            if self.has(stage, key) and not force:  # another process made it while we waited
                return False
            self._make_and_commit(parent, key, make)
        return True

    def _make_and_commit(self, parent: Path, key: str, make: Callable[[Path], None]) -> None:
        partial, final, old = parent / f"{TMP}{key}", parent / key, parent / f"{OLD}{key}"
        try:
            for leftover in (partial, old):  # we hold the lock, so that their maker is dead
                if leftover.exists():
                    shutil.rmtree(leftover)
            partial.mkdir()
        except OSError as error:
            raise store_error(error, partial) from error
        try:
            make(partial)
            if not (partial / MANIFEST_NAME).is_file():
                raise StageOutputError(f"the maker of {parent.name}/{key[:12]} wrote no {MANIFEST_NAME}")
            try:
                commit(partial, final, old)
            except OSError as error:
                raise store_error(error, final) from error
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def sweep(self) -> int:
        """Remove folders and locks that dead runs left behind, not those of living ones. Number of folders."""
        removed = 0
        for leftover in self._leftovers():
            key = leftover.name.split("-", 1)[1]
            with locked(leftover.parent / f"{LOCK}{key}", wait=False) as is_ours:
                if is_ours and leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
                    removed += 1
        return removed

    def _leftovers(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        found: list[Path] = []
        for stage in self.root.iterdir():
            if stage.is_dir():
                with os.scandir(stage) as entries:
                    found += [stage / e.name for e in entries if e.name.startswith((TMP, OLD, LOCK))]
        return found


def commit(partial: Path, final: Path, old: Path) -> None:
    """Make the folder durable, then give it its name; an artefact that has the name already is moved to ``old``."""
    for folder, _, files in os.walk(partial, topdown=False):
        for name in files:
            sync(Path(folder) / name)
        sync(Path(folder))
    if final.exists():
        os.rename(final, old)
    os.rename(partial, final)
    sync(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def sync(path: Path) -> None:
    """Have the disk hold a file's or a folder's content before going on."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Atomic writing: a file or folder is there whole, or not at all, even after kill -9 or a power cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from reenact.errors import SetupError


def fsync_path(path: Path) -> None:
    """Force a file's or folder's entry to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_tree(folder: Path) -> None:
    """Force every file below the folder, and the folders themselves, to the disk."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            fsync_path(Path(root) / name)
        fsync_path(Path(root))


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a path beside the target to write to; on success it is fsynced and renamed over the target.

    Raises `SetupError` when the disk is full or not writable; other errors pass through. Nothing is left behind.
    """
    path = Path(path)
    beside = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        fsync_path(beside)
        os.replace(beside, path)
        fsync_path(path.parent)
    except OSError as error:
        raise named_disk_error(error, path) from error
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside the target to fill; on success it is fsynced and renamed to the target.

    A target that already exists is replaced. Raises `SetupError` when the disk is full or not writable.
    """
    path = Path(path)
    beside = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        beside.mkdir(parents=True)
        yield beside
        fsync_tree(beside)
        if path.exists():
            old = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-old-{path.name}")
            os.replace(path, old)
            os.replace(beside, path)
            shutil.rmtree(old)
        else:
            os.replace(beside, path)
        fsync_path(path.parent)
    except OSError as error:
        raise named_disk_error(error, path) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def named_disk_error(error: OSError, path: Path) -> Exception:
    """A `SetupError` for a full or read-only disk; any other error is given back as it is."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupError(
            f"no space left on the disk while writing {path}", hint="free space or choose another --out"
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return SetupError(f"may not write {path}: {error.strerror}", hint="choose a writable --out")
    return error

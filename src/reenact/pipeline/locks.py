"""A lock on a name, held through a file and freed by the system when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reenact.pipeline.errors import store_error


def _take(path: Path, *, wait: bool) -> int | None:
    """Descriptor of the locked file, or None where another holds it and we do not wait."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise store_error(error, path) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError as error:
            os.close(handle)
            raise store_error(error, path) from error
        if _is_same_file(handle, path):
            return handle
        os.close(handle)  # the last holder removed the file between our open and our lock: take the new one


def _is_same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock (and remove its file at the end); yields False where another holds it and ``wait`` is off.

    Locks of a killed process are freed at once, whatever killed it.

    Raises:
        DiskFullError, NoPermissionError, StoreError: the lock file cannot be made or locked.
    """
    handle = _take(path, wait=wait)
    if handle is None:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)

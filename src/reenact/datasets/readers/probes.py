"""Looks into containers for names without trusting them: a file that is damaged simply holds none."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path


def npz_names(path: Path) -> set[str]:
    """Array names of an `.npz`, without suffix; empty for any other file."""
    if path.suffix != ".npz" or not path.is_file():
        return set()
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError):
        return set()


def tar_names(path: Path) -> set[str]:
    """Member names of a `.tar` without folders; empty for any other file."""
    if path.suffix != ".tar" or not path.is_file():
        return set()
    try:
        with tarfile.open(path) as archive:
            return {Path(name).name for name in archive.getnames()}
    except (tarfile.TarError, OSError):
        return set()


def hdf5_shapes(path: Path, names: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Shapes of those named things that are there (groups: an empty one); empty for files that are no HDF5."""
    import h5py

    if path.suffix not in (".hdf5", ".h5") or not path.is_file():
        return {}
    try:
        with h5py.File(path, "r") as file:
            return {name: tuple(getattr(file[name], "shape", ())) for name in names if name in file}
    except OSError:
        return {}

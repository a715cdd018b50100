"""The two model files: found in the cache, or taken once out of the official mediapipe wheel.

The wheel is only a container: it is fetched by name through the package index the user's pip is set up
with, two files are unzipped, checked against pinned SHA-256 sums, and the wheel is thrown away. Both
files are Apache-2.0 (MediaPipe, Google).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reenact.errors import SetupError
from reenact.perception.hands.wheel import WHEEL_REQUIREMENT, download_wheel


@dataclass(frozen=True)
class ModelFile:
    """One pinned model file."""

    name: str
    member: str
    """Path inside the wheel."""
    sha256: str


PALM_MODEL = ModelFile(
    "palm_detection_full.tflite",
    "mediapipe/modules/palm_detection/palm_detection_full.tflite",
    "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
)
LANDMARK_MODEL = ModelFile(
    "hand_landmark_full.tflite",
    "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
)
MODEL_FILES = (PALM_MODEL, LANDMARK_MODEL)


class HandModelsMissing(SetupError):
    """The model files are not in the cache and could not be fetched."""


class HandModelCorrupt(SetupError):
    """A model file is not the pinned one."""


def default_cache_dir() -> Path:
    """The platform's user cache folder for this package's hand models."""
    home = Path.home()
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = home / "AppData" / "Local"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")  # rule: allowed, XDG standard
    return base / "reenact" / "hand_models"


def cached_model_files(cache_dir: Path | None = None) -> tuple[Path, ...] | None:
    """The paths of both files if they lie in the cache with the right sums, else None. Never downloads.

    Raises:
        HandModelCorrupt: a file of that name lies there and is another one.
    """
    folder = cache_dir or default_cache_dir()
    paths = tuple(folder / model.name for model in MODEL_FILES)
    if not all(path.is_file() for path in paths):
        return None
    for path, model in zip(paths, MODEL_FILES, strict=True):
        _check(path.read_bytes(), model, str(path))
    return paths


def ensure_model_files(
    cache_dir: Path | None = None, *, fetch_wheel: Callable[[Path], Path] = download_wheel
) -> tuple[Path, Path]:
    """(palm, landmark) model paths; on first use they come from an installed mediapipe or the wheel.

    ``fetch_wheel(folder)`` puts the wheel in the folder and returns its path.

    Raises:
        HandModelsMissing: not cached, and the wheel could not be fetched; the message says how to place them.
        HandModelCorrupt: a file's SHA-256 is not the pinned one.
    """
    folder = cache_dir or default_cache_dir()
    if cached_model_files(folder) is None:
        contents = _from_installed_mediapipe() or _from_wheel(folder, fetch_wheel)
        for model, content in zip(MODEL_FILES, contents, strict=True):
            _write_atomically(folder / model.name, content)
    palm, landmark = (folder / model.name for model in MODEL_FILES)
    return palm, landmark


def placing_hint(folder: Path) -> str:
    """What to do by hand on a machine without a network."""
    copies = " ; ".join(f"{m.member} -> {folder / m.name} (sha256 {m.sha256})" for m in MODEL_FILES)
    return (
        "with a network, run again; without one, run on a machine that has it: pip download --no-deps "
        f"--only-binary=:all: --python-version 3.11 --platform manylinux_2_28_x86_64 {WHEEL_REQUIREMENT} ; "
        f"the wheel is a zip archive; copy out of it: {copies}"
    )


def _from_wheel(folder: Path, fetch_wheel: Callable[[Path], Path]) -> list[bytes]:
    with tempfile.TemporaryDirectory(prefix="reenact-wheel-") as scratch:
        try:
            wheel = fetch_wheel(Path(scratch))
        except SetupError as error:
            raise HandModelsMissing(
                f"the hand model files are not in {folder} and {error.message}", hint=placing_hint(folder)
            ) from error
        try:
            with zipfile.ZipFile(wheel) as archive:
                contents = [archive.read(model.member) for model in MODEL_FILES]
        except (zipfile.BadZipFile, KeyError) as error:
            raise HandModelCorrupt(
                f"{wheel.name} does not hold the hand model files: {error}", hint=placing_hint(folder)
            ) from error
    for model, content in zip(MODEL_FILES, contents, strict=True):
        _check(content, model, f"{wheel.name}:{model.member}")
    return contents


def _from_installed_mediapipe() -> list[bytes] | None:
    """The same files beside an installed mediapipe (never imported), if they are the pinned ones."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent.parent
    contents = []
    for model in MODEL_FILES:
        path = root / model.member
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != model.sha256:
            return None
        contents.append(path.read_bytes())
    return contents


def _check(content: bytes, model: ModelFile, where: str) -> None:
    actual = hashlib.sha256(content).hexdigest()
    if actual != model.sha256:
        raise HandModelCorrupt(
            f"{where} has SHA-256 {actual}, expected {model.sha256}",
            hint="delete the file and run again; a changed file is never used",
        )


def _write_atomically(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise HandModelsMissing(
            f"cannot write the hand model file {path}: {error}",
            hint="give a writable folder as cache_dir",
        ) from error

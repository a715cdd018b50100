"""Fetch the mediapipe wheel as a file, through the package index, without installing anything."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from reenact.errors import SetupError

WHEEL_REQUIREMENT = "mediapipe==0.10.21"
PLATFORM_TAGS = ("manylinux_2_28_x86_64", "macosx_11_0_universal2", "win_amd64")
"""Any platform's wheel holds the same model files; the first the index offers is taken."""
_TIMEOUT_S = 600


class WheelNotFetched(SetupError):
    """The package index could not give the wheel."""


def download_wheel(folder: Path) -> Path:
    """Download the wheel into ``folder`` by pip (or, where pip is absent, uv) and return its path.

    Raises:
        WheelNotFetched: no pip and no uv, or the index gave no wheel (the last lines of the tool are quoted).
    """
    complaints = []
    for tag in PLATFORM_TAGS:
        command = _pip_command(folder, tag)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise WheelNotFetched(f"{WHEEL_REQUIREMENT} could not be fetched: {error}") from error
        wheels = sorted(folder.rglob("mediapipe-*.whl"))
        if done.returncode == 0 and wheels:
            return wheels[0]
        complaints.append(f"[{tag}] " + " ".join(done.stderr.strip().splitlines()[-2:]))
    raise WheelNotFetched(f"{WHEEL_REQUIREMENT} could not be fetched: " + " ".join(complaints))


def _pip_command(folder: Path, tag: str) -> list[str]:
    options = ["download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"]
    options += ["--platform", tag, "--dest", str(folder), "--disable-pip-version-check"]
    options += ["--retries", "2", WHEEL_REQUIREMENT]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", *options]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise WheelNotFetched("neither pip nor uv is there to fetch the wheel they come from")
    return [uv, "tool", "run", "pip", *options]

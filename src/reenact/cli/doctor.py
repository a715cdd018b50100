"""`reenact doctor`: what this machine has, what is missing, and the one line that gets it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reenact import __version__
from reenact.cli.output import emit, parse
from reenact.errors import ReenactError

DESCRIPTION = """Check Python, packages, offscreen GL, hand models, disk and browser.

Exit code 4 when the demo cannot run."""
NEEDED = (
    "numpy",
    "scipy",
    "mujoco",
    "mink",
    "av",
    "cv2",
    "pyarrow",
    "h5py",
    "hdf5plugin",
    "safetensors",
    "tyro",
)
LEAST_FREE_GB = 1.0


@dataclass(frozen=True)
class DoctorOptions:
    """Options of `reenact doctor`."""

    out: Path = Path(".")
    """Folder whose disk is looked at."""
    json: bool = False
    """Print one JSON object instead of words."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    fix: str = ""
    """What to do about it; empty when all is well."""
    needed: bool = True
    """Whether the main job needs it."""


def run(args: Sequence[str]) -> int:
    """Look at everything, print, say whether the demo can run."""
    options = parse(DoctorOptions, "doctor", args, DESCRIPTION)
    findings = [
        _python(),
        *_packages(),
        _gl(),
        _hand_models(),
        _hand_runner(),
        _disk(options.out),
        _browser(),
    ]
    healthy = all(f.ok for f in findings if f.needed)
    words: dict[str, Any] = {
        "reenact": __version__,
        "healthy": healthy,
        "findings": [vars(f) for f in findings],
    }
    emit(words, _lines(findings, healthy), options.json)
    return 0 if healthy else 4


def _lines(findings: list[Finding], healthy: bool) -> list[str]:
    lines = [f"reenact {__version__}"]
    for f in findings:
        mark = "ok     " if f.ok else ("MISSING" if f.needed else "absent ")
        lines.append(f"  {mark} {f.name}: {f.found}")
        if f.fix and not f.ok:
            lines.append(f"          -> {f.fix}")
    lines.append("all that `reenact demo` needs is here" if healthy else "`reenact demo` cannot run yet")
    return lines


def _python() -> Finding:
    return Finding("python", True, f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _packages() -> list[Finding]:
    names = {"cv2": "opencv-python-headless"}
    findings = []
    for module in NEEDED:
        name = names.get(module, module)
        here = importlib.util.find_spec(module) is not None
        try:
            version = importlib.metadata.version(name) if here else "not installed"
        except importlib.metadata.PackageNotFoundError:
            version = "from another distribution"
        findings.append(Finding(name, here, version, f"pip install {name}"))
    return findings


def _gl() -> Finding:
    from reenact.rendering.gl import choose_backend

    try:
        return Finding("offscreen GL", True, choose_backend().name)
    except ReenactError as error:
        return Finding("offscreen GL", False, error.message, error.hint)


def _hand_models() -> Finding:
    from reenact.perception.hands.weights import cached_model_files

    found = cached_model_files()
    if found is not None:
        return Finding("hand models", True, str(found[0].parent))
    fix = "fetched on first use (8 MB, through the package index); or see docs/hands.md to place them by hand"
    return Finding("hand models", False, "not in the cache", fix, needed=False)


def _hand_runner() -> Finding:
    here = importlib.util.find_spec("ai_edge_litert") is not None
    found = "LiteRT" if here else "LiteRT is absent; OpenCV's slower runner is used"
    return Finding(
        "hand nets run on", True, found, "" if here else 'pip install "reenact[hands]"', needed=False
    )


def _disk(out: Path) -> Finding:
    folder = out.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    return Finding(
        "free disk",
        free > LEAST_FREE_GB,
        f"{free:.1f} GB at {folder}",
        "free some space, or use another --out",
    )


def _browser() -> Finding:
    found = next((b for b in ("chromium", "google-chrome", "firefox") if shutil.which(b)), None)
    return Finding(
        "browser", found is not None, found or "none found", "any browser opens report.html", needed=False
    )

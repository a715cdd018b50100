"""`reenact view RUN`: open the report of a run in the browser, or print where it is."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reenact.cli.output import emit, parse
from reenact.errors import InputError

DESCRIPTION = """Open the report of a run (or of one clip of it) in the browser. The page needs no network."""


@dataclass(frozen=True)
class ViewOptions:
    """Options of `reenact view`."""

    path: tyro.conf.Positional[Path]
    """A run folder, a clip's folder in it, or a report.html."""
    open: bool = True
    """Open the browser; with --no-open only print the path."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, find, open."""
    options = parse(ViewOptions, "view", args, DESCRIPTION)
    reports = find_reports(options.path)
    if options.open:
        webbrowser.open(reports[0].resolve().as_uri())
    emit({"reports": [str(p) for p in reports]}, [str(p) for p in reports], options.json)
    return 0


def find_reports(path: Path) -> list[Path]:
    """Reports at or below the path; raises `InputError` when there is none."""
    if path.is_file() and path.suffix == ".html":
        return [path]
    found = sorted(p for p in path.glob("*/report.html")) if path.is_dir() else []
    found = [path / "report.html"] if (path / "report.html").is_file() else found
    if not found:
        raise InputError(
            f"no report.html at {path}", hint="give a folder that `reenact run` or `reenact demo` made"
        )
    return found

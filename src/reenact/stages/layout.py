"""How a run folder looks to people, and how finished artefacts get there.

OUT/.store/<stage>/<key>/       the artefacts themselves; the rest can be made from them at any time
OUT/.store/quarantine.jsonl     clips that failed, and why
OUT/<clip>/scene/               clip, camera, landmarks, hands_raw, hands (JSON + safetensors)
OUT/<clip>/ego/                 ego.mp4, notes.json (with --ego; the camera itself is scene/ego)
OUT/<clip>/<robot>/             trajectory.npz, trajectory.csv, notes.json, replay.mp4
OUT/<clip>/report.html          open this
OUT/<clip>/quality.json         the report's numbers
OUT/datasets/<robot>/           LeRobot v3.0, all clips of the run
OUT/summary.json                what happened
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from reenact.records.files import atomic_folder, named_disk_error

STORE = ".store"
SEGMENTS = ".segments"
DATASETS = "datasets"
SUMMARY = "summary.json"
REPORT = "report.html"
QUALITY = "quality.json"


def publish(target: Path, files: Mapping[str, Path]) -> None:
    """Make a folder of links (copies where links cannot be) to finished files, by relative path; replaces the old one.

    A folder that already shows exactly these files is left alone.
    """
    if _shows(target, files):
        return
    with atomic_folder(target) as folder:
        for name, source in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            _link(source, place)


def publish_file(target: Path, source: Path) -> None:
    """Make one link (or copy), replacing what had the name."""
    if target.is_file() and _same(target, source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".tmp-{uuid.uuid4().hex[:8]}-{target.name}")
    try:
        _link(source, beside)
        os.replace(beside, target)
    except OSError as error:
        raise named_disk_error(error, target) from error


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:
        shutil.copy2(source, place)


def _shows(target: Path, files: Mapping[str, Path]) -> bool:
    if not target.is_dir():
        return False
    there = {p.relative_to(target).as_posix(): p for p in target.rglob("*") if p.is_file()}
    return there.keys() == files.keys() and all(_same(there[name], files[name]) for name in files)


def _same(a: Path, b: Path) -> bool:
    if a.samefile(b):
        return True
    return a.stat().st_size == b.stat().st_size and a.read_bytes() == b.read_bytes()

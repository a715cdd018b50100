"""Which videos a user means: files, folders of videos, folders of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reenact.errors import InputError

VIDEO_ENDINGS = frozenset(
    {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".3gp"}
)
PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png"})


class NoSuchInput(InputError):
    """A path that is not there, or a folder without videos."""


def find_videos(paths: Sequence[Path]) -> list[Path]:
    """Files as they are; a folder's videos (also in its subfolders), or the folder itself if it holds pictures.

    Raises `NoSuchInput` naming the path.
    """
    if not paths:
        raise NoSuchInput("no video was given", hint="reenact run VIDEO --robot unitree_g1_dex3")
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise NoSuchInput(f"no such file: {path}", hint="check the path")
        found += _in_folder(path) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _in_folder(folder: Path) -> list[Path]:
    videos = sorted(p for p in folder.rglob("*") if p.suffix.lower() in VIDEO_ENDINGS and p.is_file())
    if videos:
        return videos
    if any(p.suffix.lower() in PICTURE_ENDINGS for p in folder.iterdir()):
        return [folder]
    raise NoSuchInput(
        f"no videos in {folder}",
        hint=f"looked for {', '.join(sorted(VIDEO_ENDINGS))}, or pictures directly inside",
    )

"""Scenes to retarget, wherever they lie: scene and run folders, toy clips, published sets through their readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from reenact.datasets.readers.episode import FRAME_INDEX_ONLY, HumanEpisode
from reenact.datasets.readers.registry import READERS, open_dataset
from reenact.errors import InputError, NoResultError
from reenact.scene import ContactTracks, HandTracks, ObjectTracks, Scene
from reenact.stages.clip import PREVIEW_NAME


class NoScene(InputError):
    """A path that holds nothing to retarget."""


class NoHandsInScene(NoResultError):
    """A scene without hand tracks."""


@dataclass(frozen=True)
class SourceScene:
    """What a retargeting needs of a clip, and the video to show beside the robot where there is one."""

    name: str
    t_ns: Int64[np.ndarray, " t"]
    hands: HandTracks
    objects: ObjectTracks | None = None
    contacts: ContactTracks | None = None
    video: Path | None = None
    """One frame per scene frame."""


def find_scenes(source: str, fps_hz: float | None = None) -> list[SourceScene]:
    """The scenes that a user means.

    Args:
        source: a scene folder, a toy clip's folder, a clip's folder of a run or the whole run, or files of a published
            set (`taco:PATH` names the reader, where two could be meant).
        fps_hz: rate of sets that publish neither times nor a rate.

    Raises:
        NoScene: nothing there; the message says what was looked for.
        NoHandsInScene: a scene without hands.
        UnknownFormat, DamagedSource, NeedsHandModel: from the readers.
    """
    reader, colon, rest = source.partition(":")
    if colon and reader in READERS:
        return _episodes(Path(rest), reader, fps_hz)
    path = Path(source)
    if not path.exists():
        raise NoScene(
            f"no such file or folder: {source}", hint="a scene folder, a run, or files of a published set"
        )
    folders = list(scene_folders(path))
    if folders:
        names = [scene_name(folder) for folder in folders]
        return [_load(folder, name) for folder, name in zip(folders, names, strict=True)]
    return _episodes(path, None, fps_hz)


def scene_folders(path: Path) -> Iterator[Path]:
    """Folders that hold a scene's records: the path itself, a toy clip's truth, a clip's scene, a run's scenes."""
    for folder in (path, path / "truth", path / "scene"):
        if (folder / "clip.json").is_file():
            yield folder
            return
    yield from sorted(p.parent for p in path.glob("*/scene/clip.json"))


def scene_name(folder: Path) -> str:
    """The clip's folder is what a user called it."""
    inner = folder.name in ("truth", "scene")
    return safe_name((folder.parent if inner else folder).resolve().name)


def safe_name(text: str) -> str:
    """Letters, digits, dots, dashes and underscores only."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._") or "clip"


def _load(folder: Path, name: str) -> SourceScene:
    scene = Scene.load(folder)
    hands = scene.last_hands
    if hands is None:
        raise NoHandsInScene(f"{folder} has no hands", hint="run the `hands` stage first: reenact run VIDEO")
    video = next((p for p in clip_videos(folder) if p.is_file()), None)
    return SourceScene(name, scene.clip.t_ns, hands, scene.objects, scene.contacts, video)


def clip_videos(folder: Path) -> Iterator[Path]:
    """Where the clip's small copy may lie: beside the scene, or in the run's store under the same clip record."""
    yield folder / PREVIEW_NAME
    if folder.name == "truth":
        yield folder.parent / "video.mp4"
    record = folder / "clip.json"
    for stored in sorted(folder.parent.parent.glob(".store/clip/*/clip.json")):
        if stored.samefile(record) or stored.read_bytes() == record.read_bytes():
            yield stored.parent / PREVIEW_NAME


def _episodes(path: Path, reader: str | None, fps_hz: float | None) -> list[SourceScene]:
    found = []
    for episode in open_dataset(path, reader):
        if not isinstance(episode, HumanEpisode):
            raise NoScene(
                f"{path.name} ({episode.provenance.format}) holds a robot's motion, no hands",
                hint="retargeting starts from a person's hands",
            )
        t_ns = episode.t_ns
        if episode.time_source == FRAME_INDEX_ONLY:
            if fps_hz is None:
                raise NoScene(
                    f"{path.name} tells neither times nor a rate", hint="give the rate: --source-fps 30"
                )
            t_ns = np.rint(np.arange(len(t_ns)) * 1e9 / fps_hz).astype(np.int64)
        name = safe_name(episode.episode_id)
        found.append(SourceScene(name, t_ns, episode.joints(), episode.objects))
    if not found:
        raise NoScene(f"{path} holds no episode")
    names = [s.name for s in found]
    return [s if names.count(s.name) == 1 else replace(s, name=f"{s.name}_{i}") for i, s in enumerate(found)]

"""Existing datasets written anew: converted between layouts, appended to, merged. Always beside, then renamed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from reenact import __version__
from reenact.datasets.lerobot.episode import Episode
from reenact.datasets.lerobot.folder import LeRobotFolder
from reenact.datasets.lerobot.layout import DatasetConfig, Version, write_json
from reenact.datasets.lerobot.modality import openpi_mapping
from reenact.datasets.lerobot.staging import fingerprint, open_staging, require_alike
from reenact.datasets.lerobot.writer_v3 import build_v3, required
from reenact.datasets.lerobot.writer_v21 import ANNOTATION, build_v21
from reenact.errors import InputError

BUILDERS = {"v3.0": build_v3, "v2.1": build_v21}


class CannotMerge(InputError):
    """Datasets that cannot share columns, rate or robot."""


def write_dataset(
    folder: Path,
    episodes: Iterable[Episode],
    *,
    version: Version = "v3.0",
    robot_type: str | None,
    provenance: dict[str, Any],
    config: DatasetConfig | None = None,
    openpi: bool = False,
    resume: bool = True,
) -> dict[str, Any]:
    """Write in either layout; `openpi` adds its mapping to v3.0 too. Errors as `write_v3`."""
    config = config or DatasetConfig()
    with open_staging(Path(folder), config, resume=resume) as staging:
        first, parts = staging.stage(episodes)
        info = BUILDERS[version](staging, required(first), parts, robot_type, provenance, config)
        if openpi:
            write_json(staging.built / "meta" / "openpi.json", openpi_mapping(info))
        staging.publish()
    return info


def convert_dataset(
    source: Path,
    target: Path,
    version: Version,
    *,
    config: DatasetConfig | None = None,
    openpi: bool = False,
    only: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Write `source` (or `only` these episodes of it, by index) anew as v3.0 or v2.1.

    Videos are copied by packets where they can be cut, unless `config` asks for another codec.

    Raises:
        NotADataset, UnreadableTable: the source is none, or damaged.
        NoResultError: none of the episodes asked for is there.
    """
    folder = LeRobotFolder(source)
    own = coding_config(folder)
    config = config or own
    must_code = (config.codec, config.quality, config.keyframe_every) != (
        own.codec,
        own.quality,
        own.keyframe_every,
    )
    return write_dataset(
        target,
        (_recoded(e) if must_code else e for e in plain_episodes(folder, only)),
        version=version,
        robot_type=folder.robot_type,
        provenance=carried(folder),
        config=config,
        openpi=openpi,
    )


def _recoded(episode: Episode) -> Episode:
    footage = tuple(dataclasses.replace(f, coded=None) for f in episode.footage)
    return dataclasses.replace(episode, footage=footage)


def append_episodes(
    folder: Path, episodes: Iterable[Episode], *, config: DatasetConfig | None = None
) -> dict[str, Any]:
    """Add episodes to an existing dataset. One that is there already (same id, same numbers) is not added again, so
    that a killed append is simply repeated.

    Raises:
        RecordError: an episode does not fit the dataset, or its id is taken by other numbers.
    """
    old = LeRobotFolder(folder)
    config = config or coding_config(old)
    known = {e["id"]: e["fingerprint"] for e in old.provenance.get("episodes", [])}

    def all_of_them() -> Iterator[Episode]:
        first = None
        for first in plain_episodes(old):
            yield first
        for episode in episodes:
            if first is not None:
                require_alike(first, episode)
            if known.get(episode.episode_id) == fingerprint(episode, config):
                continue
            if episode.episode_id in known:
                raise CannotMerge(
                    f"{folder.name} has another episode {episode.episode_id!r}",
                    hint="give the new one its own id",
                )
            yield episode

    version: Version = "v3.0" if old.version == "v3.0" else "v2.1"
    return write_dataset(
        folder,
        all_of_them(),
        version=version,
        robot_type=old.robot_type,
        provenance=carried(old),
        config=config,
        openpi=(folder / "meta" / "openpi.json").is_file(),
    )


def merge_datasets(
    sources: Sequence[Path], target: Path, version: Version = "v3.0", *, config: DatasetConfig | None = None
) -> dict[str, Any]:
    """All episodes of all sources as one dataset.

    Raises:
        CannotMerge: robot, rate or columns differ; the message names the first difference.
    """
    folders = [LeRobotFolder(path) for path in sources]
    _require_mergeable(folders)

    order = [f.name for f in folders[0].features if f.name != ANNOTATION.name]

    def episodes() -> Iterator[Episode]:
        seen: set[str] = set()
        for k, folder in enumerate(folders):
            for episode in plain_episodes(folder):
                name = episode.episode_id if episode.episode_id not in seen else f"{k}/{episode.episode_id}"
                seen.add(name)
                own = {f.name: f for f in episode.features}
                same_order = tuple(own[column] for column in order)
                yield dataclasses.replace(episode, episode_id=name, features=same_order)

    first = folders[0]
    provenance = carried(first)
    provenance["merged"] = [f.root.name for f in folders]
    provenance["clips"] = {k: v for f in folders for k, v in f.provenance.get("clips", {}).items()}
    return write_dataset(
        target,
        episodes(),
        version=version,
        robot_type=first.robot_type,
        provenance=provenance,
        config=config or coding_config(first),
    )


def plain_episodes(folder: LeRobotFolder, only: Sequence[int] | None = None) -> Iterator[Episode]:
    """A dataset's episodes without the column that v2.1 adds for GR00T (it repeats `task_index`)."""
    for row in folder.rows:
        if only is not None and row.index not in only:
            continue
        episode = folder.episode(row)
        features = tuple(f for f in episode.features if f.name != ANNOTATION.name)
        columns = {f.name: episode.columns[f.name] for f in features}
        yield dataclasses.replace(episode, features=features, columns=columns)


def carried(folder: LeRobotFolder) -> dict[str, Any]:
    """The provenance that goes on with a dataset."""
    if not folder.provenance:
        return {"made_by": f"reenact {__version__}", "read_from": folder.root.name}
    return {k: v for k, v in folder.provenance.items() if k != "episodes"}


def coding_config(folder: LeRobotFolder) -> DatasetConfig:
    """How the dataset's videos are coded, as far as it says; our defaults else."""
    for feature in folder.info["features"].values():
        told = feature.get("info") or {}
        if told.get("video.codec") in ("h264", "av1"):
            gop, crf = told.get("video.g"), told.get("video.crf")
            return DatasetConfig(codec=told["video.codec"], keyframe_every=gop or 2, crf=crf)
    return DatasetConfig()


def _require_mergeable(folders: Sequence[LeRobotFolder]) -> None:
    first = folders[0]
    for other in folders[1:]:
        plain = [[f for f in folder.features if f.name != ANNOTATION.name] for folder in (first, other)]
        pairs = {
            "robot": (first.robot_type, other.robot_type),
            "fps": (first.fps, other.fps),
            "cameras": (first.cameras, other.cameras),
            "columns": tuple(
                tuple(sorted((f.name, f.dtype, f.shape, f.names or ()) for f in p)) for p in plain
            ),
        }
        for what, (wanted, found) in pairs.items():
            if wanted != found:
                only = _difference(wanted, found) if what == "columns" else f"{wanted} and {found}"
                raise CannotMerge(
                    f"{first.root.name} and {other.root.name} differ in {what}: {only}",
                    hint="bring them to one rate, size and set of columns first",
                )


def _difference(wanted: Any, found: Any) -> str:
    return ", ".join(sorted({row[0] for row in set(wanted) ^ set(found)}))

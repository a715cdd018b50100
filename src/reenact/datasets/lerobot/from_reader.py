"""Episodes of published sets (`datasets.readers`) as LeRobot episodes: one rate, one picture size, our column names.

A robot's state and action stay as they are. A person's hands become `human.*`, and, where a policy is to learn from
people alone, the 48 numbers of the unified action space as `observation.state` and (next step) `action`, with
`quality.slots_known` saying which slots are real.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.actions.human import encode_human
from reenact.actions.slots import UNIFIED
from reenact.actions.vector import ActionVector
from reenact.datasets.lerobot.episode import (
    POSE_NAMES,
    Episode,
    EpisodeConfig,
    Footage,
    camera_columns,
    constant_rate_rows,
    human_columns,
    letterbox,
)
from reenact.datasets.lerobot.features import Feature
from reenact.datasets.readers.episode import FRAME_INDEX_ONLY, HumanEpisode, Images, Provenance, RobotEpisode
from reenact.errors import InputError
from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.reframe.eyes import place_ego_camera
from reenact.scene import CameraTrack

Columns = list[tuple[Feature, np.ndarray]]


@dataclass(frozen=True)
class ImportConfig:
    """What becomes of a published set."""

    episode: EpisodeConfig = field(default_factory=EpisodeConfig)
    """Rate, picture size, task text where the source has none."""
    objects: bool = True
    """Object poses as `object.<id>.pose`; leave out where episodes have different objects."""
    policy: bool = True
    """For people: write the unified action space as state and action."""
    ego: Literal["source", "virtual", "auto"] = "source"
    """Camera that the wrists of the action space are seen from: the source's own, a virtual one at the person's eyes
    (`reenact.reframe`), or virtual exactly where the source's stands opposite (auto)."""


def episode_from_reader(
    episode: HumanEpisode | RobotEpisode, root: Path, config: ImportConfig | None = None
) -> Episode:
    """Resample to a constant rate and name the columns; `root` is where the source's pictures are looked for.

    Raises:
        InputError: the source tells neither times nor a rate and none was given.
        NeedsHandModel: a person's hands are MANO parameters only.
    """
    config = config or ImportConfig()
    fps = config.episode.fps or max(1, round(episode.fps_hz or 0) or 30)
    t_ns = episode.t_ns
    if isinstance(episode, HumanEpisode) and episode.time_source == FRAME_INDEX_ONLY:
        if config.episode.fps is None:
            raise InputError(
                f"{episode.episode_id!r} tells neither times nor a rate", hint="give the rate: --fps 30"
            )
        t_ns = np.rint(np.arange(len(t_ns)) * 1e9 / fps).astype(np.int64)
    rows = constant_rate_rows(t_ns, fps)
    if isinstance(episode, RobotEpisode):
        columns, images = _robot(episode, rows), episode.cameras
    else:
        timed = replace(episode, t_ns=t_ns)
        columns = list(_human(timed, rows, config))
        images = {config.episode.camera_name: episode.images[0]} if episode.images else {}
    columns.append((Feature("video_pts", "float64", (1,)), t_ns[rows] * 1e-9))
    return Episode(
        episode_id=episode.episode_id,
        task=episode.task or config.episode.task,
        fps=fps,
        features=tuple(feature for feature, _ in columns),
        columns={feature.name: values for feature, values in columns},
        footage=tuple(_footage(images, root, t_ns[rows], config.episode)),
        facts=_facts(episode.provenance),
    )


def _robot(episode: RobotEpisode, rows: np.ndarray) -> Columns:
    state = episode.state[rows]
    feature = Feature("observation.state", "float32", (state.shape[1],), episode.state_names)
    columns = [(feature, state)]
    if episode.action is not None:
        names = episode.action_names
        columns.append((Feature("action", "float32", (len(names),), names), episode.action[rows]))
    else:  # motion only: the next state is the command
        after = np.concatenate([state[1:], state[-1:]])
        columns.append((Feature("action", "float32", (state.shape[1],), episode.state_names), after))
    return columns


def _human(
    episode: HumanEpisode, rows: np.ndarray, config: ImportConfig
) -> Iterator[tuple[Feature, np.ndarray]]:
    hands = episode.joints()
    if config.policy:
        virtual = ego_camera(episode, config.ego)
        camera = virtual or episode.camera
        space = encode_human(
            hands.joints_world[rows],
            hands.valid[rows],
            np.arange(len(rows), dtype=np.int64),
            None if camera is None else camera.T_world_camera[rows],
            np.zeros(len(rows), bool) if camera is None else camera.valid[rows],
        )
        values = _held(space)
        names = UNIFIED.component_names
        yield Feature("observation.state", "float32", (len(names),), names), values
        yield Feature("action", "float32", (len(names),), names), np.concatenate([values[1:], values[-1:]])
        yield Feature("quality.slots_known", "bool", (len(UNIFIED.names),), UNIFIED.names), space.mask
        if virtual is not None:
            yield Feature("human.ego.pose", "float32", (7,), POSE_NAMES), _poses(virtual.T_world_camera[rows])
            yield Feature("human.ego.confidence", "float32", (1,)), virtual.confidence[rows]
    yield from human_columns(hands, rows)
    if episode.camera is not None:
        yield from camera_columns(episode.camera, rows, config.episode)
    if episode.head is not None:
        yield (
            Feature("human.head.pose", "float32", (7,), POSE_NAMES),
            _poses(episode.head.T_world_frame[rows]),
        )
        yield Feature("human.head.valid", "bool", (1,)), episode.head.valid[rows]
    if episode.objects is not None and config.objects:
        for k, name in enumerate(episode.objects.object_ids):
            T = episode.objects.T_world_object[rows, k]
            plain = name.replace("/", "_")
            yield Feature(f"object.{plain}.pose", "float32", (7,), POSE_NAMES), _poses(T)
            yield Feature(f"object.{plain}.valid", "bool", (1,)), episode.objects.valid[rows, k]


def ego_camera(episode: HumanEpisode, choice: Literal["source", "virtual", "auto"]) -> CameraTrack | None:
    """The virtual camera of an episode, or None where the source's own is to be used.

    Raises:
        DamagedSource: the source tells no camera, so that which way is up is not known.
        NoHandsToFollow: no hand is known in any frame.
    """
    if choice == "source":
        return None
    view = place_ego_camera(episode.scene())
    return view.camera if choice == "virtual" or view.source_view == "exo" else None


def _held(space: ActionVector) -> np.ndarray:
    """The numbers with unknown slots at their nearest known value in time (the filler where none ever is), so that a
    trainer without masks meets no leap."""
    values = space.filled(UNIFIED.filler())
    for k, slot in enumerate(UNIFIED.slots):
        known = np.flatnonzero(space.mask[:, k])
        if len(known):
            after = np.searchsorted(known, np.arange(len(values)))
            right, left = known[np.minimum(after, len(known) - 1)], known[np.maximum(after - 1, 0)]
            here = np.arange(len(values))
            nearest = np.where(np.abs(right - here) <= np.abs(here - left), right, left)
            values[:, UNIFIED.columns(slot.name)] = values[nearest][:, UNIFIED.columns(slot.name)]
    return values


def _poses(T: np.ndarray) -> np.ndarray:
    return np.concatenate([T[:, :3, 3], quat_continuous(quat_from_matrix(T[:, :3, :3]))], axis=1)


def _facts(provenance: Provenance) -> dict[str, object]:
    return {
        "source": provenance.source,
        "format": provenance.format,
        "licence": provenance.licence.name,
        "licence_note": provenance.licence.note,
        "joint_order": provenance.joint_order,
        "translated": list(provenance.translated),
        "unknown": list(provenance.unknown),
    }


def _footage(
    images: dict[str, Images], root: Path, t_ns: np.ndarray, config: EpisodeConfig
) -> Iterator[Footage]:
    size = (config.image_width_px, config.image_height_px)
    for name, image in images.items():
        path = _find(image, root)
        if path is not None:
            key = name if name.startswith("observation.images.") else f"observation.images.{name}"
            yield Footage(key, size, _frames(path, t_ns + round(image.start_s * 1e9), size))


def _find(image: Images, root: Path) -> Path | None:
    """The picture file: as named, beside the source, or (known by its hash) anywhere below the root."""
    for path in (Path(image.path), root / image.path, root.parent / image.path):
        if path.is_file() and (not image.sha256 or _hash(path) == image.sha256):
            return path
    if not image.sha256 or not root.is_dir():
        return None
    return next((p for p in sorted(root.rglob(Path(image.path).name)) if _hash(p) == image.sha256), None)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _frames(path: Path, t_ns: np.ndarray, size: tuple[int, int]) -> Callable[[], Iterator[np.ndarray]]:
    def read() -> Iterator[np.ndarray]:
        from reenact.video.reader import VideoReader

        wanted, repeats = np.unique(t_ns, return_counts=True)  # a rate above the source's shows frames twice
        for (_, rgb), times in zip(VideoReader(path, threads=1).frames(None, wanted), repeats, strict=True):
            boxed = letterbox(rgb, size)
            for _ in range(times):
                yield boxed

    return read

"""DexYCB: one camera's view of a sequence (`labels_*.npz`), or one motion in a single npz (`dexycb_motion.npz`).

Source, labels: camera axes (OpenCV), metres; `joint_3d` 1x21x3 in OpenPose-like order, fingertips of manopth
(745, 317, 444, 556, 673), filled with -1 where unlabelled; `pose_y` o x 3 x 4; side in `meta.yml`. The camera stands
still, so the frame is `camera0`; up is not known. Rate 30 Hz (the set's). The lens lies in
`calibration/intrinsics/<serial>_640x480.yml` beside the subjects; without it there is no camera record.
Source, single npz: metres, axes of one camera; joints, object mesh and pose per frame; no lens, no side word: the side
is told by the hand's shape (which way its fingers curl), or by the caller; a flat hand is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import nominal_times, rigid, rigid_or_missing
from reenact.datasets.readers.hand_shape import side_by_shape
from reenact.datasets.readers.licences import DEXYCB
from reenact.datasets.readers.plain_yaml import read_plain_yaml
from reenact.datasets.readers.probes import npz_names
from reenact.datasets.readers.tracks import camera_track, hand_tracks, object_tracks, one_hand
from reenact.hands.joints import SIDES

FPS_HZ = 30.0
SIGMA = 0.005
"""One-sigma of a wrist (m); the authors' own check of labels is of this order."""
_MISSING = -1.0
_SINGLE = {"world_hand_joints", "object_poses", "object_mesh_vertices"}


@dataclass(frozen=True)
class DexYcbConfig:
    """What the files do not say."""

    side: str = ""
    """Side of the hand in a single-npz motion; "" tells it by the hand's shape."""


def sniff(path: Path) -> bool:
    """A camera folder with labels, or a single-npz motion."""
    if path.is_dir():
        return any(path.glob("labels_*.npz")) and (path.parent / "meta.yml").is_file()
    return npz_names(path) >= _SINGLE


def read(path: Path, config: DexYcbConfig | None = None) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`."""
    config = config or DexYcbConfig()
    yield _labels(path) if path.is_dir() else _single(path, config)


def _single(path: Path, config: DexYcbConfig) -> HumanEpisode:
    with np.load(path, allow_pickle=False) as data:
        points = data["world_hand_joints"].astype(np.float64)
        side = _side(points, config)
        joints, valid = one_hand(points, side)
        T = rigid(data["object_poses"])
        mesh = (data["object_mesh_vertices"], data["object_mesh_faces"])
    return HumanEpisode(
        episode_id=path.stem,
        t_ns=nominal_times(len(joints), FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="camera0",
        provenance=_provenance(
            path.name, "single npz", ("lens and image size", "up", f"side in words ({SIDES[side]} by shape)")
        ),
        hands=hand_tracks(joints, valid, world_frame="camera0", truth=True, sigma=SIGMA),
        objects=object_tracks(["object"], T[:, None], meshes=[mesh]),
    )


def _side(points: np.ndarray, config: DexYcbConfig) -> int:
    shape = side_by_shape(points)
    if config.side and shape is not None and SIDES[shape] != config.side:
        raise DamagedSource(f"asked for a {config.side} hand, it has the shape of a {SIDES[shape]} one")
    if shape is None and not config.side:
        raise DamagedSource("the hand's shape does not tell its side", hint="name it: DexYcbConfig(side=...)")
    return shape if shape is not None else SIDES.index(config.side)


def _labels(path: Path) -> HumanEpisode:
    meta = read_plain_yaml(path.parent / "meta.yml")
    files = sorted(path.glob("labels_*.npz"))
    frames = [int(f.stem.split("_")[1]) for f in files]
    if frames != list(range(len(frames))):
        raise DamagedSource(
            f"{path.name} lacks some of its labels", hint="labels_000000.npz and on, without gaps"
        )
    sides = meta.get("mano_sides") or []
    if len(sides) != 1 or sides[0] not in SIDES:
        raise DamagedSource(f"meta.yml says mano_sides {sides}", hint="one of left, right")
    poses, hand = [], []
    for file in files:
        with np.load(file, allow_pickle=False) as data:
            hand.append(data["joint_3d"].reshape(21, 3).astype(np.float64))
            poses.append(data["pose_y"].astype(np.float64))
    joints = np.stack(hand)
    seen = ~(joints == _MISSING).all((1, 2))
    pair, valid = one_hand(joints, SIDES.index(sides[0]))
    T, known = rigid_or_missing(np.stack(poses))
    ids = [f"ycb_{int(i):02d}" for i in meta.get("ycb_ids", range(T.shape[1]))]
    lens = _intrinsics(path)
    return HumanEpisode(
        episode_id="-".join(path.parts[-3:]),
        t_ns=nominal_times(len(files), FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="camera0",
        provenance=_provenance(
            "/".join(path.parts[-3:]), "labels", ("up", "meshes (models/, kept apart)", *(() if lens else ("lens",)))
        ),
        camera=None if lens is None else camera_track(
            np.tile(np.eye(4), (len(files), 1, 1)), model="pinhole", params=lens, width_px=640, height_px=480,
            world_frame="camera0", still=True),
        hands=hand_tracks(pair, valid & seen[:, None], world_frame="camera0", truth=True, sigma=SIGMA),
        objects=object_tracks(ids, T, valid=known),
    )  # fmt: skip


def _intrinsics(path: Path) -> list[float] | None:
    file = path.parents[2] / "calibration" / "intrinsics" / f"{path.name}_640x480.yml"
    if not file.is_file():
        return None
    color: dict[str, Any] = read_plain_yaml(file)["color"]
    return [float(color[k]) for k in ("fx", "fy", "ppx", "ppy")]


def _provenance(source: str, version: str, unknown: tuple[str, ...]) -> Provenance:
    return Provenance(
        format="dexycb",
        source=source,
        version=version,
        licence=DEXYCB,
        joint_order="manopth's 21 = OpenPose-21",
        fingertips="manopth vertices 745, 317, 444, 556, 673",
        translated=("camera axes kept as camera0",),
        unknown=unknown,
    )

"""HOI4D: a clip folder (`.../T*/`) with `objpose/*.json`, and the hand pickles apart (`refinehandpose_right/...`).

Source: camera axes OpenCV, metres; object `center`, `rotation` = intrinsic XYZ Euler angles (rad), per frame; camera
trajectory `3Dseg/output.log` (Open3D log, camera-to-world) where published; lens per camera id as `intrin.npy` 3 x 3.
Hands: MANO parameters in the camera (`poseCoeff` 48, `beta`, `trans`) with `kps2D`; joints need the model. 15 Hz, 300
frames. World: the first camera's axes; with no `output.log`, each frame's camera is its own world and only objects and
hands relative to the camera are given, so the motion of the camera is marked unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from reenact.datasets.readers.episode import HumanEpisode, Images, ManoParameters, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import nominal_times, rigid
from reenact.datasets.readers.licences import HOI4D
from reenact.datasets.readers.mano import mano_parameters
from reenact.datasets.readers.restricted_unpickle import read_pickles
from reenact.datasets.readers.tracks import camera_track, object_tracks, pinhole_params
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import inverse, make_T
from reenact.hands.joints import RIGHT

FPS_HZ = 15.0


@dataclass(frozen=True)
class Hoi4dConfig:
    """Files that the set keeps elsewhere."""

    intrinsics: Path | None = None
    """`camera_params/<id>/intrin.npy`."""
    hands: Path | None = None
    """Folder of this clip's hand pickles (`<frame>.pickle`)."""


def sniff(path: Path) -> bool:
    """A clip folder."""
    return (path / "objpose").is_dir() and any((path / "objpose").glob("*.json"))


def read(path: Path, config: Hoi4dConfig | None = None) -> Iterator[HumanEpisode]:
    """The one clip; raises `DamagedSource`, `ForbiddenPickle`."""
    config = config or Hoi4dConfig()
    files = sorted((path / "objpose").glob("*.json"), key=lambda p: int(p.stem))
    if [int(f.stem) for f in files] != list(range(len(files))):
        raise DamagedSource(f"objpose of {path.name} lacks frames")
    t = len(files)
    T_camera, moves = _cameras(path, t)
    ids, names, T, seen = _objects([json.loads(f.read_text(encoding="utf-8"))["dataList"] for f in files])
    name = "-".join(path.parts[-7:])
    yield HumanEpisode(
        episode_id=name,
        t_ns=nominal_times(t, FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="camera0",
        provenance=Provenance(
            format="hoi4d", source=name, version="objpose json", licence=HOI4D,
            joint_order="MANO, parameters", fingertips="need the MANO model",
            translated=("objects from the camera to camera0", "Euler XYZ intrinsic to matrices"),
            unknown=("up", "joints without the MANO model", *(() if moves else ("motion of the camera",)),
                     *(() if config.intrinsics else ("lens",))),
        ),
        camera=None if config.intrinsics is None else camera_track(
            T_camera, model="pinhole", params=pinhole_params(np.load(config.intrinsics, allow_pickle=False)),
            width_px=1920, height_px=1080, world_frame="camera0", truth=False, valid=np.full(t, moves)),
        mano=None if config.hands is None else _hands(config.hands, T_camera, t),
        objects=object_tracks(ids, T_camera[:, None] @ T, names=names, valid=seen),
        images=(Images("align_rgb/image.mp4", 1920, 1080),),
    )  # fmt: skip


def euler_xyz_intrinsic(angles: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "3 3"]:
    """R = Rx Ry Rz; scipy's "XYZ"."""
    Rx, Ry, Rz = (so3_exp(np.eye(3)[i] * angles[i]) for i in range(3))
    return np.asarray(Rx @ Ry @ Rz)


def _objects(frames: list[list[dict[str, Any]]]) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    names = [str(item["label"]) for item in frames[0]]
    t, o = len(frames), len(names)
    T, seen = np.tile(np.eye(4), (t, o, 1, 1)), np.zeros((t, o), bool)
    for i, items in enumerate(frames):
        if [str(item["label"]) for item in items] != names:
            raise DamagedSource(f"frame {i} lists other objects than frame 0")
        for k, item in enumerate(items):
            angles = np.array([item["rotation"][a] for a in "xyz"], float)
            T[i, k] = make_T(euler_xyz_intrinsic(angles), np.array([item["center"][a] for a in "xyz"], float))
            seen[i, k] = True
    return [f"{i}_{n}" for i, n in enumerate(names)], names, T, seen


def _cameras(path: Path, t: int) -> tuple[np.ndarray, bool]:
    log = path / "3Dseg" / "output.log"
    if not log.is_file():
        return np.tile(np.eye(4), (t, 1, 1)), False
    numbers = [line.split() for line in log.read_text().splitlines() if line.strip()]
    if len(numbers) != 5 * t:
        raise DamagedSource(f"output.log holds {len(numbers) / 5:g} cameras", hint=f"{t}")
    M = np.array([row for i, row in enumerate(numbers) if i % 5], np.float64).reshape(t, 4, 4)
    T = rigid(M)
    return inverse(T[0]) @ T, True


def _hands(folder: Path, T_camera: np.ndarray, t: int) -> ManoParameters:
    files = sorted(folder.glob("*.pickle"), key=lambda p: int(p.stem))
    pose, trans, betas, known = np.zeros((t, 48)), np.zeros((t, 3)), np.zeros((t, 10)), np.zeros(t, bool)
    for file, content in zip(files, read_pickles(files) if files else [], strict=True):
        i = int(file.stem)
        if i >= t:
            raise DamagedSource(f"{file.name} is beyond the clip's {t} frames")
        pose[i], trans[i] = (
            np.asarray(content["poseCoeff"]).reshape(48),
            np.asarray(content["trans"]).reshape(3),
        )
        betas[i], known[i] = np.asarray(content["beta"]).reshape(10), True
    return mano_parameters({RIGHT: (pose, trans, betas)}, t, T_camera, valid={RIGHT: known})

"""OakInk2: `anno_preview/<sequence>.pkl` (pickle with torch tensors; read in the restricted process).

Source: mocap world, metres; `cam_extr` is world-to-camera 4 x 4 per frame, `cam_intr` 3 x 3; `obj_transf` is
object-to-world; `raw_mano`: `rh__/lh__` `pose_coeffs` 1 x 16 x 4 quaternions wxyz (root first, MANO order), `tsl`,
`betas`; whether from the flat or the mean hand the file does not say. The egocentric camera is found by the name
"egocentric" in `cam_def`, else the only one; several unnamed are refused. Up is not documented: moved to `camera0`.
Rate: the mocap runs at 120 Hz and `mocap_frame_id_list` counts its ticks. Joints need the licensed model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Provenance
from reenact.datasets.readers.errors import DamagedSource, LensUnsure
from reenact.datasets.readers.frames import rate_of, rigid, rigid_or_missing, transform_from_quat
from reenact.datasets.readers.licences import OAKINK2
from reenact.datasets.readers.mano import mano_parameters
from reenact.datasets.readers.restricted_unpickle import read_pickle
from reenact.datasets.readers.tracks import camera_track, object_tracks, pinhole_params
from reenact.geometry.transforms import inverse


@dataclass(frozen=True)
class OakInk2Config:
    """What the pickle does not say."""

    mocap_hz: float = 120.0
    """Ticks per second of `mocap_frame_id_list` (the paper's mocap rate)."""
    camera: str = ""
    """Serial of the camera to take; "" finds the egocentric one by name."""
    width_px: int = 848
    height_px: int = 480
    """Picture size of the RealSense streams."""


def sniff(path: Path) -> bool:
    """A pickle in a folder of annotations with OakInk2's sequence names."""
    return path.suffix == ".pkl" and path.parent.name.startswith("anno") and path.name.startswith("scene_")


def read(path: Path, config: OakInk2Config | None = None) -> Iterator[HumanEpisode]:
    """The one sequence; raises `DamagedSource`, `LensUnsure`, `ForbiddenPickle`."""
    config = config or OakInk2Config()
    content = read_pickle(path)
    for key in ("raw_mano", "cam_extr", "cam_intr", "obj_transf", "mocap_frame_id_list"):
        if key not in content:
            raise DamagedSource(f"{path.name} has no {key!r}", hint="annotation of OakInk2")
    ticks = [int(i) for i in content["mocap_frame_id_list"]]
    serial = _camera(content, config)
    extr, intr = content["cam_extr"][serial], content["cam_intr"][serial]
    frames = [i for i in ticks if i in extr and i in content["raw_mano"]]
    if not frames:
        raise DamagedSource(f"{path.name}: no frame has both hands and camera {serial}")
    t_ns = np.rint((np.array(frames) - frames[0]) * 1e9 / config.mocap_hz).astype(np.int64)
    T_camera_world = rigid(np.stack([np.asarray(extr[i], np.float64) for i in frames]))
    T0 = T_camera_world[0]
    yield HumanEpisode(
        episode_id=path.stem.replace("++", "-"),
        t_ns=t_ns,
        time_source="nominal rate",
        fps_hz=rate_of(t_ns),
        world_frame="camera0",
        provenance=Provenance(
            format="oakink2", source=path.name, version="anno_preview", licence=OAKINK2,
            joint_order="MANO (pinky before ring), parameters", fingertips="need the MANO model",
            translated=("world-to-camera inverted", "quaternions wxyz kept", "mocap world to camera0"),
            unknown=("up", "joints without the MANO model", "picture size (config)"),
        ),
        camera=camera_track(T0 @ inverse(T_camera_world), model="pinhole",
                            params=pinhole_params(np.asarray(intr[frames[0]] if isinstance(intr, dict) else intr)),
                            width_px=config.width_px, height_px=config.height_px, world_frame="camera0"),
        mano=mano_parameters(_hands(content["raw_mano"], frames), len(frames), T0),
        objects=_objects(content["obj_transf"], frames, T0),
    )  # fmt: skip


def _camera(content: dict[str, Any], config: OakInk2Config) -> str:
    serials = list(content["cam_extr"])
    if config.camera:
        if config.camera not in serials:
            raise LensUnsure(f"no camera {config.camera!r}", hint=", ".join(map(str, serials)))
        return config.camera
    named = [
        s for s, name in content.get("cam_def", {}).items() if "ego" in str(name).lower() and s in serials
    ]
    found = named or serials
    if len(found) != 1:
        raise LensUnsure(f"{len(found)} cameras could be the head's", hint="name one in OakInk2Config.camera")
    return str(found[0])


def _hands(raw: dict[int, Any], frames: list[int]) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    hands = {}
    for side, prefix in enumerate(("lh", "rh")):
        if all(f"{prefix}__pose_coeffs" in raw[i] for i in frames):
            quats = np.stack(
                [np.asarray(raw[i][f"{prefix}__pose_coeffs"], float).reshape(16, 4) for i in frames]
            )
            R = transform_from_quat(np.zeros((*quats.shape[:2], 3)), quats, "wxyz")[..., :3, :3]
            tsl = np.stack([np.asarray(raw[i][f"{prefix}__tsl"], float).reshape(3) for i in frames])
            betas = np.stack([np.asarray(raw[i][f"{prefix}__betas"], float).reshape(10) for i in frames])
            hands[side] = (R, tsl, betas)
    return hands


def _objects(poses: dict[str, Any], frames: list[int], T0: np.ndarray) -> Any:
    if not poses:
        return None
    T = np.zeros((len(frames), len(poses), 4, 4))
    for k, table in enumerate(poses.values()):
        for i, frame in enumerate(frames):
            if frame in table:
                T[i, k] = np.asarray(table[frame], np.float64)
    placed, known = rigid_or_missing(T)
    return object_tracks(list(map(str, poses)), T0 @ placed, valid=known)

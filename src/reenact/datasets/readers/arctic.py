"""ARCTIC `raw_seqs`: `<name>.object.npy`, `<name>.egocam.dist.npy`, `<name>.mano.npy`; read by pointing at the object file.

Source: mocap world, up not documented; camera rotation and translation are world-to-camera, metres; the object's
seven numbers are articulation (rad), axis-angle, translation in MILLIMETRES (the set's own loaders divide by 1000; the
size decides here: above 50 is mm, below 5 is m, between is refused). Moved to `camera0`. Hands are MANO parameters
(axis-angle, MANO joint order); joints come from `processed_seqs/<subject>/<name>.npy` where that lies beside (its
`world_coord`, MANO-16 then tips). Lens: 3 x 3 of the full 2800 x 2000 picture and eight distortion terms; they are kept
in `extras["distortion_8"]` and the camera is given as pinhole, so undistort before projecting. 30 Hz.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from reenact.datasets.readers.episode import HumanEpisode, ManoParameters, Provenance
from reenact.datasets.readers.errors import DamagedSource, UnitUnsure
from reenact.datasets.readers.frames import nominal_times, rigid
from reenact.datasets.readers.licences import ARCTIC
from reenact.datasets.readers.mano import mano_parameters
from reenact.datasets.readers.orders import MANO_TO_OPENPOSE, reorder
from reenact.datasets.readers.restricted_unpickle import read_pickle, read_pickles
from reenact.datasets.readers.tracks import camera_track, hand_tracks, object_tracks, pinhole_params
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import SIDES
from reenact.scene import HandTracks

FPS_HZ = 30.0
SIGMA = 0.003


@dataclass(frozen=True)
class ArcticConfig:
    """Size of the egocentric picture that the 3 x 3 is for."""

    width_px: int = 2800
    height_px: int = 2000


def sniff(path: Path) -> bool:
    """An `.object.npy` with its camera beside."""
    return path.name.endswith(".object.npy") and _beside(path, "egocam.dist").is_file()


def read(path: Path, config: ArcticConfig | None = None) -> Iterator[HumanEpisode]:
    """The one sequence; raises `UnitUnsure`, `DamagedSource`, `ForbiddenPickle`."""
    config = config or ArcticConfig()
    seven, camera = read_pickles([path, _beside(path, "egocam.dist")])
    seven = np.asarray(seven, np.float64)
    if seven.ndim != 2 or seven.shape[1] != 7:
        raise DamagedSource(f"{path.name} has shape {seven.shape}", hint="frames x 7")
    t = len(seven)
    T_camera_world = _extrinsics(camera, t)
    T0 = T_camera_world[0]
    metres, unit = to_metres(seven[:, 4:])
    T_object = T0 @ make_T(so3_exp(seven[:, 1:4]), metres)
    name = path.name.removesuffix(".object.npy")
    hands = _joints(path, name, T0, t)
    yield HumanEpisode(
        episode_id=f"{path.parent.name}-{name}",
        t_ns=nominal_times(t, FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="camera0",
        provenance=Provenance(
            format="arctic", source=f"{path.parent.name}/{name}", version="raw_seqs", licence=ARCTIC,
            joint_order="MANO (pinky before ring)", fingertips="MANO joints with tips, vertex set unknown",
            translated=("world-to-camera inverted", f"object translation from {unit}", "mocap world to camera0"),
            unknown=("up", *(() if hands else ("joints without the MANO model",)), "task in words"),
        ),
        camera=camera_track(T0 @ inverse(T_camera_world), model="pinhole",
                            params=pinhole_params(np.asarray(camera["intrinsics"], np.float64)),
                            width_px=config.width_px, height_px=config.height_px, world_frame="camera0"),
        hands=hands,
        mano=_mano(path, T0, t),
        objects=object_tracks([name.split("_")[0]], T_object[:, None]),
        extras={"articulation_rad": seven[:, 0], "distortion_8": np.asarray(camera["dist8"], np.float64).reshape(-1)},
    )  # fmt: skip


def to_metres(translation: Float64[np.ndarray, "t 3"]) -> tuple[Float64[np.ndarray, "t 3"], str]:
    """Object positions in metres and the unit found; raises `UnitUnsure` between 5 and 50."""
    size = float(np.median(np.linalg.norm(translation, axis=1)))
    if size > 50:
        return translation * 1e-3, "millimetres"
    if size < 5:
        return translation, "metres"
    raise UnitUnsure(f"objects are {size:.3g} from the origin", hint="above 50 mm, below 5 m")


def _extrinsics(camera: dict[str, Any], t: int) -> np.ndarray:
    R, x = np.asarray(camera["R_k_cam_np"], np.float64), np.asarray(camera["T_k_cam_np"], np.float64)
    if len(R) != t:
        raise DamagedSource(f"the camera has {len(R)} frames, the object {t}")
    return rigid(np.concatenate([R, x.reshape(t, 3, 1)], axis=2))


def _mano(path: Path, T0: np.ndarray, t: int) -> ManoParameters | None:
    file = _beside(path, "mano")
    if not file.is_file():
        return None
    content, hands = read_pickle(file), {}
    for side, name in enumerate(SIDES):
        if name in content:
            h = {k: np.asarray(v, np.float64) for k, v in content[name].items()}
            pose = np.concatenate([h["rot"], h["pose"]], axis=1)
            hands[side] = (pose, h["trans"], np.broadcast_to(h["shape"].reshape(-1, 10), (t, 10)))
    return mano_parameters(hands, t, T0)


def _joints(path: Path, name: str, T0: np.ndarray, t: int) -> HandTracks | None:
    file = path.parents[2] / "processed_seqs" / path.parent.name / f"{name}.npy"
    if not file.is_file():
        return None
    world = read_pickle(file)["world_coord"]
    joints = np.zeros((t, 2, 21, 3))
    for side, word in enumerate(SIDES):
        points, _ = reorder(np.asarray(world[f"joints.{word}"]), MANO_TO_OPENPOSE, 21)
        if len(points) != t:
            raise DamagedSource(f"joints.{word} has {len(points)} frames, the object {t}")
        joints[:, side] = apply(T0, points)
    return hand_tracks(joints, np.ones((t, 2), bool), world_frame="camera0", truth=True, sigma=SIGMA)


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(path.name.removesuffix(".object.npy") + f".{kind}.npy")

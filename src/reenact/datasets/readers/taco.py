"""TACO: the published folders (`Hand_Poses`, `Object_Poses`) and the one-hand npz with vertices.

Source: metres, world z up, 30 Hz; hands are MANO parameters (pickles: `hand_pose` 48, `hand_trans` 3 per frame, shape
apart), manopth conventions; object poses `T_world_object` as plain `.npy` t x 4 x 4 (`tool_*`, `target_*`). Where the
778 vertices are there, fingertips are read from them (manopth set) and the other joints are means of vertices around
them (`mano_vertices`: millimetres off). Point a reader at a sequence's `Object_Poses/<triplet>/<sequence>` folder or at
the npz.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, ManoParameters, PartialHands, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import nominal_times, rigid
from reenact.datasets.readers.licences import TACO
from reenact.datasets.readers.mano import mano_parameters, tips_from_vertices
from reenact.datasets.readers.mano_vertices import JOINT_SIGMA, joints_from_vertices
from reenact.datasets.readers.meshes import read_obj
from reenact.datasets.readers.orders import MANOPTH_TIP_VERTICES
from reenact.datasets.readers.probes import npz_names
from reenact.datasets.readers.restricted_unpickle import read_pickles
from reenact.datasets.readers.tracks import hand_tracks, object_tracks, one_hand
from reenact.hands.joints import RIGHT, SIDES
from reenact.scene import HandTracks

FPS_HZ = 30.0
_SINGLE = {"hand_pose", "hand_trans", "hand_shape", "hand_verts", "obj_pose"}


def sniff(path: Path) -> bool:
    """The one-hand npz, or a sequence folder below `Object_Poses`."""
    if path.is_dir():
        return "Object_Poses" in path.parts and any(path.glob("tool_*.npy"))
    return npz_names(path) >= _SINGLE


def read(path: Path) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`, `ForbiddenPickle`."""
    yield _folder(path) if path.is_dir() else _single(path)


def _single(path: Path) -> HumanEpisode:
    with np.load(path, allow_pickle=False) as data:
        a: dict[str, Any] = {name: data[name].astype(np.float64) for name in data.files}
    obj = path.with_suffix(".obj")
    mesh = read_obj(obj) if obj.is_file() else None
    t = len(a["hand_verts"])
    hand = {RIGHT: (a["hand_pose"], a["hand_trans"], np.tile(a["hand_shape"], (t, 1)))}
    return _episode(
        path.stem, "npz with vertices", t, mano_parameters(hand, t, np.eye(4)),
        tips_from_vertices({RIGHT: a["hand_verts"]}, MANOPTH_TIP_VERTICES, t),
        ["object"], rigid(a["obj_pose"])[:, None], [mesh],
        _hands(joints_from_vertices(a["hand_verts"], MANOPTH_TIP_VERTICES)),
    )  # fmt: skip


def _hands(joints: np.ndarray) -> HandTracks:
    pair, valid = one_hand(joints, RIGHT)
    return hand_tracks(pair, valid, world_frame="world", truth=True, sigma=JOINT_SIGMA)


def _folder(path: Path) -> HumanEpisode:
    files = sorted(path.glob("*.npy"))
    poses = [rigid(np.load(f, allow_pickle=False)) for f in files]
    if len({len(p) for p in poses}) != 1:
        raise DamagedSource(f"objects of {path.name} differ in length: {[len(p) for p in poses]}")
    t = len(poses[0])
    parts = list(path.parts)
    at = len(parts) - 1 - parts[::-1].index("Object_Poses")
    hands_at = Path(*parts[:at], "Hand_Poses", *parts[at + 1 :])
    hands = {}
    for side, name in enumerate(SIDES):
        pose_file, shape_file = hands_at / f"{name}_hand.pkl", hands_at / f"{name}_hand_shape.pkl"
        if pose_file.is_file() and shape_file.is_file():
            hands[side] = _hand(*read_pickles([pose_file, shape_file]), frames=t, where=name)
    return _episode(
        "-".join(parts[-2:]), "published folders", t, mano_parameters(hands, t, np.eye(4)) if hands else None, None,
        [f.stem for f in files], np.stack(poses, 1), None,
    )  # fmt: skip


def _hand(poses: Any, shape: Any, *, frames: int, where: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    keys = sorted(poses)
    if len(keys) != frames:
        raise DamagedSource(f"the {where} hand has {len(keys)} frames, the objects {frames}")
    pose = np.stack([np.asarray(poses[k]["hand_pose"], np.float64).reshape(48) for k in keys])
    trans = np.stack([np.asarray(poses[k]["hand_trans"], np.float64).reshape(3) for k in keys])
    betas = np.asarray(shape["hand_shape"] if isinstance(shape, dict) else shape, np.float64).reshape(10)
    return pose, trans, np.tile(betas, (frames, 1))


def _episode(
    name: str, version: str, t: int, mano: ManoParameters | None, partial: PartialHands | None,
    ids: list[str], T: np.ndarray, meshes: list[Any] | None, hands: HandTracks | None = None,
) -> HumanEpisode:  # fmt: skip
    return HumanEpisode(
        episode_id=name,
        t_ns=nominal_times(t, FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="world",
        provenance=Provenance(
            format="taco",
            source=name,
            version=version,
            licence=TACO,
            joint_order="MANO (pinky before ring), parameters",
            fingertips="manopth vertices 745, 317, 444, 556, 673",
            translated=(
                "world kept (z up)",
                *(("joints as means of vertices around them",) if hands else ()),
            ),
            unknown=(
                *(() if hands else ("joints other than fingertips without the MANO model",)),
                "cameras",
                "task in words",
            ),
        ),
        hands=hands,
        partial=partial,
        mano=mano,
        objects=object_tracks(ids, T, meshes=meshes),
    )

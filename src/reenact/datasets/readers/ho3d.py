"""HO-3D (v2, v3): a sequence folder with `meta/*.pkl` per frame (read in the restricted process, in one go).

Source: metres, OpenGL camera axes (y up, z backward): y and z are turned. `handJoints3D` 21 x 3 in MANO order with tips
at the end, right hand; `objRot` axis-angle, `objTrans`, `objName`; `camMat` 3 x 3. In the evaluation split
`handJoints3D` is the wrist alone: only that joint is read. Frames without annotation hold None. The camera stands
still: `camera0`; up unknown. 30 Hz.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Images, PartialHands, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import T_OPENCV_OPENGL, nominal_times
from reenact.datasets.readers.licences import HO3D
from reenact.datasets.readers.orders import MANO_TO_OPENPOSE, reorder
from reenact.datasets.readers.restricted_unpickle import read_pickles
from reenact.datasets.readers.tracks import camera_track, hand_tracks, object_tracks, pinhole_params
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, make_T
from reenact.hands.joints import RIGHT, WRIST

FPS_HZ = 30.0
SIGMA = 0.008


def sniff(path: Path) -> bool:
    """A sequence folder."""
    return (path / "meta").is_dir() and any((path / "meta").glob("[0-9]*.pkl"))


def read(path: Path) -> Iterator[HumanEpisode]:
    """The one sequence; raises `DamagedSource`, `ForbiddenPickle`, `UnitUnsure`."""
    files = sorted((path / "meta").glob("[0-9]*.pkl"))
    frames: list[dict[str, Any]] = read_pickles(files)
    numbers = np.array([int(f.stem) for f in files])
    joints, known = np.zeros((len(frames), 2, 21, 3)), np.zeros((len(frames), 2, 21), bool)
    T, seen = np.tile(np.eye(4), (len(frames), 1, 1, 1)), np.zeros((len(frames), 1), bool)
    for i, frame in enumerate(frames):
        _place_hand(frame.get("handJoints3D"), joints[i, RIGHT], known[i, RIGHT])
        if frame.get("objRot") is not None and frame.get("objTrans") is not None:
            R = so3_exp(np.asarray(frame["objRot"], np.float64).reshape(3))
            T[i, 0] = T_OPENCV_OPENGL @ make_T(R, np.asarray(frame["objTrans"], np.float64).reshape(3))
            seen[i] = True
    full = np.asarray(known.all(-1))
    names = sorted({str(f["objName"]) for f in frames if f.get("objName")})
    if len(names) > 1:
        raise DamagedSource(f"{path.name} names several objects: {names}", hint="one per sequence")
    lenses = [np.asarray(f["camMat"], np.float64) for f in frames if f.get("camMat") is not None]
    t = len(frames)
    yield HumanEpisode(
        episode_id=path.name,
        t_ns=nominal_times(int(numbers[-1] - numbers[0]) + 1, FPS_HZ)[numbers - numbers[0]],
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="camera0",
        provenance=Provenance(
            format="ho3d", source=path.name, version="v2/v3 meta pickles", licence=HO3D,
            joint_order="MANO-16 then tips (pinky before ring)", fingertips="unknown",
            translated=("OpenGL camera axes to OpenCV (y, z turned)", "MANO order to OpenPose-21"),
            unknown=("up", "meshes (YCB, kept apart)"),
        ),
        camera=camera_track(np.tile(np.eye(4), (t, 1, 1)), model="pinhole", params=pinhole_params(lenses[0]),
                            width_px=640, height_px=480, world_frame="camera0", still=True) if lenses else None,
        hands=hand_tracks(joints, full, world_frame="camera0", truth=True, sigma=SIGMA) if full.any() else None,
        partial=PartialHands(
            joints_world=joints, joint_valid=known, joint_confidence=known.astype(float),
            T_world_wrist=np.tile(np.eye(4), (t, 2, 1, 1)), wrist_valid=np.zeros((t, 2), bool),
            wrist_frame="not given"),
        objects=object_tracks(names or ["object"], T, valid=seen),
        images=(Images("rgb", 640, 480),),
    )  # fmt: skip


def _place_hand(value: Any, joints: np.ndarray, known: np.ndarray) -> None:
    """Writes what a frame holds: 21 joints, the wrist alone, or nothing."""
    if value is None:
        return
    points = apply(T_OPENCV_OPENGL, np.asarray(value, np.float64).reshape(-1, 3))
    if len(points) == 1:
        joints[WRIST], known[WRIST] = points[0], True
        return
    joints[:], _ = reorder(points, MANO_TO_OPENPOSE, 21)
    known[:] = True

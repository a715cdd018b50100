"""H2O: text files, one per frame, in a camera folder (`cam4` is the head).

Source: metres, camera axes OpenCV; `cam_pose` 16 numbers, camera-to-world; `hand_pose` 1 + 63 left, 1 + 63 right, in
the camera, order OpenPose-21, flag 1 = annotated; `obj_pose_RT` class + 16 numbers, object-to-camera;
`cam_intrinsics.txt` fx fy cx cy width height. 30 Hz. The world of `cam_pose` has no published up-direction: episodes
are moved to the first camera's axes (`camera0`). MANO numbers (`hand_pose_MANO`) are not needed and not read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Images, Instruction, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import nominal_times, rigid
from reenact.datasets.readers.licences import H2O
from reenact.datasets.readers.tracks import camera_track, hand_tracks, object_tracks
from reenact.geometry.transforms import apply, inverse
from reenact.scene import ObjectTracks

FPS_HZ = 30.0
SIGMA = 0.01
CLASSES = ("background", "book", "espresso", "lotion", "spray", "milk", "cocoa", "chips", "capuccino")
VERBS = (
    "",
    "grab",
    "place",
    "open",
    "close",
    "pour",
    "take out",
    "put in",
    "apply",
    "read",
    "spray",
    "squeeze",
)


def sniff(path: Path) -> bool:
    """A camera folder."""
    return path.is_dir() and (path / "cam_intrinsics.txt").is_file() and (path / "hand_pose").is_dir()


def read(path: Path) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`, `UnitUnsure`."""
    stems = sorted(p.stem for p in (path / "hand_pose").glob("*.txt"))
    if not stems or stems != sorted(p.stem for p in (path / "cam_pose").glob("*.txt")):
        raise DamagedSource(f"{path.name}: hand_pose and cam_pose do not hold the same frames")
    T_world_camera = rigid(_rows(path / "cam_pose", stems, 16).reshape(-1, 4, 4))
    T_camera = inverse(T_world_camera[0]) @ T_world_camera
    numbers = _rows(path / "hand_pose", stems, 128).reshape(-1, 2, 64)
    flags = numbers[:, :, 0]
    if not np.isin(flags, (0, 1)).all():
        raise DamagedSource("hand_pose flags other than 0 and 1", hint="1 + 63 numbers, left then right")
    joints = apply(T_camera[:, None], numbers[:, :, 1:].reshape(-1, 2, 21, 3))
    fx, fy, cx, cy, width, height = _rows(path, ["cam_intrinsics"], 6)[0]
    yield HumanEpisode(
        episode_id="-".join(path.parts[-4:]),
        t_ns=nominal_times(len(stems), FPS_HZ),
        time_source="nominal rate",
        fps_hz=FPS_HZ,
        world_frame="camera0",
        provenance=Provenance(
            format="h2o", source="/".join(path.parts[-4:]), version="text", licence=H2O,
            joint_order="OpenPose-21 (thumb, index, middle, ring, little)", fingertips="unknown",
            translated=("camera-to-world kept", "hands and objects from the camera to camera0"),
            unknown=("up", "meshes (kept apart)"),
        ),
        instructions=_verbs(path, stems),
        camera=camera_track(T_camera, model="pinhole", params=[fx, fy, cx, cy], width_px=int(width),
                            height_px=int(height), world_frame="camera0", truth=False),
        hands=hand_tracks(joints, flags == 1, world_frame="camera0", truth=True, sigma=SIGMA),
        objects=_objects(path, stems, T_camera),
        images=(Images("rgb", int(width), int(height)),),
    )  # fmt: skip


def _objects(path: Path, stems: list[str], T_camera: np.ndarray) -> ObjectTracks | None:
    if not (path / "obj_pose_RT").is_dir():
        return None
    rows = _rows(path / "obj_pose_RT", stems, 17)
    kinds = rows[:, 0].astype(int)
    present = sorted(set(kinds.tolist()) - {0})
    if not present:
        return None
    T, seen = np.tile(np.eye(4), (len(stems), len(present), 1, 1)), np.zeros((len(stems), len(present)), bool)
    for k, kind in enumerate(present):
        mine = kinds == kind
        T[mine, k], seen[mine, k] = T_camera[mine] @ rigid(rows[mine, 1:].reshape(-1, 4, 4)), True
    return object_tracks([f"h2o_{k}" for k in present], T, names=[CLASSES[k] for k in present], valid=seen)


def _verbs(path: Path, stems: list[str]) -> tuple[Instruction, ...]:
    if not (path / "verb_label").is_dir():
        return ()
    verbs = _rows(path / "verb_label", stems, 1)[:, 0].astype(int)
    edges = [0, *(np.flatnonzero(np.diff(verbs)) + 1), len(verbs)]
    return tuple(
        Instruction(VERBS[verbs[a]], int(a), int(b)) for a, b in itertools.pairwise(edges) if verbs[a]
    )


def _rows(folder: Path, stems: list[str], width: int) -> np.ndarray:
    rows = [np.array((folder / f"{s}.txt").read_text().split(), np.float64) for s in stems]
    wrong = next((s for s, row in zip(stems, rows, strict=True) if len(row) != width), None)
    if wrong is not None:
        raise DamagedSource(f"{folder.name}/{wrong}.txt does not hold {width} numbers")
    return np.stack(rows)

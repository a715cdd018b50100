"""PH2D (Human Policy): one HDF5 per episode with 128-number `action` and `observation.state`.

Source: metres; z up, x forward, y left, axes of the room, but the ORIGIN IS THE HEAD in every frame (the head's
translation is masked to 0): a frame of its own, called `head_level` here, not a fixed world. Slots of 128: head 0-8,
left keypoints 10-27, right wrist 30-38, right keypoints 40-57, left wrist 80-88 (note: right before left), robot joints
100-125. A wrist is 3 + 6 numbers; the 6 are the first two ROWS (PyTorch3D). Keypoints: wrist, then tips thumb to little
finger, in the wrist's frame. Only these six joints per hand are known. Human files give `HumanEpisode`s read from
`action` (`observation.state` masks the head); robot files give `RobotEpisode`s of the raw slots. No rate in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.readers.episode import (
    FRAME_INDEX_ONLY,
    HumanEpisode,
    PartialHands,
    PoseTrack,
    Provenance,
    RobotEpisode,
)
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import index_times
from reenact.datasets.readers.licences import PH2D
from reenact.datasets.readers.probes import hdf5_shapes
from reenact.datasets.readers.rot6d import matrix_from_rot6d
from reenact.geometry.transforms import apply, make_T
from reenact.hands.joints import TIPS, WRIST

WIDTH = 128
HEAD = slice(0, 9)
WRISTS = (slice(80, 89), slice(30, 39))
KEYPOINTS = (slice(10, 28), slice(40, 58))
FLATTENING = "rows"
FRAME = "head_level"


def sniff(path: Path) -> bool:
    """An HDF5 file with 128 wide `action` and `observation.state`."""
    shapes = hdf5_shapes(path, ("action", "observation.state"))
    return len(shapes) == 2 and all(len(s) == 2 and s[1] == WIDTH for s in shapes.values())


def read(path: Path) -> Iterator[HumanEpisode | RobotEpisode]:
    """The one episode; raises `DamagedSource`."""
    import h5py

    with h5py.File(path, "r") as file:
        action, state = (
            file["action"][()].astype(np.float64),
            file["observation.state"][()].astype(np.float64),
        )
        words = {k: v.decode() if isinstance(v, bytes) else str(v) for k, v in file.attrs.items()}
    embodiment = words.get("embodiment", "")
    if not embodiment:
        raise DamagedSource(f"{path.name} does not say its embodiment", hint="attribute `embodiment`")
    yield _human(path, action, words) if "human" in embodiment else _robot(path, state, action, words)


def _human(path: Path, action: np.ndarray, words: dict[str, str]) -> HumanEpisode:
    t = len(action)
    joints, known = np.zeros((t, 2, 21, 3)), np.zeros((t, 2, 21), bool)
    T_wrist = np.tile(np.eye(4), (t, 2, 1, 1))
    for s in (0, 1):
        there = np.abs(action[:, WRISTS[s]][:, 3:]).sum(1) > 0
        if not there.any():
            continue
        numbers = action[there, WRISTS[s]]
        T = make_T(matrix_from_rot6d(numbers[:, 3:], FLATTENING), numbers[:, :3])
        points = apply(T, action[there, KEYPOINTS[s]].reshape(-1, 6, 3))
        T_wrist[there, s] = T
        for k, joint in enumerate((WRIST, *TIPS)):
            joints[there, s, joint], known[there, s, joint] = points[:, k], True
    head = make_T(matrix_from_rot6d(action[:, HEAD][:, 3:], FLATTENING), np.zeros((t, 3)))
    return HumanEpisode(
        episode_id=path.stem,
        t_ns=index_times(t),
        time_source=FRAME_INDEX_ONLY,
        fps_hz=None,
        world_frame=FRAME,
        provenance=Provenance(
            format="ph2d", source=path.name, version="128-slot hdf5", licence=PH2D,
            joint_order="wrist, tips thumb to little finger", fingertips="headset's tip joints",
            translated=("six numbers are two rows", "tips from the wrist's frame"),
            unknown=("where the head is (masked)", "rate", "lens", "inner finger joints", "objects"),
        ),
        task=words.get("description", ""),
        partial=PartialHands(
            joints_world=joints, joint_valid=known, joint_confidence=known.astype(float), T_world_wrist=T_wrist,
            wrist_valid=known[:, :, WRIST], wrist_frame="Inspire hand of the H1 (as retargeted by the authors)"),
        head=PoseTrack(frame="x forward, y left, z up", T_world_frame=head, valid=np.ones(t, bool)),
    )  # fmt: skip


def _robot(path: Path, state: np.ndarray, action: np.ndarray, words: dict[str, str]) -> RobotEpisode:
    names = tuple(f"slot_{i:03d}" for i in range(WIDTH))
    return RobotEpisode(
        episode_id=path.stem,
        robot_type=words["embodiment"],
        t_ns=index_times(len(state)),
        fps_hz=0.0,
        state_names=names,
        state=state,
        action_names=names,
        action=action,
        provenance=Provenance(
            format="ph2d",
            source=path.name,
            version="128-slot hdf5",
            licence=PH2D,
            unknown=("rate", "joint names"),
        ),
        task=words.get("description", ""),
    )

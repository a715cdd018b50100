"""VITRA: one pickled `.npy` dict per episode (read in the restricted process).

Source: metres; `extrinsics` t x 4 x 4 world-to-camera; `intrinsics` 3 x 3 of the undistorted picture; per hand
`joints_worldspace` t x 21 x 3, `global_orient_worldspace` t x 3 x 3, `transl_worldspace` t x 3, `hand_pose` t x 15 x 3 x 3,
`beta` 10, `kept_frames` 0/1. Both hands use MANO_RIGHT; a left hand is the right one mirrored in x of its root frame.
So a left hand's joints are looked at: if they have the shape of a right hand they are mirrored back about the root
frame; if of a left hand they stay; if the shape does not tell (flat hands), the hand is refused. Joint order OpenPose
or MANO is told by bone lengths, never assumed. Up unknown: moved to `camera0`. The picture size and the rate are not
in the file: without them there is no camera record, and times are frame numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import FRAME_INDEX_ONLY, HumanEpisode, Instruction, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import index_times, nominal_times, rigid
from reenact.datasets.readers.hand_shape import openpose_or_mano, side_by_shape
from reenact.datasets.readers.licences import VITRA
from reenact.datasets.readers.mano import mano_parameters
from reenact.datasets.readers.orders import MANO_TO_OPENPOSE, reorder
from reenact.datasets.readers.restricted_unpickle import read_pickle
from reenact.datasets.readers.tracks import camera_track, hand_tracks, pinhole_params
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import LEFT, RIGHT, SIDES

CONFIDENCE = 0.9
"""The authors state about 90 % right annotations."""


@dataclass(frozen=True)
class VitraConfig:
    """What the file does not say."""

    fps_hz: float | None = None
    """Rate of the source video; None: times are frame numbers."""
    size_px: tuple[int, int] | None = None
    """(width, height) of the undistorted picture; None: no camera record."""


def sniff(path: Path) -> bool:
    """A pickled `.npy` that names VITRA's keys (looked for in its bytes; nothing is unpickled)."""
    if path.suffix != ".npy" or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(1 << 20)
    return head.startswith(b"\x93NUMPY") and b"video_decode_frame" in head + path.read_bytes()[-(1 << 20) :]


def read(path: Path, config: VitraConfig | None = None) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`, `ForbiddenPickle`, `UnitUnsure`."""
    config = config or VitraConfig()
    content = read_pickle(path)
    T_camera_world = rigid(np.asarray(content["extrinsics"], np.float64))
    t, T0 = len(T_camera_world), T_camera_world[0]
    joints, valid, hands, notes = np.zeros((t, 2, 21, 3)), np.zeros((t, 2), bool), {}, []
    for side, name in enumerate(SIDES):
        hand = content.get(name)
        if not hand:
            continue
        kept = np.asarray(hand["kept_frames"]).reshape(-1).astype(bool)
        if len(kept) != t:
            raise DamagedSource(f"{name}.kept_frames has {len(kept)} entries, the camera {t}")
        if kept.any():
            points, note = _real_hand(hand, side, kept)
            joints[kept, side], valid[:, side] = apply(T0, points), kept
            notes.append(f"{name}: {note}")
            hands[side] = _parameters(hand, t)
    fps = config.fps_hz
    yield HumanEpisode(
        episode_id=path.stem,
        t_ns=nominal_times(t, fps) if fps else index_times(t),
        time_source="nominal rate" if fps else FRAME_INDEX_ONLY,
        fps_hz=fps,
        world_frame="camera0",
        provenance=Provenance(
            format="vitra", source=path.name, version="npy dict", licence=VITRA, joint_order="told by bone lengths",
            fingertips="unknown", translated=("world-to-camera inverted", "world to camera0", *notes),
            unknown=("up", "objects", *(() if config.size_px else ("picture size",)), *(() if fps else ("rate",))),
        ),
        instructions=tuple(_instructions(content.get("text") or {}, t)),
        camera=None if config.size_px is None else camera_track(
            T0 @ inverse(T_camera_world), model="pinhole", params=pinhole_params(content["intrinsics"]),
            width_px=config.size_px[0], height_px=config.size_px[1], world_frame="camera0", truth=False),
        hands=hand_tracks(joints, valid, world_frame="camera0", truth=False,
                          confidence=np.where(valid, CONFIDENCE, 0.0)),
        mano=mano_parameters(hands, t, T0, left_model="mirrored right",
                             valid={s: valid[:, s] for s in hands}) if hands else None,
        extras={"T_camera_camera0": T_camera_world @ inverse(T0), "K_px": np.asarray(content["intrinsics"], float)},
    )  # fmt: skip


def _real_hand(hand: dict[str, Any], side: int, kept: np.ndarray) -> tuple[np.ndarray, str]:
    """Joints in our order with the true handedness, and what was done."""
    points = np.asarray(hand["joints_worldspace"], np.float64)[kept]
    order = openpose_or_mano(points)
    if order == "mano":
        points, _ = reorder(points, MANO_TO_OPENPOSE, 21)
    shape = side_by_shape(points)
    if shape is None or (side == RIGHT and shape == LEFT):
        raise DamagedSource(
            f"the {SIDES[side]} hand's joints do not show their side",
            hint="flat hands throughout, or mirrored",
        )
    if shape == side:
        return points, f"{order} order, kept"
    R = np.asarray(hand["global_orient_worldspace"], np.float64).reshape(-1, 3, 3)[kept]
    origin = np.asarray(hand["transl_worldspace"], np.float64).reshape(-1, 1, 3)[kept]
    local = (points - origin) @ R
    local[..., 0] *= -1
    return local @ np.swapaxes(R, -1, -2) + origin, f"{order} order, mirrored back in x of the root frame"


def _parameters(hand: dict[str, Any], t: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    root = np.asarray(hand["global_orient_worldspace"], np.float64).reshape(t, 1, 3, 3)
    fingers = np.asarray(hand["hand_pose"], np.float64).reshape(t, 15, 3, 3)
    betas = np.broadcast_to(np.asarray(hand["beta"], np.float64).reshape(-1, 10), (t, 10))
    return (
        np.concatenate([root, fingers], 1),
        np.asarray(hand["transl_worldspace"], float).reshape(t, 3),
        betas,
    )


def _instructions(text: dict[str, Any], t: int) -> Iterator[Instruction]:
    for side in SIDES:
        for sentence, span in text.get(side) or ():
            first, end = (int(span[0]), int(span[1])) if span is not None else (0, t)
            yield Instruction(str(sentence), first, end, side)

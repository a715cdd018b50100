"""EgoVerse: one Zarr v3 group per episode.

Source: float64, metres, SLAM world (up not documented); "XYZWXYZ" poses are position then quaternion wxyz;
`obs_head_pose` t x 7, `<side>.obs_keypoints` t x 63, `<side>.obs_wrist_pose` / `obs_ee_pose` t x 7; missing numbers are
1e9. Keypoints are called MANO by the authors but are in OpenPose-21 order: that is checked by bone lengths. The head's
axes are x right, y down, z forward: the world is moved to the first head's axes (`camera0`). Where the camera sits in
the head, and the picture's size, are not written: no camera record; `K` goes to `extras`. Language spans: `{text,
start_idx, end_idx}` in the attributes. A left or right hand that is not there has no array or only missing numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Instruction, PartialHands, PoseTrack, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import nominal_times, transform_from_quat
from reenact.datasets.readers.hand_shape import openpose_or_mano
from reenact.datasets.readers.licences import EGOVERSE
from reenact.datasets.readers.tracks import hand_tracks
from reenact.datasets.readers.zarr_v3 import read_array, read_metadata
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import SIDES

MISSING = 1e8
"""Numbers at or above are missing (the set writes 1e9)."""


def sniff(path: Path) -> bool:
    """A Zarr v3 group with EgoVerse's head pose or keypoints."""
    return (path / "zarr.json").is_file() and any(
        (path / name).is_dir() for name in ("obs_head_pose", "left.obs_keypoints", "right.obs_keypoints")
    )


def read(path: Path) -> Iterator[HumanEpisode]:
    """The one episode; raises `DamagedSource`, `UnitUnsure`."""
    words = read_metadata(path, "group").get("attributes", {})
    T_head, head_seen = _poses(read_array(path / "obs_head_pose"))
    if not head_seen.any():
        raise DamagedSource(f"{path.name}: the head is never known")
    t, T0 = len(T_head), inverse(T_head[int(np.argmax(head_seen))])
    joints, valid = np.zeros((t, 2, 21, 3)), np.zeros((t, 2), bool)
    T_wrist, wrist_seen = np.tile(np.eye(4), (t, 2, 1, 1)), np.zeros((t, 2), bool)
    for s, side in enumerate(SIDES):
        if (path / f"{side}.obs_keypoints").is_dir():
            points = read_array(path / f"{side}.obs_keypoints").reshape(t, 21, 3)
            valid[:, s] = (np.isfinite(points) & (np.abs(points) < MISSING)).all((1, 2))
            if valid[:, s].any() and openpose_or_mano(points[valid[:, s]]) != "openpose":
                raise DamagedSource(
                    f"{side}.obs_keypoints are in MANO order", hint="EgoVerse uses OpenPose-21"
                )
            joints[valid[:, s], s] = apply(T0, points[valid[:, s]])
        if (path / f"{side}.obs_wrist_pose").is_dir():
            T, wrist_seen[:, s] = _poses(read_array(path / f"{side}.obs_wrist_pose"))
            T_wrist[wrist_seen[:, s], s] = T0 @ T[wrist_seen[:, s]]
    joint_valid = np.repeat(valid[..., None], 21, axis=2)
    fps = float(words["fps"])
    yield HumanEpisode(
        episode_id=path.stem,
        t_ns=nominal_times(t, fps),
        time_source="nominal rate",
        fps_hz=fps,
        world_frame="camera0",
        provenance=Provenance(
            format="egoverse", source=path.name, version=f"zarr v3, {words.get('embodiment', 'embodiment unknown')}",
            licence=EGOVERSE, joint_order="OpenPose-21 (called MANO by the authors)", fingertips="unknown",
            translated=("XYZWXYZ read as position and wxyz", "SLAM world to the first head's axes",
                        "1e9 is missing"),
            unknown=("up", "camera in the head", "picture size", "objects"),
        ),
        task=str(words.get("task_description") or words.get("task_name") or ""),
        instructions=tuple(_spans(words)),
        hands=hand_tracks(joints, valid, world_frame="camera0", truth=False) if valid.any() else None,
        partial=PartialHands(
            joints_world=joints, joint_valid=joint_valid, joint_confidence=joint_valid.astype(float),
            T_world_wrist=T_wrist, wrist_valid=wrist_seen, wrist_frame="as in obs_wrist_pose, axes not documented"),
        head=PoseTrack(frame="x right, y down, z forward",
                       T_world_frame=np.where(head_seen[:, None, None], T0 @ T_head, np.eye(4)), valid=head_seen),
        extras={f"K_px.{k}": np.asarray(v, np.float64) for k, v in (words.get("intrinsics") or {}).items()},
    )  # fmt: skip


def _poses(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if rows.ndim != 2 or rows.shape[1] != 7:
        raise DamagedSource(f"poses of shape {rows.shape}", hint="t x 7")
    known = (np.isfinite(rows) & (np.abs(rows) < MISSING)).all(1)
    T = np.tile(np.eye(4), (len(rows), 1, 1))
    if known.any():
        T[known] = transform_from_quat(rows[known, :3], rows[known, 3:], "wxyz")
    return T, known


def _spans(words: dict[str, Any]) -> Iterator[Instruction]:
    spans: Any = words.get("annotations") or words.get("language") or []
    for span in json.loads(spans) if isinstance(spans, str) else spans:
        yield Instruction(str(span["text"]), int(span["start_idx"]), int(span["end_idx"]))

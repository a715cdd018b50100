"""HOT3D: sequence folders (JSON lines and CSV) and clips (one JSON per frame and kind, loose or in a tar).

Source: metres, quaternions wxyz, `T_world_*`; Aria's world is z up. Quest 3's world has no published up-direction (its
objects lie at y near 0.73, so y is probably up): such episodes are moved to `camera0` unless `quest_up="y"` is asked
for. Hands: UmeTrack angles and a profile in millimetres (see `umetrack`); the 15 MANO numbers are PCA and are left
alone. Landmark order Aria-21, translated; the thumb's base comes from the profile's joint. Lens: Fisheye624, stored as
the nearest four-term fisheye with its worst error in `extras["lens_error_px"]`. Head = device pose (axes: the headset's
own). Units of time: nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, PartialHands, PoseTrack, Provenance
from reenact.datasets.readers.fisheye624 import nearest_kb4
from reenact.datasets.readers.frames import T_ZUP_YUP, rate_of
from reenact.datasets.readers.hot3d_files import RawHot3d, read_clip, read_sequence
from reenact.datasets.readers.licences import HOT3D
from reenact.datasets.readers.probes import tar_names
from reenact.datasets.readers.tracks import camera_track, hand_tracks, object_tracks
from reenact.datasets.readers.umetrack import wrist_matrix
from reenact.geometry.transforms import inverse

SIGMA = 0.003
"""One-sigma of joints (m): optical markers; palm to mouse agrees within 1.4 mm in the published sample."""


@dataclass(frozen=True)
class Hot3dConfig:
    """What to take."""

    quest_up: str = "unknown"
    """"y" to take Quest 3's y axis for up; "unknown" moves such episodes to the camera's axes."""
    stream: str = ""
    """Camera stream id, e.g. "214-1"; "" takes the first of the file."""


def sniff(path: Path) -> bool:
    """A sequence folder, a clip folder, or a clip's tar."""
    if path.is_dir():
        return (path / "umetrack_hand_pose_trajectory.jsonl").is_file() or (
            path / "__hand_shapes.json__"
        ).is_file()
    return "__hand_shapes.json__" in tar_names(path)


def read(path: Path, config: Hot3dConfig | None = None) -> Iterator[HumanEpisode]:
    """The one episode of a sequence or clip; raises `DamagedSource`."""
    config = config or Hot3dConfig()
    if path.is_dir() and (path / "umetrack_hand_pose_trajectory.jsonl").is_file():
        yield _episode(read_sequence(path, config.stream), config)
    else:
        yield _episode(read_clip(path, config.stream), config)


def _episode(raw: RawHot3d, config: Hot3dConfig) -> HumanEpisode:
    T_ours, frame, note = _to_ours(raw, config)
    T_wrist = T_ours @ raw.T_wrist
    joints = np.zeros((len(raw.t_ns), 2, 21, 3))
    for side in (0, 1):
        local = raw.profile.joints_wrist(raw.angles[:, side])
        M = wrist_matrix(T_wrist[:, side], side)
        joints[:, side] = local @ np.swapaxes(M[:, :3, :3], 1, 2) + M[:, None, :3, 3]
    params, worst = nearest_kb4(np.array(raw.lens["params"]), _half_angle(raw.lens))
    joint_valid = np.repeat(raw.seen[..., None], 21, axis=2)
    return HumanEpisode(
        episode_id=raw.name,
        t_ns=raw.t_ns - raw.t_ns[0],
        time_source="recorded",
        fps_hz=rate_of(raw.t_ns),
        world_frame=frame,
        provenance=Provenance(
            format="hot3d",
            source=raw.name,
            version=raw.version,
            licence=HOT3D,
            joint_order="Aria-21 landmarks of the UmeTrack profile",
            fingertips="UmeTrack landmarks",
            translated=("profile mm to m", "left profile mirrored for right hands", note,
                        f"Fisheye624 to four-term fisheye, worst {worst:.2f} px"),
            unknown=("task in words", "object meshes (kept apart by the set)"),
        ),
        camera=camera_track(
            T_ours @ raw.T_camera, model="fisheye_kb4", params=params, width_px=raw.lens["width"],
            height_px=raw.lens["height"], world_frame=frame, valid=raw.camera_seen,
        ),
        hands=hand_tracks(joints, raw.seen, world_frame=frame, truth=True, confidence=raw.confidence, sigma=SIGMA),
        partial=PartialHands(
            joints_world=np.where(joint_valid[..., None], joints, 0.0),
            joint_valid=joint_valid,
            joint_confidence=np.where(joint_valid, raw.confidence[..., None], 0.0),
            T_world_wrist=T_wrist,
            wrist_valid=raw.seen,
            wrist_frame="UmeTrack wrist of a left hand (right hands: x mirrored)",
        ),
        objects=object_tracks(raw.objects, T_ours @ raw.T_object, valid=raw.object_seen) if raw.objects else None,
        head=None if raw.T_head is None else PoseTrack(
            frame=f"{raw.headset} device axes", T_world_frame=T_ours @ raw.T_head, valid=raw.camera_seen),
        extras={"lens_error_px": np.array([worst])},
    )  # fmt: skip


def _to_ours(raw: RawHot3d, config: Hot3dConfig) -> tuple[np.ndarray, str, str]:
    if raw.headset.lower().startswith("aria"):
        return np.eye(4), "world", "Aria world kept (z up)"
    if config.quest_up == "y":
        return T_ZUP_YUP, "world", "Quest world y up (asked for) to z up"
    first = int(np.argmax(raw.camera_seen))
    return inverse(raw.T_camera[first]), "camera0", "Quest world (up unknown) to the first camera's axes"


def _half_angle(lens: dict[str, Any]) -> float:
    """Angle to the nearest image edge, where a four-term fit is asked to hold, at most 1.4 rad."""
    params = np.array(lens["params"])
    focal, cx, cy = (params[0], *params[len(params) - 14 : len(params) - 12])
    reach = min(cx, cy, lens["width"] - cx, lens["height"] - cy) / focal
    return float(min(1.4, reach * 1.1))

"""HOT3D: sequence folders (JSON lines and CSV) and clips (one JSON per frame and kind, loose or in a tar).

Source: metres, quaternions wxyz, `T_world_*`; Aria's world is z up. Quest 3's world has no published up-direction (its
objects lie at y near 0.73, so y is probably up): such episodes are moved to `camera0` unless `quest_up="y"` is asked
for. Hands: UmeTrack angles and a profile in millimetres (see `umetrack`); the 15 MANO numbers are PCA and are left
alone. Landmark order Aria-21, translated; the thumb's base comes from the profile's joint. Lens: Fisheye624, stored as
the nearest four-term fisheye with its worst error in `extras["lens_error_px"]`. Head = device pose (axes: the headset's
own). Units of time: nanoseconds.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.datasets.readers.episode import HumanEpisode, PartialHands, PoseTrack, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.fisheye624 import nearest_kb4
from reenact.datasets.readers.frames import T_ZUP_YUP, rate_of, transform_from_quat
from reenact.datasets.readers.licences import HOT3D
from reenact.datasets.readers.probes import tar_names
from reenact.datasets.readers.tracks import camera_track, hand_tracks, object_tracks
from reenact.datasets.readers.umetrack import UmeTrackProfile, wrist_matrix
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


@dataclass(frozen=True)
class _Raw:
    """Numbers of one sequence, in the source's world."""

    name: str
    version: str
    headset: str
    t_ns: Int64[np.ndarray, " t"]
    T_wrist: Float64[np.ndarray, "t s=2 4 4"]
    angles: Float64[np.ndarray, "t s=2 22"]
    confidence: Float64[np.ndarray, "t s=2"]
    seen: Bool[np.ndarray, "t s=2"]
    profile: UmeTrackProfile
    T_camera: Float64[np.ndarray, "t 4 4"]
    camera_seen: Bool[np.ndarray, " t"]
    lens: dict[str, Any]
    T_head: Float64[np.ndarray, "t 4 4"] | None
    objects: tuple[str, ...]
    T_object: Float64[np.ndarray, "t o 4 4"]
    object_seen: Bool[np.ndarray, "t o"]


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
        yield _episode(_sequence(path, config), config)
    else:
        yield _episode(_clip(path, config), config)


def _episode(raw: _Raw, config: Hot3dConfig) -> HumanEpisode:
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


def _to_ours(raw: _Raw, config: Hot3dConfig) -> tuple[np.ndarray, str, str]:
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


def _sequence(path: Path, config: Hot3dConfig) -> _Raw:
    meta = json.loads((path / "metadata.json").read_text(encoding="utf-8"))
    lines = [
        json.loads(s) for s in (path / "umetrack_hand_pose_trajectory.jsonl").read_text().splitlines() if s
    ]
    t_ns = np.array([line["timestamp_ns"] for line in lines], np.int64)
    poses = [{int(k): _from_jsonl(v) for k, v in line["hand_poses"].items()} for line in lines]
    head, head_seen = _poses_at(path / "headset_trajectory.csv", t_ns)
    objects, objects_seen = _poses_at(path / "dynamic_objects.csv", t_ns)
    if len(head) != 1:
        raise DamagedSource(f"headset_trajectory.csv holds {len(head)} devices", hint="one")
    (T_head,), (seen,) = head.values(), head_seen.values()
    lens = _pick_lens(json.loads((path / "camera_models.json").read_text(encoding="utf-8")), config.stream)
    place = lens.pop("T_device_camera")
    return _Raw(
        name=meta["recording_name"], version="sequence", headset=meta["headset"], t_ns=t_ns,
        **_hands(poses), profile=UmeTrackProfile.from_json(
            json.loads((path / "umetrack_hand_user_profile.json").read_text(encoding="utf-8"))),
        T_camera=T_head @ place, camera_seen=seen, lens=lens, T_head=T_head, objects=tuple(objects),
        T_object=np.stack(list(objects.values()), 1) if objects else np.zeros((len(t_ns), 0, 4, 4)),
        object_seen=np.stack(list(objects_seen.values()), 1) if objects else np.zeros((len(t_ns), 0), bool),
    )  # fmt: skip


def _from_jsonl(hand: dict[str, Any]) -> dict[str, Any]:
    pose = hand["wrist_xform"]
    return {"t": pose["t_xyz"], "q": pose["q_wxyz"], "angles": hand["joint_angles"],
            "confidence": hand.get("hand_confidence", 1.0)}  # fmt: skip


def _hands(poses: list[dict[int, dict[str, Any]]]) -> dict[str, Any]:
    t = len(poses)
    T, angles = np.tile(np.eye(4), (t, 2, 1, 1)), np.zeros((t, 2, 22))
    confidence, seen = np.zeros((t, 2)), np.zeros((t, 2), bool)
    for i, hands in enumerate(poses):
        for side, hand in hands.items():
            T[i, side] = transform_from_quat(np.array(hand["t"]), np.array(hand["q"]), "wxyz")
            angles[i, side, : len(hand["angles"])] = hand["angles"]
            confidence[i, side], seen[i, side] = min(1.0, hand["confidence"]), True
    return {"T_wrist": T, "angles": angles, "confidence": confidence, "seen": seen}


def _pick_lens(models: list[dict[str, Any]], stream: str) -> dict[str, Any]:
    for model in models:
        if stream in ("", model["stream_id"]):
            place = model["T_Device_Camera"]
            return _lens(model["projectionModelType"], model["projectionParams"], model["imageWidth"],
                         model["imageHeight"]) | {
                "T_device_camera": transform_from_quat(
                    np.array(place["translation_xyz"]), np.array(place["quaternion_wxyz"]), "wxyz")}  # fmt: skip
    raise DamagedSource(f"no camera stream {stream!r}", hint=", ".join(m["stream_id"] for m in models))


def _lens(kind: str, params: list[float], width: int, height: int) -> dict[str, Any]:
    if not kind.upper().endswith("FISHEYE624"):
        raise DamagedSource(f"camera model {kind}", hint="FISHEYE624 is read")
    return {"params": params, "width": int(width), "height": int(height)}


def _poses_at(path: Path, t_ns: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Poses of each uid at the given times; only rows of exactly that time count."""
    where = {int(t): i for i, t in enumerate(t_ns)}
    T: dict[str, np.ndarray] = {}
    seen: dict[str, np.ndarray] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            i = where.get(int(row["timestamp[ns]"]))
            if i is None:
                continue
            uid = row["object_uid"]
            T.setdefault(uid, np.tile(np.eye(4), (len(t_ns), 1, 1)))
            seen.setdefault(uid, np.zeros(len(t_ns), bool))[i] = True
            t = np.array([float(row[f"t_wo_{a}[m]"]) for a in "xyz"])
            T[uid][i] = transform_from_quat(t, np.array([float(row[f"q_wo_{a}"]) for a in "wxyz"]), "wxyz")
    return T, seen


def _clip(path: Path, config: Hot3dConfig) -> _Raw:
    files = _clip_files(path)
    shapes = json.loads(files["__hand_shapes.json__"])
    stems = sorted(name.split(".")[0] for name in files if name.endswith(".cameras.json"))
    if not stems:
        raise DamagedSource(f"{path.name} holds no *.cameras.json")
    cameras = [json.loads(files[f"{s}.cameras.json"]) for s in stems]
    hands = [json.loads(files.get(f"{s}.hands.json", "{}")) for s in stems]
    objects = [json.loads(files.get(f"{s}.objects.json", "{}")) for s in stems]
    infos = [json.loads(files.get(f"{s}.info.json", "{}")) for s in stems]
    stream = config.stream or next(iter(cameras[0]))
    lens = cameras[0][stream]["calibration"]
    t_ns = np.array([_time(info, stream, i) for i, info in enumerate(infos)], np.int64)
    poses = [{("left", "right").index(k): _from_clip(v["umetrack_pose"]) for k, v in h.items()
              if k in ("left", "right") and v and v.get("umetrack_pose")} for h in hands]  # fmt: skip
    ids = sorted({uid for frame in objects for uid in frame})
    T_object, seen = np.tile(np.eye(4), (len(stems), len(ids), 1, 1)), np.zeros((len(stems), len(ids)), bool)
    for i, frame in enumerate(objects):
        for k, uid in enumerate(ids):
            if frame.get(uid):
                T_object[i, k], seen[i, k] = _pose(frame[uid][0]["T_world_from_object"]), True
    return _Raw(
        name=path.stem, version="clip", headset=str(infos[0].get("device", "unknown")), t_ns=t_ns, **_hands(poses),
        profile=UmeTrackProfile.from_json(shapes["umetrack"]),
        T_camera=np.stack([_pose(c[stream]["T_world_from_camera"]) for c in cameras]),
        camera_seen=np.ones(len(stems), bool),
        lens=_lens(lens["projection_model_type"], lens["projection_params"], lens["image_width"],
                   lens["image_height"]),
        T_head=None, objects=tuple(ids), T_object=T_object, object_seen=seen,
    )  # fmt: skip


def _time(info: dict[str, Any], stream: str, index: int) -> int:
    times = info.get("image_timestamps_ns", {})
    if stream not in times:
        raise DamagedSource(f"frame {index} has no image_timestamps_ns for stream {stream}")
    return int(times[stream])


def _pose(pose: dict[str, Any]) -> np.ndarray:
    return transform_from_quat(np.array(pose["translation_xyz"]), np.array(pose["quaternion_wxyz"]), "wxyz")


def _from_clip(pose: dict[str, Any]) -> dict[str, Any]:
    place = pose["T_world_from_wrist"]
    return {"t": place["translation_xyz"], "q": place["quaternion_wxyz"], "angles": pose["joint_angles"],
            "confidence": 1.0}  # fmt: skip


def _clip_files(path: Path) -> dict[str, str]:
    """Name (without folders) to text, of the JSON files only."""
    wanted = (".json", ".json__")
    if path.is_dir():
        return {p.name: p.read_text(encoding="utf-8") for p in path.iterdir() if p.name.endswith(wanted)}
    with tarfile.open(path) as archive:
        out = {}
        for member in archive:
            handle = archive.extractfile(member) if member.isfile() and member.name.endswith(wanted) else None
            if handle is not None:
                out[Path(member.name).name] = io.TextIOWrapper(handle, encoding="utf-8").read()
        return out

"""The two ways HOT3D lies on disk: sequence folders (JSON lines, CSV) and clips (one JSON per frame and kind).

In: a path and a camera stream id ("" for the first). Out: `RawHot3d`, numbers in the source's own world.
"""

from __future__ import annotations

import csv
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import transform_from_quat
from reenact.datasets.readers.umetrack import UmeTrackProfile


@dataclass(frozen=True)
class RawHot3d:
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


def read_sequence(path: Path, stream: str) -> RawHot3d:
    """A sequence folder; raises `DamagedSource`."""
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
    lens = _pick_lens(json.loads((path / "camera_models.json").read_text(encoding="utf-8")), stream)
    place = lens.pop("T_device_camera")
    return RawHot3d(
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


def read_clip(path: Path, stream: str) -> RawHot3d:
    """A clip's folder or tar; raises `DamagedSource`."""
    files = _clip_files(path)
    shapes = json.loads(files["__hand_shapes.json__"])
    stems = sorted(name.split(".")[0] for name in files if name.endswith(".cameras.json"))
    if not stems:
        raise DamagedSource(f"{path.name} holds no *.cameras.json")
    cameras = [json.loads(files[f"{s}.cameras.json"]) for s in stems]
    hands = [json.loads(files.get(f"{s}.hands.json", "{}")) for s in stems]
    objects = [json.loads(files.get(f"{s}.objects.json", "{}")) for s in stems]
    infos = [json.loads(files.get(f"{s}.info.json", "{}")) for s in stems]
    stream = stream or next(iter(cameras[0]))
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
    return RawHot3d(
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

"""Format-true files of the published sets, written from a known world; layouts as their authors publish them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from reenact.datasets.readers.frames import T_FLU_OPENCV, T_OPENCV_OPENGL, T_ZUP_YUP
from reenact.datasets.readers.orders import (
    HOLOLENS_TO_OPENPOSE,
    MANO_TO_OPENPOSE,
    MANUS_TO_OPENPOSE,
    egodex_names,
)
from reenact.geometry.rotations import quat_from_matrix, so3_log
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import TIPS
from tests.datasets.readers.truth import HEIGHT, WIDTH, K, World

LOW_CONFIDENCE = 0.003


def quat_pose(T: np.ndarray) -> np.ndarray:
    return np.concatenate([T[..., :3, 3], quat_from_matrix(T[..., :3, :3])], axis=-1)


def into_order(joints: np.ndarray, order: tuple[int, ...], count: int) -> np.ndarray:
    """Our 21 joints in a foreign order; extra foreign joints sit between wrist and middle finger."""
    out = np.repeat(joints[..., :1, :] * 0.5 + joints[..., 9:10, :] * 0.5, count, axis=-2)
    for ours, theirs in enumerate(order):
        if theirs >= 0:
            out[..., theirs, :] = joints[..., ours, :]
    return out


def egodex(folder: Path, w: World) -> Path:
    path = folder / "fold_towel" / "0.hdf5"
    path.parent.mkdir(parents=True)
    yup = inverse(T_ZUP_YUP)
    with h5py.File(path, "w") as file:
        file["camera/intrinsic"] = K.astype(np.float32)
        file["transforms/camera"] = (yup @ w.T_world_camera).astype(np.float32)
        for s, side in enumerate(("left", "right")):
            for j, name in enumerate(egodex_names(side)):
                T = make_T(w.T_world_wrist[:, s, :3, :3], w.joints[:, s, j])
                file[f"transforms/{name}"] = (yup @ T).astype(np.float32)
                file[f"confidences/{name}"] = np.where(w.valid[:, s], 0.8, LOW_CONFIDENCE).astype(np.float32)
            for finger in ("Index", "Middle", "Ring", "Little"):
                file[f"transforms/{side}{finger}FingerMetacarpal"] = np.tile(
                    np.eye(4, dtype=np.float32), (len(w.valid), 1, 1)
                )
        file.attrs.update(
            task="fold_towel",
            llm_description="Fold the towel.",
            llm_description2="Unfold it.",
            which_llm_description="1",
        )
    return path  # fmt: skip


def h2o(folder: Path, w: World) -> Path:
    cam = folder / "subject1" / "h1" / "0" / "cam4"
    names = ("cam_pose", "hand_pose", "obj_pose_RT", "verb_label")
    for name in names:
        (cam / name).mkdir(parents=True)
    (cam / "cam_intrinsics.txt").write_text(f"{K[0, 0]} {K[1, 1]} {K[0, 2]} {K[1, 2]} {WIDTH} {HEIGHT}")
    T_camera_object = inverse(w.T_world_camera) @ w.T_world_object
    for i in range(len(w.joints)):
        hand = [np.r_[float(w.valid[i, s]), w.in_camera[i, s].reshape(-1) * w.valid[i, s]] for s in (0, 1)]
        rows = (
            w.T_world_camera[i].reshape(-1),
            np.concatenate(hand),
            np.r_[3, T_camera_object[i].reshape(-1)],
            np.array([1 if i < 8 else 5]),
        )
        for name, row in zip(names, rows, strict=True):
            (cam / name / f"{i:06d}.txt").write_text(" ".join(f"{v:.9f}" for v in row))
    return cam  # fmt: skip


def holoassist(folder: Path, w: World) -> Path:
    export = folder / "R007-7July-DSLR" / "Export_py"
    (export / "Hands").mkdir(parents=True)
    (export / "Video").mkdir()
    t = np.arange(len(w.joints)) / 30.0
    T_flu = w.T_world_camera @ inverse(T_FLU_OPENCV)
    write_table(export / "Video" / "Pose_sync.txt", np.c_[t, 6.38e17 + t * 1e7, T_flu.reshape(-1, 16)])
    rest = np.zeros(14)
    write_table(export / "Video" / "Intrinsics.txt", np.r_[K.reshape(-1), rest, WIDTH, HEIGHT][None])
    for s, name in enumerate(("Left", "Right")):
        points = into_order(w.joints[:, s], HOLOLENS_TO_OPENPOSE, 26)
        T = make_T(np.broadcast_to(w.T_world_wrist[:, s, None, :3, :3], (len(t), 26, 3, 3)), points)
        flags = np.repeat(w.valid[:, s, None].astype(float), 52, axis=1)
        rows = np.c_[
            t, t * 0, w.valid[:, s], (T * w.valid[:, s, None, None, None]).reshape(len(t), -1), flags
        ]
        write_table(export / "Hands" / f"{name}_sync.txt", rows)
    return export.parent


def write_table(path: Path, rows: np.ndarray) -> None:
    path.write_text("\n".join("\t".join(repr(float(v)) for v in row) for row in rows) + "\n")


def arctic(folder: Path, w: World, *, processed: bool = True, scale: float = 1000.0) -> Path:
    raw = folder / "raw_seqs" / "s01"
    raw.mkdir(parents=True)
    T = inverse(w.T_world_camera)
    t = len(T)
    arti = np.linspace(0, 0.5, t)
    seven = np.c_[arti, so3_log(w.T_world_object[:, :3, :3]), w.T_world_object[:, :3, 3] * scale]
    np.save(raw / "box_grab_01.object.npy", seven)
    camera = {
        "R_k_cam_np": T[:, :3, :3],
        "T_k_cam_np": T[:, :3, 3:],
        "intrinsics": K.tolist(),
        "dist8": np.zeros(8),
        "R0": np.eye(3),
        "T0": np.zeros((3, 1)),
        "ego_markers.label": ["M_1"],
        "ego_markers.ref": [[0.0, 0, 0]],
    }
    np.save(raw / "box_grab_01.egocam.dist.npy", np.array(camera, dtype=object))
    hand = {
        "rot": np.zeros((t, 3)),
        "pose": np.zeros((t, 45)),
        "trans": np.zeros((t, 3)),
        "shape": np.zeros(10),
        "fitting_err": np.zeros(t),
    }
    np.save(raw / "box_grab_01.mano.npy", np.array({"left": hand, "right": hand}, dtype=object))
    if processed:
        (folder / "processed_seqs" / "s01").mkdir(parents=True)
        coord = {
            f"joints.{side}": into_order(w.joints[:, s], MANO_TO_OPENPOSE, 21).astype(np.float32)
            for s, side in enumerate(("left", "right"))
        }
        np.save(
            folder / "processed_seqs" / "s01" / "box_grab_01.npy",
            np.array({"world_coord": coord}, dtype=object),
        )
    return raw / "box_grab_01.object.npy"  # fmt: skip


def oakink2(folder: Path, w: World, tensor: Any = np.asarray) -> Path:
    """`tensor` makes the numbers what the set pickles: torch tensors where torch is there, else arrays."""
    path = folder / "anno_preview" / "scene_01__A001++seq__2023-04-27-19-17-56.pkl"
    path.parent.mkdir(parents=True)
    ticks = [4 * i for i in range(len(w.joints))]
    quats = quat_from_matrix(w.T_world_wrist[:, :, :3, :3])
    fingers = np.tile([1.0, 0, 0, 0], (15, 1))
    raw = {
        tick: {
            f"{p}__{k}": tensor(v.astype(np.float32))
            for s, p in enumerate(("lh", "rh"))
            for k, v in (("pose_coeffs", np.concatenate([quats[i, s][None], fingers])[None]),
                         ("tsl", w.joints[i, s, :1]), ("betas", np.zeros((1, 10))))
        }
        for i, tick in enumerate(ticks)
    }  # fmt: skip
    T = inverse(w.T_world_camera)
    content = {
        "raw_mano": raw, "mocap_frame_id_list": ticks, "obj_list": ["O02@0015@00001"],
        "cam_def": {"104422070969": "egocentric", "104422070042": "allocentric_left"},
        "cam_intr": {s: dict.fromkeys(ticks, K) for s in ("104422070969", "104422070042")},
        "cam_extr": {"104422070969": dict(zip(ticks, T, strict=True)), "104422070042": {k: np.eye(4) for k in ticks}},
        "obj_transf": {"O02@0015@00001": dict(zip(ticks, w.T_world_object.astype(np.float32), strict=True))},
    }  # fmt: skip
    path.write_bytes(pickle.dumps(content))
    return path


def ho3d(folder: Path, w: World) -> Path:
    meta = folder / "train" / "MC1" / "meta"
    meta.mkdir(parents=True)
    gl = T_OPENCV_OPENGL
    T_object = gl @ w.to_camera0 @ w.T_world_object
    joints = apply(gl @ w.to_camera0, into_order(w.joints[:, 1], MANO_TO_OPENPOSE, 21))
    for i in range(len(joints)):
        frame: dict[str, Any] = {"camMat": K, "handJoints3D": joints[i], "handPose": np.zeros(48), "handTrans": np.zeros(3),
                 "handBeta": np.zeros(10), "objRot": so3_log(T_object[i, :3, :3])[:, None],
                 "objTrans": T_object[i, :3, 3], "objName": "003_cracker_box", "objLabel": 3}  # fmt: skip
        if i == 4:
            frame = dict.fromkeys(frame, None)
        if i == 5:
            frame["handJoints3D"] = joints[i, 0]
        (meta / f"{i:04d}.pkl").write_bytes(pickle.dumps(frame, protocol=2))
    return meta.parent


def vitra(folder: Path, w: World, *, mirrored_left: bool = True, mano_order: bool = False) -> Path:
    t = len(w.joints)
    content: dict[str, Any] = {"extrinsics": inverse(w.T_world_camera), "intrinsics": K,
               "video_decode_frame": list(range(t)),
               "text": {"left": [], "right": [("Pick up the cup.", (2, 12))]}}  # fmt: skip
    for s, side in enumerate(("left", "right")):
        T = w.T_world_wrist[:, s]
        joints = w.joints[:, s]
        if side == "left" and mirrored_left:
            local = apply(inverse(T), joints) * [-1.0, 1, 1]
            joints = apply(T, local)
        if mano_order:
            joints = into_order(joints, MANO_TO_OPENPOSE, 21)
        content[side] = {
            "beta": np.zeros(10), "global_orient_worldspace": T[:, :3, :3], "transl_worldspace": T[:, :3, 3],
            "hand_pose": np.tile(np.eye(3), (t, 15, 1, 1)), "joints_worldspace": joints,
            "kept_frames": w.valid[:, s].astype(int),
        }  # fmt: skip
    path = folder / "episode_000001.npy"
    np.save(path, np.array(content, dtype=object))
    return path


def hoi4d(folder: Path, w: World) -> tuple[Path, Path, Path]:
    clip = folder / "ZY20210800001" / "H1" / "C2" / "N1" / "S1" / "s1" / "T1"
    (clip / "objpose").mkdir(parents=True)
    (clip / "3Dseg").mkdir()
    hands = folder / "refinehandpose_right"
    hands.mkdir()
    T = inverse(w.T_world_camera) @ w.T_world_object
    log = []
    for i in range(len(T)):
        R = T[i, :3, :3]  # R = Rx(a) Ry(b) Rz(c)
        angles = (np.arctan2(-R[1, 2], R[2, 2]), np.arcsin(R[0, 2]), np.arctan2(-R[0, 1], R[0, 0]))
        item = {"label": "Mug", "center": dict(zip("xyz", map(float, T[i, :3, 3]), strict=True)),
                "rotation": dict(zip("xyz", map(float, angles), strict=True)),
                "dimensions": {"length": 0.1, "width": 0.1, "height": 0.1}}  # fmt: skip
        (clip / "objpose" / f"{i}.json").write_text(json.dumps({"dataList": [item]}))
        log += [f"{i} {i} {i + 1}", *(" ".join(map(repr, map(float, row))) for row in w.T_world_camera[i])]
        if i % 2 == 0:
            hand = {
                "poseCoeff": np.zeros(48),
                "beta": np.zeros(10),
                "trans": np.arange(3.0),
                "kps2D": np.zeros((21, 2)),
            }
            (hands / f"{i}.pickle").write_bytes(pickle.dumps(hand, protocol=2))
    (clip / "3Dseg" / "output.log").write_text("\n".join(log))
    np.save(folder / "intrin.npy", K)
    return clip, folder / "intrin.npy", hands


def ph2d(folder: Path, w: World, rot6d: Any) -> Path:
    t = len(w.joints)
    head = w.T_world_camera @ inverse(T_FLU_OPENCV)
    action = np.zeros((t, 128))
    action[:, 3:9] = rot6d(head[:, :3, :3])
    for s, (wrist, points) in enumerate((((80), (10)), ((30), (40)))):
        T = w.T_world_wrist[:, s].copy()
        T[:, :3, 3] -= head[:, :3, 3]
        action[:, wrist : wrist + 9] = np.c_[T[:, :3, 3], rot6d(T[:, :3, :3])]
        six = w.joints[:, s][:, [0, *TIPS]] - head[:, None, :3, 3]
        action[:, points : points + 18] = apply(inverse(T), six).reshape(t, 18)
    path = folder / "processed_episode_0.hdf5"
    state = action.copy()
    state[:, :9] = 0
    with h5py.File(path, "w") as file:
        file["action"], file["observation.state"] = action.astype(np.float32), state.astype(np.float32)
        file.attrs.update(embodiment="human_avp", description="Pour water.", sim=False)
    return path


def actionnet(folder: Path, w: World, rot6d: Any) -> Path:
    t = len(w.joints)
    path = folder / "01JH00FCRH6EIBDXTA.hdf5"
    links = np.stack([w.T_world_wrist[:, 0], w.T_world_wrist[:, 1], w.T_world_camera], 1)
    pose = np.concatenate([links[..., :3, 3], rot6d(links[..., :3, :3])], -1).reshape(t, 27)
    with h5py.File(path, "w") as file:
        for group in ("state", "action"):
            file[f"{group}/robot"] = np.arange(32 * t, dtype=float).reshape(32, t) * 1e-3
            file[f"{group}/hand"] = np.arange(12 * t, dtype=float).reshape(12, t) * 1e-3
            file[f"{group}/pose"] = pose.T
        file["timestamp"] = 1.7e9 + np.arange(t) / 30.0
    (folder / "Metadata.json").write_text(json.dumps([{"id": path.stem, "prompt": "Pick the lemon."}]))
    return path


def zarr_array(folder: Path, values: np.ndarray, chunk: int = 7, *, compress: bool = True) -> None:
    """A Zarr v3 array as zarr-python 3 writes it: default chunk keys, bytes then zstd."""
    import pyarrow as pa

    folder.mkdir(parents=True)
    shape, tail = values.shape, values.shape[1:]
    codecs: list[Any] = [{"name": "bytes", "configuration": {"endian": "little"}}]
    if compress:
        codecs.append({"name": "zstd", "configuration": {"level": 0, "checksum": False}})
    meta = {
        "shape": list(shape), "data_type": str(values.dtype), "fill_value": 0.0, "zarr_format": 3, "node_type": "array",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [chunk, *tail]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": codecs, "attributes": {}, "storage_transformers": [],
    }  # fmt: skip
    (folder / "zarr.json").write_text(json.dumps(meta))
    for c in range(-(-shape[0] // chunk)):
        block = np.zeros((chunk, *tail), values.dtype)
        part = values[c * chunk : (c + 1) * chunk]
        block[: len(part)] = part
        file = folder.joinpath("c", str(c), *("0" for _ in tail))
        file.parent.mkdir(parents=True, exist_ok=True)
        raw = block.tobytes()
        file.write_bytes(pa.Codec("zstd").compress(raw, asbytes=True) if compress else raw)


def egoverse(folder: Path, w: World) -> Path:
    root = folder / "1749000000_abc.zarr"
    root.mkdir()
    words = {"embodiment": "aria_bimanual", "total_frames": len(w.joints), "fps": 30, "task_name": "fold",
             "task_description": "Fold the cloth.", "intrinsics": {"front_1": np.c_[K, np.zeros(3)].tolist()},
             "annotations": json.dumps([{"text": "grab", "start_idx": 0, "end_idx": 9}])}  # fmt: skip
    (root / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": words}))
    zarr_array(root / "obs_head_pose", quat_pose(w.T_world_camera))
    for s, side in enumerate(("left", "right")):
        gone = ~w.valid[:, s]
        points = w.joints[:, s].reshape(-1, 63).copy()
        points[gone] = 1e9
        pose = quat_pose(w.T_world_wrist[:, s])
        pose[gone] = 1e9
        zarr_array(root / f"{side}.obs_keypoints", points)
        zarr_array(root / f"{side}.obs_wrist_pose", pose, compress=False)
    return root


def glove_points(w: World, s: int) -> np.ndarray:
    local = apply(inverse(w.T_world_wrist[:, s]), w.joints[:, s])
    return into_order(local, MANUS_TO_OPENPOSE, 25)

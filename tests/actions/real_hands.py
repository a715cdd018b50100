"""Keypoints of published recordings, read here only as far as a round trip needs them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from reenact.geometry.rotations import matrix_from_quat, so3_exp
from reenact.geometry.transforms import make_T
from reenact.hands.joints import LEFT, RIGHT


def crackerbox(shared: Path) -> np.ndarray:
    """DexYCB: 21 true joints of a right hand [t 21 3], metres, in a camera's axes."""
    with np.load(shared / "data/mocap/dexycb_crackerbox/dexycb_motion.npz") as data:
        return data["world_hand_joints"].astype(float)


def taco(shared: Path) -> np.ndarray:
    """TACO: a right hand [t 21 3]; MANO's fingertip vertices, inner joints on straight lines to them from the wrist."""
    with np.load(shared / "data/mocap/taco_010/20231104_010.npz") as data:
        skin = data["hand_verts"].astype(float)
    joints = np.empty((len(skin), 21, 3))
    joints[:, 0] = skin[:, 78:80].mean(axis=1)
    for finger, vertex in enumerate((744, 320, 443, 554, 671)):
        for k, share in enumerate((0.5, 0.7, 0.85, 1.0)):
            joints[:, 1 + 4 * finger + k] = joints[:, 0] + (skin[:, vertex] - joints[:, 0]) * share
    return joints


def hot3d(shared: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HOT3D, Quest 3: joints [t 2 21 3] by UmeTrack forward kinematics, T_world_camera [t 4 4], t_ns."""
    folder = shared / "data/gt/hot3d_quest3"
    hand = json.loads((folder / "umetrack_hand_user_profile.json").read_text())["hand_model"]
    rows = [
        json.loads(x) for x in (folder / "umetrack_hand_pose_trajectory.jsonl").read_text().splitlines() if x
    ]
    joints = np.empty((len(rows), 2, 21, 3))
    for i, row in enumerate(rows):
        for side in (LEFT, RIGHT):
            pose = row["hand_poses"][str(side)]
            R = matrix_from_quat(np.array(pose["wrist_xform"]["q_wxyz"]))
            if side == RIGHT:
                R = R * [-1, 1, 1]  # the profile is a left hand's; a right one is its mirror image
            joints[i, side] = (
                umetrack(hand, np.array(pose["joint_angles"])) @ R.T + pose["wrist_xform"]["t_xyz"]
            )
    with (folder / "headset_trajectory.csv").open() as file:
        head = np.array([[float(v) for v in row] for row in list(csv.reader(file))[1:]])
    lens = json.loads((folder / "camera_models.json").read_text())[0]["T_Device_Camera"]
    T_device_camera = make_T(
        matrix_from_quat(np.array(lens["quaternion_wxyz"])), np.array(lens["translation_xyz"])
    )
    t_ns = np.array([row["timestamp_ns"] for row in rows], np.int64)
    at = [int(np.argmin(np.abs(head[:, 1] - t))) for t in t_ns]
    return joints, make_T(matrix_from_quat(head[at, 5:9]), head[at, 2:5]) @ T_device_camera, t_ns


def umetrack(hand: dict, angles: np.ndarray) -> np.ndarray:
    """21 joints, OpenPose order, wrist frame, metres: a chain of hinges about the profile's axes."""
    places = np.array(hand["joint_rest_positions"])
    axes = np.array(hand["joint_rotation_axes"])
    moved, frames = {}, {0: np.eye(4), 1: np.eye(4)}
    for j in range(20):
        R = so3_exp(axes[j] * angles[j])
        parent = moved.get(int(hand["joint_parent"][j]), np.eye(4))
        moved[j] = parent @ make_T(R, places[j] - R @ places[j])
        if hand["joint_frame_index"][j] != 255:
            frames[int(hand["joint_frame_index"][j])] = moved[j]
    points = np.array(hand["landmark_rest_positions"])
    bones = [int(b[0]) for b in hand["landmark_rest_bone_indices"]]
    marks = np.array([(frames[b] @ [*p, 1.0])[:3] for b, p in zip(bones, points, strict=True)]) * 1e-3
    order = [5, -1, 6, 7, 0, 8, 9, 10, 1, 11, 12, 13, 2, 14, 15, 16, 3, 17, 18, 19, 4]
    joints = marks[order]
    joints[1] = places[0] * 1e-3
    return joints

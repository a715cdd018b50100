"""Tiny episodes and datasets for tests: numbered frames, a few joints, hands that are real hands."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from reenact.datasets.lerobot import Episode, Feature
from reenact.datasets.lerobot.episode import POSE_NAMES, Footage
from reenact.geometry.rotations import quat_continuous, quat_from_matrix
from reenact.hands.joints import JOINT_NAMES_21, wrist_transform
from tests import scenes

JOINTS = ("left_shoulder", "left_elbow", "left_thumb", "right_shoulder", "right_elbow", "right_thumb")
SIZE = (64, 48)
KEYPOINT_NAMES = tuple(f"{joint}.{axis}" for joint in JOINT_NAMES_21 for axis in "xyz")


def tiny_episode(
    number: int,
    length: int = 9,
    *,
    cameras: tuple[str, ...] = ("front",),
    with_hands: bool = False,
    **facts: object,
) -> Episode:
    """Joints that swing; frame i of episode n shows the number 16 n + i (modulo 256)."""
    t = np.arange(length) / 30
    phase = np.arange(len(JOINTS)) + number
    q = 0.3 * np.sin(2 * np.pi * t[:, None] + phase) + 0.1 * number
    columns = {"observation.state": q, "action": np.concatenate([q[1:], q[-1:]])}
    features = [Feature(name, "float32", (len(JOINTS),), JOINTS) for name in columns]
    if with_hands:
        for feature, values in hand_columns(length, number):
            features.append(feature)
            columns[feature.name] = values
    features.append(Feature("video_pts", "float64", (1,)))
    columns["video_pts"] = t
    return Episode(
        episode_id=f"clip{number}", task=f"task {number % 2}", fps=30, features=tuple(features), columns=columns,
        footage=tuple(footage(name, number, length) for name in cameras),
        facts={"source": f"clip{number}.mp4", "licence": "CC-BY-4.0", **facts},
    )  # fmt: skip


def footage(name: str, number: int, length: int) -> Footage:
    return Footage(
        f"observation.images.{name}",
        SIZE,
        lambda: (scenes.numbered_frame((16 * number + i) % 256, *SIZE) for i in range(length)),
    )


def hand_columns(length: int, number: int):
    tracks = scenes.hands(length)
    for s, side in enumerate(("left", "right")):
        joints = tracks.joints_world[:, s] + 0.01 * number
        T = wrist_transform(joints, s)
        pose = np.concatenate([T[:, :3, 3], quat_continuous(quat_from_matrix(T[:, :3, :3]))], axis=1)
        yield Feature(f"human.{side}.keypoints", "float32", (63,), KEYPOINT_NAMES), joints.reshape(length, 63)
        yield Feature(f"human.{side}.wrist", "float32", (7,), POSE_NAMES), pose
        yield Feature(f"human.{side}.confidence", "float32", (1,)), np.full(length, 0.9)
        yield Feature(f"human.{side}.valid", "bool", (1,)), np.ones(length, bool)


def content_hash(folder: Path) -> str:
    """SHA-256 of all files' names and bytes."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()

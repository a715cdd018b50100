"""Hands: the right side, the right unit, the right quaternion order, believable confidence and camera.

Which side a hand is of shows in its shape: fingers curl towards the palm, so that the curl, the index side and the
pinky side form a left- or right-handed triple. Flat frames do not vote.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reenact.datasets.checks.finding import Finding
from reenact.datasets.checks.table import Table
from reenact.geometry.rotations import matrix_from_quat, rotation_angle
from reenact.hands.joints import LEFT, MCPS, SIDES, TIPS, hand_length, wrist_frame

CURL = 0.05
"""A frame votes when its fingertips lie off the palm plane by this share of the hand's length."""
VOTES, MAJORITY = 5, 0.8
HAND_LENGTH = (0.08, 0.30)
"""Wrist to middle tip (m), infant to giant."""
FAR = 100.0
"""Nothing in a scene of hands is this far away (m)."""
SPEED = 15.0
"""No wrist is faster (m/s)."""
UNIT_QUAT = 0.02
NEAR_RAD, OFF_RAD = 0.35, 0.7


def check_hands(table: Table) -> Iterator[Finding]:
    """Sides, units, leaps of `human.<side>.keypoints`; wrists against keypoints."""
    wrong: list[str] = []
    for s, side in enumerate(SIDES):
        joints, valid = _joints(table, side)
        if joints is None or not valid.any():
            continue
        if not joints[valid].any():
            yield Finding("hand-zero", f"human.{side}: all valid keypoints are 0")
            continue
        if side_votes(joints[valid], s) < 1 - MAJORITY:
            wrong.append(side)
        yield from _unit(side, joints[valid])
        yield from _speed(table, side, joints[:, 0], valid)
        yield from _wrist(table, side, s, joints, valid)
    if len(wrong) == 2:
        yield Finding("sides-swapped", "left and right hands are swapped (or the video was mirrored)")
    elif wrong:
        other = "right" if wrong[0] == "left" else "left"
        yield Finding("wrong-handed", f"human.{wrong[0]} holds a {other} hand (a mirrored one?)")


def side_votes(joints: np.ndarray, side: int) -> float:
    """Share of curled frames [t 21 3] whose shape is that of the given side; 1 when too few frames are curled."""
    wrist = joints[:, 0]
    index, pinky = joints[:, 5] - wrist, joints[:, 17] - wrist
    palm = np.cross(index, pinky)
    palm /= np.maximum(np.linalg.norm(palm, axis=1, keepdims=True), 1e-12)
    curl = (joints[:, TIPS[1:]] - joints[:, MCPS]).mean(axis=1)
    lift = (curl * palm).sum(1) / np.maximum(hand_length(joints), 1e-12)
    voting = np.abs(lift) > CURL
    if voting.sum() < VOTES:
        return 1.0
    is_left = lift[voting] < 0
    return float((is_left if side == LEFT else ~is_left).mean())


def _joints(table: Table, side: str) -> tuple[np.ndarray | None, np.ndarray]:
    values = table.columns.get(f"human.{side}.keypoints")
    if values is None or values.shape[1] != 63 or values.dtype.kind != "f":
        return None, np.zeros(0, bool)
    finite = np.isfinite(values).all(axis=1)
    valid = table.flat(f"human.{side}.valid")
    used = finite if valid is None else finite & valid.astype(bool)
    return values.astype(np.float64).reshape(-1, 21, 3), used


def _unit(side: str, joints: np.ndarray) -> Iterator[Finding]:
    length = float(np.median(hand_length(joints)))
    low, high = HAND_LENGTH
    if low <= length <= high:
        if np.median(np.abs(joints[:, 0]).max(axis=1)) > FAR:
            yield Finding("unit", f"human.{side}: hands are of true size but {FAR:g} m away and more")
        return
    for factor, name in ((1000, "millimetres"), (100, "centimetres"), (0.001, "kilometres")):
        if low <= length / factor <= high:
            yield Finding("unit", f"human.{side}: a hand is {length:.4g} m long: {name}, not metres")
            return
    yield Finding("hand-size", f"human.{side}: a hand is {length:.4g} m long, expected {low} to {high}")


def _speed(table: Table, side: str, wrist: np.ndarray, valid: np.ndarray) -> Iterator[Finding]:
    if not table.fps:
        return
    worst = 0.0
    for _, rows in table.by_episode():
        both = valid[rows][1:] & valid[rows][:-1]
        steps = np.linalg.norm(np.diff(wrist[rows], axis=0), axis=1) * both
        worst = max(worst, float(steps.max(initial=0.0)) * table.fps)
    if worst > SPEED:
        yield Finding("hand-leap", f"human.{side}: the wrist moves at {worst:.0f} m/s")


def _wrist(table: Table, side: str, s: int, joints: np.ndarray, valid: np.ndarray) -> Iterator[Finding]:
    pose = table.columns.get(f"human.{side}.wrist")
    if pose is None or pose.shape[1] != 7 or not np.isfinite(pose).all():
        return
    quat = pose[valid, 3:].astype(np.float64)
    if np.abs(np.linalg.norm(quat, axis=1) - 1).max() > UNIT_QUAT:
        return
    R = wrist_frame(joints[valid], s)
    as_told = rotation_angle(matrix_from_quat(quat), R)
    turned = rotation_angle(matrix_from_quat(np.roll(quat, 1, axis=1)), R)
    if np.median(as_told) > OFF_RAD and np.median(turned) < NEAR_RAD:
        yield Finding("quaternion-order", f"human.{side}.wrist is stored xyzw; its names say wxyz")
    apart = np.linalg.norm(pose[valid, :3] - joints[valid, 0], axis=1)
    if np.median(apart) > 0.1:
        yield Finding(
            "wrist-apart",
            f"human.{side}.wrist lies {np.median(apart):.3g} m from the keypoints' wrist (median)",
        )


def check_poses(table: Table) -> Iterator[Finding]:
    """Quaternions of every pose column; confidences; intrinsics."""
    for name, values in table.columns.items():
        if values.dtype.kind != "f" or not np.isfinite(values).all() or not len(values):
            continue
        if name.endswith((".wrist", ".pose")) and values.shape[1] == 7:
            yield from _pose(table, name, values.astype(np.float64))
        if name.endswith(".confidence") and (values.min() < 0 or values.max() > 1):
            yield Finding(
                "confidence", f"{name} runs from {values.min():.3g} to {values.max():.3g}, not 0 to 1"
            )
        if name.endswith(".intrinsics") and values.shape[1] == 4:
            yield from _intrinsics(table, name, values)


def _pose(table: Table, name: str, pose: np.ndarray) -> Iterator[Finding]:
    norms = np.linalg.norm(pose[:, 3:], axis=1)
    off = np.abs(norms - 1) > UNIT_QUAT
    if off.any():
        yield Finding(
            "quaternion-norm",
            f"{name}: {int(off.sum())} rotations are no unit quaternions (norm {norms[off][0]:.3g})",
        )
    names = [str(n).rpartition(".")[2] for n in table.features.get(name, {}).get("names") or []]
    if len(names) == 7 and names[3:] != ["qw", "qx", "qy", "qz"]:
        yield Finding(
            "quaternion-order", f"{name} names its rotation {','.join(names[3:])}; expected qw,qx,qy,qz"
        )
    flips = sum(
        int(((pose[r][1:, 3:] * pose[r][:-1, 3:]).sum(1) < -0.5).sum()) for _, r in table.by_episode()
    )
    if flips:
        yield Finding(
            "quaternion-flip", f"{name}: the rotation changes its sign {flips} times; a network sees a leap",
            level="warning",
        )  # fmt: skip
    if np.median(np.abs(pose[:, :3]).max(axis=1)) > FAR and not name.endswith(".wrist"):
        yield Finding(
            "unit", f"{name}: positions of {np.abs(pose[:, :3]).max():.4g} m: millimetres, not metres?"
        )


def _intrinsics(table: Table, name: str, values: np.ndarray) -> Iterator[Finding]:
    camera = name.removeprefix("camera.").removesuffix(".intrinsics")
    feature = table.features.get(f"observation.images.{camera}")
    if feature is None or len(feature["shape"]) != 3:
        return
    height, width, _ = feature["shape"]
    fx, fy, cx, cy = np.median(values, axis=0)
    size = max(height, width)
    if not 0.1 * size < fx < 6 * size or not 0.5 < fy / fx < 2:
        yield Finding(
            "focal", f"{name}: a focal length of {fx:.0f} x {fy:.0f} px does not fit {width}x{height} frames"
        )
    if not (0 <= cx < width and 0 <= cy < height):
        yield Finding(
            "focal", f"{name}: the principal point ({cx:.0f}, {cy:.0f}) is outside {width}x{height} frames"
        )

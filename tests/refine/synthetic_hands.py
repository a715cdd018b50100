"""Hands with known truth for the tests of this folder: smooth motion, any lens, any noise."""

from __future__ import annotations

import numpy as np

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.hands.skeleton import HandSkeleton
from reenact.scene import CameraTrack, HandLandmarks, Source

LENS = PinholeCamera.from_fov(np.deg2rad(62), 1280, 720)
GRASP_DEG = np.array([20, -5, 10, 15, 30, -3, 35, 20, 35, -5, 40, 25, 30, -8, 40, 25, 30, -12, 30, 20], float)


def times_ns(duration_s: float, fps_hz: float) -> np.ndarray:
    return np.rint(np.arange(0, duration_s, 1 / fps_hz) * 1e9).astype(np.int64)


def moving_hand(t_ns: np.ndarray, side: int = 1, hand_length: float = 0.189, seed: int = 0) -> np.ndarray:
    """Joints [t 21 3] in camera axes at about 0.7 m: reaches of 10 cm/s to 50 cm/s, turning wrist, closing fingers."""
    rng = np.random.default_rng(seed)
    t = t_ns[:, None] * 1e-9
    phase, speed = rng.uniform(0, 2 * np.pi, (3, 3)), np.array([[0.5, 0.8, 1.1]]).T

    def wave(scale: np.ndarray, k: int) -> np.ndarray:
        return scale * sum(
            np.sin(2 * np.pi * f * t + phase[i] + k) / (i + 1) for i, f in enumerate(speed[:, 0])
        )

    wrist = np.array([0.02, 0.03, 0.7]) + wave(np.array([0.08, 0.05, 0.05]), 0)
    facing = np.array([[-1.0, 0, 0], [0, 0, -1.0], [0, -1.0, 0]]).T  # back of the hand to the camera
    turn = so3_exp(wave(np.array([0.25, 0.2, 0.3]), 1)) @ facing
    closing = 0.5 + 0.5 * np.sin(2 * np.pi * 0.6 * t + phase[0, 0])
    angles = np.deg2rad(GRASP_DEG) * (0.3 + 0.9 * closing)
    local = HandSkeleton.adult(side, hand_length).joints_wrist(angles)
    return local @ np.swapaxes(turn, -1, -2) + wrist[:, None]


def random_hands(n: int, side: int = 1, seed: int = 0) -> np.ndarray:
    """Single hands [n 21 3] in many poses, 0.4 to 1.2 m away, all well inside the joint limits."""
    rng = np.random.default_rng(seed)
    angles = np.deg2rad(GRASP_DEG) * rng.uniform(0.2, 1.3, (n, 1)) + np.deg2rad(6) * rng.normal(size=(n, 20))
    local = HandSkeleton.adult(side).joints_wrist(angles)
    facing = np.array([[-1.0, 0, 0], [0, 0, -1.0], [0, -1.0, 0]]).T
    turn = so3_exp(0.5 * rng.normal(size=(n, 3))) @ facing
    place = np.stack(
        [rng.uniform(-0.15, 0.15, n), rng.uniform(-0.1, 0.1, n), rng.uniform(0.4, 1.2, n)], axis=1
    )
    return local @ np.swapaxes(turn, -1, -2) + place[:, None]


def landmarks_of(
    joints: np.ndarray,
    side: int = 1,
    lens: PinholeCamera = LENS,
    noise_box: float = 0.0,
    turn_rad: float = 0.0,
    valid: np.ndarray | None = None,
    seed: int = 0,
    scale: float = 0.8,
) -> HandLandmarks:
    """What a net would give: noisy pixels, and a shape of the wrong size with turned bones."""
    rng, n = np.random.default_rng(seed), len(joints)
    px = lens.project(joints)
    box = np.ptp(px, axis=1).max(axis=-1)[:, None, None]
    px = px + noise_box * box * rng.normal(size=px.shape)
    turns = so3_exp(turn_rad * rng.normal(size=(n, 20, 3)))
    rel = np.zeros_like(joints)
    for i in range(20):
        parent = 0 if i % 4 == 0 else i
        bone = (turns[:, i] @ (joints[:, i + 1] - joints[:, parent])[..., None])[..., 0]
        rel[:, i + 1] = rel[:, parent] + scale * bone
    seen = np.zeros((n, 2), dtype=bool)
    seen[:, side] = True if valid is None else valid
    slots_px, slots_rel = np.zeros((n, 2, 21, 2)), np.zeros((n, 2, 21, 3))
    slots_px[:, side], slots_rel[:, side] = px, rel
    return HandLandmarks(
        landmarks_px=slots_px,
        landmarks_rel=slots_rel,
        valid=seen,
        confidence=np.where(seen, 0.95, 0.0),
        source=np.where(seen, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        backend="synthetic",
        licence="none",
    )


def camera_track(
    n: int,
    lens: PinholeCamera = LENS,
    T_world_camera: np.ndarray | None = None,
    focal_sigma: float = 0.0,
    known: bool = True,
) -> CameraTrack:
    """A still camera at the origin unless poses are given."""
    poses = np.tile(np.eye(4), (n, 1, 1)) if T_world_camera is None else T_world_camera
    return CameraTrack(
        model="pinhole" if lens.model == "pinhole" else "fisheye_kb4",
        params=lens.params,
        width_px=lens.width_px,
        height_px=lens.height_px,
        intrinsics_source="truth",
        focal_sigma=focal_sigma,
        T_world_camera=poses,
        valid=np.full(n, known),
        confidence=np.ones(n),
        source=np.full(n, Source.TRUTH, dtype=np.uint8),
        motion="still" if T_world_camera is None else "moving",
        motion_heights_per_s=0.0,
        world_frame="camera0" if T_world_camera is None else "world",
        gravity_source="unknown",
        gravity_sigma=np.pi,
    )

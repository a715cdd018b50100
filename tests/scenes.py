"""Small scenes for tests, built from the skeleton without a renderer: two hands that move, seen by a still camera."""

from __future__ import annotations

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import JOINT_NAMES_21, LEFT, RIGHT
from reenact.hands.skeleton import ADULT_HAND_LENGTH, HandSkeleton
from reenact.scene import CameraTrack, Clip, HandLandmarks, HandTracks, Scene, Source

WIDTH, HEIGHT, FOCAL = 320, 240, 260.0


def clip(frames: int = 30, fps_hz: float = 30.0, clip_id: str = "waving") -> Clip:
    t_ns = np.rint(np.arange(frames) * 1e9 / fps_hz).astype(np.int64)
    return Clip(
        clip_id=clip_id,
        source_name=f"{clip_id}.mp4",
        source_sha256="",
        width_px=WIDTH,
        height_px=HEIGHT,
        rotation_deg=0,
        nominal_fps_hz=fps_hz,
        t_ns=t_ns,
        end_ns=int(t_ns[-1] + 1e9 / fps_hz),
        source_frame_idx=np.arange(frames),
    )


def camera(frames: int = 30) -> CameraTrack:
    """Above the table, looking along world +x and 35 degrees down."""
    forward = np.array([np.cos(0.6), 0.0, -np.sin(0.6)])
    right = np.array([0.0, -1.0, 0.0])
    T = np.eye(4)
    T[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    return CameraTrack(
        model="pinhole",
        params=np.array([FOCAL, FOCAL, (WIDTH - 1) / 2, (HEIGHT - 1) / 2]),
        width_px=WIDTH,
        height_px=HEIGHT,
        intrinsics_source="truth",
        focal_sigma=0.0,
        T_world_camera=np.tile(T, (frames, 1, 1)),
        valid=np.ones(frames, bool),
        confidence=np.ones(frames),
        source=np.full(frames, Source.TRUTH, np.uint8),
        motion="still",
        motion_heights_per_s=0.0,
        world_frame="world",
        gravity_source="truth",
        gravity_sigma=0.0,
    )


def hands(frames: int = 30, fps_hz: float = 30.0) -> HandTracks:
    """Palms down 0.6 m before the camera, swaying at 0.5 Hz and closing; the left one is lost for 5 frames."""
    t = np.arange(frames) / fps_hz
    joints = np.empty((frames, 2, 21, 3))
    for side in (LEFT, RIGHT):
        skeleton = HandSkeleton.adult(side)
        angles = np.tile(0.35 + 0.3 * np.sin(2 * np.pi * 0.5 * t)[:, None], (1, 20))
        angles[:, 1::4] = 0.0
        # fingers along world -x (toward the camera), back of the hand up, thumbs inward
        x = np.array([-1.0, 0, 0]) if side == LEFT else np.array([1.0, 0, 0])
        R = np.stack([x, [0, 0, 1.0], np.cross(x, [0, 0, 1.0])], axis=1)
        sway = so3_exp(np.stack([0 * t, 0 * t, 0.3 * np.sin(2 * np.pi * 0.5 * t)], axis=1))
        place = np.array([0.62, -0.15 if side == LEFT else 0.15, -0.35])
        move = np.stack(
            [0.05 * np.sin(np.pi * t), 0.04 * np.cos(np.pi * t), 0.03 * np.sin(2 * np.pi * t)], axis=1
        )
        local = skeleton.joints_wrist(angles)
        joints[:, side] = np.einsum("tij,tkj->tki", sway @ R, local) + (place + move)[:, None]
    valid = np.ones((frames, 2), bool)
    valid[10:15, LEFT] = False
    return HandTracks(
        joints_world=joints,
        valid=valid,
        confidence=np.where(valid, 0.9, 0.0),
        source=np.where(valid, Source.TRUTH, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=np.full((frames, 2, 3), 0.003),
        reprojection=np.where(valid, 0.01, 0.0),
        hand_length=np.full(2, ADULT_HAND_LENGTH),
        hand_length_source="truth",
        world_frame="world",
        joint_names=JOINT_NAMES_21,
    )


def landmarks(tracks: HandTracks, track: CameraTrack) -> HandLandmarks:
    T = np.linalg.inv(track.T_world_camera)
    points = np.einsum("tij,tsnj->tsni", T[:, :3, :3], tracks.joints_world) + T[:, None, None, :3, 3]
    return HandLandmarks(
        landmarks_px=track.camera().project(points),
        landmarks_rel=points - points[:, :, :1],
        valid=tracks.valid,
        confidence=tracks.confidence,
        source=tracks.source,
        backend="projection",
        licence="Apache-2.0",
    )


def waving_scene(frames: int = 30, fps_hz: float = 30.0, clip_id: str = "waving") -> Scene:
    track, tracks = camera(frames), hands(frames, fps_hz)
    return Scene(
        clip=clip(frames, fps_hz, clip_id),
        camera=track,
        landmarks=landmarks(tracks, track),
        hands_raw=tracks,
        hands=tracks,
    )


def numbered_frame(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A frame whose number can be read back from its colours after lossy coding: eight black or white bars."""
    frame = np.full((height, width, 3), 128, np.uint8)
    for bit in range(8):
        left = bit * width // 8
        frame[: height // 3, left : left + width // 8] = 255 if index >> bit & 1 else 0
    return frame


def read_number(frame: np.ndarray) -> int:
    """Inverse of `numbered_frame`."""
    height, width = frame.shape[:2]
    centres = [(bit * width // 8) + width // 16 for bit in range(8)]
    return sum(1 << bit for bit, x in enumerate(centres) if frame[height // 6, x].mean() > 128)

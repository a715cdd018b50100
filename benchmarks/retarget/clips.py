"""Clips for the retarget benchmarks: toy scripts, synthetic two-hand motion, motion capture. All as `HandTracks`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from reenact.geometry.rotations import so3_exp
from reenact.hands.joints import JOINT_NAMES_21, SIDES
from reenact.hands.skeleton import HandSkeleton
from reenact.robots.model import Robot
from reenact.scene import HandTracks, Source


@dataclass(frozen=True)
class BenchClip:
    """Hands, their times, and (for noisy clips) the clean hands behind them."""

    name: str
    hands: HandTracks
    t_ns: np.ndarray
    clean: HandTracks | None = None


def tracks(joints: np.ndarray, valid: np.ndarray, world_frame: str = "world") -> HandTracks:
    """Plain tracks from joints [t 2 21 3]."""
    t = len(joints)
    code = np.where(valid, np.uint8(Source.TRUTH), np.uint8(Source.UNKNOWN)).astype(np.uint8)
    return HandTracks(
        joints_world=joints,
        valid=valid,
        confidence=valid.astype(float),
        source=code,
        sigma_camera=np.zeros((t, 2, 3)),
        reprojection=np.zeros((t, 2)),
        hand_length=np.full(2, 0.189),
        hand_length_source="truth",
        world_frame=world_frame,
        joint_names=JOINT_NAMES_21,
    )


def bimanual(
    seed: int,
    seconds: float = 4.0,
    fps_hz: float = 30.0,
    speed: float = 0.5,
    noise: float = 0.0,
    turn: float = 0.0,
) -> tuple[HandTracks, np.ndarray]:
    """Two hands in front of a person at the origin who faces +x: minimum-jerk reaches, seeded.

    Args:
        speed: about the median speed of a reach (m/s).
        noise: white noise of the wrist position per axis (m).
        turn: white noise of the wrist rotation per axis (rad).
    """
    t = np.arange(round(seconds * fps_hz)) / fps_hz
    joints = np.zeros((len(t), 2, 21, 3))
    for side in (0, 1):
        rng, jitter = np.random.default_rng([seed, side]), np.random.default_rng([seed, side, 1])
        out = 1.0 if side == 0 else -1.0
        places, times = [np.array([0.38, out * 0.18, 1.0])], [0.0]
        while times[-1] < seconds + 0.5:
            there = np.array([rng.uniform(0.25, 0.5), out * rng.uniform(0.09, 0.32), rng.uniform(0.85, 1.25)])
            reach = float(np.linalg.norm(there - places[-1]))
            times.append(times[-1] + max(1.3 * reach / speed, 0.3) + rng.uniform(0, 0.2))
            places.append(there)
        turns = rng.uniform([-0.7, -0.5, -0.6], [0.7, 0.6, 0.6], (len(times), 3))
        i = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(times) - 2)
        u = ((t - np.array(times)[i]) / np.diff(times)[i])[:, None]
        u = u**3 * (10 - 15 * u + 6 * u * u)
        position = np.array(places)[i] + (np.array(places)[i + 1] - np.array(places)[i]) * u
        angle = turns[i] + (turns[i + 1] - turns[i]) * u
        R = (
            so3_exp(angle * [0, 0, 1])
            @ so3_exp(angle * [0, 1, 0])
            @ _rest(side, out)
            @ so3_exp(angle * [1, 0, 0])
        )
        R = R @ so3_exp(jitter.normal(size=(len(t), 3)) * turn)
        position = position + jitter.normal(size=position.shape) * noise
        local = HandSkeleton.adult(side).joints_wrist(_finger_angles(t, rng))
        joints[:, side] = local @ np.swapaxes(R, -1, -2) + position[:, None]
    return tracks(joints, np.ones((len(t), 2), bool)), np.rint(t * 1e9).astype(np.int64)


def _rest(side: int, out: float) -> np.ndarray:
    """Fingers forward and a little inward, palm down and inward."""
    distal = np.array([1, -0.35 * out, -0.2]) / np.linalg.norm([1, 0.35, 0.2])
    dorsal = np.array([0, out * 0.6, 0.8])
    dorsal = dorsal - (dorsal @ distal) * distal
    dorsal /= np.linalg.norm(dorsal)
    x = distal if side == 0 else -distal
    return np.stack([x, dorsal, np.cross(x, dorsal)], axis=1)


def _finger_angles(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    bend = 0.5 + 0.4 * np.sin(np.pi * t[:, None] + rng.uniform(0, 6, 5))
    angles = np.zeros((len(t), 20))
    for finger in range(5):
        angles[:, 4 * finger] = bend[:, finger] * (0.4 if finger == 0 else 1.0)
        angles[:, 4 * finger + 2] = bend[:, finger]
        angles[:, 4 * finger + 3] = 0.6 * bend[:, finger]
    return angles


def robot_motion(
    robot: Robot, seed: int, frames: int, fps_hz: float, step: float = 0.3, every_s: float = 0.6
) -> tuple[np.ndarray, np.ndarray]:
    """A smooth random walk of both arms' joints around home, inside the limits: wrist poses [t 2 4 4], joints [t n]."""
    rng, seconds = np.random.default_rng(seed), np.arange(frames) / fps_hz
    knots, paths = np.arange(0.0, seconds[-1] + 2 * every_s, every_s), []
    for side in SIDES:
        idx = robot.arms[side].joint_idx
        inset = 0.12 * (robot.upper[idx] - robot.lower[idx])
        low, high = robot.lower[idx] + inset, robot.upper[idx] - inset
        walk = [np.clip(robot.home_q[idx] + rng.normal(size=len(idx)) * 0.3, low, high)]
        for _ in knots[1:]:
            walk.append(np.clip(walk[-1] + rng.normal(size=len(idx)) * step, low, high))
        path = CubicSpline(knots, np.array(walk))(seconds)
        paths.append(np.clip(path, robot.lower[idx], robot.upper[idx]))
    full = np.broadcast_to(robot.home_q, (frames, robot.n_q)).copy()
    for side, path in zip(SIDES, paths, strict=True):
        full[:, robot.arms[side].joint_idx] = path
    return robot.frames(full, ["wrist_left", "wrist_right"]), np.concatenate(paths, axis=1)


def toy(activity: str, seed: int) -> BenchClip:
    """The true hands of a toy clip (not rendered)."""
    from reenact.toy.activities.catalogue import write_script
    from reenact.toy.cameras import camera_path, make_camera
    from reenact.toy.config import ToyConfig
    from reenact.toy.script import perform
    from reenact.toy.truth import frame_times_ns, true_clip, true_scene

    config = ToyConfig(activity=activity, seed=seed)
    script = write_script(config)
    frames = round(script.duration * config.fps_hz)
    t_ns = frame_times_ns(config.fps_hz, frames)
    performance = perform(script, t_ns * 1e-9)
    T_world_camera = camera_path(config, np.random.default_rng(0), t_ns * 1e-9)
    scene = true_scene(
        config, true_clip(config, frames, ""), script, performance, make_camera(config), T_world_camera
    )
    assert scene.hands is not None
    return BenchClip(f"toy {activity}", scene.hands, t_ns)


def mocap(shared: Path) -> Iterator[BenchClip]:
    """Cracker box (21 joints, right hand, camera axes) and TACO (vertices, right hand, z up)."""
    with np.load(shared / "data/mocap/dexycb_crackerbox/dexycb_motion.npz", allow_pickle=False) as data:
        joints, vertices = data["world_hand_joints"].astype(float), data["world_hand_vertices"].astype(float)
    yield BenchClip("dexycb_crackerbox", _right_only(joints, "camera0"), _times(len(joints)))
    weights = _regressor(vertices, joints)
    with np.load(shared / "data/mocap/taco_010/20231104_010.npz", allow_pickle=False) as data:
        taco = np.einsum("jv,tvc->tjc", weights, data["hand_verts"].astype(float))
    yield BenchClip("taco_010", _right_only(taco, "world"), _times(len(taco)))


def recording(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """dex-retargeting's own recording of a bare right hand: 621 frames of 21 keypoints (MediaPipe, metres), seconds."""
    with np.load(shared / "data/ref/dexretargeting_joints/human_joint_right.npz", allow_pickle=False) as data:
        joints = data["joints"].astype(float)
    return joints, np.arange(len(joints)) / 30.0


def _regressor(vertices: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Joints as affine sums of the 20 nearest vertices, fitted on a clip that has both [21 778]."""
    weights = np.zeros((21, vertices.shape[1]))
    for j in range(21):
        near = np.argsort(np.linalg.norm(vertices - joints[:, j : j + 1], axis=-1).mean(axis=0))[:20]
        A = vertices[:, near].transpose(0, 2, 1).reshape(-1, 20)
        rows = np.concatenate([A, 1e-3 * np.eye(20), 10 * np.ones((1, 20))])
        want = np.concatenate([joints[:, j].reshape(-1), np.full(20, 1e-3 / 20), [10.0]])
        weights[j, near] = np.linalg.lstsq(rows, want, rcond=None)[0]
    return weights


def _right_only(joints: np.ndarray, world_frame: str) -> HandTracks:
    both = np.zeros((len(joints), 2, 21, 3))
    both[:, 1] = joints
    valid = np.zeros((len(joints), 2), bool)
    valid[:, 1] = True
    return tracks(both, valid, world_frame)


def _times(frames: int) -> np.ndarray:
    return np.rint(np.arange(frames) * 1e9 / 30).astype(np.int64)


def all_clips(shared: Path | None, only: str = "") -> Iterator[BenchClip]:
    """Every clip of the benchmark whose name contains `only`."""
    for activity in ("pick_place", "pour", "push", "two_hand_lift", "handover"):
        if only in f"toy {activity}":
            yield toy(activity, seed=3)
    for seed in (0, 1):
        if only in f"reaches {seed}":
            yield BenchClip(f"reaches {seed}", *bimanual(seed))
    if only in (name := "reaches 2 + 5 mm, 30 mrad"):
        clean, t_ns = bimanual(2)
        yield BenchClip(name, bimanual(2, noise=0.005, turn=0.03)[0], t_ns, clean)
    if shared is not None and (shared / "data/mocap").is_dir():
        yield from (clip for clip in mocap(shared) if only in clip.name)

"""Metric hands on motion capture with simulated net errors: what refinement gains, what it costs, is sigma honest.

Truth: `mocap/dexycb_crackerbox` (21 MANO joints, metres, camera axes: bones not ours) and the wrist motion of
`mocap/taco_010` with our skeleton's fingers closing and opening. Both are seen by a 640 x 480 camera of 60 degrees.
A net's errors are white noise plus slow drift (0.3 s) on pixels, drifting turns of every bone and lost frames.

    python benchmarks/hand_mocap.py [--shared ../shared]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.filters import time_shift
from reenact.geometry.rotations import so3_exp
from reenact.hands.image import box_side_px
from reenact.hands.joints import BONES_21, JOINT_NAMES_21, hand_length
from reenact.hands.skeleton import HandSkeleton
from reenact.quality.hands import HandErrors, measure_errors, measure_hands
from reenact.refine.hands import HandReconstructionConfig, reconstruct_hands
from reenact.refine.hands.rigid import solve_rigid
from reenact.scene import CameraTrack, HandLandmarks, HandTracks, Source

CAMERA = PinholeCamera.from_fov(np.deg2rad(60), 640, 480)
FPS_HZ = 30.0


@dataclass(frozen=True)
class NetNoise:
    """Simulated errors of a hand net."""

    name: str
    white: float
    """Pixel noise, fraction of the hand's box."""
    drift: float
    """Slow pixel error, same unit."""
    turn_deg: float
    """Slow turn of every bone in the relative shape, per axis."""
    lost: float
    """Share of frames without the hand."""


LEVELS = (
    NetNoise("none", 0.0, 0.0, 0.0, 0.0),
    NetNoise("low", 0.004, 0.008, 10.0, 0.02),
    NetNoise("medium", 0.008, 0.016, 20.0, 0.08),
    NetNoise("high", 0.016, 0.030, 30.0, 0.20),
)


def drifting(rng: np.random.Generator, shape: tuple[int, ...], tau_s: float = 0.3) -> np.ndarray:
    """First-order noise of unit variance over the first axis."""
    keep = np.exp(-1.0 / (FPS_HZ * tau_s))
    out = rng.normal(size=shape)
    for i in range(1, len(out)):
        out[i] = keep * out[i - 1] + np.sqrt(1 - keep**2) * out[i]
    return out


def simulate(truth: np.ndarray, side: int, noise: NetNoise, seed: int) -> HandLandmarks:
    """What a net would say of true joints [t 21 3] in camera axes."""
    rng, n = np.random.default_rng(seed), len(truth)
    pixels = CAMERA.project(truth)
    box = box_side_px(pixels)[:, None, None]
    pixels = pixels + box * (
        noise.white * rng.normal(size=pixels.shape) + noise.drift * drifting(rng, pixels.shape)
    )
    turns = so3_exp(np.deg2rad(noise.turn_deg) * drifting(rng, (n, 20, 3)))
    rel = np.zeros_like(truth)
    for bone, (parent, child) in enumerate(BONES_21):
        turned = (turns[:, bone] @ (truth[:, child] - truth[:, parent])[..., None])[..., 0]
        rel[:, child] = rel[:, parent] + 0.85 * turned  # nets shrink hands that they see badly
    valid = np.zeros((n, 2), dtype=bool)
    valid[:, side] = rng.random(n) >= noise.lost
    return HandLandmarks(
        landmarks_px=_in_slot(pixels, side),
        landmarks_rel=_in_slot(rel, side),
        valid=valid,
        confidence=valid * 0.9,
        source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        backend="simulated",
        licence="none",
    )


def _in_slot(values: np.ndarray, side: int) -> np.ndarray:
    out = np.zeros((len(values), 2, *values.shape[1:]))
    out[:, side] = values
    return out


def still_camera(n: int) -> CameraTrack:
    """A camera that does not move; the scene's frame is its own."""
    return CameraTrack(
        model="pinhole",
        params=CAMERA.params,
        width_px=CAMERA.width_px,
        height_px=CAMERA.height_px,
        intrinsics_source="truth",
        focal_sigma=0.0,
        T_world_camera=np.tile(np.eye(4), (n, 1, 1)),
        valid=np.ones(n, dtype=bool),
        confidence=np.ones(n),
        source=np.full(n, Source.TRUTH, dtype=np.uint8),
        motion="still",
        motion_heights_per_s=0.0,
        world_frame="camera0",
        gravity_source="unknown",
        gravity_sigma=np.pi,
    )


def as_tracks(joints: np.ndarray, side: int, valid: np.ndarray | None = None) -> HandTracks:
    """Joints of one hand as a record, for the measures."""
    n = len(joints)
    seen = np.zeros((n, 2), dtype=bool)
    seen[:, side] = True if valid is None else valid
    return HandTracks(
        joints_world=_in_slot(joints, side),
        valid=seen,
        confidence=seen.astype(float),
        source=np.where(seen, Source.TRUTH, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=np.ones((n, 2, 3)),
        reprojection=np.zeros((n, 2)),
        hand_length=np.full(2, float(hand_length(joints).mean())),
        hand_length_source="truth",
        world_frame="camera0",
        joint_names=JOINT_NAMES_21,
    )


def crackerbox(shared: Path) -> np.ndarray:
    """True joints [74 21 3], camera axes (the set's own), metres."""
    with np.load(shared / "data/mocap/dexycb_crackerbox/dexycb_motion.npz") as data:
        return data["world_hand_joints"].astype(np.float64)


def taco(shared: Path) -> np.ndarray:
    """TACO's wrist motion [135 21 3] under our skeleton with closing fingers, seen from 0.9 m in front."""
    with np.load(shared / "data/mocap/taco_010/20231104_010.npz") as data:
        wrist, turn = (
            data["hand_trans"].astype(np.float64),
            so3_exp(data["hand_pose"][:, :3].astype(np.float64)),
        )
    skeleton = HandSkeleton.adult(1)
    closing = np.sin(np.linspace(0, 3 * np.pi, len(wrist))) ** 2
    fist = np.tile([40.0, 0.0, 55.0, 35.0], 5) + np.array([-25.0, 5.0, -45.0, -20.0] + [0.0] * 16)
    local = skeleton.joints_wrist(np.deg2rad(fist)[None] * (0.15 + 0.85 * closing[:, None]))
    R_cam_world = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])  # z up to y down
    world = local @ np.swapaxes(turn, -1, -2) + wrist[:, None]
    seen = world @ R_cam_world.T
    return seen - seen.mean(axis=(0, 1)) + np.array([0.05, 0.02, 0.9])


def baseline(landmarks: HandLandmarks, side: int, skeleton: HandSkeleton | None) -> np.ndarray:
    """Rigid fit of the net's shape as it is, or of its directions on a fixed skeleton; all frames."""
    seen = landmarks.valid[:, side]
    shape = landmarks.landmarks_rel[seen, side]
    if skeleton is not None:
        shape = on_fixed_bones(shape, skeleton)
    joints = np.zeros((len(seen), 21, 3))
    joints[seen] = solve_rigid(shape, CAMERA.unproject(landmarks.landmarks_px[seen, side]))
    return joints


def on_fixed_bones(shape: np.ndarray, skeleton: HandSkeleton) -> np.ndarray:
    """The shape's bone directions with the skeleton's bone lengths."""
    rest, out = skeleton.rest_joints_wrist, np.zeros_like(shape)
    for parent, child in BONES_21:
        bone = shape[:, child] - shape[:, parent]
        length = np.linalg.norm(rest[child] - rest[parent])
        out[:, child] = out[:, parent] + length * bone / np.linalg.norm(bone, axis=-1, keepdims=True)
    return out


def row(name: str, e: HandErrors, jitter: tuple[float, float, float] | None) -> str:
    steady = "-" if jitter is None else " ".join(f"{v:5.2f}" for v in jitter)
    wrist = (
        f"{e.wrist_lateral_cm:6.2f} {e.wrist_depth_cm:6.2f} {e.wrist_depth_p90_cm:6.2f} {e.depth_ratio:6.3f}"
    )
    shape = (
        f"{e.joints_absolute_mm:7.1f} {e.joints_root_aligned_mm:7.1f} {e.joints_procrustes_aligned_mm:7.1f}"
    )
    return f"  {name:26s} {wrist} {shape}   {steady}"


def report(
    name: str,
    truth: np.ndarray,
    side: int = 1,
    seeds: int = 3,
    config: HandReconstructionConfig | None = None,
    baselines: bool = True,
) -> None:
    """Table over noise levels; errors are medians over frames, averaged over seeds by pooling."""
    n = len(truth)
    camera, t_ns = still_camera(n), (np.arange(n) * 1e9 / FPS_HZ).astype(np.int64)
    true = as_tracks(truth, side)
    motion = measure_hands(true, camera, t_ns)
    own = (motion.left, motion.right)[side].jitter_cm
    print(
        f"\n{name}: {n} frames, wrist depth {truth[:, 0, 2].mean():.2f} m; true motion off its 0.5 s parabola {own}"
    )
    head = "lat cm  dep cm dep p90  ratio  abs mm  root mm   PA mm   jitter xyz cm"
    print(f"  {'':26s} {head}")
    for noise in LEVELS:
        for seed in range(seeds if noise.white > 0 else 1):
            landmarks = simulate(truth, side, noise, seed)
            result = reconstruct_hands(landmarks, camera, t_ns, config)
            entries = [("raw", result.raw), ("refined", result.refined)]
            if baselines:
                seen = landmarks.valid[:, side]
                skeleton = HandSkeleton.adult(side)
                entries = [
                    ("net shape, rigid", as_tracks(baseline(landmarks, side, None), side, seen)),
                    ("fixed bones, rigid", as_tracks(baseline(landmarks, side, skeleton), side, seen)),
                    *entries,
                ]
            for label, tracks in entries:
                errors = measure_errors(tracks, true, camera)
                if errors is None:
                    print(f"  {noise.name} {label}: no hand")
                    continue
                both = measure_hands(tracks, camera, t_ns)
                print(row(f"{noise.name} {seed} {label}", errors, (both.left, both.right)[side].jitter_cm))
                if label == "refined":
                    seen_path, true_path = tracks.joints_world[:, side, 0, :2], truth[:, 0, :2]
                    shift = time_shift(true_path, seen_path, t_ns * 1e-9)
                    z = " ".join(f"{v:.2f}" for v in errors.sigma_ratio)
                    print(
                        f"      sideways time shift {shift * 1e3:+.1f} ms; error / sigma (rms) {z}; {errors.hands} hands"
                    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    report("DexYCB cracker box", crackerbox(args.shared), seeds=args.seeds)
    report("TACO 010 wrist", taco(args.shared), seeds=args.seeds)


if __name__ == "__main__":
    main()

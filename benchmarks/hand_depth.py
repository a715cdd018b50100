"""Metric hand depth against stereo depth on a real grasp: `gt/v2d_basketball`, the only real truth for scale we have.

A person turns a ball on its stand with both hands while the stereo camera moves round (frames 81 to 116, 3 Hz). The
hand net sees the left images only. Truth is semi-global stereo matching of the rectified pairs (f 426.2 px, baseline
149.6 mm; the 482 px in the data's config.yaml belong to the unrectified image), read at the landmarks. Stereo sees
skin; joints lie some 8 to 12 mm behind it, so a perfect hand at 0.36 m measures about 1.03 here. The last two rows are hands
put where that depth sees them: by the seed's rule, which takes the skin for the joints, and by drawing the skin.

    python benchmarks/hand_depth.py [--shared ../shared]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.geometry.alignment import kabsch
from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.transforms import apply
from reenact.hands.joints import BONES_21
from reenact.hands.skeleton import HandSkeleton
from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.refine.calibration.hand_depth import HandDepth, joint_median_shift
from reenact.refine.hands import reconstruct_hands
from reenact.refine.hands.rigid import RayBundle, place_by_size, solve_rigid
from reenact.rendering.mesh_depth import View
from reenact.scene import CameraTrack, HandLandmarks, Source

FIRST, LAST = 81, 116
WINDOW_PX = 3
"""Stereo depth at a landmark: median over this many pixels around it."""
PALM = [0, 1, 5, 9, 13, 17]


class Sequence:
    """Images, times and calibration of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = [json.loads(line) for line in (folder / "frame_metadata.jsonl").read_text().splitlines()]
        rig = json.loads((folder / "stereo.edex").read_text())[0]["cameras"]
        lens = rig[0]["intrinsics"]
        self.camera = PinholeCamera(*lens["focal"], *lens["principal"], *lens["size"])
        left, right = (np.array(c["transform"])[:, 3] for c in rig)
        self.baseline = float(np.linalg.norm(right - left))
        self.t_ns = np.array([row["cams"][0]["timestamp"] for row in self.rows], dtype=np.int64)

    def image(self, frame: int, eye: int) -> np.ndarray:
        """RGB."""
        import cv2

        path = self.folder / self.rows[frame]["cams"][eye]["filename"]
        return np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])

    def left_frames(self) -> Iterator[tuple[int, np.ndarray]]:
        for frame, t in enumerate(self.t_ns):
            yield int(t), self.image(frame, 0)

    def camera_track(self) -> CameraTrack:
        """The camera moves by an unknown path: everything stays in its own axes."""
        n = len(self.rows)
        return CameraTrack(
            model="pinhole",
            params=self.camera.params,
            width_px=self.camera.width_px,
            height_px=self.camera.height_px,
            intrinsics_source="truth",
            focal_sigma=0.0,
            T_world_camera=np.tile(np.eye(4), (n, 1, 1)),
            valid=np.zeros(n, dtype=bool),
            confidence=np.zeros(n),
            source=np.full(n, Source.UNKNOWN, dtype=np.uint8),
            motion="unknown",
            motion_heights_per_s=0.0,
            world_frame="camera0",
            gravity_source="unknown",
            gravity_sigma=np.pi,
        )


def stereo_depth(sequence: Sequence, frame: int) -> np.ndarray:
    """Depth (m) of the left image by semi-global matching between 0.23 and 0.8 m; 0 where unmatched."""
    import cv2

    low, count, side = 80, 192, 7
    matcher = cv2.StereoSGBM_create(
        minDisparity=low,
        numDisparities=count,
        blockSize=side,
        P1=8 * side**2,
        P2=32 * side**2,
        disp12MaxDiff=2,
        uniquenessRatio=5,
        speckleWindowSize=60,
        speckleRange=2,
        preFilterCap=31,
        mode=cv2.STEREO_SGBM_MODE_HH,
    )
    equalise, border = cv2.createCLAHE(3, (8, 8)), low + count
    padded = [
        cv2.copyMakeBorder(
            equalise.apply(cv2.cvtColor(sequence.image(frame, eye), cv2.COLOR_RGB2GRAY)),
            0, 0, border, 0, cv2.BORDER_REPLICATE,
        )
        for eye in (0, 1)
    ]  # fmt: skip
    disparity = matcher.compute(*padded)[:, border:].astype(np.float64) / 16
    found = disparity > low
    return np.where(found, sequence.camera.fx * sequence.baseline / np.where(found, disparity, 1.0), 0.0)


def depth_at(depth: np.ndarray, landmarks_px: np.ndarray) -> np.ndarray:
    """Stereo depth at each landmark, NaN where too few pixels matched."""
    out = np.full(len(landmarks_px), np.nan)
    for i, (x, y) in enumerate(np.rint(landmarks_px).astype(int)):
        window = depth[max(0, y - WINDOW_PX) : y + WINDOW_PX + 1, max(0, x - WINDOW_PX) : x + WINDOW_PX + 1]
        hits = window[window > 0]
        if len(hits) >= 8:
            out[i] = np.median(hits)
    return out


def on_fixed_bones(shape: np.ndarray, side: int) -> np.ndarray:
    """The net's bone directions on the adult skeleton's lengths."""
    rest, out = HandSkeleton.adult(side).rest_joints_wrist, np.zeros_like(shape)
    for parent, child in BONES_21:
        bone = shape[child] - shape[parent]
        out[child] = out[parent] + np.linalg.norm(rest[child] - rest[parent]) * bone / np.linalg.norm(bone)
    return out


def rigid_variants(
    landmarks: HandLandmarks, camera: PinholeCamera, frame: int, side: int
) -> dict[str, np.ndarray]:
    """Depths of the 21 joints by the ways we do not use."""
    rel, px = landmarks.landmarks_rel[frame, side], landmarks.landmarks_px[frame, side]
    rays, fixed = camera.unproject(px)[None], on_fixed_bones(rel, side)
    placed = place_by_size(fixed[None], RayBundle.from_rays(rays))[0]
    by_palm = kabsch(fixed[PALM], solve_rigid(fixed[None, PALM], rays[:, PALM])[0])
    return {
        "net shape as it is, rigid, 21 points": solve_rigid(rel[None], rays)[0, :, 2],
        "fixed bones, translation only": (fixed + placed)[:, 2],
        "fixed bones, rigid, palm only": apply(by_palm, fixed)[:, 2],
        "fixed bones, rigid, 21 points": solve_rigid(fixed[None], rays)[0, :, 2],
    }


def by_depth(
    joints: np.ndarray, side: int, length: float, depth: np.ndarray, drawer: HandDepth, view: View
) -> dict[str, np.ndarray]:
    """The refined hand moved by stereo depth; only what lies within 10 cm of where the hand is thought to be is the hand."""
    small = depth[(np.arange(drawer.view.height_px) * depth.shape[0] // drawer.view.height_px)[:, None],
                  np.arange(drawer.view.width_px) * depth.shape[1] // drawer.view.width_px].astype(np.float32)  # fmt: skip
    mask = np.abs(small - joints[:, 2].mean()) < 0.10
    ours = drawer.align(joints, side, length, small, mask)
    seed = joint_median_shift(joints, depth, view)
    out = {"refined, then the seed's joint median": (joints + seed.shift)[:, 2]}
    return out | (
        {"refined, then its skin drawn on the depth": (joints + ours.shift)[:, 2]} if ours.count else {}
    )


def collect(sequence: Sequence, landmarks: HandLandmarks) -> dict[str, list[float]]:
    """Ratio of our depth to stereo depth, median over the landmarks of a hand, for every way and hand."""
    result = reconstruct_hands(landmarks, sequence.camera_track(), sequence.t_ns)
    ratios: dict[str, list[float]] = {}
    view = View.of(np.asarray(sequence.camera.params), sequence.camera.width_px, sequence.camera.height_px)
    drawer = HandDepth(view.resized(320, round(320 * view.height_px / view.width_px)))
    for frame in range(FIRST, LAST + 1):
        depth = stereo_depth(sequence, frame)
        for side in np.flatnonzero(landmarks.valid[frame]):
            truth = depth_at(depth, landmarks.landmarks_px[frame, side])
            if np.isfinite(truth).sum() < 5:
                continue
            ways = rigid_variants(landmarks, sequence.camera, frame, side)
            ways["ours, per frame (raw), all"] = result.raw.joints_world[frame, side, :, 2]
            if result.reasons[frame, side] == 0:
                ways["ours, per frame (raw), past the gate"] = result.raw.joints_world[frame, side, :, 2]
                joints = result.refined.joints_world[frame, side]
                ways["ours, refined"] = joints[:, 2]
                length = float(result.refined.hand_length[side])
                ways |= by_depth(joints, int(side), length, depth, drawer, view)
            for name, joints_z in ways.items():
                ratios.setdefault(name, []).append(float(np.nanmedian(joints_z / truth)))
    drawer.close()
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    sequence = Sequence(parser.parse_args().shared / "data/gt/v2d_basketball")
    net = MediaPipeHands()
    landmarks = net.detect(sequence.left_frames())
    print(
        f"net {net.name}; hands seen in frames {FIRST}..{LAST}: {landmarks.valid[FIRST : LAST + 1].sum(axis=0)} (L, R)"
    )
    print(f"{'depth / stereo depth at the landmarks':42s} median    25 %    75 %     5 %    95 %    n")
    for name, values in collect(sequence, landmarks).items():
        q = np.percentile(values, [50, 25, 75, 5, 95])
        print(f"{name:42s} " + "  ".join(f"{v:6.3f}" for v in q) + f"  {len(values):3d}")
    print("published for this sequence: net shape 0.70 (0.59-0.77), fixed bones 0.95 (0.79-1.01), n 40")


if __name__ == "__main__":
    main()

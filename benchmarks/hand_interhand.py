"""The three real hands with exact 3D truth that we have: `gt/interhand_dev`, two studio images of bare hands.

The net looks at the image with a border (its palm net wants room); each true hand takes the nearest detection. The
fit gets the true camera and either the adult prior or the subject's own hand length. Root-aligned: wrist moved onto
the true wrist. Procrustes: best rotation, translation and scale.

    python benchmarks/hand_interhand.py [--shared ../shared]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from reenact.geometry.alignment import umeyama
from reenact.geometry.transforms import apply
from reenact.hands.joints import SIDES, hand_length
from reenact.hands.skeleton import ADULT_HAND_LENGTH, HandSkeleton
from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.refine.hands.kinematics import posed_joints
from reenact.refine.hands.offsets import offsets_of
from reenact.refine.hands.pose import fit_hand_poses

BORDER_PX = 100
ORDER = [20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16]
"""InterHand lists tips first and the wrist last; the right hand first."""


def true_hands(folder: Path) -> list[tuple[str, int, np.ndarray, np.ndarray, np.ndarray]]:
    """(image file, side, joints in camera axes [21 3] in metres, focal px, centre px) of every marked hand."""
    cameras, data, joints = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("camera", "data", "joint_3d")
    )
    hands = []
    for image, marks in zip(data["images"], data["annotations"], strict=True):
        camera, name = cameras[str(image["capture"])], image["camera"]
        world = np.array(joints[str(image["capture"])][str(image["frame_idx"])]["world_coord"])
        seen = (world - camera["campos"][name]) @ np.array(camera["camrot"][name]).T / 1000
        present = np.array(marks["joint_valid"]).reshape(2, 21).all(axis=1)
        for block in np.flatnonzero(present):  # 0 right, 1 left
            joints_camera = seen[21 * block : 21 * block + 21][ORDER]
            lens = np.array(camera["focal"][name]), np.array(camera["princpt"][name])
            hands.append((image["file_name"], 1 - int(block), joints_camera, *lens))
    return hands


def errors(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Root-aligned and Procrustes-aligned mean joint error (mm)."""
    scale, T = umeyama(found[None], true[None])
    fitted = apply(T, scale[:, None, None] * found[None])[0]
    rooted = found - found[0] + true[0]
    return tuple(float(np.linalg.norm(x - true, axis=-1).mean() * 1e3) for x in (rooted, fitted))  # type: ignore[return-value]


def main() -> None:
    import cv2

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    folder = parser.parse_args().shared / "data/gt/interhand_dev"
    net = MediaPipeHands()
    print(
        "image            side   2D px  | net as it is | adult prior            | own length      (root, PA mm, ratio)"
    )
    for file, side, true, focal, centre in true_hands(folder):
        image = cv2.copyMakeBorder(cv2.imread(str(folder / file)), *[BORDER_PX] * 4, cv2.BORDER_REPLICATE)
        hands = net.detect_image(np.ascontiguousarray(image[..., ::-1]), tiles=True)
        pixels = true[:, :2] / true[:, 2:] * focal + centre
        off = [np.linalg.norm(h.landmarks_px - BORDER_PX - pixels, axis=-1).mean() for h in hands]
        best = int(np.argmin(off))
        rays = np.concatenate(
            [(hands[best].landmarks_px - BORDER_PX - centre) / focal, np.ones((21, 1))], axis=1
        )
        rel = hands[best].landmarks_rel.astype(np.float64)
        row = f"{file}  {SIDES[side]:5s} {off[best]:6.1f}  | {errors(rel, true)[0]:5.1f} {errors(rel, true)[1]:5.1f}"
        for length in (ADULT_HAND_LENGTH, float(hand_length(true))):
            skeleton = HandSkeleton.adult(side, length)
            p = fit_hand_poses(skeleton, rays[None], rel[None], offsets=offsets_of(net.name))
            found = posed_joints(skeleton, p.R_camera_wrist, p.t_camera, p.angles)[0]
            root, shape = errors(found, true)
            row += f"  | {length:.3f} m {root:5.1f} {shape:5.1f} {found[0, 2] / true[0, 2]:6.3f}"
        print(row)


if __name__ == "__main__":
    main()

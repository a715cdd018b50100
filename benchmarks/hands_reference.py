"""The hand backend on real data: `python benchmarks/hands_reference.py [--shared DIR] [--only reference,...]`.

1. reference: exo/dexretargeting_hand against ref/dexretargeting_joints (621 frames of MediaPipe's own 3D keypoints).
2. interhand: gt/interhand_dev, 21 joints of real hands in the world (mm), root-aligned and Procrustes-aligned.
3. clips: every clip of exo/ and ego/: frames with one and two hands, time per frame, identity flips, what was removed.
4. runners: milliseconds of each net on LiteRT and on OpenCV's classic engine.
Times are CPU seconds of this process on one core (other work on the machine does not count); use OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from reenact.geometry.alignment import kabsch, umeyama
from reenact.geometry.transforms import apply
from reenact.hands.joints import bone_lengths
from reenact.perception.hands.mediapipe_litert import MediaPipeHands, MediaPipeHandsConfig
from reenact.perception.hands.nets import load_landmark_net, load_palm_net
from reenact.perception.hands.weights import ensure_model_files
from reenact.scene import HandLandmarks
from reenact.video.reader import VideoReader

RIGHT = 1
INTERHAND_ORDER = (20, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16)
"""InterHand lists each finger from the tip, the wrist last; this gives OpenPose-21."""


class DecodingClock:
    """Frames of a clip; knows how much CPU time decoding took."""

    def __init__(self, path: Path) -> None:
        self._reader, self.spent_s = VideoReader(path, threads=1), 0.0

    def frames(self) -> Iterator[tuple[int, np.ndarray]]:
        iterator = iter(self._reader.frames(max_height=None))
        while True:
            before = time.process_time()
            item = next(iterator, None)
            self.spent_s += time.process_time() - before
            if item is None:
                return
            yield item


def detect_clip(backend: MediaPipeHands, path: Path) -> tuple[HandLandmarks, float]:
    """Landmarks and CPU seconds without decoding."""
    clock = DecodingClock(path)
    before = time.process_time()
    result = backend.detect(clock.frames())
    return result, time.process_time() - before - clock.spent_s


def palm_frame(joints: np.ndarray) -> np.ndarray:
    """dex-retargeting's frame, read off its numbers: z to the middle knuckle, y to the index side, x the palm's normal."""
    centred = joints - joints[:, :1]
    z = centred[:, 9] / np.linalg.norm(centred[:, 9], axis=1, keepdims=True)
    x = np.cross(centred[:, 5], centred[:, 9])
    x = x - (x * z).sum(axis=1, keepdims=True) * z
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    R_camera_palm = np.stack([x, np.cross(z, x), z], axis=-1)
    return np.einsum("tji,tkj->tki", R_camera_palm, centred)


def spread(values: np.ndarray) -> str:
    q = np.quantile(values, [0.5, 0.9, 0.99])
    return f"mean {values.mean():6.2f}, median {q[0]:6.2f}, p90 {q[1]:6.2f}, p99 {q[2]:6.2f}, max {values.max():6.2f}"


def reference(backend: MediaPipeHands, shared: Path) -> None:
    truth = np.load(shared / "data/ref/dexretargeting_joints/human_joint_right.npz")["joints"]
    result, _ = detect_clip(backend, shared / "data/exo/dexretargeting_hand/video.mp4")
    seen = result.valid[:, RIGHT]
    print(
        f"reference: {seen.sum()} of {len(truth)} frames as the right hand, {result.valid[:, 0].sum()} as left"
    )
    ours, theirs = result.landmarks_rel[seen, RIGHT], truth[seen]
    fixed = palm_frame(ours)
    same_frame = palm_frame(theirs)
    print(f"  the reference is in the palm frame already: {np.abs(same_frame - theirs).max() * 1000:.3f} mm")
    rows = {
        "fixed palm frame (wrist at 0)": np.linalg.norm(fixed - theirs, axis=-1),
        "Kabsch per frame, 21 joints": np.linalg.norm(apply(kabsch(ours, theirs), ours) - theirs, axis=-1),
    }
    for name, error in rows.items():
        print(f"  {name:32s} per frame (mm): {spread(error.mean(axis=1) * 1000)}")
    length = np.linalg.norm(ours[:, 9] - ours[:, 0], axis=1) / np.linalg.norm(
        theirs[:, 9] - theirs[:, 0], axis=1
    )
    print(f"  wrist-to-knuckle length, ours / reference: {length.mean():.4f} +- {length.std():.4f}")


def interhand(backend: MediaPipeHands, shared: Path) -> None:
    folder = shared / "data/gt/interhand_dev"
    cameras, joints = (json.loads((folder / f"{n}.json").read_text()) for n in ("camera", "joint_3d"))
    listing = json.loads((folder / "data.json").read_text())
    boxes = {note["image_id"]: note["bbox"] for note in listing["annotations"]}
    for image in listing["images"]:
        lens, capture = cameras[str(image["capture"])], joints[str(image["capture"])]
        R, centre = np.array(lens["camrot"][image["camera"]]), np.array(lens["campos"][image["camera"]])
        world = np.array(capture[str(image["frame_idx"])]["world_coord"])
        known = np.array(capture[str(image["frame_idx"])]["joint_valid"]).reshape(-1).astype(bool)
        camera_mm = (world - centre) @ R.T
        pixels = (
            camera_mm[:, :2] / camera_mm[:, 2:] * lens["focal"][image["camera"]]
            + lens["princpt"][image["camera"]]
        )
        picture = cv2.cvtColor(cv2.imread(str(folder / image["file_name"])), cv2.COLOR_BGR2RGB)
        box = np.array(boxes[image["id"]])
        ways = {
            "palm net": backend.detect_image(picture, tiles=True),
            "given box": backend.detect_box(picture, np.concatenate([box[:2], box[:2] + box[2:]])),
        }
        for way, found in ways.items():
            print(f"interhand {image['file_name']}, {way}: {len(found)} hands found")
            for side, first in (("right", 0), ("left", 21)):
                if known[first : first + 21].all():
                    order = first + np.array(INTERHAND_ORDER)
                    _interhand_side(side, found, pixels[order], camera_mm[order])


def _interhand_side(side: str, found: list, pixels: np.ndarray, camera_mm: np.ndarray) -> None:
    size = np.ptp(pixels, axis=0).max()
    found = [hand for hand in found if hand.side == int(side == "right")]
    near = sorted(found, key=lambda hand: np.linalg.norm(hand.landmarks_px - pixels, axis=1).mean())
    if not near or np.linalg.norm(near[0].landmarks_px - pixels, axis=1).mean() > 0.5 * size:
        print(f"  {side:5s}: not found")
        return
    hand = near[0]
    ours = hand.landmarks_rel * 1000
    root = np.linalg.norm((ours - ours[0]) - (camera_mm - camera_mm[0]), axis=1).mean()
    scale = bone_lengths(camera_mm).sum() / bone_lengths(ours).sum()
    scaled = np.linalg.norm((ours - ours[0]) * scale - (camera_mm - camera_mm[0]), axis=1).mean()
    rigid = np.linalg.norm(apply(kabsch(ours, camera_mm), ours) - camera_mm, axis=1).mean()
    factor, T = umeyama(ours, camera_mm)
    similar = np.linalg.norm(apply(T, ours * factor) - camera_mm, axis=1).mean()
    flat = np.linalg.norm(hand.landmarks_px - pixels, axis=1).mean()
    print(
        f"  {side:5s}: p_right {hand.p_right:.2f}, presence {hand.presence:.2f}, 2D {flat:.1f} px, {100 * flat / size:.1f} %"
        f" of the hand; 3D mm: root-aligned {root:.1f}, with true scale {scaled:.1f} (x{scale:.2f}),"
        f" Kabsch {rigid:.1f}, Procrustes {similar:.1f}"
    )


def exchanges(result: HandLandmarks) -> int:
    """Places where the two slots trade hands: both seen in two frames and nearer crosswise, or one hand going on
    in the other slot at the same place (within a quarter of its size)."""
    palms = result.landmarks_px[:, :, [0, 5, 9, 13, 17]].mean(axis=2)
    size = np.ptp(result.landmarks_px, axis=2).max(axis=-1)
    valid, count = result.valid, 0
    for t in range(1, len(valid)):
        a, b = palms[t - 1], palms[t]
        if valid[t - 1].all() and valid[t].all():
            straight = np.linalg.norm(a - b, axis=1).sum()
            count += int(np.linalg.norm(a - b[::-1], axis=1).sum() < straight)
        elif valid[t - 1].sum() == 1 and valid[t].sum() == 1 and (valid[t - 1] != valid[t]).all():
            old, new = int(np.argmax(valid[t - 1])), int(np.argmax(valid[t]))
            count += int(np.linalg.norm(a[old] - b[new]) < 0.25 * size[t - 1, old])
    return count


def clips(backend: MediaPipeHands, shared: Path) -> None:
    print(
        f"{'clip':26s} frames  size       one+   both   flips  same-label  ms/frame  x real time  removed/rejected"
    )
    for path in sorted([*shared.glob("data/exo/*/video.mp4"), *shared.glob("data/ego/*/video.mp4")]):
        info = VideoReader(path).info
        result, spent_s = detect_clip(backend, path)
        d, frames = backend.diagnostics, len(result.valid)
        removed = {
            k: v
            for k, v in d.items()
            if k.startswith(("removed", "rejected", "duplicates", "unassigned")) and v
        }
        print(
            f"{path.parent.parent.name + '/' + path.parent.name:26s} {frames:6d}  {info.width_px}x{info.height_px:<5d}"
            f" {result.valid.any(axis=1).mean():6.3f} {result.valid.all(axis=1).mean():6.3f} {exchanges(result):6d}"
            f" {d['same_label_frames_before']:10d} {1000 * spent_s / frames:9.1f}"
            f" {spent_s / (frames / info.nominal_fps_hz):11.2f}  {removed}",
            flush=True,
        )


def runners(backend: MediaPipeHands, shared: Path) -> None:
    rng = np.random.default_rng(0)
    palm_path, landmark_path = ensure_model_files(backend.config.cache_dir)
    palm_image, hand_image = (rng.integers(0, 255, (side, side, 3), dtype=np.uint8) for side in (192, 224))
    for runner in ("litert", "opencv"):
        for name, net, image in (
            ("palm", load_palm_net(palm_path, runner, 1), palm_image),
            ("landmark", load_landmark_net(landmark_path, runner, 1), hand_image),
        ):
            net(image)
            taken = []
            for _ in range(40):
                before = time.perf_counter()
                net(image)
                taken.append(time.perf_counter() - before)
            print(
                f"runners: {runner:7s} {name:9s} median {np.median(taken) * 1e3:6.1f} ms, best {min(taken) * 1e3:6.1f} ms"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--only", default="reference,interhand,clips,runners")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    parts = {"reference": reference, "interhand": interhand, "clips": clips, "runners": runners}
    for name in arguments.only.split(","):
        parts[name](MediaPipeHands(MediaPipeHandsConfig()), arguments.shared)


if __name__ == "__main__":
    main()

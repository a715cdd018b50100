"""Outlines of a ball against published masks: 19 key frames of a camera carried round a table.

    python benchmarks/ball_masks.py [--shared ../shared]

Data: gt/v2d_bundlesdf_stage1 (rectified pictures and masks of key frames) and gt/v2d_basketball (the capture they are
from, 3 pictures a second; each key frame takes the place of the picture that is most like it). The masks are by another
program and called truth here. Columns: J (Jaccard), and how far the centres of the two outlines are apart in pixels of 960;
median and worst over the key frames in which our mask says it is valid.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from reenact.perception.discover.automatic import AutomaticFinder, AutomaticFinderConfig
from reenact.perception.discover.hints import ObjectBox, ObjectClick
from reenact.perception.masks.classical import ClassicalMasks
from reenact.scene import Clip, HandLandmarks, MaskLabel

WIDTH, HEIGHT = 960, 600


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    gt = parser.parse_args().shared / "data" / "gt"
    keys = [read(p) for p in sorted((gt / "v2d_bundlesdf_stage1" / "left").glob("*.png"))]
    true = [cv2.imread(str(p), 0) > 0 for p in sorted((gt / "v2d_bundlesdf_stage1" / "masks").glob("*.png"))]
    video = [
        read(p) for p in sorted((gt / "v2d_basketball" / "front_stereo_camera_left").glob("*.jpeg"))[:80]
    ]
    places = [most_like(key, video) for key in keys]
    for place, key in zip(places, keys, strict=True):
        video[place] = key
    video = video[: max(places) + 1]

    print("| seed | key frames | valid | J median | J worst | centre px median | worst | s |")
    print("|---|---|---|---|---|---|---|---|")
    box, click = box_around(true[0]), middle(true[0])
    followed("a box in the first picture, followed", video, places, true, box=box)
    followed("a click in the first picture, followed", video, places, true, click=click)
    each("a box in each key frame", keys, true, by_click=False)
    each("a click in each key frame", keys, true, by_click=True)


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))[..., ::-1]
    return np.ascontiguousarray(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))


def most_like(key: np.ndarray, video: list[np.ndarray]) -> int:
    small = [cv2.resize(p, (96, 60), interpolation=cv2.INTER_AREA).astype(np.int32) for p in (key, *video)]
    return int(np.argmin([np.abs(p - small[0]).mean() for p in small[1:]]))


def box_around(mask: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.min()), float(rows.min()), float(columns.max()), float(rows.max())


def middle(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)[::-1]


def followed(name, video, places, true, box=None, click=None) -> None:
    t0 = time.process_time()
    labels, valid = outline(video, box, click)
    seconds = time.process_time() - t0
    report(name, [labels[p] for p in places], [bool(valid[p]) for p in places], true, seconds)


def each(name: str, keys: list[np.ndarray], true: list[np.ndarray], *, by_click: bool) -> None:
    t0, masks, valid = time.process_time(), [], []
    for key, mask in zip(keys, true, strict=True):
        hint = {"click": middle(mask)} if by_click else {"box": box_around(mask)}
        labels, seen = outline([key], **hint)
        masks.append(labels[0])
        valid.append(bool(seen[0]))
    report(name, masks, valid, true, time.process_time() - t0)


def outline(pictures: list[np.ndarray], box=None, click=None) -> tuple[np.ndarray, np.ndarray]:
    """Labels and validity of the one object that a box or a click in the first picture names; no hands are known."""
    t_ns = np.arange(len(pictures), dtype=np.int64) * 333_333_333
    clip = Clip(
        clip_id="ball", source_name="ball", source_sha256="0" * 64, width_px=WIDTH, height_px=HEIGHT, rotation_deg=0,
        nominal_fps_hz=3.0, t_ns=t_ns, end_ns=int(t_ns[-1]) + 1, source_frame_idx=np.arange(len(pictures)),
    )  # fmt: skip
    zeros = np.zeros((len(pictures), 2, 21, 3))
    nobody = HandLandmarks(
        landmarks_px=zeros[..., :2], landmarks_rel=zeros, valid=zeros[:, :, 0, 0] > 0, confidence=zeros[:, :, 0, 0],
        source=zeros[:, :, 0, 0].astype(np.uint8), backend="none", licence="none",
    )  # fmt: skip
    boxes = () if box is None else (ObjectBox(0, *box),)
    clicks = () if click is None else (ObjectClick(0, *click.tolist()),)
    frames = list(zip(t_ns.tolist(), pictures, strict=True))
    finder = AutomaticFinder(AutomaticFinderConfig(boxes=boxes, clicks=clicks))
    found = finder.find(iter(frames), clip, nobody)
    made = ClassicalMasks().segment(iter(frames), clip, nobody, found)
    return made.labels == MaskLabel.FIRST_OBJECT, made.tracks.valid[:, 0]


def report(
    name: str, masks: list[np.ndarray], valid: list[bool], true: list[np.ndarray], seconds: float
) -> None:
    scores, apart = [], []
    for mask, seen, want in zip(masks, valid, true, strict=True):
        if not seen:
            continue
        full = cv2.resize(mask.astype(np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST) > 0
        scores.append(float((full & want).sum() / (full | want).sum()))
        apart.append(float(np.linalg.norm(middle(full) - middle(want))))
    if not scores:
        print(f"| {name} | {len(true)} | 0 | - | - | - | - | {seconds:.1f} |")
        return
    print(
        f"| {name} | {len(true)} | {len(scores)} | {np.median(scores):.3f} | {min(scores):.3f} "
        f"| {np.median(apart):.1f} | {max(apart):.1f} | {seconds:.1f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""Finding objects, outlining them and following points: accuracy on toy clips with known truth, sheets of real ones.

    python benchmarks/object_masks.py --out SHEETS [--toy CACHE] [--shared ../shared] [--views exo ego]
        [--motions static handheld orbit] [--only real]

Toy: 8 activities by view, 480 x 360, 15 Hz, true landmarks. Columns, per manipulated object (mean where several):
  found  the automatic finder gave an object whose masks overlap the true ones with a mean J above 0.5 (partly: 0.25)
  J auto mean Jaccard over the frames in which the mask says it is valid, from the finder's own seeds
  J box  the same from a true box in one frame (all objects, standing ones too, in `J box still`)
  lost   share of the frames that show it in which the mask says lost (auto)
  false  found objects that are no object of the clip
  px     median / 90th percentile error of object points against truth, pixels of 480
  s      CPU seconds: find, masks (box), points
Real: contact sheets with labels drawn in, and what was said about each object.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from reenact.geometry.transforms import apply, inverse
from reenact.perception.discover.automatic import AutomaticFinder
from reenact.perception.discover.truth import TruthFinder, TruthFinderConfig, true_roles
from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.perception.hands.truth import TruthHands
from reenact.perception.masks.classical import ClassicalMasks
from reenact.perception.masks.contract import ObjectMasks
from reenact.perception.masks.truth import TruthMasks
from reenact.perception.points.lucas_kanade import LucasKanade
from reenact.scene import Clip, FoundObjects, HandLandmarks, MaskLabel, PointTracks
from reenact.stages.clip import ClipConfig, Segment, clip_times, preview_fps
from reenact.stages.landmarks import full_size
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import MOTIONS, ToyConfig
from reenact.video.source import open_video

ACTIVITIES = ("pick_place", "pour", "push", "two_hand_lift", "handover", "cut", "wipe", "strike")
REAL = {
    "sam2_cups": ("exo/sam2_cups", True),
    "sam2_blocks": ("exo/sam2_blocks", True),
    "dexycb_pitcher": ("exo/dexycb_pitcher", True),
    "hawor_plate": ("ego/hawor_plate", False),
}
"""Name -> folder under data/, and whether the camera stands still (what the stage `camera` finds)."""
COLOURS = [(0, 90, 255), (255, 220, 0), (255, 0, 255), (0, 255, 255), (255, 128, 0), (128, 0, 255)]


@dataclass(frozen=True)
class StillCamera:
    """All that the finder asks of a camera track."""

    motion: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--toy", type=Path, default=None)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--views", nargs="+", default=["exo", "ego"])
    parser.add_argument("--motions", nargs="+", default=["static"], choices=MOTIONS)
    parser.add_argument("--only", choices=("toy", "real"), default=None)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.only != "real":
        for motion in options.motions:
            toy_table(options.toy or options.out / "toy", options.views, motion, options.out)
    if options.only != "toy":
        real_sheets(options.shared / "data", options.out)


def toy_table(cache: Path, views: list[str], motion: str, out: Path) -> None:
    print(f"\nCamera: {motion}\n")
    print("| clip | found | J auto | lost | false | J box | J box still | px | s find/masks/points |")
    print("|---|---|---|---|---|---|---|---|---|")
    totals: dict[str, list[float]] = {k: [] for k in ("found", "auto", "lost", "false", "box", "still", "px")}
    for view in views:
        for activity in ACTIVITIES:
            folder = cache / (f"{activity}_{view}" if motion == "static" else f"{activity}_{view}_{motion}")
            if not (folder / "config.json").exists():
                config = ToyConfig(
                    activity=activity, seed=1, fps_hz=15.0, width_px=480, height_px=360, view=view,
                    camera_motion=motion, samples=0,
                )  # fmt: skip
                make_clip(config, folder)
            toy_row(ToyClip(folder), f"{activity} {view}", out, totals)
    means = {k: float(np.mean(v)) if v else float("nan") for k, v in totals.items()}
    print(
        f"| **all** | {means['found']:.2f} | {means['auto']:.2f} | {means['lost']:.2f} | {means['false']:.2f} "
        f"| {means['box']:.2f} | {means['still']:.2f} | {means['px']:.2f} | |"
    )


def toy_row(toy: ToyClip, name: str, out: Path, totals: dict[str, list[float]]) -> None:
    scene = toy.scene
    assert scene.objects is not None
    assert scene.hands is not None
    clip, landmarks = scene.clip, TruthHands(scene.hands, scene.camera).landmarks()
    busy = [o for o, role in enumerate(true_roles(scene, 0.05)) if role == "manipulated"]
    frames = list(open_video(toy.video_path).frames(None, clip.t_ns))

    t0 = time.process_time()
    found = AutomaticFinder().find(iter(frames), clip, landmarks, scene.camera)
    t1 = time.process_time()
    auto = ClassicalMasks().segment(iter(frames), clip, landmarks, found)
    t2 = time.process_time()
    given = TruthFinder(scene, toy.mask, TruthFinderConfig(with_bystanders=True, min_area_px=60)).objects()
    box = ClassicalMasks().segment(iter(frames), clip, landmarks, given)
    t3 = time.process_time()
    true_labels = TruthMasks(scene, toy.mask).masks(scene.objects.object_ids)
    t4 = time.process_time()
    tracks = LucasKanade().track(iter(frames), clip, true_labels)
    t5 = time.process_time()

    best = {o: best_match(toy, auto, o) for o in busy}
    used = {k for o in range(len(scene.objects.names)) for j, _, k in [best_match(toy, auto, o)] if j > 0.25}
    boxed = {o: jaccard(toy, box, o, k) for k, o in in_order(given, scene.objects.object_ids)}
    errors = point_errors(toy, tracks)
    hits = [1.0 if best[o][0] > 0.5 else 0.5 if best[o][0] > 0.25 else 0.0 for o in busy]
    still = [j for o, (j, _) in boxed.items() if o not in busy]
    held = [boxed[o][0] for o in busy if o in boxed]
    false = len(found.object_ids) - len(used)
    totals["found"] += hits
    totals["auto"] += [best[o][0] for o in busy if best[o][0] > 0.25]
    totals["lost"] += [best[o][1] for o in busy if best[o][0] > 0.25]
    totals["false"].append(float(false))
    totals["box"] += held
    totals["still"] += still
    totals["px"].append(float(np.median(errors)))
    words = " ".join(
        f"{scene.objects.names[o]}:{('no', 'partly', 'yes')[round(2 * h)]}"
        for o, h in zip(busy, hits, strict=True)
    )
    print(
        f"| {name} | {words} | {joined(best[o][0] for o in busy)} | {joined(best[o][1] for o in busy)} | {false} "
        f"| {joined(held)} | {joined(still)} | {np.median(errors):.2f} / {np.quantile(errors, 0.9):.2f} "
        f"| {t1 - t0:.1f} / {t3 - t2:.1f} / {t5 - t4:.1f} |",
        flush=True,
    )
    write_sheet(out / f"toy_{name.replace(' ', '_')}.png", frames, auto, 6)


def joined(values) -> str:
    return " ".join(f"{v:.2f}" for v in values) or "-"


def in_order(found: FoundObjects, ids: tuple[str, ...]) -> list[tuple[int, int]]:
    return [(k, ids.index(name)) for k, name in enumerate(found.object_ids)]


def best_match(toy: ToyClip, masks: ObjectMasks, o: int) -> tuple[float, float, int]:
    """(J, share lost, which) of the found object that fits true object o best; (0, 1, -1) without any."""
    scores = [(*jaccard(toy, masks, o, k), k) for k in range(len(masks.tracks.object_ids))]
    return max(scores, default=(0.0, 1.0, -1))


def jaccard(toy: ToyClip, masks: ObjectMasks, o: int, k: int) -> tuple[float, float]:
    """Mean J of found object k against true object o where valid, and the share of its frames that are lost."""
    scores, shown = [], 0
    for frame in range(len(masks.labels)):
        true = toy.mask(frame)
        if true.shape != masks.labels.shape[1:]:
            size = (masks.labels.shape[2], masks.labels.shape[1])
            true = cv2.resize(true, size, interpolation=cv2.INTER_NEAREST)
        true = true == MaskLabel.FIRST_OBJECT + o
        if true.sum() < 25:
            continue
        shown += 1
        if masks.tracks.valid[frame, k]:
            mine = masks.labels[frame] == MaskLabel.FIRST_OBJECT + k
            scores.append(float((mine & true).sum()) / max(float((mine | true).sum()), 1.0))
    return (float(np.mean(scores)) if scores else 0.0, 1.0 - len(scores) / max(shown, 1))


def point_errors(toy: ToyClip, tracks: PointTracks) -> np.ndarray:
    """Distance of object points from where the surface point seen in the middle of their life really is, pixels."""
    scene = toy.scene
    assert scene.objects is not None
    camera, T_world_camera = scene.camera.camera(), scene.camera.T_world_camera
    errors = [np.zeros(1)]
    for p in np.flatnonzero(tracks.object_idx >= 0).tolist():
        o = int(tracks.object_idx[p])
        at = np.flatnonzero(tracks.valid[:, p])
        f0 = int(at[len(at) // 2])
        pixel = tracks.points_px[f0, p]
        column, row = np.rint(pixel).astype(int)
        z = float(toy.depth(f0)[row, column])
        if toy.mask(f0)[row, column] != MaskLabel.FIRST_OBJECT + o or z == 0:
            continue
        ray = camera.unproject(pixel[None])[0]
        place = apply(T_world_camera[f0], (ray / ray[2] * z)[None])
        T_world_object = scene.objects.T_world_object[:, o]
        local = apply(inverse(T_world_object[f0]), place)
        for f in at.tolist():
            world = apply(T_world_object[f], local)
            true = camera.project(apply(inverse(T_world_camera[f]), world))[0]
            errors.append(np.linalg.norm(true - tracks.points_px[f, p], keepdims=True))
    return np.concatenate(errors)


def real_sheets(data: Path, out: Path) -> None:
    for name, (folder, is_still) in REAL.items():
        path = data / folder / "video.mp4"
        if not path.is_file():
            print(f"{name}: not there ({path})")
            continue
        clip, frames, landmarks = real_clip(path, name)
        t0 = time.process_time()
        finder = AutomaticFinder()
        camera = StillCamera("still" if is_still else "moving")
        found = finder.find(iter(frames), clip, landmarks, camera)  # type: ignore[arg-type]
        t1 = time.process_time()
        backend = ClassicalMasks()
        masks = backend.segment(iter(frames), clip, landmarks, found)
        t2 = time.process_time()
        tracks = LucasKanade().track(iter(frames), clip, masks)
        t3 = time.process_time()
        print(
            f"\n{name}: {len(frames)} frames; find {t1 - t0:.1f} s, masks {t2 - t1:.1f} s, points {t3 - t2:.1f} s"
        )
        for k, row in enumerate(backend.diagnostics["objects"]):
            points = int((tracks.object_idx == k).sum())
            print(
                f"  {found.names[k]} ({found.roles[k]}, {found.confidence[k]:.2f}): seen {row['frames_seen']}, hidden "
                f"{row['frames_hidden_by_hands']}, lost {row['frames_lost']}, "
                f"which one unknown {row['frames_which_one_unknown']}, mask confidence {row['mean_confidence']}, "
                f"{points} points. {found.reasons[k]}"
            )
        write_sheet(out / f"real_{name}.png", frames, masks, 12)


def real_clip(path: Path, name: str) -> tuple[Clip, list[tuple[int, np.ndarray]], HandLandmarks]:
    source = open_video(path)
    t_ns, info = clip_times(source, Segment(name), ClipConfig()), source.info
    frames = list(source.frames(1080, t_ns))
    clip = Clip(
        clip_id=name, source_name=info.name, source_sha256=info.sha256, width_px=info.width_px,
        height_px=info.height_px, rotation_deg=info.rotation_deg, nominal_fps_hz=preview_fps(t_ns),
        t_ns=np.array([t for t, _ in frames], np.int64), end_ns=int(frames[-1][0]) + 33_000_000,
        source_frame_idx=np.arange(len(frames), dtype=np.int64),
    )  # fmt: skip
    landmarks = full_size(MediaPipeHands().detect(iter(frames)), clip, frames[0][1].shape[1])
    return clip, frames, landmarks


def write_sheet(path: Path, frames: list[tuple[int, np.ndarray]], masks: ObjectMasks, count: int) -> None:
    """Frames spread over the clip with labels drawn in, hands green (left) and red (right)."""
    tiles = []
    for frame in np.unique(np.linspace(0, len(frames) - 1, count).astype(int)).tolist():
        labels = masks.labels[frame]
        picture = cv2.resize(frames[frame][1], labels.shape[::-1], interpolation=cv2.INTER_AREA)
        for code in np.unique(labels[labels > 0]).tolist():
            colour = (
                (0, 200, 0) if code in (1, 3) else (220, 0, 0) if code in (2, 4) else COLOURS[(code - 16) % 6]
            )
            picture[labels == code] = (0.55 * picture[labels == code] + 0.45 * np.array(colour)).astype(
                np.uint8
            )
            if code >= MaskLabel.FIRST_OBJECT:
                edges, _ = cv2.findContours(
                    (labels == code).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
                )
                cv2.drawContours(picture, edges, -1, colour, 1)
        tiles.append(picture)
    wide = 4 if len(tiles) > 6 else 3
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % wide)
    rows = [np.hstack(tiles[i : i + wide]) for i in range(0, len(tiles), wide)]
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()

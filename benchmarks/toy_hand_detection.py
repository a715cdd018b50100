"""How well the MediaPipe hand nets see our own hand: detection, handedness and landmark error against exact truth.

Run ``python benchmarks/toy_hand_detection.py`` (needs the ``hands`` and ``toy`` extras and a GL). Every hand is shown
to the nets as one still image: no tracking, no second look. Prints tables; ``--pictures DIR`` writes every view.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reenact.hands.appearance import SkinTone
from reenact.hands.joints import JOINT_NAMES_21, LEFT, SIDES
from reenact.hands.poses import POSE_NAMES, named_pose
from reenact.hands.rest import bone_at
from reenact.hands.skeleton import HandSkeleton
from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.toy.hand_stage import HandStage, HandView, intrinsics, place


@dataclass(frozen=True)
class Case:
    """One picture of the grid."""

    side: int
    pose: str
    direction_wrist: np.ndarray
    """From the hand to the camera, in a frame with x to the fingers, y to the back, z to the thumb."""
    roll: float
    distance: float
    shift_px: tuple[float, float]


@dataclass
class Result:
    """What the nets said about a case."""

    case: Case
    view: HandView
    found: bool
    side: int = -1
    presence: float = 0.0
    landmarks_px: np.ndarray | None = None
    landmarks_rel: np.ndarray | None = None

    @property
    def box_px(self) -> float:
        return float(np.ptp(self.view.joints_px, axis=0).max())

    @property
    def error(self) -> np.ndarray:
        """Per joint, as a share of the hand box."""
        return np.linalg.norm(self.landmarks_px - self.view.joints_px, axis=1) / self.box_px


def grid(views: int, seed: int, width_px: int) -> list[Case]:
    """`views` directions spread evenly over the sphere (Fibonacci), with seeded roll, distance and place."""
    rng = np.random.default_rng(seed)
    cases = []
    for side in (0, 1):
        for pose in POSE_NAMES:
            turn = rng.uniform(0, 2 * np.pi)
            distances = rng.permutation(np.linspace(0.4, 0.9, views))
            for i in range(views):
                y = 1 - (2 * i + 1) / views
                angle = np.pi * (1 + 5**0.5) * i + turn
                r = np.sqrt(1 - y * y)
                shift = rng.uniform(-0.12, 0.12, 2) * width_px
                direction = np.array([r * np.cos(angle), y, r * np.sin(angle)])
                cases.append(
                    Case(side, pose, direction, rng.uniform(0, 2 * np.pi), distances[i], (shift[0], shift[1]))
                )
    return cases


def run(
    cases: list[Case], width_px: int, height_px: int, backend: MediaPipeHands, **looks: Any
) -> list[Result]:
    """Renders and detects every case; `looks` go to the stage."""
    with HandStage(width_px, height_px, **looks) as stage:
        return [judge(case, show(stage, case), backend) for case in cases]


def show(stage: HandStage, case: Case) -> HandView:
    """The picture of a case."""
    ray = np.array([case.shift_px[0] / stage.K[0, 0], case.shift_px[1] / stage.K[1, 1], 1.0])
    placed = place(case.side, case.direction_wrist, case.roll, case.distance, ray)
    return stage.view(case.side, named_pose(case.pose), *placed)


def judge(case: Case, view: HandView, backend: MediaPipeHands) -> Result:
    """Found = some detection whose 21 points lie, on average, within 35 % of the hand box of the truth."""
    result = Result(case, view, False)
    hands = backend.detect_image(view.image)
    far = [np.linalg.norm(h.landmarks_px - view.joints_px, axis=1).mean() / result.box_px for h in hands]
    if far and min(far) < 0.35:
        best = hands[int(np.argmin(far))]
        result.found, result.side, result.presence = True, best.side, best.presence
        result.landmarks_px, result.landmarks_rel = best.landmarks_px, best.landmarks_rel
    return result


def summary(results: list[Result]) -> str:
    """One line: views, found, right side, landmark error."""
    found = [r for r in results if r.found]
    if not results:
        return "   0"
    errors = np.array([r.error.mean() for r in found]) if found else np.array([np.nan])
    sides = np.mean([r.side == r.case.side for r in found]) if found else np.nan
    return (
        f"{len(results):4d} {len(found):5d} {100 * len(found) / len(results):6.1f} {100 * sides:8.1f} "
        f"{100 * np.median(errors):8.1f} {100 * np.percentile(errors, 90):6.1f}"
    )


def print_tables(results: list[Result], title: str) -> None:
    print(f"\n## {title}")
    print(f"{'group':24s} {'n':>4s} {'found':>5s} {'%':>6s} {'side ok%':>8s} {'err med%':>8s} {'p90':>6s}")
    clear = [r for r in results if r.view.is_clear()]
    print(f"{'all views':24s} {summary(results)}")
    print(f"{'CLEAR views':24s} {summary(clear)}")
    for pose in POSE_NAMES:
        print(f"{'  clear ' + pose:24s} {summary([r for r in clear if r.case.pose == pose])}")
        print(f"{'  all   ' + pose:24s} {summary([r for r in results if r.case.pose == pose])}")
    for side, name in enumerate(SIDES):
        print(f"{'  clear ' + name + ' hand':24s} {summary([r for r in clear if r.case.side == side])}")
    for name, sign in (("back", 1), ("palm", -1)):
        part = [r for r in clear if sign * r.case.direction_wrist[1] > 0]
        print(f"{'  clear, ' + name + ' seen':24s} {summary(part)}")
    for low, high in ((0, 30), (30, 60), (60, 90)):
        part = [r for r in results if low <= r.view.palm_axis_deg < high]
        print(f"{f'  axis {low}-{high} deg':24s} {summary(part)}")
    for low, high in ((0.4, 0.55), (0.55, 0.75), (0.75, 0.91)):
        part = [r for r in clear if low <= r.case.distance < high]
        print(f"{f'  clear {low}-{high} m':24s} {summary(part)}")
    confusion = Counter((SIDES[r.case.side], SIDES[r.side] if r.found else "none") for r in clear)
    print("confusion (truth, net), clear views:", dict(sorted(confusion.items())))


def print_offsets(results: list[Result], K: np.ndarray) -> None:
    """Where the nets put each joint in our hand: one 3D offset per joint that explains all clear views at once.

    Offsets are in the joint's bone frame (a left hand's: to the tip, to the back, to the thumb side), in mm for the
    default adult; a view's weight falls with its residual (Huber, 4 % of the hand box).
    """
    good = [r for r in results if r.found and r.view.is_clear() and r.side == r.case.side]
    print(
        f"\n## net - truth in the hand, mm: to the tip, to the back, to the thumb side ({len(good)} clear views)"
    )
    for joint, name in enumerate(JOINT_NAMES_21):
        offset, residual = _offset(joint, good, K)
        error = 100 * np.median([r.error[joint] for r in good])
        spread = 100 * np.median(residual)
        print(
            f"{name:12s} {offset[0] * 1e3:6.1f} {offset[1] * 1e3:6.1f} {offset[2] * 1e3:6.1f}"
            f"   median error {error:4.1f} %, without the offset {spread:4.1f} %"
        )
    ratio = np.array([_scale(r.view.joints_px, r.landmarks_px) for r in good])
    low, middle, high = np.percentile(ratio, [25, 50, 75])
    print(f"size of the landmarks over true size: {middle:.3f} (25-75 % {low:.3f}-{high:.3f})")


def _offset(joint: int, results: list[Result], K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    offset, residual = np.zeros(3), np.zeros(len(results))
    for _ in range(8):
        H, g = np.zeros((3, 3)), np.zeros(3)
        for i, r in enumerate(results):
            axes = _joint_axes(r.case, joint, r.view.R_camera_wrist)
            x, y, z = r.view.joints_camera[joint] + axes @ offset
            error = r.landmarks_px[joint] - (K[:2, 2] + [K[0, 0] * x / z, K[1, 1] * y / z])
            J = (
                np.array([[K[0, 0] / z, 0, -K[0, 0] * x / z**2], [0, K[1, 1] / z, -K[1, 1] * y / z**2]])
                @ axes
            )
            residual[i] = np.linalg.norm(error) / r.box_px
            weight = 1 / max(1.0, residual[i] / 0.04) / r.box_px**2
            H, g = H + weight * J.T @ J, g + weight * J.T @ error
        offset = offset + np.linalg.solve(H, g)
    return offset, residual


def _joint_axes(case: Case, joint: int, R_camera_wrist: np.ndarray) -> np.ndarray:
    """To the tip, to the back, to the thumb side at a joint, as columns in the camera frame."""
    bones = HandSkeleton.adult(case.side).bone_transforms(named_pose(case.pose))
    axes = R_camera_wrist @ bones[bone_at(joint), :3, :3]
    if case.side == LEFT:
        return axes
    return axes * ([-1, 1, 1] if joint == 0 else [1, 1, -1])


def _scale(truth: np.ndarray, landmarks: np.ndarray) -> float:
    """Best similarity's scale from truth to landmarks."""
    a, b = ((p - p.mean(0)) @ [1, 1j] for p in (truth, landmarks))
    return float(abs((a.conj() @ b) / (a.conj() @ a).real))


def save_pictures(results: list[Result], folder: Path) -> None:
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    for i, r in enumerate(results):
        image = r.view.image[..., ::-1].copy()
        for points, colour in ((r.view.joints_px, (0, 255, 0)), (r.landmarks_px, (255, 0, 255))):
            if points is not None:
                for x, y in points:
                    cv2.circle(image, (round(x), round(y)), 2, colour, -1)
        text = f"{SIDES[r.case.side]} {r.case.pose} {'CLEAR' if r.view.is_clear() else ''} {r.view.palm_axis_deg:.0f}"
        text += f" -> {SIDES[r.side]} {100 * r.error.mean():.1f}%" if r.found else " -> NOT FOUND"
        cv2.putText(image, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
        cv2.imwrite(str(folder / f"{i:04d}_{'ok' if r.found else 'miss'}.png"), image)


VARIANTS: dict[str, dict[str, Any]] = {
    "light oak floor": {"floor": (0.62, 0.48, 0.34)},
    "dark walnut floor": {"floor": (0.30, 0.24, 0.20)},
    "light skin": {"tone": SkinTone((0.84, 0.67, 0.58))},
    "brown skin": {"tone": SkinTone((0.55, 0.38, 0.29))},
    "dark skin": {"tone": SkinTone((0.36, 0.24, 0.18))},
}


def print_variants(views: int, seed: int, backend: MediaPipeHands) -> None:
    """Clear views again with other floors and skins."""
    print(f"\n## other floors and skins, clear views of {views} x {len(POSE_NAMES)} x 2")
    for name, looks in VARIANTS.items():
        results = run(grid(views, seed, 640), 640, 480, backend, **looks)
        print(f"{name:24s} {summary([r for r in results if r.view.is_clear()])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=int, default=32, help="directions per pose and hand at 640x480")
    parser.add_argument("--views-720p", type=int, default=8)
    parser.add_argument("--views-variants", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    backend = MediaPipeHands()
    print(f"backend {backend.name}")
    for width, height, views in ((640, 480, args.views), (1280, 720, args.views_720p)):
        if views == 0:
            continue
        start = time.perf_counter()
        results = run(grid(views, args.seed, width), width, height, backend)
        seconds = time.perf_counter() - start
        print_tables(
            results, f"{width}x{height}, {views} views x {len(POSE_NAMES)} poses x 2 hands, {seconds:.0f} s"
        )
        if width == 640:
            print_offsets(results, intrinsics(width, height))
        if args.pictures:
            save_pictures(results, args.pictures / f"{width}")
    if args.views_variants:
        print_variants(args.views_variants, args.seed, backend)


if __name__ == "__main__":
    main()

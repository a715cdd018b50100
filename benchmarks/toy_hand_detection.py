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

import numpy as np

from reenact.hands.joints import JOINT_NAMES_21, SIDES
from reenact.hands.poses import POSE_NAMES, named_pose
from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.toy.hand_stage import HandStage, HandView

CAMERA_PITCH_DEG = 35.0


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


def camera_and_hand(case: Case, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`T_world_camera` looking down at the floor, and `T_world_wrist` that shows the hand as the case wants."""
    pitch = np.deg2rad(CAMERA_PITCH_DEG)
    forward = np.array([np.cos(pitch), 0.0, -np.sin(pitch)])
    right = np.array([0.0, -1.0, 0.0])
    R_world_camera = np.stack([right, np.cross(forward, right), forward], axis=1)
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3] = R_world_camera
    ray = np.array([case.shift_px[0] / K[0, 0], case.shift_px[1] / K[1, 1], 1.0])
    ray /= np.linalg.norm(ray)
    T_world_camera[:3, 3] = -R_world_camera @ ray * case.distance
    to_camera_wrist = case.direction_wrist * ([1, 1, 1] if case.side == 0 else [-1, 1, 1])
    R_camera_wrist = _turn_onto(to_camera_wrist, -ray)
    R_camera_wrist = _about(ray, case.roll) @ R_camera_wrist
    T_world_wrist = np.eye(4)
    T_world_wrist[:3, :3] = R_world_camera @ R_camera_wrist
    middle_wrist = np.array([0.085 if case.side == 0 else -0.085, -0.01, 0.0])
    T_world_wrist[:3, 3] = -T_world_wrist[:3, :3] @ middle_wrist
    return T_world_camera, T_world_wrist


def _turn_onto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Some rotation R with R a = b."""

    def basis(v: np.ndarray) -> np.ndarray:
        helper = np.eye(3)[np.argmin(np.abs(v))]
        second = np.cross(v, helper)
        second /= np.linalg.norm(second)
        return np.stack([v, second, np.cross(v, second)], axis=1)

    return basis(b) @ basis(a).T


def _about(axis: np.ndarray, angle: float) -> np.ndarray:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def run(cases: list[Case], width_px: int, height_px: int, backend: MediaPipeHands) -> list[Result]:
    """Renders and detects every case."""
    results = []
    with HandStage(width_px, height_px) as stage:
        for case in cases:
            T_world_camera, T_world_wrist = camera_and_hand(case, stage.K)
            view = stage.view(case.side, named_pose(case.pose), T_world_wrist, T_world_camera)
            results.append(judge(case, view, backend))
    return results


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


def print_offsets(results: list[Result]) -> None:
    """Mean net-minus-truth per joint in the hand's own image axes, clear right-sided views only."""
    found = [r for r in results if r.found and r.view.is_clear() and r.side == r.case.side]
    rows = []
    for r in found:
        truth = r.view.joints_px
        along = truth[9] - truth[0]
        if np.linalg.norm(along) < 0.3 * r.box_px:
            continue
        along = along / np.linalg.norm(along)
        across = truth[5] - truth[17]
        across = across - (across @ along) * along
        across /= np.linalg.norm(across)
        rows.append((r.landmarks_px - truth) @ np.stack([along, across], 1) / r.box_px)
    rows_ = np.array(rows)
    print(f"\n## systematic offset net - truth, % of hand box ({len(rows_)} clear views): along to fingers, to thumb side")
    for j, name in enumerate(JOINT_NAMES_21):
        mean, spread = 100 * rows_[:, j].mean(0), 100 * rows_[:, j].std(0)
        error = 100 * np.median([r.error[j] for r in found])
        print(f"{name:12s} {mean[0]:6.1f} {mean[1]:6.1f}   spread {spread[0]:5.1f} {spread[1]:5.1f}  median error {error:5.1f}")


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=int, default=32)
    parser.add_argument("--views-720p", type=int, default=8)
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
        print_tables(results, f"{width}x{height}, {views} views x {len(POSE_NAMES)} poses x 2 hands, {seconds:.0f} s")
        if width == 640:
            print_offsets(results)
        if args.pictures:
            save_pictures(results, args.pictures / f"{width}")


if __name__ == "__main__":
    main()

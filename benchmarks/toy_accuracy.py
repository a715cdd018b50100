"""Metric hands, focal length and gravity against the exact truth of toy clips.

Hands by the real nets, and by the truth with three levels of noise; the lens known, estimated from the picture, or
known with the error of the level. Prints a Markdown table per view: medians over frames of both hands, then over
clips, with the worst clip in brackets. The toy hand has our skeleton's proportions and length, so errors of
proportion are not in these figures; benchmarks/hand_interhand.py and hand_depth.py have real hands.

    python benchmarks/toy_accuracy.py --clips FOLDER [--seeds 2] [--views exo,shoulder,ego] [--fps 15]

Rendered clips and what the nets said of them stay in FOLDER and are used again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.errors import ReenactError
from reenact.perception.camera.classical import ClassicalCamera
from reenact.perception.camera.truth import CameraNoiseConfig, TruthCamera
from reenact.perception.hands.mediapipe_litert import MediaPipeHands
from reenact.perception.hands.truth import TruthHands, TruthHandsConfig
from reenact.quality.truth import SceneErrors, measure_scene
from reenact.records import load_record, save_record
from reenact.refine.hands import reconstruct_hands
from reenact.scene import CameraTrack, HandLandmarks, Scene
from reenact.toy.clip import ToyClip, make_clip
from reenact.toy.config import ToyConfig
from reenact.video.reader import VideoReader

LEVELS = {
    "low": (
        TruthHandsConfig(jitter=0.005, rel_jitter=0.004, rel_scale=0.95, bias_px=0.5),
        CameraNoiseConfig(focal_bias=0.02, gravity_tilt_deg=1.0),
    ),
    "middle": (
        TruthHandsConfig(jitter=0.01, rel_jitter=0.008, rel_scale=0.85, bias_px=1.5, dropout=0.05),
        CameraNoiseConfig(focal_bias=0.05, gravity_tilt_deg=3.0),
    ),
    "high": (
        TruthHandsConfig(jitter=0.02, rel_jitter=0.015, rel_scale=0.75, bias_px=3.0, dropout=0.15, swap=0.02),
        CameraNoiseConfig(focal_bias=0.10, gravity_tilt_deg=6.0),
    ),
}
"""Errors put on the truth: of the hands (fractions of the hand's box, metres, pixels, shares), of the camera."""
COLUMNS = (
    ("found %", lambda e: 100 * e.found_share, 0),
    ("lateral cm", lambda e: e.refined.wrist_lateral_cm, 2),
    ("depth cm", lambda e: e.refined.wrist_depth_cm, 1),
    ("depth %", lambda e: e.refined.wrist_depth_percent, 1),
    ("root-aligned mm", lambda e: e.refined.joints_root_aligned_mm, 0),
    ("absolute mm", lambda e: e.refined.joints_absolute_mm, 0),
    ("rotation deg", lambda e: e.refined.wrist_rotation_deg, 1),
    ("turned > 30 deg %", lambda e: 100 * e.refined.wrist_flipped_share, 0),
    ("focal %", lambda e: abs(e.focal_error_percent), 1),
    ("gravity deg", lambda e: np.nan if e.gravity_error_deg is None else e.gravity_error_deg, 1),
)


@dataclass(frozen=True)
class Seen:
    """A clip and what the backends said of it."""

    name: str
    truth: Scene
    net: HandLandmarks
    estimated: CameraTrack

    def inputs(self) -> Iterator[tuple[str, str, HandLandmarks, CameraTrack]]:
        """(hands, lens, landmarks, camera) of every row of the table."""
        truth = self.truth
        assert truth.hands is not None
        yield "real nets", "known", self.net, truth.camera
        yield "real nets", "estimated", self.net, self.estimated
        for level, (hands, camera) in LEVELS.items():
            marks = TruthHands(truth.hands, truth.camera, hands).landmarks()
            noisy = TruthCamera(truth.camera, camera).estimate([], truth.clip)
            yield f"truth, {level} noise", "known", marks, truth.camera
            yield f"truth, {level} noise", f"{100 * camera.focal_bias:.0f} % off", marks, noisy


def look(config: ToyConfig, folder: Path) -> Seen:
    """The clip, made and looked at unless that has been done."""
    clip = ToyClip(folder / "clip")
    if not clip.video_path.exists() or clip.config != config:
        clip = make_clip(config, folder / "clip")
    said = folder / "said"
    if not (said / "camera.json").exists():
        frames = list(VideoReader(clip.video_path, threads=1).frames())
        save_record(MediaPipeHands().detect(iter(frames)), said, "landmarks")
        save_record(ClassicalCamera().estimate(iter(frames), clip.scene.clip), said, "camera")
    return Seen(
        folder.name,
        clip.scene,
        load_record(HandLandmarks, said, "landmarks"),
        load_record(CameraTrack, said, "camera"),
    )


def errors(truth: Scene, landmarks: HandLandmarks, camera: CameraTrack) -> SceneErrors:
    """Hands made from these landmarks and this camera, against the truth."""
    result = reconstruct_hands(landmarks, camera, truth.clip.t_ns)
    scene = Scene(clip=truth.clip, camera=camera, hands_raw=result.raw, hands=result.refined)
    return measure_scene(scene, truth)


def table(found: dict[tuple[str, str], list[SceneErrors]]) -> list[str]:
    """Markdown rows: median over clips, worst clip in brackets."""
    lines = ["| hands | lens | clips | " + " | ".join(name for name, _, _ in COLUMNS) + " |"]
    lines.append("|" + "---|" * (len(COLUMNS) + 3))
    for (hands, lens), clips in found.items():
        cells = []
        for name, value, digits in COLUMNS:
            values = np.array([value(e) for e in clips if e.refined is not None], dtype=float)
            values = values[np.isfinite(values)]
            if len(values) == 0:
                cells.append("-")
                continue
            worst = values.min() if name == "found %" else values.max()
            cells.append(f"{np.median(values):.{digits}f} ({worst:.{digits}f})")
        lines.append(f"| {hands} | {lens} | {len(clips)} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True, help="folder of rendered clips, kept")
    parser.add_argument("--activities", default="pick_place,pour,push,two_hand_lift,handover")
    parser.add_argument("--views", default="exo,shoulder,ego")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--fps", type=float, default=15.0)
    options = parser.parse_args()
    for view in options.views.split(","):
        found: dict[tuple[str, str], list[SceneErrors]] = {}
        rows = []
        for activity in options.activities.split(","):
            for seed in range(options.seeds):
                motion = "handheld" if view == "ego" else "static"
                config = ToyConfig(
                    activity=activity, seed=seed, view=view, fps_hz=options.fps, camera_motion=motion
                )
                name = f"{activity}-{seed}-{view}-{options.fps:g}"
                try:
                    seen = look(config, options.clips / name)
                except ReenactError as error:
                    print(f"{name}: {error}", flush=True)
                    continue
                for hands, lens, marks, camera in seen.inputs():
                    e = errors(seen.truth, marks, camera)
                    found.setdefault((hands, lens), []).append(e)
                    if hands == "real nets" and e.refined is not None:
                        rows.append(
                            f"{name:28s} {lens:9s} " + " ".join(f"{n} {v(e):.{d}f}" for n, v, d in COLUMNS)
                        )
                        print(rows[-1], flush=True)
        print(f"\n**View {view}**\n\n" + "\n".join(table(found)) + "\n", flush=True)


if __name__ == "__main__":
    main()

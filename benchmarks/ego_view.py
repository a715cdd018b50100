"""The virtual ego camera: what it sees, how it stands and moves, and how well it finds the way the person faces.

    OMP_NUM_THREADS=1 python benchmarks/ego_view.py [RUN_FOLDER] [--seeds 3]

Toy activities are their truth (not rendered): the toy person faces +y, so the heading's error is known. RUN_FOLDER is
one of `reenact run`, or any folder of scene folders (`*/scene/clip.json`).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from reenact.reframe.carry import points_from_ego, points_to_ego
from reenact.reframe.eyes import EgoView, place_ego_camera
from reenact.scene import Scene
from reenact.toy.activities.catalogue import ACTIVITIES, write_script
from reenact.toy.cameras import camera_path, make_camera
from reenact.toy.config import ToyConfig
from reenact.toy.script import perform
from reenact.toy.truth import frame_times_ns, true_clip, true_scene

HEAD = (
    "| clip | joints in view | frames whole | lowest over a joint (m) | nearest joint (m) | speed (m/s) | "
    "acceleration (m/s2) | turn (deg/s) | stand-off | real camera | heading error (deg) | "
    "cues agree | there and back (m) |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def toy_scene(activity: str, seed: int, side: str) -> Scene:
    """Truth of a toy clip at 30 Hz, without its pictures."""
    config = ToyConfig(activity=activity, seed=seed, main_side=side)
    script = write_script(config)
    frames = round(script.duration * config.fps_hz)
    t = frame_times_ns(config.fps_hz, frames) * 1e-9
    performance = perform(script, t)
    T = camera_path(config, np.random.default_rng([seed, 102]), t)
    return true_scene(config, true_clip(config, frames, ""), script, performance, make_camera(config), T)


def row(name: str, scene: Scene, facing: np.ndarray | None) -> str:
    """One line of the table."""
    view = place_ego_camera(scene)
    assert scene.hands is not None
    m, joints = view.measures, scene.hands.joints_world
    back = np.abs(points_from_ego(view.camera, points_to_ego(view.camera, joints)) - joints).max()
    heading = "unknown" if facing is None else f"{heading_error_deg(view, facing):.0f}"
    return (
        f"| {name} | {m.joints_in_view:.1%} | {m.frames_whole:.1%} | {m.least_height:.2f} | {m.least_depth:.2f} | "
        f"{m.motion.speed:.2f} | {m.motion.acceleration:.2f} | {m.motion.turn_deg:.0f} | {view.stand_off:.2f} | "
        f"{view.source_view} | {heading} | {view.heading_agreement:.2f} | {back:.0e} |"
    )


def heading_error_deg(view: EgoView, facing: np.ndarray) -> float:
    """Median angle between the horizontal part of the view's axis and the way the person faces."""
    axis = view.camera.T_world_camera[:, :2, 2]
    cosine = axis @ facing[:2] / np.linalg.norm(axis, axis=1)
    return float(np.rad2deg(np.median(np.arccos(np.clip(cosine, -1, 1)))))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(HEAD)
    for activity in sorted(ACTIVITIES):
        for seed in range(options.seeds):
            side = "left" if seed % 3 == 2 else "right"
            scene = toy_scene(activity, seed, side)
            print(row(f"{activity} {seed} ({side})", scene, np.array([0.0, 1.0, 0.0])), flush=True)
    if options.run is not None:
        for path in sorted(options.run.glob("*/scene/clip.json")):
            print(row(path.parents[1].name, Scene.load(path.parent), None), flush=True)


if __name__ == "__main__":
    main()

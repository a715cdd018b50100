"""A clip filmed from across the table, seen from the person's own eyes: the scene is moved, nothing is invented.

python examples/07_look_from_the_eyes.py [SCENE_FOLDER [VIDEO]]     without a scene, a toy clip is made first
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from reenact.reframe.carry import points_from_ego, points_to_ego
from reenact.reframe.eyes import EgoConfig, place_ego_camera
from reenact.reframe.film import write_ego_video
from reenact.scene import Scene
from reenact.stages.scene_page import write_scene_page


def main(scene: Scene, video: Path | None, out: Path, camera: EgoConfig) -> None:
    view = place_ego_camera(scene, camera)
    m = view.measures
    print(
        f"the real camera is {view.source_view}; {m.joints_in_view:.1%} of the joints are in the virtual view"
    )
    print(f"it stands {m.least_height:.2f} m or more above them and moves at most {m.motion.speed:.2f} m/s")
    assert scene.hands is not None
    joints = scene.hands.joints_world
    error = np.abs(points_from_ego(view.camera, points_to_ego(view.camera, joints)) - joints).max()
    print(f"into the ego frame and back: {error:.0e} m")
    write_scene_page(out / "scene.html", replace(scene, ego=view.camera), video, out)
    write_ego_video(out / "ego.mp4", scene, view, out / "clip.mp4" if video else None)
    print(out / "ego.mp4", out / "scene.html")


def toy(out: Path) -> tuple[Scene, Path]:
    from reenact.toy.clip import make_clip
    from reenact.toy.config import ToyConfig

    config = ToyConfig(activity="pour", seed=0, width_px=480, height_px=360, fps_hz=15.0, duration_s=3.0)
    clip = make_clip(config, out / "toy")
    return clip.scene, clip.video_path


if __name__ == "__main__":
    target = Path("runs/eyes")
    if len(sys.argv) > 1:
        main(
            Scene.load(Path(sys.argv[1])),
            Path(sys.argv[2]) if len(sys.argv) > 2 else None,
            target,
            EgoConfig(),
        )
    else:
        main(*toy(target), target, EgoConfig())

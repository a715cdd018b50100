"""What a scene is: typed records with frames and units in their names, and a mask for what is not known.

python examples/02_read_a_scene.py RUN/CLIP/scene
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from reenact.hands.joints import SIDES, wrist_transform
from reenact.quality.unknowns import scene_unknowns
from reenact.scene import Scene


def main(folder: Path) -> None:
    scene = Scene.load(folder)
    clip = scene.clip
    print(
        f"{clip.clip_id}: {len(clip.t_ns)} frames, {clip.duration_s:.2f} s, frame {scene.camera.world_frame}"
    )
    hands = scene.hands
    if hands is None:
        return
    for s, name in enumerate(SIDES):
        seen = hands.valid[:, s]
        if not seen.any():
            continue
        T_world_wrist = wrist_transform(hands.joints_world[seen, s], s)
        path = np.linalg.norm(np.diff(T_world_wrist[:, :3, 3], axis=0), axis=1).sum()
        depth_sigma = np.median(hands.sigma_camera[seen, s, 2])
        print(
            f"{name}: known in {seen.mean():.0%}, wrist path {path:.2f} m, depth +- {depth_sigma * 100:.1f} cm"
        )
    for line in scene_unknowns(scene):
        print(f"- {line}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

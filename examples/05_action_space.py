"""One action space for people and robots: a scene's hands become 48 named numbers, and those a robot's joints.

    python examples/05_action_space.py SCENE [ROBOT]

SCENE is a scene folder (`reenact run` makes one at RUN/CLIP/scene).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from reenact.actions.chunks import ChunkConfig, make_chunks, to_relative
from reenact.actions.human import encode_human
from reenact.actions.robot import encode_robot
from reenact.actions.robot_decode import decode_robot
from reenact.actions.slots import unified_spec
from reenact.geometry.transforms import inverse, make_T
from reenact.robots.registry import load_robot
from reenact.scene import Scene


def main(folder: Path, robot_name: str) -> None:
    scene = Scene.load(folder)
    hands, camera, t_ns = scene.hands, scene.camera, scene.clip.t_ns
    if hands is None:
        return
    vector = encode_human(
        hands.joints_world, hands.valid, t_ns, camera.T_world_camera, camera.valid, unified_spec(camera=True)
    )
    for slot, known in zip(vector.spec.slots, vector.mask.mean(axis=0), strict=True):
        print(
            f"{slot.name:22s} {slot.width} numbers, frame {slot.frame or '-'}, {slot.unit}, known in {known:.0%}"
        )

    chunks = to_relative(make_chunks(vector, ChunkConfig(horizon=15)), "wrist")
    print(f"chunks {chunks.values.shape}, {chunks.mask_columns.mean():.0%} of the numbers known")

    # A robot that faces the camera, its wrists' resting place where the hands are on average.
    robot = load_robot(robot_name)
    rest = np.mean([robot.T_base_wrist(robot.home_q, side)[:3, 3] for side in robot.wrist_sides], axis=0)
    turned = np.diag([-1.0, -1.0, 1.0])
    T_world_base = make_T(turned, hands.joints_world[hands.valid][:, 0].mean(axis=0) - turned @ rest)
    T_base_ego = inverse(T_world_base) @ camera.T_world_camera
    found = decode_robot(robot, vector, T_base_ego)
    seen = vector.mask[:, vector.spec.index("wrist_right_position")]
    print(
        f"{robot.name}: right wrist within {found.wrist_error[seen, 1].max() * 1000:.3f} mm, "
        f"fingertips within {found.tip_error[seen, 1].max() * 1000:.1f} mm"
    )
    again = encode_robot(robot, found.q, t_ns, T_base_ego, found.known, spec=vector.spec)
    print(f"the robot knows {int(again.mask.any(axis=0).sum())} of {len(again.spec.slots)} slots")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "unitree_g1_inspire")

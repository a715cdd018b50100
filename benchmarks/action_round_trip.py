"""Real scenes to the action space, to a robot's joints, and back to the space.

    python benchmarks/action_round_trip.py RUN

RUN is the folder of `reenact run` (for instance of benchmarks/spine_clips.py). The robot stands where the run's root
search put it. Two rows per clip and robot: the person's hands -> space -> joints -> space (errors hold what the robot
cannot reach or shape), and the executed trajectory -> space -> joints -> space (the pair alone; it should be exact).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from reenact.actions.human import encode_human
from reenact.actions.robot import encode_robot
from reenact.actions.robot_decode import decode_robot
from reenact.actions.slots import UNIFIED
from reenact.actions.vector import ActionVector
from reenact.geometry.transforms import inverse
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import read_npz
from reenact.scene import Scene


def errors_mm(a: ActionVector, b: ActionVector, part: str) -> np.ndarray:
    """Distances between all position slots of a part that both know."""
    out = []
    for slot in UNIFIED.slots:
        if slot.name.startswith(part) and len(slot.components) == 3:
            (p, known_a), (q, known_b) = a.read(slot.name), b.read(slot.name)
            both = known_a & known_b
            out.append(np.linalg.norm(p[both] - q[both], axis=1) * 1e3)
    return np.concatenate(out)


def show(name: str, robot: str, what: str, wrist: np.ndarray, tips: np.ndarray) -> None:
    near = float((wrist < 1.0).mean()) if len(wrist) else float("nan")
    cells = [f"{np.median(e):.4f} / {np.quantile(e, 0.95):.3f}" if len(e) else "-" for e in (wrist, tips)]
    print(f"| {name} | {robot} | {what} | {cells[0]} | {near:.3f} | {cells[1]} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    args = parser.parse_args()
    print(
        "| clip | robot | way | wrist mm, median / 95 % | within 1 mm | tips mm, median / 95 % |\n"
        + "|---" * 6
        + "|"
    )
    for folder in sorted(args.run.glob("*/scene")):
        scene = Scene.load(folder)
        assert scene.hands is not None
        for npz in sorted(folder.parent.glob("*/trajectory.npz")):
            robot, motion = load_robot(npz.parent.name), read_npz(npz)
            T_base_ego = inverse(motion.T_world_base) @ scene.camera.scene_T_camera()
            t_ns, T_camera = scene.clip.t_ns, scene.camera.scene_T_camera()
            asked = encode_human(scene.hands.joints_world, scene.hands.valid, t_ns, T_camera)
            found = decode_robot(robot, asked, T_base_ego)
            done = encode_robot(robot, found.q, t_ns, T_base_ego, found.known)
            name = folder.parent.name
            show(name, robot.name, "hands", errors_mm(asked, done, "wrist"), errors_mm(asked, done, "tip"))
            moved = encode_robot(robot, motion.q, t_ns, T_base_ego)
            again = decode_robot(robot, moved, T_base_ego, motion.q)
            back = encode_robot(robot, again.q, t_ns, T_base_ego, again.known)
            show(
                name, robot.name, "trajectory", errors_mm(moved, back, "wrist"), errors_mm(moved, back, "tip")
            )


if __name__ == "__main__":
    main()

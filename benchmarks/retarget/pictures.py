"""The finger methods' postures next to each other: one PNG, hands x moments down, methods across.

python benchmarks/retarget/pictures.py OUT.png [--shared PATH]
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import cv2
import mujoco
import numpy as np
from fingers import METHODS, SIDE, recorded_targets

from reenact.hands.joints import FINGERS, finger_joints
from reenact.hands.skeleton import HandSkeleton
from reenact.rendering.renderer import OffscreenRenderer, RenderConfig, look_at
from reenact.retarget.fingers import FingerConfig, solve_fingers
from reenact.retarget.targets import HandTargets
from reenact.robots.model import Robot
from reenact.robots.pictures import add_stage
from reenact.robots.registry import load_robot

ROBOTS = (
    "floating_leap",
    "floating_allegro",
    "floating_shadow",
    "floating_sharpa",
    "unitree_g1_inspire",
    "unitree_g1_dex3",
)
SIZE = (190, 200)
FOCAL = 300.0


def moments(targets: HandTargets) -> dict[str, int]:
    """Frames with the flattest hand, the tightest fist and the tightest pinch with the index finger."""
    tips = targets.tips_wrist[:, SIDE]
    reach = np.linalg.norm(tips[:, 1:], axis=-1).mean(axis=1)
    pinch = np.linalg.norm(tips[:, 1] - tips[:, 0], axis=-1) + 0.1 * (reach < np.median(reach) * 0.8)
    return {"flat": int(reach.argmax()), "fist": int(reach.argmin()), "pinch": int(pinch.argmin())}


def camera(T_wrist: np.ndarray) -> np.ndarray:
    """In front of the palm, a little towards the thumb, fingers up."""
    centre = T_wrist[:3, 3] - 0.09 * T_wrist[:3, 0]
    eye = centre - 0.26 * T_wrist[:3, 1] + 0.24 * T_wrist[:3, 2]
    T = look_at(eye, centre)
    right = np.cross(T[:3, 2], -T_wrist[:3, 0])
    right /= np.linalg.norm(right)
    T[:3, 0], T[:3, 1] = right, np.cross(T[:3, 2], right)
    return T


def robot_row(
    robot: Robot, targets: HandTargets, frame: int, solved: dict[str, np.ndarray]
) -> list[np.ndarray]:
    """One moment by every method."""
    spec = robot.spec.copy()
    add_stage(spec, None)
    model = spec.compile()
    data, out = mujoco.MjData(model), []
    K = np.array([[FOCAL, 0, SIZE[0] / 2], [0, FOCAL, SIZE[1] / 2], [0, 0, 1.0]])
    with OffscreenRenderer(
        model, RenderConfig(width_px=SIZE[0], height_px=SIZE[1], samples=2, shadows=False)
    ) as draw:
        for q in solved.values():
            full = robot.home_q.copy()
            full[robot.hands["right"].joint_idx] = q[frame]
            data.qpos[:] = full
            mujoco.mj_forward(model, data)
            draw.look(data, K, camera(robot.T_base_wrist(full, "right")))
            out.append(draw.rgb())
    return out


def human(targets: HandTargets, frame: int) -> np.ndarray:
    """The human hand as lines, seen the same way."""
    picture = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
    joints = HandSkeleton.adult(SIDE).joints_wrist(targets.angles[frame, SIDE])
    T = np.linalg.inv(camera(np.eye(4)))
    p = joints @ T[:3, :3].T + T[:3, 3]
    px = (p[:, :2] / p[:, 2:] * FOCAL + np.array(SIZE) / 2).astype(int)
    for k in range(len(FINGERS)):
        chain = [0, *finger_joints(k)]
        color = tuple(int(c) for c in cv2.applyColorMap(np.uint8([[k * 50]]), cv2.COLORMAP_JET)[0, 0])
        for a, b in itertools.pairwise(chain):
            cv2.line(picture, px[a].tolist(), px[b].tolist(), color, 3, cv2.LINE_AA)
    return picture


def sheet(targets: HandTargets) -> np.ndarray:
    """The whole picture."""
    rows = []
    for name in ROBOTS:
        robot = load_robot(name)
        solved = {m: solve_fingers(robot, targets, SIDE, FingerConfig(method=m)) for m in METHODS}
        for moment, frame in moments(targets).items():
            cells = [human(targets, frame), *robot_row(robot, targets, frame, solved)]
            for cell, label in zip(cells, [f"{name} {moment}", *METHODS], strict=True):
                cell[:] = np.ascontiguousarray(cell)
                cv2.putText(cell, label, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
            rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[3] / "shared")
    args = parser.parse_args()
    cv2.imwrite(str(args.out), sheet(recorded_targets(args.shared))[..., ::-1])


if __name__ == "__main__":
    main()

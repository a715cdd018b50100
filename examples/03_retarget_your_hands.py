"""Hands from anywhere (your own tracker, motion capture) to a robot: fill a `HandTracks`, call `retarget`, write files.

    python examples/03_retarget_your_hands.py [ROBOT] [OUT]

Here the hands are drawn by the free skeleton: a right hand that goes to and fro and closes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from reenact.hands.joints import JOINT_NAMES_21, RIGHT
from reenact.hands.skeleton import HandSkeleton
from reenact.quality.retarget import measure_retarget
from reenact.retarget.retarget import retarget
from reenact.robots.registry import load_robot
from reenact.robots.trajectory import write_csv, write_npz
from reenact.scene import HandTracks, Source


def my_hands(t: np.ndarray) -> HandTracks:
    """One right hand, palm down, fingers along world +x; the left one is unknown."""
    skeleton = HandSkeleton.adult(RIGHT)
    angles = np.tile(0.3 + 0.3 * np.sin(2 * np.pi * 0.5 * t)[:, None], (1, 20))
    angles[:, 1::4] = 0.0
    R_world_wrist = np.stack(
        [[-1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]], axis=1
    )  # x to the elbow, y up, z to the thumb
    place = np.stack(
        [0.45 + 0.06 * np.sin(np.pi * t), -0.2 + 0.05 * np.cos(np.pi * t), 1.0 + 0.0 * t], axis=1
    )
    joints = np.zeros((len(t), 2, 21, 3))
    joints[:, RIGHT] = skeleton.joints_wrist(angles) @ R_world_wrist.T + place[:, None]
    valid = np.tile([False, True], (len(t), 1))
    return HandTracks(
        joints_world=joints,
        valid=valid,
        confidence=valid.astype(float),
        source=np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8),
        sigma_camera=np.full((len(t), 2, 3), 0.003),
        reprojection=np.zeros((len(t), 2)),
        hand_length=np.full(2, skeleton.hand_length),
        hand_length_source="user",
        world_frame="world",
        joint_names=JOINT_NAMES_21,
    )


def main(robot_name: str, out: Path) -> None:
    t = np.arange(60) / 30.0
    robot = load_robot(robot_name)
    result = retarget(my_hands(t), np.rint(t * 1e9).astype(np.int64), robot)
    quality = measure_retarget(result.trajectory, robot)
    print(f"{robot.name}: IK rate {quality.ik_rate:.3f}, wrist error {quality.position_error_cm:.2f} cm")
    for note in result.report.notes:
        print(f"- {note}")
    out.mkdir(parents=True, exist_ok=True)
    write_npz(result.trajectory, out / "trajectory.npz")
    write_csv(result.trajectory, out / "trajectory.csv")


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "unitree_g1_dex3",
        Path(sys.argv[2] if len(sys.argv) > 2 else "runs/mine"),
    )

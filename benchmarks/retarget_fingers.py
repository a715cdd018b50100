"""Finger retargeting, hand x method, on a recording of a bare hand (621 frames of 21 keypoints, 30 Hz).

    OMP_NUM_THREADS=1 python benchmarks/retarget_fingers.py [--shared PATH]

pinch: human thumb and finger tips nearer than 35 mm; |robot distance - human distance|, mean and 95th percentile.
shape: correlation over time of each finger's reach (knuckle to tip) with the human finger's, mean over fingers.
thumb vector: mean length of (robot - human) thumb-to-finger vectors. jump: largest joint step in a frame.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from retarget_clips import tracks

from reenact.hands.joints import FINGERS
from reenact.retarget.finger_methods.tips import wanted_tips
from reenact.retarget.fingers import FingerConfig, solve_fingers
from reenact.retarget.targets import HandTargets, make_targets
from reenact.robots.model import Robot
from reenact.robots.registry import load_robot

SIDE = 1
ROBOTS = ("unitree_g1_dex3", "unitree_g1_inspire", "dual_fr3_leap", "dual_fr3_allegro", "dual_fr3_shadow")


def recording(shared: Path) -> HandTargets:
    """The recorded right hand, at rest in space."""
    with np.load(shared / "data/ref/dexretargeting_joints/human_joint_right.npz", allow_pickle=False) as data:
        right = data["joints"].astype(float)
    joints = np.zeros((len(right), 2, 21, 3))
    joints[:, SIDE] = right
    valid = np.zeros((len(right), 2), bool)
    valid[:, SIDE] = True
    t_ns = np.rint(np.arange(len(right)) * 1e9 / 30).astype(np.int64)
    return make_targets(tracks(joints, valid), t_ns, t_ns)


def robot_tips(robot: Robot, q: np.ndarray) -> np.ndarray:
    """Fingertips in the wrist frame [t f 3]."""
    full = np.broadcast_to(robot.couple(robot.home_q), (len(q), robot.n_q)).copy()
    full[:, robot.hands["right"].joint_idx] = q
    wrist = robot.T_base_wrist(robot.home_q, "right")
    return (robot.fingertips(full, "right") - wrist[:3, 3]) @ wrist[:3, :3]


def row(robot: Robot, targets: HandTargets, method: str) -> str:
    hand = robot.hands["right"]
    started = time.process_time()
    q = solve_fingers(robot, targets, SIDE, FingerConfig(method=method))  # type: ignore[arg-type]
    seconds = time.process_time() - started
    ours, human = (
        robot_tips(robot, q),
        targets.tips_wrist[:, SIDE, [FINGERS.index(n) for n in hand.finger_names]],
    )
    thumb_ours, thumb_human = ours[:, 1:] - ours[:, :1], human[:, 1:] - human[:, :1]
    near = np.linalg.norm(thumb_human, axis=-1) < 0.035
    pinch = np.abs(np.linalg.norm(thumb_ours, axis=-1) - np.linalg.norm(thumb_human, axis=-1))[near] * 1e3
    place = np.linalg.norm(ours - wanted_tips(hand, targets.tips_wrist[:, SIDE]), axis=-1).mean() * 1e3
    reach = [
        np.corrcoef(np.linalg.norm(ours[:, k], axis=-1), np.linalg.norm(human[:, k], axis=-1))[0, 1]
        for k in range(1, len(hand.finger_names))
    ]
    vector = np.linalg.norm(thumb_ours - thumb_human, axis=-1).mean() * 1e3
    outside = np.maximum(robot.lower[hand.joint_idx] - q, q - robot.upper[hand.joint_idx]).max()
    return (
        f"{robot.name:<20}{method:<6}{pinch.mean():>9.1f}{np.percentile(pinch, 95):>8.1f}{np.mean(reach):>8.3f}"
        f"{vector:>10.1f}{place:>9.1f}{np.abs(np.diff(q, axis=0)).max():>8.2f}{max(outside, 0):>9.1e}"
        f"{len(q) / seconds:>9.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    targets = recording(parser.parse_args().shared)
    print(
        f"{'hand of':<20}{'how':<6}{'pinch mm':>9}{'p95 mm':>8}{'shape':>8}{'vector mm':>10}{'place mm':>9}"
        f"{'jump':>8}{'outside':>9}{'fps':>9}"
    )
    for name in ROBOTS:
        robot = load_robot(name)
        for method in get_args(get_type_hints(FingerConfig)["method"]):
            print(row(robot, targets, method), flush=True)


if __name__ == "__main__":
    main()

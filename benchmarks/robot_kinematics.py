"""Batched forward kinematics and Jacobians against a loop over MuJoCo, per robot, on one core.

    OMP_NUM_THREADS=1 python benchmarks/robot_kinematics.py [--n 100000] [--robots NAME ...]

Prints configurations per CPU second for the two wrist frames (all arms), in double and single precision, the same
with Jacobians, and MuJoCo's own ``mj_kinematics`` (+ ``mj_jac``) called in a Python loop. Times are CPU time, best
of three.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import mujoco
import numpy as np

from reenact.robots.model import Robot
from reenact.robots.registry import known_robots, load_robot


def rate(run: Callable[[], object], n: int) -> float:
    """Configurations per CPU second, best of three."""
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return n / best


def mujoco_loop(robot: Robot, q: np.ndarray, jacobians: bool) -> None:
    model, data = robot.model, mujoco.MjData(robot.model)
    bodies = [model.body(robot.sheet.wrists[side].body).id for side in robot.wrist_sides]
    position, rotation = np.empty((3, model.nv)), np.empty((3, model.nv))
    for row in q:
        data.qpos[:] = row
        mujoco.mj_kinematics(model, data)
        if jacobians:
            mujoco.mj_comPos(model, data)
            for body in bodies:
                mujoco.mj_jacBody(model, data, position, rotation, body)


def measure(robot: Robot, n: int) -> tuple[float, ...]:
    q = np.random.default_rng(0).uniform(robot.lower, robot.upper, (n, robot.n_q))
    single, few = q.astype(np.float32), q[: n // 10]
    wrists = [f"wrist_{side}" for side in robot.wrist_sides]
    arms = np.concatenate([arm.joint_idx for arm in robot.arms.values()])
    kinematics = robot.kinematics
    return (
        rate(lambda: kinematics.frames(q, wrists), n),
        rate(lambda: kinematics.frames(single, wrists), n),
        rate(lambda: mujoco_loop(robot, few, False), len(few)),
        rate(lambda: kinematics.jacobians(q, wrists, arms), n),
        rate(lambda: mujoco_loop(robot, few, True), len(few)),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--robots", nargs="*", default=list(known_robots()))
    args = parser.parse_args()
    titles = ("FK f64", "FK f32", "MuJoCo loop", "ratio", "FK+J f64", "MuJoCo loop", "ratio")
    print(f"{'robot (thousand configurations per CPU s)':44s}" + "".join(f"{title:>13s}" for title in titles))
    for name in args.robots:
        robot = load_robot(name)
        fk, fk32, mj, jac, mj_jac = measure(robot, args.n)
        cells = [f"{v / 1e3:13.0f}" for v in (fk, fk32, mj)] + [f"{fk / mj:12.0f}x"]
        cells += [f"{v / 1e3:13.0f}" for v in (jac, mj_jac)] + [f"{jac / mj_jac:12.0f}x"]
        arms = "+".join(str(len(arm.joint_idx)) for arm in robot.arms.values())
        print(f"{name:30s} arms {arms:>5s}   " + "".join(cells))


if __name__ == "__main__":
    main()

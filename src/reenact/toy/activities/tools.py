"""A thing used on another: wipe with a sponge, slice a loaf with a knife, strike a peg with a mallet."""

from __future__ import annotations

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.toy.activities import styles
from reenact.toy.activities.moving import bearing, idle
from reenact.toy.grasps import Grasp
from reenact.toy.plan import Stage, yaw_rotation
from reenact.toy.rooms import TABLE_TOP
from reenact.toy.wrists import outward


def wipe(stage: Stage, main: int) -> None:
    """Take the sponge that lies there, wipe the table in a few strokes, leave it."""
    rng, out = stage.rng, outward(main)
    spot = np.array([out * rng.uniform(0.12, 0.16), rng.uniform(0.06, 0.09), 0.0])
    o = stage.add("sponge", spot[0], spot[1], bearing(main, spot) - np.pi / 2)
    grasp = styles.cover(stage, main, o)
    hand = stage.hands[main]
    hand.wait(float(rng.uniform(0.1, 0.25)))
    stage.reach(main, o, grasp, styles.COVER_EXIT, arc=0.10)
    stage.close(main, o, grasp, steady=True)
    for stroke in range(int(rng.integers(3, 5))):
        x = out * (rng.uniform(-0.06, -0.02) if stroke % 2 == 0 else rng.uniform(0.13, 0.18))
        goal = stage.spot(o, x, spot[1] + rng.uniform(-0.02, 0.03))
        stage.carry(main, o, grasp, goal, (0.0, 0.0), "stroke", speed=float(rng.uniform(0.45, 0.7)))
        hand.wait(0.03)
    stage.let_go(main, o, grasp)
    stage.home(main, styles.COVER_EXIT)
    idle(stage, main)


def cut(stage: Stage, main: int) -> None:
    """Slice a loaf on a board; the other hand steadies it. The knife is in the hand from the first frame."""
    rng, out, other = stage.rng, outward(main), 1 - main
    across = -out * float(rng.uniform(0.35, 0.45))  # the blade points inwards by this angle
    stage.add("board", -out * 0.02, 0.10)
    loaf = stage.add("loaf", -out * rng.uniform(0.015, 0.03), 0.085, -across, on_top=0.016)
    knife = stage.add("knife", out * 0.3, 0.0)
    top = 2 * stage.place[loaf][2, 3] - TABLE_TOP - 0.016
    axis = stage.place[loaf][:3, 0] * out
    end = stage.place[loaf][:3, 3] + axis * rng.uniform(0.045, 0.055)
    R = yaw_rotation(-across)
    blade = make_T(R, end * [1, 1, 0] + [0, 0, top + 0.030] - R @ np.array([0.0, 0.145, 0.0]))
    ready = blade.copy()
    ready[:3, 3] += [out * 0.03, -0.04, 0.07]
    grasp = styles.grip(stage, main, knife, ready)
    stage.holding(main, knife, grasp, ready)
    stage.may_enter.add((knife, loaf))
    steady = styles.pinch(stage, other, loaf, tuple(-axis * 0.045), steep=0.55)
    helper, hand = stage.hands[other], stage.hands[main]
    helper.wait(0.1)
    stage.reach(other, loaf, steady, styles.PINCH_EXIT, arc=0.14)
    stage.close(other, loaf, steady, steady=True)
    hand.wait_until(helper.now - 0.4)
    for slice_idx in range(2):
        _saw(stage, main, knife, grasp, blade, axis * (-0.018 * slice_idx))
    stage.carry(main, knife, grasp, ready, (0.03, 0.0), "lift", speed=0.45)
    helper.wait_until(hand.now - 0.3)
    stage.let_go(other, loaf, steady)
    stage.home(other, styles.PINCH_EXIT)


def _saw(stage: Stage, main: int, knife: int, grasp: Grasp, blade: np.ndarray, shift: np.ndarray) -> None:
    """Lower the blade on the loaf and draw it to and fro, deeper each time."""
    forward = blade[:3, 1]
    stage.carry(main, knife, grasp, _moved(blade, shift), (0.03, 0.03), "place", speed=0.4)
    for stroke in range(4):
        along = forward * (0.02 if stroke % 2 == 0 else -0.015)
        down = np.array([0.0, 0.0, -0.007 - 0.005 * stroke])
        stage.carry(
            main,
            knife,
            grasp,
            _moved(blade, shift + along + down),
            (0.0, 0.0),
            "saw",
            speed=0.3,
            at_least=0.25,
        )
    stage.carry(
        main, knife, grasp, _moved(blade, shift + [0, 0, 0.03]), (0.0, 0.0), "lift", speed=0.35, at_least=0.3
    )


def strike(stage: Stage, main: int) -> None:
    """Strike a peg a few times with a mallet that is in the hand from the first frame."""
    rng, out = stage.rng, outward(main)
    spot = np.array([-out * rng.uniform(0.0, 0.03), rng.uniform(0.09, 0.12), 0.0])
    peg = stage.add("peg", spot[0], spot[1])
    mallet = stage.add("hammer", out * 0.3, 0.0)
    direction = bearing(main, spot) + out * 0.1
    level = yaw_rotation(direction - np.pi / 2)
    head = stage.props[mallet].shape.T_object_part[1, :3, 3] - [0, 0, 0.0385]
    peg_top = stage.place[peg][:3, 3] - [0, 0, stage.props[peg].shape.lowest()]
    hit = make_T(level, peg_top - level @ head)
    raised = _about(
        hit, hit[:3, 3] + level @ np.array([0.0, -0.20, 0.0]), level[:, 0], float(rng.uniform(0.5, 0.65))
    )
    grasp = styles.grip(stage, main, mallet, hit)
    stage.holding(main, mallet, grasp, raised)
    hand = stage.hands[main]
    hand.wait(float(rng.uniform(0.3, 0.5)))
    for _ in range(int(rng.integers(3, 5))):
        stage.carry(main, mallet, grasp, hit, (0.0, 0.0), "strike", speed=0.6, at_least=0.28)
        hand.wait(0.05)
        stage.carry(main, mallet, grasp, raised, (0.0, 0.0), "raise", speed=0.45, at_least=0.4)
        hand.wait(float(rng.uniform(0.1, 0.25)))
    idle(stage, main)


def _moved(T: np.ndarray, by: np.ndarray) -> np.ndarray:
    return make_T(T[:3, :3], T[:3, 3] + by)


def _about(T: np.ndarray, pivot: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    """Turn a pose about an axis through a point."""
    R = so3_exp(angle * axis)
    return make_T(R @ T[:3, :3], pivot + R @ (T[:3, 3] - pivot))

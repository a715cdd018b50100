"""Pour from a bottle or cup into a bowl or another cup."""

from __future__ import annotations

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.toy.activities import styles
from reenact.toy.activities.moving import bearing, idle
from reenact.toy.plan import Stage
from reenact.toy.wrists import outward


def pour(stage: Stage, main: int) -> None:
    """Take a vessel, carry it over a bowl, tip it inwards, hold, put it back."""
    rng, out = stage.rng, outward(main)
    name, into = str(rng.choice(["bottle", "cup", "can"])), str(rng.choice(["bowl", "cup"]))
    start = np.array([out * rng.uniform(0.15, 0.19), rng.uniform(0.03, 0.08), 0.0])
    o = stage.add(name, start[0], start[1], bearing(main, start) - np.pi / 2)
    target = stage.add(into, -out * rng.uniform(0.02, 0.06), rng.uniform(0.07, 0.11))
    grasp = styles.wrap(stage, main, o, height=-0.01 if name == "bottle" else 0.0)
    hand, back_home = stage.hands[main], stage.place[o]
    hand.wait(float(rng.uniform(0.1, 0.2)))
    stage.reach(main, o, grasp, styles.wrap_exit(main, start))
    stage.close(main, o, grasp)
    stage.carry(main, o, grasp, tipped(stage, main, o, target, 0.45, 0.03), (0.12, 0.03))
    deep = float(rng.uniform(1.4, 1.7))
    stage.carry(
        main, o, grasp, tipped(stage, main, o, target, deep, 0.02), (0.0, 0.0), "tip", speed=0.3, at_least=0.6
    )
    hand.wait(float(rng.uniform(0.5, 0.8)))
    stage.carry(
        main,
        o,
        grasp,
        tipped(stage, main, o, target, 0.40, 0.03),
        (0.0, 0.0),
        "untip",
        speed=0.35,
        at_least=0.5,
    )
    stage.carry(main, o, grasp, back_home, (0.03, 0.12))
    stage.let_go(main, o, grasp)
    stage.home(main, styles.wrap_exit(main, start))
    idle(stage, main)


def tipped(stage: Stage, main: int, o: int, target: int, angle: float, height: float) -> np.ndarray:
    """Pose of a vessel tipped towards the person's other side: its mouth over the target, all of it `height` above
    the target's rim (m)."""
    toward = np.array([-outward(main), 0.0, 0.0])
    R = so3_exp(angle * np.cross([0.0, 0.0, 1.0], toward)) @ stage.start[o][:3, :3]
    vertices = stage.props[o].shape.mesh().vertices
    mouth = R @ np.array([0.0, 0.0, vertices[:, 2].max()])
    rim = stage.place[target][:3, 3] + [0, 0, stage.props[target].shape.mesh().vertices[:, 2].max()]
    t = rim - mouth - 0.02 * toward
    t[2] = rim[2] + height - (vertices @ R.T)[:, 2].min()
    return make_T(R, t)

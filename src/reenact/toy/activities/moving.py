"""One hand moves one thing: pick and place, push."""

from __future__ import annotations

import numpy as np

from reenact.toy.activities import styles
from reenact.toy.plan import Stage
from reenact.toy.wrists import heading, outward


def pick_place(stage: Stage, main: int) -> None:
    """Pick something up and put it down 15 to 25 cm further in."""
    rng, out = stage.rng, outward(main)
    name = str(rng.choice(["cup", "can", "carton", "block", "bottle"]))
    start = np.array([out * rng.uniform(0.15, 0.20), rng.uniform(0.04, 0.09), 0.0])
    goal = np.array([out * rng.uniform(-0.06, 0.0), rng.uniform(0.04, 0.11), 0.0])
    if rng.random() < 0.4:
        start, goal = goal, start
    move_one(stage, main, name, start, goal)


def move_one(stage: Stage, main: int, name: str, start: np.ndarray, goal: np.ndarray) -> None:
    """Reach, grasp, carry, put down, go home; the other hand rests."""
    turn = bearing(main, goal) - bearing(main, start)
    o = stage.add(name, start[0], start[1], bearing(main, start) - np.pi / 2)
    if name == "block":
        grasp = styles.pinch(stage, main, o, (0, 0, 0.006))
        way_in = way_out = styles.PINCH_EXIT
    else:
        grasp = styles.wrap(stage, main, o)
        way_in, way_out = styles.wrap_exit(main, start), styles.wrap_exit(main, goal)
    hand = stage.hands[main]
    hand.wait(float(stage.rng.uniform(0.1, 0.25)))
    stage.reach(main, o, grasp, way_in, arc=0.14 if name == "block" else 0.08)
    stage.close(main, o, grasp)
    lift = float(stage.rng.uniform(0.09, 0.14))
    stage.carry(main, o, grasp, stage.spot(o, goal[0], goal[1], turn), (lift, lift))
    stage.let_go(main, o, grasp)
    stage.home(main, way_out)
    idle(stage, main)


def push(stage: Stage, main: int) -> None:
    """Push a standing packet or parcel inwards with a flat hand; it slides, it is not held."""
    rng, out = stage.rng, outward(main)
    name = str(rng.choice(["carton", "crate"]))
    begin = out * (0.17 if name == "carton" else 0.12)
    o = stage.add(name, begin, rng.uniform(0.05, 0.09), np.pi * 0.5 if name == "carton" else 0.0)
    touch = styles.beside(stage, main, o, height=0.0, ahead=-0.02)
    hand = stage.hands[main]
    hand.wait(float(rng.uniform(0.1, 0.25)))
    stage.reach(main, o, touch, styles.beside_exit(main))
    hand.wait(0.10)
    stage.take(main, o, kind="push")
    goal = stage.spot(o, begin - out * rng.uniform(0.14, 0.18), stage.place[o][1, 3] + rng.uniform(0.0, 0.03))
    stage.carry(main, o, touch, goal, (0.0, 0.0), "push", speed=float(rng.uniform(0.3, 0.45)))
    stage.drop(main, o)
    hand.wait(0.12)
    stage.home(main, styles.beside_exit(main))
    idle(stage, main)


def bearing(side: int, target: np.ndarray) -> float:
    """Angle of the forearm's heading (rad)."""
    h = heading(side, target)
    return float(np.arctan2(h[1], h[0]))


def idle(stage: Stage, main: int) -> None:
    """The hand that has nothing to do rests and shifts now and then."""
    for side in stage.hands:
        if side != main:
            stage.fidget(side, stage.hands[main].now)

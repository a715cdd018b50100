"""Two hands on one thing: lift a parcel, hand a packet over."""

from __future__ import annotations

from reenact.toy.activities import styles
from reenact.toy.plan import Stage
from reenact.toy.wrists import outward


def two_hand_lift(stage: Stage, main: int) -> None:
    """Take a parcel between both palms, lift it, put it down somewhere else."""
    rng, other = stage.rng, 1 - main
    o = stage.add("crate", rng.uniform(-0.04, 0.04), rng.uniform(0.05, 0.08))
    grasps = {side: styles.beside(stage, side, o, height=rng.uniform(-0.01, 0.01)) for side in (0, 1)}
    for side in (0, 1):
        stage.hands[side].wait(float(rng.uniform(0.1, 0.25)))
        stage.reach(side, o, grasps[side], styles.beside_exit(side))
    arrived = max(hand.now for hand in stage.hands.values())
    for side in (0, 1):
        stage.hands[side].wait_until(arrived)
        stage.take(side, o, leads=side == main)
        stage.hands[side].wait_until(arrived + 0.15)
    up = stage.place[o].copy()
    up[:3, 3] += [0.0, -0.02, rng.uniform(0.11, 0.15)]
    down = stage.spot(o, rng.uniform(-0.06, 0.06), rng.uniform(0.08, 0.11))
    stage.hands[main].wait(0.1)
    stage.carry(main, o, grasps[main], up, (0.04, -0.04), "lift", speed=0.35)
    stage.hands[main].wait(float(rng.uniform(0.3, 0.5)))
    stage.carry(main, o, grasps[main], down, (0.02, 0.08), "lower", speed=0.35)
    stage.hands[main].wait(0.1)
    stage.ride(other, o, grasps[other], stage.hands[main].now)
    leaves = []
    for side in (0, 1):
        stage.hands[side].wait(0.05 + 0.1 * float(rng.random()))
        leaves.append(stage.hands[side].now)
        stage.home(side, styles.beside_exit(side))
    for side in (0, 1):  # one palm alone holds nothing: the hold ends for both when the first leaves
        stage.drop(side, o, at=min(leaves))


def handover(stage: Stage, main: int) -> None:
    """The main hand picks up a long packet, the other takes it in the air and puts it down on its own side."""
    rng, other = stage.rng, 1 - main
    out = outward(main)
    o = stage.add("bar", out * rng.uniform(0.12, 0.15), rng.uniform(0.05, 0.09))
    first = styles.pinch(stage, main, o, (out * 0.055, 0, 0.006), steep=0.5)
    giver, taker = stage.hands[main], stage.hands[other]
    giver.wait(float(rng.uniform(0.1, 0.2)))
    stage.reach(main, o, first, styles.PINCH_EXIT, arc=0.14)
    stage.close(main, o, first)
    middle = stage.place[o].copy()
    middle[:3, 3] = [
        -out * rng.uniform(0.0, 0.02),
        rng.uniform(-0.03, 0.0),
        middle[2, 3] + rng.uniform(0.12, 0.15),
    ]
    stage.carry(main, o, first, middle, (0.06, -0.02))
    arrived = giver.now
    second = styles.pinch(stage, other, o, (-out * 0.055, 0, 0.006), steep=0.5)
    taker.wait_until(arrived - float(rng.uniform(0.25, 0.4)))
    stage.reach(other, o, second, styles.PINCH_EXIT, arc=0.16)
    taker.wait_until(arrived)
    stage.close(other, o, second)
    giver.wait_until(taker.now + 0.08)
    stage.let_go(main, o, first)
    taker.wait_until(giver.now)
    stage.home(main, styles.PINCH_EXIT)
    goal = stage.spot(o, -out * rng.uniform(0.13, 0.16), rng.uniform(0.05, 0.09))
    goal[2, 3] = stage.start[o][2, 3]
    stage.carry(other, o, second, goal, (0.0, 0.06))
    stage.let_go(other, o, second)
    stage.home(other, styles.PINCH_EXIT)

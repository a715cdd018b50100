"""Finger methods side by side, hand x method, on a recording of a bare hand (621 frames) and a toy clip.

tip mm: robot fingertip to the human one it follows, in the wrist frame. pinch mm: where human thumb and finger tips are
nearer than 35 mm, |robot distance - human distance|. bend r: correlation over time of each finger's bend (sum of its bend
joints) with the human finger's, mean over fingers. Speed limits are kept as a user's run keeps them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import numpy as np
from clips import recording, toy, tracks
from measures import outside, smoothness

from reenact.geometry.filters import time_shift
from reenact.hands.joints import FINGERS
from reenact.retarget.finger_map import followed_fingers
from reenact.retarget.finger_methods.hand import HandModel
from reenact.retarget.finger_methods.net import NoFingerNet
from reenact.retarget.finger_methods.tips import wanted_tips
from reenact.retarget.fingers import FingerConfig, FingerMethod, solve_fingers
from reenact.retarget.targets import HandTargets, make_targets
from reenact.robots.registry import load_robot

SIDE = 1
ROBOTS = {
    "dex3": "unitree_g1_dex3",
    "inspire": "unitree_g1_inspire",
    "leap": "dual_fr3_leap",
    "allegro": "dual_fr3_allegro",
    "shadow": "dual_fr3_shadow",
    "sharpa": "dual_fr3_sharpa",
}
METHODS: tuple[FingerMethod, ...] = get_args(FingerMethod)
HEADER = (
    f"{'clip':<16}{'hand':<9}{'method':<10}{'tip mm':>8}{'p95':>7}{'pinch mm':>9}{'p95':>7}{'bend r':>8}{'rough':>9}"
    f"{'acc':>7}{'outside':>9}{'jump':>6}{'lag ms':>7}{'ms/frame':>9}"
)


def recorded_targets(shared: Path) -> HandTargets:
    """The recorded right hand, at rest in space."""
    right, seconds = recording(shared)
    joints, valid = np.zeros((len(right), 2, 21, 3)), np.zeros((len(right), 2), bool)
    joints[:, SIDE], valid[:, SIDE] = right, True
    t_ns = np.rint(seconds * 1e9).astype(np.int64)
    return make_targets(tracks(joints, valid), t_ns, t_ns)


def clips(shared: Path | None) -> Iterator[tuple[str, HandTargets]]:
    """What the methods are tried on."""
    if shared is not None and (shared / "data/ref/dexretargeting_joints").is_dir():
        yield "recording", recorded_targets(shared)
    else:
        print("skipped the 621-frame recording: no --shared folder with data/ref/dexretargeting_joints")
    clip = toy("pick_place", seed=3)
    yield clip.name, make_targets(clip.hands, clip.t_ns, clip.t_ns)


def compare(shared: Path | None, only: str = "") -> Iterator[str]:
    """The table, line by line."""
    yield HEADER
    for name, targets in clips(shared):
        for hand, robot_name in ROBOTS.items():
            if only in hand:
                model = HandModel(load_robot(robot_name), "right")
                for method in METHODS:
                    yield f"{name:<16}{hand:<9}{method:<10}{_row(model, targets, method)}"


def _row(model: HandModel, targets: HandTargets, method: FingerMethod) -> str:
    config = FingerConfig(method=method)
    best = np.inf
    for _ in range(3):
        started = time.process_time()
        try:
            q = solve_fingers(model.robot, targets, SIDE, config)
        except NoFingerNet as reason:
            return f"  skipped: {reason.message}"
        best = min(best, time.process_time() - started)
    x = model.read(q)
    ours, human = model.points(x), targets.tips_wrist[:, SIDE]
    wanted = wanted_tips(model.hand, human)
    off = np.linalg.norm(ours - wanted, axis=-1) * 1e3
    namesakes = human[:, [FINGERS.index(n) for n in model.hand.finger_names]]
    apart = [np.linalg.norm(p[:, 1:] - p[:, :1], axis=-1) for p in (ours, namesakes)]
    near = apart[1] < 0.035
    pinch = np.abs(apart[0] - apart[1])[near] * 1e3 if near.any() else np.full(1, np.nan)
    rough, acceleration, jump = smoothness(q, targets.seconds)
    lag = time_shift(wanted.reshape(len(q), -1), ours.reshape(len(q), -1), targets.seconds)
    return (
        f"{off.mean():>8.1f}{np.percentile(off, 95):>7.1f}{pinch.mean():>9.1f}{np.percentile(pinch, 95):>7.1f}"
        f"{bend_correlation(model, q, targets):>8.3f}{rough:>9.5f}{acceleration:>7.1f}{outside(model, q):>9.1e}{jump:>6.2f}"
        f"{lag * 1e3:>7.1f}{best / len(q) * 1e3:>9.3f}"
    )


def bend_correlation(model: HandModel, q: np.ndarray, targets: HandTargets) -> float:
    """Mean over the fingers (thumb left out) of the correlation between robot and human total bend."""
    column = {int(j): k for k, j in enumerate(model.hand.joint_idx)}
    follow, out = followed_fingers(model.hand), []
    for finger in model.hand.fingers:
        if finger.name == "thumb":
            continue
        bends = [k for k, role in enumerate(finger.roles) if role == "bend"]
        own = sum(finger.signs[k] * q[:, column[int(finger.joint_idx[k])]] for k in bends)
        human = np.zeros(len(q))
        for name in follow[finger.name]:
            first = 4 * FINGERS.index(name)
            human += targets.angles[:, SIDE, [first, first + 2, first + 3]].sum(axis=1)
        if np.std(human) > 0.02 and np.std(own) > 1e-6:
            out.append(np.corrcoef(own, human)[0, 1])
    return float(np.mean(out)) if out else float("nan")

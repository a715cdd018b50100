"""The last resort against self-contact: where arms would still touch, they let go of their targets for a moment.

Clearance is a soft term, and hands that clasp in the tracks (or pass through each other) can hold two arms inside one
another. What is left of contact after all rounds is taken out here: around those frames the targets do not count, and
each arm is solved again around the other with nothing to pull it in. Such frames are missed, by their cause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.retarget.arms import ArmConfig, ArmTask, refine_arm


@dataclass(frozen=True)
class LettingGoConfig:
    """How arms let go."""

    rounds: int = 4
    """Times it is tried; every round lets go a little longer. 0: never."""
    around_s: float = 0.15
    """Time before and after a contact in which the targets do not count (s), per round."""
    trigger: float = 0.6
    """Only where some frame intrudes into the clearance by this share of it (spheres do not quite fill the shapes) ..."""
    most: float = 0.4
    """Largest share of an arm's known frames that may be let go. Hands clasped for longer than that are tracks gone
    wrong: the contact is then left, and counted, rather than the motion lost."""
    near: float = 0.4
    """... do arms let go, there and where they intrude by this share."""


Joints = tuple[Float64[np.ndarray, "t n"] | None, Float64[np.ndarray, "t m"] | None]


def let_go(
    tasks: tuple[ArmTask | None, ArmTask | None], solved: Joints, arms: ArmConfig, config: LettingGoConfig
) -> Joints:
    """The same joints where nothing touches; elsewhere solved again without the targets that lead into contact.

    The result is the try with the fewest frames in contact; the given joints when none is better.
    """
    if not _touching(tasks, solved, config.trigger).any():
        return solved
    best, fewest = solved, int(_touching(tasks, solved, config.near).any(axis=0).sum())
    now = solved
    released = np.zeros((2, len(_any(solved))), bool)
    for turn in range(1, config.rounds + 1):
        touching = _touching(tasks, now, config.near)
        if fewest == 0 or not touching.any():
            break
        for side, task in enumerate(tasks):
            if task is not None:
                released[side] |= _widened(touching[side], task.targets.seconds, turn * config.around_s)
        if _share(tasks, released) > config.most:
            break
        now = _again(tasks, now, released, arms)
        count = int(_touching(tasks, now, config.near).any(axis=0).sum())
        if count < fewest:
            best, fewest = now, count
    return best


def _share(tasks: tuple[ArmTask | None, ArmTask | None], released: np.ndarray) -> float:
    """Of the known frames of an arm, those let go; of the arm that lets go most."""
    known = [(t.targets.valid, released[side]) for side, t in enumerate(tasks) if t is not None]
    return max((float((valid & r).sum() / max(valid.sum(), 1)) for valid, r in known), default=0.0)


def _any(solved: Joints) -> np.ndarray:
    return next(q for q in solved if q is not None)


def _other(tasks: tuple[ArmTask | None, ArmTask | None], solved: Joints, side: int) -> np.ndarray | None:
    task, q = tasks[1 - side], solved[1 - side]
    return None if task is None or q is None else task.centres(q)


def _touching(
    tasks: tuple[ArmTask | None, ArmTask | None], solved: Joints, near: float
) -> Bool[np.ndarray, "s=2 t"]:
    """Frames in which an arm is as good as in contact, by spheres."""
    out = np.zeros((2, len(_any(solved))), bool)
    for side, (task, q) in enumerate(zip(tasks, solved, strict=True)):
        if task is not None and q is not None and task.clearance is not None:
            out[side] = task.depth(q, _other(tasks, solved, side)) > near * task.clearance.margin
    return out


def _widened(touching: np.ndarray, seconds: np.ndarray, around_s: float) -> np.ndarray:
    """Also the frames within that time of one."""
    at = seconds[touching]
    if len(at) == 0:
        return touching
    after = np.clip(np.searchsorted(at, seconds), 0, len(at) - 1)
    before = np.clip(after - 1, 0, len(at) - 1)
    near = np.minimum(np.abs(at[after] - seconds), np.abs(at[before] - seconds))
    return near <= around_s


def _again(
    tasks: tuple[ArmTask | None, ArmTask | None], solved: Joints, released: np.ndarray, arms: ArmConfig
) -> Joints:
    now = list(solved)
    for side, task in enumerate(tasks):
        q = now[side]
        if task is None or q is None or not released[side].any():
            continue
        freed = replace(task.targets, valid=task.targets.valid & ~released[side])
        start = _bridged(q, released[side], task.targets.seconds)
        now[side] = refine_arm(
            replace(task, targets=freed), start, arms, True, _other(tasks, (now[0], now[1]), side)
        )
    return now[0], now[1]


def _bridged(q: np.ndarray, released: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Straight lines over released frames: a start that does not remember the contact."""
    used = np.flatnonzero(~released)
    if len(used) == 0:
        return q
    return np.stack([np.interp(seconds, seconds[used], q[used, k]) for k in range(q.shape[1])], axis=1)

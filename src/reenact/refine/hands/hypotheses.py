"""Which of several poses a hand had: one picture often allows two, a whole clip seldom does.

A hand seen on its edge, or blurred, projects alike with its palm to the camera or away from it, and the net flips
between the two from frame to frame. At times it even takes the hand for the other one and names the fingers from the
wrong edge. Each frame therefore gets several fits, and the cheapest path through the clip (`path`) picks one or none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix, slerp
from reenact.hands.joints import MCPS
from reenact.refine.hands.levenberg import State
from reenact.refine.hands.path import Moves, PathConfig, angle_of_trace, cheapest_path
from reenact.refine.hands.pose import HandPoses, PoseProblem


@dataclass(frozen=True)
class HypothesisConfig:
    """When the net is doubted, and how much each doubt costs. Costs are squared sigmas, as those of the fits."""

    path: PathConfig = field(default_factory=PathConfig)
    hint_weight: float = 0.2
    """The net's 20 bone directions are one opinion, not twenty: their cost counts this much."""
    reversed_price: float = 30.0
    """Price of reading the fingers in the other order."""
    rounds: int = 2
    """How often frames that are left out or doubtful are tried again from the poses around them."""
    trouble_turn: float = 0.35
    """Hands of which no two fits in a row differ by more than this (rad) plus ..."""
    trouble_speed: float = 10.0
    """... this times the time between them (rad/s) are left as they are."""


@dataclass(frozen=True)
class Settled:
    """One fit per seen hand."""

    poses: HandPoses
    problem: PoseProblem
    """The landmarks as they were read."""
    backwards: Bool[np.ndarray, " n"]
    """Whose fingers were read in the other order."""
    kept: Bool[np.ndarray, " n"]
    """False for hands that no path of a hand's motion goes through."""


@dataclass(frozen=True)
class _Candidate:
    """A fit of some of the hands (others have infinite cost)."""

    poses: HandPoses
    cost: Float64[np.ndarray, " n"]
    backwards: bool
    """Fingers read in the other order."""


class HandHypotheses:
    """The seen hands of one side, in order of time, with the fits tried so far."""

    def __init__(
        self,
        problem: PoseProblem,
        T_scene_camera: Float64[np.ndarray, "n 4 4"],
        t_seconds: Float64[np.ndarray, " n"],
        believable: float,
        config: HypothesisConfig,
    ) -> None:
        """`believable` is the largest misfit (see `HandPoses`) of a candidate."""
        self.readings = (problem, problem.fingers_reversed())
        self.T, self.t, self.believable, self.config = T_scene_camera, t_seconds, believable, config
        self.palm = problem.skeleton.rest_joints_wrist[[0, *MCPS]].mean(axis=0)
        self.candidates: list[_Candidate] = []

    def settle(self, poses: HandPoses) -> Settled:
        """The most probable fit of each hand in view of the others; `poses` are the fits from the net's own shape."""
        problem, n = self.readings[0], len(self.t)
        if not self._in_trouble(poses):
            return Settled(poses, problem, np.zeros(n, dtype=bool), np.ones(n, dtype=bool))
        everyone = np.ones(n, dtype=bool)
        self.candidates = [_Candidate(poses, self._cost(poses, False), False)]
        self._try(_mirrored(problem, poses), everyone, backwards=False)
        self._try(self.readings[1].start(), everyone, backwards=True)
        choice = self._choose()
        for _ in range(self.config.rounds):
            doubtful = choice != 0
            R, angles = self._between(choice)
            for backwards in (False, True):
                self._try(self.readings[backwards].place(R, angles), doubtful, backwards)
            choice = self._choose()
        chosen = np.maximum(choice, 0)
        backwards_rows = np.array([c.backwards for c in self.candidates])[chosen]
        as_read = problem.mixed(self.readings[1], backwards_rows)
        return Settled(self._pick(chosen), as_read, backwards_rows, choice >= 0)

    def _in_trouble(self, poses: HandPoses) -> bool:
        R = self.T[:, :3, :3] @ poses.R_camera_wrist
        turned = angle_of_trace((R[1:] * R[:-1]).sum(axis=(1, 2)))
        c = self.config
        return bool((turned > c.trouble_turn + c.trouble_speed * np.diff(self.t)).any())

    def _try(self, start: State, rows: Bool[np.ndarray, " n"], backwards: bool) -> None:
        """Fit some of the hands from given starts; the rest of the candidate is not to be believed."""
        if not rows.any():
            return
        part = self.readings[backwards].take(rows).solve(tuple(value[rows] for value in start))
        first = self.candidates[0].poses
        whole = {name: getattr(first, name).copy() for name in HandPoses.__dataclass_fields__}
        for name, values in whole.items():
            values[rows] = getattr(part, name)
        poses = HandPoses(**whole)
        cost = np.where(rows, self._cost(poses, backwards), np.inf)
        self.candidates.append(_Candidate(poses, cost, backwards))

    def _cost(self, poses: HandPoses, backwards: bool) -> Float64[np.ndarray, " n"]:
        cost = poses.image_cost + self.config.hint_weight * poses.hint_cost
        cost = cost + (self.config.reversed_price if backwards else 0.0)
        return np.where(poses.misfit > self.believable, np.inf, cost)

    def _choose(self) -> Int64[np.ndarray, " n"]:
        """Candidate of each hand, -1 where it is better left out."""
        R = np.stack([c.poses.R_camera_wrist for c in self.candidates], axis=1)
        palm = R @ self.palm + np.stack([c.poses.t_camera for c in self.candidates], axis=1)
        depth = np.maximum(np.linalg.norm(palm, axis=-1), 1e-6)
        R_sc, t_sc = self.T[:, None, :3, :3], self.T[:, None, :3, 3]
        turned = (R_sc @ palm[..., None])[..., 0]
        moves = Moves(
            cost=np.stack([c.cost for c in self.candidates], axis=1),
            R_scene=R_sc @ R,
            palm_scene=turned + t_sc,
            sight_scene=turned / depth[..., None],
            depth=depth,
            t_seconds=self.t,
        )
        return cheapest_path(moves, self.config.path)

    def _between(self, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn and bend from the chosen poses on either side of each hand, evenly between them."""
        chosen, t, n = self._pick(np.maximum(choice, 0)), self.t, len(self.t)
        kept = np.flatnonzero(choice >= 0)
        if len(kept) == 0:
            return chosen.R_camera_wrist, chosen.angles
        last = len(kept) - 1
        after = kept[np.minimum(np.searchsorted(kept, np.arange(n), side="right"), last)]
        before = kept[np.maximum(np.searchsorted(kept, np.arange(n), side="left") - 1, 0)]
        u = np.clip((t - t[before]) / np.where(after > before, t[after] - t[before], 1.0), 0.0, 1.0)
        q = quat_from_matrix(self.T[:, :3, :3] @ chosen.R_camera_wrist)
        R = np.swapaxes(self.T[:, :3, :3], 1, 2) @ matrix_from_quat(slerp(q[before], q[after], u))
        return R, chosen.angles[before] * (1 - u[:, None]) + chosen.angles[after] * u[:, None]

    def _pick(self, choice: np.ndarray) -> HandPoses:
        rows = np.arange(len(choice))
        return HandPoses(
            *(
                np.stack([getattr(c.poses, name) for c in self.candidates])[choice, rows]
                for name in HandPoses.__dataclass_fields__
            )
        )


def _mirrored(problem: PoseProblem, poses: HandPoses) -> State:
    """Starts whose near and far are exchanged: each joint reflected in the plane across the line of sight."""
    joints = problem.joints((poses.R_camera_wrist, poses.t_camera, poses.angles))
    middle = joints.mean(axis=1, keepdims=True)
    sight = middle / np.linalg.norm(middle, axis=-1, keepdims=True)
    off = joints - middle
    return problem.start_from(off - 2.0 * (off * sight).sum(axis=-1, keepdims=True) * sight)

"""Which of several poses a hand had: one picture often allows two, a whole clip seldom does.

A hand seen on its edge, or blurred, projects alike with its palm to the camera or away from it, and the net's answer
flips between the two from frame to frame. Each frame therefore gets several fits (from the net's shape, from its
mirror image in depth, from the poses before and after), and the cheapest path through the clip picks one of them or
none: a shortest path over (frame, fit), where turning and moving cost by what hands do, a frame left out has a price,
and so has a break in the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.rotations import matrix_from_quat, quat_from_matrix, slerp
from reenact.hands.joints import MCPS
from reenact.refine.hands.levenberg import State
from reenact.refine.hands.pose import HandPoses, PoseProblem


@dataclass(frozen=True)
class HypothesisConfig:
    """What motion costs. Costs are squared deviations in sigmas, as those of the fits."""

    turn_sigma: float = 0.2
    """Error of a fitted wrist rotation from one frame to the next (rad)."""
    turn_speed: float = 5.0
    """One-sigma of a working hand's angular speed (rad/s)."""
    place_sigma: float = 0.01
    """Error of the palm's place across the view (m)."""
    depth_sigma: float = 0.05
    """The same along the view, as a fraction of depth."""
    speed: float = 1.0
    """One-sigma of a working hand's speed (m/s)."""
    hint_weight: float = 0.2
    """The net's 20 bone directions are one opinion, not twenty: their cost counts this much."""
    leave_out: float = 10.0
    """Price of a frame without a fit; also the most by which one fit of a frame may be worse than another."""
    break_motion: float = 100.0
    """Price of a jump that no hand makes: leaving out ten frames is as dear."""
    reach: int = 15
    """Frames that may be left out between two that are kept."""
    trouble_turn: float = 0.35
    """Clips in which no two fits in a row differ by more than this (rad) plus ..."""
    trouble_speed: float = 10.0
    """... this times the time between them (rad/s) are left as they are."""


@dataclass(frozen=True)
class Settled:
    """One fit per seen hand."""

    poses: HandPoses
    kept: Bool[np.ndarray, " n"]
    """False for hands that no path of a hand's motion goes through."""


def settle_poses(
    problem: PoseProblem,
    poses: HandPoses,
    T_scene_camera: Float64[np.ndarray, "n 4 4"],
    believable: float,
    t_seconds: Float64[np.ndarray, " n"],
    config: HypothesisConfig,
) -> Settled:
    """The most probable fit of each seen hand in view of the others.

    Args:
        problem: the seen hands of one side, in order of time.
        poses: their fits from the net's own shape.
        T_scene_camera: camera of each.
        believable: fits whose misfit (see `HandPoses`) is larger are not candidates.
        t_seconds: time of each.
    """
    if not _in_trouble(poses, T_scene_camera, t_seconds, config):
        return Settled(poses, np.ones(len(t_seconds), dtype=bool))
    candidates = [poses, problem.solve(_mirrored(problem, poses))]
    path = _Path(problem, T_scene_camera, believable, t_seconds, config)
    for _ in range(2):
        choice = path.cheapest(candidates)
        between = _between(problem, candidates, choice, T_scene_camera, t_seconds)
        candidates.append(problem.solve(between))
    choice = path.cheapest(candidates)
    return Settled(_pick(candidates, np.maximum(choice, 0)), choice >= 0)


def _in_trouble(poses: HandPoses, T: np.ndarray, t: np.ndarray, config: HypothesisConfig) -> bool:
    R = T[:, :3, :3] @ poses.R_camera_wrist
    turned = _angle((R[1:] * R[:-1]).sum(axis=(1, 2)))
    return bool((turned > config.trouble_turn + config.trouble_speed * np.diff(t)).any())


def _angle(trace: np.ndarray) -> np.ndarray:
    return np.arccos(np.clip((trace - 1.0) / 2.0, -1.0, 1.0))


def _mirrored(problem: PoseProblem, poses: HandPoses) -> State:
    """Starts whose near and far are exchanged: each joint reflected in the plane across the line of sight."""
    joints = problem.joints((poses.R_camera_wrist, poses.t_camera, poses.angles))
    middle = joints.mean(axis=1, keepdims=True)
    sight = middle / np.linalg.norm(middle, axis=-1, keepdims=True)
    off = joints - middle
    return problem.start_from(off - 2.0 * (off * sight).sum(axis=-1, keepdims=True) * sight)


def _between(
    problem: PoseProblem, candidates: list[HandPoses], choice: np.ndarray, T: np.ndarray, t: np.ndarray
) -> State:
    """Starts from the chosen poses on either side of each hand, turned and bent evenly between them."""
    chosen = _pick(candidates, np.maximum(choice, 0))
    kept = np.flatnonzero(choice >= 0)
    n = len(t)
    if len(kept) < 2:
        return chosen.R_camera_wrist, chosen.t_camera, chosen.angles
    after = kept[np.clip(np.searchsorted(kept, np.arange(n), side="right"), 0, len(kept) - 1)]
    before = kept[np.clip(np.searchsorted(kept, np.arange(n), side="left") - 1, 0, len(kept) - 1)]
    span = np.where(after > before, t[after] - t[before], 1.0)
    u = np.clip((t - t[before]) / span, 0.0, 1.0)
    q = quat_from_matrix(T[:, :3, :3] @ chosen.R_camera_wrist)
    R = np.swapaxes(T[:, :3, :3], 1, 2) @ matrix_from_quat(slerp(q[before], q[after], u))
    angles = chosen.angles[before] * (1 - u[:, None]) + chosen.angles[after] * u[:, None]
    return problem.place(R, angles)


def _pick(candidates: list[HandPoses], choice: np.ndarray) -> HandPoses:
    rows = np.arange(len(choice))
    return HandPoses(
        *(
            np.stack([getattr(c, name) for c in candidates])[choice, rows]
            for name in HandPoses.__dataclass_fields__
        )
    )


class _Path:
    """The shortest path over hands in time, each with some fits to choose from."""

    def __init__(
        self,
        problem: PoseProblem,
        T_scene_camera: np.ndarray,
        believable: float,
        t: np.ndarray,
        config: HypothesisConfig,
    ) -> None:
        self.config, self.T, self.believable, self.t = config, T_scene_camera, believable, t
        self.palm = problem.skeleton.rest_joints_wrist[[0, *MCPS]].mean(axis=0)

    def cheapest(self, candidates: list[HandPoses]) -> Int64[np.ndarray, " n"]:
        """Candidate of each hand, -1 where it is better left out."""
        c, n, many = self.config, len(self.t), len(candidates)
        unary = self._unary(candidates)
        steps = self._steps(candidates)
        best = unary + c.leave_out * np.arange(n)[:, None]  # cost of a path that starts here
        back = np.full((n, many), -1)
        for i in range(1, n):
            lags = np.arange(min(i, c.reach + 1))
            before = (
                best[i - 1 - lags][:, :, None] + steps[i, : len(lags)] + c.leave_out * lags[:, None, None]
            )
            flat = before.reshape(-1, many)
            row = flat.argmin(axis=0)
            total = unary[i] + flat[row, np.arange(many)]
            better = total < best[i]
            best[i] = np.where(better, total, best[i])
            back[i] = np.where(better, (i - 1 - row // many) * many + row % many, -1)
        return _walk_back(best + c.leave_out * np.arange(n - 1, -1, -1)[:, None], back)

    def _unary(self, candidates: list[HandPoses]) -> Float64[np.ndarray, "n k"]:
        """How much worse than the best fit of the same hand; infinite where no hand is."""
        c = self.config
        cost = np.stack([p.image_cost + c.hint_weight * p.hint_cost for p in candidates], axis=1)
        cost[np.stack([p.misfit for p in candidates], axis=1) > self.believable] = np.inf
        least = cost.min(axis=1, keepdims=True)
        return cost - np.where(np.isfinite(least), least, 0.0)

    def _steps(self, candidates: list[HandPoses]) -> Float64[np.ndarray, "n lag k k"]:
        """Price of going to hand i from hand i - 1 - lag, by fit there (first k) and here."""
        c, n = self.config, len(self.t)
        R = self.T[:, None, :3, :3] @ np.stack([p.R_camera_wrist for p in candidates], axis=1)
        palm = np.stack([p.R_camera_wrist @ self.palm + p.t_camera for p in candidates], axis=1)
        depth = np.maximum(np.linalg.norm(palm, axis=-1), 1e-6)
        turn = self.T[:, None, :3, :3]
        sight = (turn @ (palm / depth[..., None])[..., None])[..., 0]
        place = (turn @ palm[..., None])[..., 0] + self.T[:, None, :3, 3]
        steps = np.full((n, c.reach + 1, len(candidates), len(candidates)), c.break_motion)
        for lag in range(min(c.reach + 1, n - 1)):
            i, j = slice(lag + 1, None), slice(0, n - 1 - lag)
            dt = (self.t[i] - self.t[j])[:, None, None]
            angle = _angle(np.einsum("nkab,nlab->nkl", R[j], R[i]))
            off = place[i][:, None] - place[j][:, :, None]
            along = (off * sight[i][:, None]).sum(axis=-1)
            across = np.maximum((off**2).sum(axis=-1) - along**2, 0.0)
            far = c.depth_sigma * depth[i][:, None]
            price = angle**2 / (c.turn_sigma**2 + (c.turn_speed * dt) ** 2)
            price += across / (c.place_sigma**2 + (c.speed * dt) ** 2)
            price += along**2 / (far**2 + (c.speed * dt) ** 2)
            steps[i, lag] = np.minimum(price, c.break_motion)
        return steps


def _walk_back(total: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Candidate of each row along the cheapest path, -1 off it."""
    n, many = total.shape
    choice = np.full(n, -1)
    state = int(total.argmin())
    if not np.isfinite(total.flat[state]):
        return choice
    while state >= 0:
        choice[state // many] = state % many
        state = int(back[state // many, state % many])
    return choice

"""Finger joints over a whole clip: fingertips where the human's are (HOP), in one banded solve with joint limits.

HOP's eq. 1 asks ``|x_human - f(a)|^2 + lambda |a - previous|^2`` frame by frame. Here all frames are solved
together, so smoothness does not lag; fingertips are asked for at the human's own place in the wrist frame, metre for
metre (objects do not scale with the hand); the thumb, whose root differs most between hands, is asked for against the
fingers, the more strictly the nearer it is to them (a pinch must stay a pinch); the direct angle map (`finger_map`) is
start and prior.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import FINGERS, SIDES
from reenact.retarget.banded import BandedConfig, TaskRows, TrajectoryProblem, solve_trajectory
from reenact.retarget.finger_map import bend_map, followed_fingers
from reenact.retarget.limits import limit_velocity
from reenact.retarget.targets import HandTargets
from reenact.robots.model import Hand, Robot


@dataclass(frozen=True)
class FingerConfig:
    """The finger objective."""

    method: Literal["tips", "hop", "bend"] = "tips"
    """"hop": HOP's eq. 1 as it stands, every fingertip where the human's is. "tips": the same for the fingers, with
    the thumb placed against them so that a pinch stays a pinch. "bend": the direct angle map. Compared in
    `benchmarks/retarget_fingers.py`: "tips" keeps pinches to 3 to 5 mm on three-joint fingers, "hop" to 11 to 20."""
    sigma_tip: float = 0.010
    """Fingertip error worth one unit (m)."""
    sigma_pinch: float = 0.003
    """Error of a thumb-to-finger distance vector worth one unit when they touch (m)."""
    sigma_apart: float = 0.03
    """The same when they are far apart (m)."""
    pinch_range: float = 0.06
    """Distance (m) at which the pinch weight has faded to that of far apart."""
    sigma_angle: float = 0.35
    """Distance to the direct angle map worth one unit (rad)."""
    sigma_acceleration: float = 40.0
    """Joint acceleration taken as ordinary (rad/s^2, one sigma); fingers are light and quick."""
    band: BandedConfig = field(
        default_factory=lambda: BandedConfig(sigma_velocity_hold=0.3, max_iterations=15)
    )
    """Holding and stopping of the solve."""


def solve_fingers(
    robot: Robot, targets: HandTargets, side: int, config: FingerConfig | None = None
) -> Float64[np.ndarray, "t k"]:
    """Joint values of a hand (`robot.hands[side].joint_idx` order) over the clip, couplings and limits kept.

    Frames without a hand hold or bridge; a clip without this hand leaves the fingers at home.
    """
    config = config or FingerConfig()
    hand = robot.hands[SIDES[side]]  # type: ignore[index]
    valid = targets.valid[:, side]
    home = robot.home_q[hand.joint_idx]
    if not valid.any():
        return np.broadcast_to(home, (len(valid), len(home))).copy()
    mapped = _bridge(bend_map(robot, hand, targets.angles[:, side]), valid, targets.seconds)
    free = _FreeJoints(robot, hand)
    start = free.reduce(mapped)
    problem = TrajectoryProblem(
        dt=targets.dt,
        lower=free.lower,
        upper=free.upper,
        velocity=free.velocity,
        hold=np.broadcast_to(~valid[:, None], start.shape),
        sigma_acceleration=np.full(len(valid), config.sigma_acceleration),
        config=config.band,
    )
    if config.method != "bend":
        terms = _TipTerms(robot, hand, free, targets, side, start, config)
        start, _ = solve_trajectory(terms, start, problem)
    return free.expand(limit_velocity(start, targets.dt, free.velocity))


def _bridge(q: np.ndarray, valid: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Straight lines over frames without a hand, held at the ends."""
    used = np.flatnonzero(valid)
    return np.stack([np.interp(seconds, seconds[used], q[used, k]) for k in range(q.shape[1])], axis=1)


class _FreeJoints:
    """The hand's independent joints; coupled ones follow them linearly."""

    def __init__(self, robot: Robot, hand: Hand) -> None:
        in_hand = set(hand.joint_idx.tolist())
        columns = [c for c, j in enumerate(robot.free_idx) if int(j) in in_hand]
        self.joints = robot.free_idx[columns]
        self.full_matrix = robot.coupling_matrix[:, columns]
        rest = robot.couple(robot.home_q)
        self.full_offset = rest - self.full_matrix @ rest[self.joints]
        self.hand_idx = hand.joint_idx
        self.lower, self.upper = self._limits(robot)
        self.velocity = self._velocity(robot)
        self._at = [int(np.flatnonzero(hand.joint_idx == j)[0]) for j in self.joints]

    def _followers(self) -> list[tuple[int, int, float]]:
        rows, columns = np.nonzero(self.full_matrix)
        return [(int(r), int(c), float(self.full_matrix[r, c])) for r, c in zip(rows, columns, strict=True)]

    def _limits(self, robot: Robot) -> tuple[np.ndarray, np.ndarray]:
        """Own limits, narrowed so that followers stay inside theirs."""
        lower, upper = robot.lower[self.joints].copy(), robot.upper[self.joints].copy()
        for r, c, scale in self._followers():
            ends = np.sort((np.array([robot.lower[r], robot.upper[r]]) - self.full_offset[r]) / scale)
            lower[c], upper[c] = max(lower[c], ends[0]), min(upper[c], ends[1])
        return lower, upper

    def _velocity(self, robot: Robot) -> np.ndarray:
        velocity = robot.velocity_limits[self.joints].copy()
        for r, c, scale in self._followers():
            velocity[c] = min(velocity[c], robot.velocity_limits[r] / abs(scale))
        return velocity

    def reduce(self, q_hand: np.ndarray) -> np.ndarray:
        """Independent joints of hand joints [t k]."""
        return np.clip(q_hand[:, self._at], self.lower, self.upper)

    def full(self, free: np.ndarray) -> np.ndarray:
        """The whole robot's q, everything else at home."""
        return free @ self.full_matrix.T + self.full_offset

    def expand(self, free: np.ndarray) -> np.ndarray:
        """Hand joints [t k] with followers set."""
        return self.full(free)[:, self.hand_idx]


class _TipTerms:
    """Residual rows of one hand: fingertips, thumb-to-finger vectors, nearness to the angle map."""

    def __init__(
        self,
        robot: Robot,
        hand: Hand,
        free: _FreeJoints,
        targets: HandTargets,
        side: int,
        prior: np.ndarray,
        config: FingerConfig,
    ) -> None:
        self.robot, self.free, self.prior, self.config = robot, free, prior, config
        self.names = [f.tip_frame for f in hand.fingers]
        self.columns = sorted({r for r, _, _ in free._followers()})
        self.valid = targets.valid[:, side].astype(float)
        wrist = robot.T_base_wrist(robot.home_q, SIDES[side])  # type: ignore[arg-type]
        self.R_base_wrist, self.p_wrist = wrist[:3, :3], wrist[:3, 3]
        self.thumb = hand.finger_names.index("thumb") if "thumb" in hand.finger_names else None
        self.placed = [k for k, n in enumerate(hand.finger_names) if n != "thumb"]
        self.wanted = human_tips(hand, targets, side)
        if config.method == "hop":
            self.thumb, self.placed = None, list(range(len(hand.fingers)))
        self.pinch, self.pinch_weight = _pinches(hand, targets, side, config)

    def __call__(self, q: Float64[np.ndarray, "t n"]) -> TaskRows:
        T, J = self.robot.kinematics.jacobians(self.free.full(q), self.names, self.columns)
        tips = (T[..., :3, 3] - self.p_wrist) @ self.R_base_wrist
        slopes = np.swapaxes(self.R_base_wrist, 0, 1) @ J[:, :, :3, :] @ self.free.full_matrix[self.columns]
        rows = [(tips[:, k] - self.wanted[:, k]) / self.config.sigma_tip for k in self.placed]
        jacobians = [slopes[:, k] / self.config.sigma_tip for k in self.placed]
        if self.thumb is not None:
            for i, k in enumerate(self.placed):
                weight = self.pinch_weight[:, i, None]
                rows.append((tips[:, k] - tips[:, self.thumb] - self.pinch[:, i]) * weight)
                jacobians.append((slopes[:, k] - slopes[:, self.thumb]) * weight[..., None])
        near = (q - self.prior) / self.config.sigma_angle
        eye = np.broadcast_to(np.eye(q.shape[1]) / self.config.sigma_angle, (len(q), q.shape[1], q.shape[1]))
        residual = np.concatenate([*rows, near], axis=1) * self.valid[:, None]
        jacobian = np.concatenate([*jacobians, eye], axis=1) * self.valid[:, None, None]
        return TaskRows(residual, jacobian, (residual**2).sum(axis=1))


def human_tips(hand: Hand, targets: HandTargets, side: int) -> Float64[np.ndarray, "t f 3"]:
    """The human fingertips that the robot's fingers follow, in the wrist frame (m), as they are."""
    follow = followed_fingers(hand)
    tips = targets.tips_wrist[:, side]
    return np.stack(
        [np.mean([tips[:, FINGERS.index(n)] for n in follow[f.name]], axis=0) for f in hand.fingers], axis=1
    )


def _pinches(
    hand: Hand, targets: HandTargets, side: int, config: FingerConfig
) -> tuple[Float64[np.ndarray, "t f 3"], Float64[np.ndarray, "t f"]]:
    """Human thumb-to-finger vectors of the robot's fingers and the weight (1/m) of each, larger when nearer."""
    tips = targets.tips_wrist[:, side]
    vectors, weights = [], []
    for name in (n for n in hand.finger_names if n != "thumb"):
        vector = tips[:, FINGERS.index(name)] - tips[:, 0]
        near = np.clip(1.0 - np.linalg.norm(vector, axis=1) / config.pinch_range, 0.0, 1.0)
        sigma = config.sigma_apart * (config.sigma_pinch / config.sigma_apart) ** near
        vectors.append(vector)
        weights.append(1.0 / sigma)
    if not vectors:
        return np.zeros((len(tips), 0, 3)), np.zeros((len(tips), 0))
    return np.stack(vectors, axis=1), np.stack(weights, axis=1)

"""Wrist inverse kinematics over a whole clip: keyframe warm start, then one banded trajectory solve per arm.

In: wanted wrist poses in the robot's base and which of them are valid. Out: joint positions of every frame, inside
the joint limits, smooth, not shifted in time. Frames without a target are held or bridged smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.retarget.banded import BandedConfig, TaskRows, TrajectoryProblem, solve_trajectory
from reenact.retarget.chains import ArmClearance, WristChain, pose_error, turn_weights
from reenact.retarget.keyframes import KeyframeConfig, warm_start
from reenact.retarget.limits import limit_velocity
from reenact.retarget.posture_bank import PostureBank


@dataclass(frozen=True)
class ArmConfig:
    """The trajectory solve of one arm."""

    band: BandedConfig = field(default_factory=BandedConfig)
    sigma_acceleration: float = 6.0
    """Joint acceleration always taken as ordinary (rad/s^2, one sigma); smaller smooths more."""
    briskness_share: float = 0.8
    """Where the hand itself is brisker, this share of its acceleration is taken as ordinary instead."""
    keyframes: KeyframeConfig = field(default_factory=KeyframeConfig)
    keep_speed_limits: bool = True
    """Stay within the joints' speed limits. Without, poses are followed more closely and the report says how far
    beyond the limits; such a trajectory must be slowed down before it is executed."""
    huber: float = 4.0
    """Pose residuals beyond this many sigmas count linearly, so that unreachable frames do not bend the others."""
    sigma_posture: float = 6.0
    """Distance from home worth one sigma per reference frame (rad): fixes the free joint of 7-joint arms."""
    limit_margin: float = 0.08
    """Postures nearer to a joint limit than this (rad) are gently pushed back."""
    sigma_margin: float = 0.08
    """Intrusion into that margin worth one sigma (rad)."""
    sigma_clearance: float = 0.001
    """Intrusion into the clearance between bodies worth one sigma (m)."""
    avoid_iterations: int = 10
    """Most steps of a solve that keeps the clearance: which spheres are nearest changes, so it never quite settles."""
    clearance_rounds: int = 2
    """Times both arms are solved again around each other."""


@dataclass(frozen=True)
class ArmTargets:
    """What one wrist should do, in the robot's base frame."""

    T_base_wrist: Float64[np.ndarray, "t 4 4"]
    valid: Bool[np.ndarray, " t"]
    sigma_position: Float64[np.ndarray, " t"]
    """Noise of the positions (m)."""
    sigma_rotation: Float64[np.ndarray, " t"]
    """Noise of the rotations (rad)."""
    acceleration: Float64[np.ndarray, " t"]
    """Briskness of the hand (rad/s^2, rms)."""
    seconds: Float64[np.ndarray, " t"]

    @property
    def scale(self) -> Float64[np.ndarray, "t 6"]:
        """Sigma of each residual row."""
        return np.repeat(np.stack([self.sigma_position, self.sigma_rotation], axis=1), 3, axis=1)


@dataclass(frozen=True)
class ArmTask:
    """One arm and what it has to do; `clearance` keeps it off the body, itself and the other arm."""

    chain: WristChain
    bank: PostureBank
    targets: ArmTargets
    side: int = 0
    clearance: ArmClearance | None = None
    hand: Float64[np.ndarray, "t k 3"] | None = None
    """The hand's spheres in each frame (`Clearance.hand_centres`); at home when left out."""

    def centres(self, q: Float64[np.ndarray, "t n"]) -> Float64[np.ndarray, "t k 3"] | None:
        """The arm's spheres along a trajectory."""
        return None if self.clearance is None else self.clearance.centres(q, self.side, self.hand)

    def depth(
        self, q: Float64[np.ndarray, "t n"], other: Float64[np.ndarray, "t m 3"] | None = None
    ) -> Float64[np.ndarray, " t"]:
        """Intrusion into the clearance along a trajectory (m)."""
        return (
            np.zeros(len(q))
            if self.clearance is None
            else self.clearance.depth(q, self.side, self.hand, other)
        )


def solve_arm(task: ArmTask, config: ArmConfig | None = None) -> Float64[np.ndarray, "t n"]:
    """Joint positions of one arm over the clip; inside joint and velocity limits exactly.

    Frames without a target are bridged smoothly; with no target at all the arm stays at home.
    """
    config = config or ArmConfig()
    targets, clearance = task.targets, task.clearance
    at_home = None if clearance is None else lambda q: clearance.depth(q, task.side)
    q = warm_start(
        task.chain, task.bank, targets.T_base_wrist, targets.valid, targets.seconds, config.keyframes, at_home
    )
    if not targets.valid.any():
        return q
    q = refine_arm(task, q, config)
    if task.depth(q).max() > 0:
        q = refine_arm(task, q, config, avoid=True)
    return q


def refine_arm(
    task: ArmTask,
    q: Float64[np.ndarray, "t n"],
    config: ArmConfig,
    avoid: bool = False,
    other_centres: Float64[np.ndarray, "t m 3"] | None = None,
) -> Float64[np.ndarray, "t n"]:
    """The trajectory solve from a start; with `avoid` the clearance is kept, also from the other arm's spheres."""
    chain, targets = task.chain, task.targets
    velocity = chain.velocity if config.keep_speed_limits else np.full(len(chain.velocity), np.inf)
    problem = TrajectoryProblem(
        dt=np.diff(targets.seconds),
        lower=chain.lower,
        upper=chain.upper,
        velocity=velocity,
        hold=np.broadcast_to(~targets.valid[:, None], q.shape),
        sigma_acceleration=np.maximum(
            config.sigma_acceleration, config.briskness_share * targets.acceleration
        ),
        config=replace(config.band, max_iterations=config.avoid_iterations) if avoid else config.band,
    )
    terms = ArmTerms(task, config, avoid, other_centres)
    q, _ = solve_trajectory(terms, q, problem)
    return limit_velocity(q, problem.dt, velocity)


def solve_arms(
    tasks: tuple[ArmTask | None, ArmTask | None], config: ArmConfig | None = None
) -> tuple[Float64[np.ndarray, "t n"] | None, Float64[np.ndarray, "t n"] | None]:
    """Both arms, then (where they come near each other) each again around the other's path."""
    config = config or ArmConfig()
    left, right = tasks
    if left is None or right is None:
        alone = [None if task is None else solve_arm(task, config) for task in tasks]
        return alone[0], alone[1]
    q_left, q_right = solve_arm(left, config), solve_arm(right, config)
    for _ in range(config.clearance_rounds):
        if left.depth(q_left, right.centres(q_right)).max() <= 0:
            break
        if left.targets.valid.any():
            q_left = refine_arm(left, q_left, config, True, right.centres(q_right))
        if right.targets.valid.any():
            q_right = refine_arm(right, q_right, config, True, left.centres(q_left))
    return q_left, q_right


class ArmTerms:
    """Residual rows of one arm: wrist pose (whitened, Huber), posture, distance to the limits, clearance."""

    def __init__(
        self, task: ArmTask, config: ArmConfig, avoid: bool = False, other_centres: np.ndarray | None = None
    ) -> None:
        self.task, self.chain, self.targets, self.config = task, task.chain, task.targets, config
        self.avoid, self.other_centres = avoid and task.clearance is not None, other_centres

    def __call__(self, q: Float64[np.ndarray, "t n"]) -> TaskRows:
        pose_r, pose_J, pose_cost = self._pose(q)
        soft_r, soft_J = self._comfort(q)
        residual = np.concatenate([pose_r, soft_r], axis=1)
        jacobian = np.concatenate([pose_J, soft_J], axis=1)
        cost = pose_cost + (soft_r**2).sum(axis=1)
        if self.avoid and self.task.clearance is not None:
            inside, slope = self.task.clearance.rows(q, self.task.side, self.task.hand, self.other_centres)
            residual = np.concatenate([residual, inside / self.config.sigma_clearance], axis=1)
            jacobian = np.concatenate([jacobian, slope / self.config.sigma_clearance], axis=1)
            cost = cost + (inside**2).sum(axis=1) / self.config.sigma_clearance**2
        return TaskRows(residual, jacobian, cost)

    def _pose(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        T, jacobian = self.chain.fk_jacobian(q)
        inverse_scale = self.targets.valid[:, None] / self.targets.scale
        weights = turn_weights(self.chain)
        residual = -pose_error(self.targets.T_base_wrist, T) @ weights.T * inverse_scale
        jacobian = weights @ jacobian * inverse_scale[..., None]
        k = self.config.huber
        size = np.linalg.norm(residual, axis=1)
        weight = np.sqrt(k / np.maximum(size, k))[:, None]
        cost = np.where(size <= k, size**2, k * (2 * size - k))
        return residual * weight, jacobian * weight[..., None], cost

    def _comfort(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        t, n = q.shape
        config, chain = self.config, self.chain
        low = np.minimum(q - (chain.lower + config.limit_margin), 0.0)
        high = np.maximum(q - (chain.upper - config.limit_margin), 0.0)
        margin = (low + high) / config.sigma_margin
        posture = (q - chain.home) / config.sigma_posture
        jacobian = np.zeros((t, 2 * n, n))
        idx = np.arange(n)
        jacobian[:, idx, idx] = (margin != 0) / config.sigma_margin
        jacobian[:, n + idx, idx] = 1.0 / config.sigma_posture
        return np.concatenate([margin, posture], axis=1), jacobian


def quick_arms(config: ArmConfig | None = None) -> ArmConfig:
    """Settings for speed: fewer keyframes and starts, looser stops; a third to half of the time. As good on clips that are
    reachable throughout (`benchmarks/retarget`); on others a worse branch of postures may be taken."""
    config = config or ArmConfig()
    keyframes = replace(config.keyframes, spacing_s=0.5, starts=3, rounds=1, iterations=5)
    return replace(
        config, keyframes=keyframes, band=replace(config.band, cost_tolerance=3e-3, tolerance=5e-3)
    )

"""Inverse kinematics of many independent wrist poses at once: damped least squares with hard joint limits.

Used where problems do not know each other: root candidates times keyframes, and the keyframes of a clip from
several starts. Joints pressed against a limit are taken out of the step, the rest is solved again in the same
iteration's spirit (projected Levenberg-Marquardt), so limits hold exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.retarget.chains import WristChain, counted_turn, pose_error, turn_weights


@dataclass(frozen=True)
class BatchIkConfig:
    """Settings of the batched pose solver."""

    iterations: int = 20
    """Most steps per problem."""
    sigma_position: float = 0.005
    """Position error worth one unit (m)."""
    sigma_rotation: float = 0.03
    """Rotation error worth one unit (rad)."""
    sigma_posture: float = 8.0
    """Distance to the reference posture worth one unit (rad); decides the free joint of a 7-joint arm."""
    stop_position: float = 5e-4
    """A problem whose error is below this and `stop_rotation` is left alone (m)."""
    stop_rotation: float = 3e-3
    """See `stop_position` (rad)."""


@dataclass(frozen=True)
class PoseSolutions:
    """Joint positions and what is left of the pose errors (turns as `chains.counted_turn` has them)."""

    q: Float64[np.ndarray, "*b n"]
    position_error: Float64[np.ndarray, "*b"]
    rotation_error: Float64[np.ndarray, "*b"]

    def reached(self, position: float, rotation: float) -> Bool[np.ndarray, "*b"]:
        """Which problems are solved within the tolerances (m, rad)."""
        return (self.position_error <= position) & (self.rotation_error <= rotation)


def solve_poses(
    chain: WristChain,
    T_base_target: Float64[np.ndarray, "*#b 4 4"],
    q0: Float64[np.ndarray, "*#b n"],
    config: BatchIkConfig | None = None,
    posture: Float64[np.ndarray, " n"] | None = None,
) -> PoseSolutions:
    """Brings each wrist as near to its target as limits allow, from the given starts.

    Args:
        chain: the arm.
        T_base_target: wanted wrist poses.
        q0: starts (clipped to the limits).
        config: weights and iterations.
        posture: reference posture of the free joint; the chain's home by default.
    """
    config = config or BatchIkConfig()
    batch, n = q0.shape[:-1], q0.shape[-1]
    target = np.broadcast_to(T_base_target, (*batch, 4, 4)).reshape(-1, 4, 4)
    posture = chain.home if posture is None else posture
    q = np.clip(q0.reshape(-1, n), chain.lower, chain.upper)
    scale = np.repeat([config.sigma_position, config.sigma_rotation], 3)
    state = _State(chain, target, q, scale, posture, config)
    alive = np.arange(len(q))
    for _ in range(config.iterations):
        alive = state.step(alive)
        if len(alive) == 0:
            break
    error = pose_error(target, chain.fk(state.q))
    position = np.linalg.norm(error[:, :3], axis=1).reshape(batch)
    rotation = counted_turn(chain, error).reshape(batch)
    return PoseSolutions(state.q.reshape(*batch, n), position, rotation)


class _State:
    """Joint positions, cost and damping of all problems while they are being solved."""

    def __init__(
        self,
        chain: WristChain,
        target: np.ndarray,
        q: np.ndarray,
        scale: np.ndarray,
        posture: np.ndarray,
        config: BatchIkConfig,
    ) -> None:
        self.chain, self.target, self.q, self.posture, self.config = chain, target, q, posture, config
        self.whiten = turn_weights(chain) / scale[:, None]
        self.scale = scale
        self.damping = np.full(len(q), 1e-2)
        self.error, self.jacobian = self._linearise(np.arange(len(q)), q)
        self.cost = self._cost(self.error, q)

    def _linearise(self, idx: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        T, jacobian = self.chain.fk_jacobian(q)
        return pose_error(self.target[idx], T) @ self.whiten.T, self.whiten @ jacobian

    def _cost(self, error: np.ndarray, q: np.ndarray) -> np.ndarray:
        away = (q - self.posture) / self.config.sigma_posture
        return np.einsum("bi,bi->b", error, error) + np.einsum("bi,bi->b", away, away)

    def step(self, alive: np.ndarray) -> np.ndarray:
        """One accepted-or-rejected step of the live problems; returns those still live."""
        q, error, jacobian = self.q[alive], self.error[alive], self.jacobian[alive]
        prior = 1.0 / self.config.sigma_posture**2
        gradient = np.einsum("bij,bi->bj", jacobian, error) - prior * (q - self.posture)
        matrix = np.swapaxes(jacobian, 1, 2) @ jacobian
        diagonal = np.einsum("bii->bi", matrix)
        diagonal += prior + self.damping[alive, None] * (diagonal + 1.0)
        at_limit = ((q <= self.chain.lower) & (gradient < 0)) | ((q >= self.chain.upper) & (gradient > 0))
        free = (~at_limit).astype(float)
        matrix *= free[:, :, None] * free[:, None, :]
        np.einsum("bii->bi", matrix)[...] += at_limit
        move = np.linalg.solve(matrix, (gradient * free)[..., None])[..., 0]
        q_new = np.clip(q + np.clip(move, -0.6, 0.6), self.chain.lower, self.chain.upper)
        error_new, jacobian_new = self._linearise(alive, q_new)
        cost_new = self._cost(error_new, q_new)
        better = cost_new < self.cost[alive]
        gain = self.cost[alive] - cost_new
        won = alive[better]
        self.q[won], self.error[won] = q_new[better], error_new[better]
        self.jacobian[won], self.cost[won] = jacobian_new[better], cost_new[better]
        self.damping[alive] = np.where(better, self.damping[alive] * 0.2, self.damping[alive] * 6.0).clip(
            1e-6, 1e6
        )
        stalled = better & (gain < 1e-4 * (1e-3 + cost_new)) | (self.damping[alive] > 1e5)
        return alive[~(self._solved(alive) | stalled)]

    def _solved(self, idx: np.ndarray) -> np.ndarray:
        error = self.error[idx] * self.scale
        near = np.linalg.norm(error[:, :3], axis=1) < self.config.stop_position
        return near & (np.linalg.norm(error[:, 3:], axis=1) < self.config.stop_rotation)

"""Moves many candidate roots at once to where the whole clip is comfortable: bundle adjustment of roots and postures.

Each candidate has one root (x, y, z, yaw, and tilt where gravity is uncertain) shared by all its keyframe
postures. One Gauss-Newton step eliminates the postures (Schur complement) and solves a 6x6 system per
candidate. Comfort terms (distance to home and to the limits) make the answer interior instead of arbitrary
when many roots are feasible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import inverse
from reenact.retarget.chains import WristChain, pose_error, turn_weights


@dataclass(frozen=True)
class PolishConfig:
    """Weights of the root polish."""

    iterations: int = 15
    """Gauss-Newton steps."""
    sigma_position: float = 0.01
    """Wrist position error worth one unit (m)."""
    sigma_rotation: float = 0.05
    """Wrist rotation error worth one unit (rad)."""
    sigma_posture: float = 2.5
    """Distance of a joint from home worth one unit (rad)."""
    comfort_margin: float = 0.2
    """Joints nearer to a limit than this are pushed away (rad)."""
    sigma_margin: float = 0.15
    """Intrusion into that margin worth one unit (rad)."""
    huber: float = 3.0
    """Pose residuals beyond this many units count linearly."""
    gives_up: bool = False
    """Residuals well beyond `huber` stop counting instead (Geman-McClure): as many keyframes as can be met, at the
    price of the others."""


@dataclass(frozen=True)
class SideProblem:
    """Keyframes of one arm: wanted wrist poses in the world."""

    chain: WristChain
    T_world_target: Float64[np.ndarray, "k 4 4"]


def polish_roots(
    T_world_base: Float64[np.ndarray, "c 4 4"],
    problems: list[SideProblem],
    q: list[Float64[np.ndarray, "c _ _"]],
    up: Float64[np.ndarray, "3"],
    tilt_sigma: float,
    config: PolishConfig | None = None,
) -> tuple[Float64[np.ndarray, "c 4 4"], list[Float64[np.ndarray, "c _ _"]]]:
    """Roots and postures after joint refinement; candidates do not influence each other.

    Args:
        T_world_base: candidate roots.
        problems: per followed side, the arm and its keyframe targets.
        q: per followed side, start postures of every candidate [c k n]; sides have their own keyframes k.
        up: upward direction in the world.
        tilt_sigma: one-sigma of gravity (rad); 0 keeps the base upright exactly.
    """
    config = config or PolishConfig()
    T, q = T_world_base.copy(), [x.copy() for x in q]
    prior = _tilt_prior(up, tilt_sigma)
    damping = np.full(len(T), 1e-3)
    current = _cost(T, problems, q, config, prior, up)
    for _ in range(config.iterations):
        step_root, step_q = _step(T, problems, q, config, prior, up, damping, tilt_sigma == 0)
        T_new = _moved(T, step_root)
        q_new = [
            np.clip(x + np.clip(dx, -0.5, 0.5), p.chain.lower, p.chain.upper)
            for x, dx, p in zip(q, step_q, problems, strict=True)
        ]
        cost = _cost(T_new, problems, q_new, config, prior, up)
        better = cost < current
        T[better] = T_new[better]
        for x, x_new in zip(q, q_new, strict=True):
            x[better] = x_new[better]
        current = np.where(better, cost, current)
        damping = np.where(better, damping * 0.3, damping * 8.0).clip(1e-6, 1e6)
    return T, q


def _tilt_prior(up: np.ndarray, tilt_sigma: float) -> np.ndarray:
    """Information matrix of the base's tilt against `up`: huge when gravity is known."""
    sigma = max(tilt_sigma, 1e-6)
    return (np.eye(3) - np.outer(up, up)) / sigma**2


def _tilt(T: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Rotation vector (small-angle) that takes the base's z axis away from `up`, [c 3]."""
    return np.cross(np.broadcast_to(up, T[..., :3, 2].shape), T[..., :3, 2])


def _moved(T: np.ndarray, step: np.ndarray) -> np.ndarray:
    out = T.copy()
    out[:, :3, :3] = so3_exp(step[:, 3:]) @ T[:, :3, :3]
    out[:, :3, 3] += step[:, :3]
    return out


def _residuals(
    T: np.ndarray, problem: SideProblem, q: np.ndarray, config: PolishConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Weighted pose residual, its Jacobians by root and posture, the comfort pull and its stiffness."""
    T_base_wrist, jacobian = problem.chain.fk_jacobian(q)
    weights = turn_weights(problem.chain)
    error = pose_error(inverse(T)[:, None] @ problem.T_world_target, T_base_wrist) @ weights.T
    jacobian = weights @ jacobian
    R = T[:, None, :3, :3]
    turned = np.concatenate([(R @ error[..., :3, None])[..., 0], (R @ error[..., 3:, None])[..., 0]], axis=-1)
    J_q = np.concatenate([R @ jacobian[..., :3, :], R @ jacobian[..., 3:, :]], axis=-2)
    arm = (R @ T_base_wrist[..., :3, 3:])[..., 0]
    J_root = np.zeros((*error.shape[:-1], 6, 6))
    J_root[..., np.arange(6), np.arange(6)] = 1.0
    J_root[..., :3, 3:] = -_hat(arm)
    J_root[..., 3:, 3:] = R @ weights[3:, 3:] @ np.swapaxes(R, -1, -2)
    scale = np.repeat([config.sigma_position, config.sigma_rotation], 3)
    return turned / scale, J_root / scale[:, None], J_q / scale[:, None], *_comfort(problem.chain, q, config)


def _hat(v: np.ndarray) -> np.ndarray:
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return out - np.swapaxes(out, -1, -2)


def _comfort(chain: WristChain, q: np.ndarray, config: PolishConfig) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and diagonal stiffness of posture and margin terms."""
    low = np.minimum(q - (chain.lower + config.comfort_margin), 0.0)
    high = np.maximum(q - (chain.upper - config.comfort_margin), 0.0)
    posture, margin = config.sigma_posture**-2, config.sigma_margin**-2
    gradient = posture * (q - chain.home) + margin * (low + high)
    return gradient, posture + margin * ((low < 0) | (high > 0))


def _robust(residual: np.ndarray, config: PolishConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cost of pose residuals [... 6] and the weight of their squares in a Gauss-Newton step."""
    k, size = config.huber, np.linalg.norm(residual, axis=-1)
    if config.gives_up:
        share = 1.0 / (1.0 + (size / k) ** 2)
        return size**2 * share, share**2
    return np.where(size <= k, size**2, k * (2 * size - k)), np.minimum(1.0, k / np.maximum(size, 1e-12))


def _cost(
    T: np.ndarray,
    problems: list[SideProblem],
    q: list[np.ndarray],
    config: PolishConfig,
    prior: np.ndarray,
    up: np.ndarray,
) -> np.ndarray:
    tilt = _tilt(T, up)
    total = np.einsum("ci,ij,cj->c", tilt, prior, tilt)
    for problem, x in zip(problems, q, strict=True):
        target = inverse(T)[:, None] @ problem.T_world_target
        error = pose_error(target, problem.chain.fk(x)) @ turn_weights(problem.chain).T
        scale = np.repeat([config.sigma_position, config.sigma_rotation], 3)
        total += _robust(error / scale, config)[0].sum(axis=1)
        low = np.minimum(x - (problem.chain.lower + config.comfort_margin), 0.0)
        high = np.maximum(x - (problem.chain.upper - config.comfort_margin), 0.0)
        comfort = ((x - problem.chain.home) / config.sigma_posture) ** 2 + (
            (low + high) / config.sigma_margin
        ) ** 2
        total += comfort.sum(axis=(1, 2))
    return total


def _step(
    T: np.ndarray,
    problems: list[SideProblem],
    q: list[np.ndarray],
    config: PolishConfig,
    prior: np.ndarray,
    up: np.ndarray,
    damping: np.ndarray,
    upright: bool,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """One Gauss-Newton step of the roots [c 6] and postures [c k n], postures eliminated first."""
    matrix, vector = np.zeros((len(T), 6, 6)), np.zeros((len(T), 6))
    matrix[:, 3:, 3:] += prior
    vector[:, 3:] -= _tilt(T, up) @ prior
    kept = []
    for problem, x in zip(problems, q, strict=True):
        r, J_root, J_q, pull, stiff = _residuals(T, problem, x, config)
        weight = _robust(r, config)[1][..., None]
        H = np.swapaxes(J_q, -1, -2) @ (J_q * weight[..., None])
        gradient = np.einsum("ckin,cki->ckn", J_q, r * weight) - pull
        chain = problem.chain
        stuck = ((x <= chain.lower) & (gradient < 0)) | ((x >= chain.upper) & (gradient > 0))
        free = (~stuck).astype(float)
        idx = np.arange(x.shape[-1])
        H[..., idx, idx] += stiff + damping[:, None, None] * (H[..., idx, idx] + 1.0)
        H *= free[..., :, None] * free[..., None, :]
        H[..., idx, idx] += stuck
        cross = np.swapaxes(J_q * free[..., None, :], -1, -2) @ (J_root * weight[..., None])
        solved = np.linalg.solve(H, np.concatenate([cross, (gradient * free)[..., None]], axis=-1))
        matrix += (np.swapaxes(J_root, -1, -2) @ (J_root * weight[..., None])).sum(axis=1)
        matrix -= (np.swapaxes(cross, -1, -2) @ solved[..., :6]).sum(axis=1)
        vector += np.einsum("ckij,cki->cj", J_root, r * weight)
        vector -= np.einsum("ckni,ckn->ci", cross, solved[..., 6])
        kept.append(solved)
    idx6 = np.arange(6)
    matrix[:, idx6, idx6] += damping[:, None] * (matrix[:, idx6, idx6] + 1.0)
    step = np.linalg.solve(matrix, vector[..., None])[..., 0]
    step = np.clip(step, -0.25, 0.25)
    if upright:
        step[:, 3:] = (step[:, 3:] @ up)[:, None] * up
    return step, [s[..., 6] - np.einsum("ckni,ci->ckn", s[..., :6], step) for s in kept]

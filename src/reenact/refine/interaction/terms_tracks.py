"""Terms about tracks by themselves: they follow what was seen, move smoothly, stay, or go with a hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import hat, so3_log
from reenact.refine.interaction.blocks import BlockSystem
from reenact.refine.interaction.bodies import (
    SHARED,
    Bodies,
    Observed,
    own_of,
    place_of,
    pose_of,
    turn_of,
)


@dataclass(frozen=True)
class TrackTermConfig:
    """Strengths of the terms, all in physical units."""

    tail: float = 6.0
    """Degrees of freedom of the observation noise (Student's t): small trusts far samples less."""
    drift: float = 0.03
    """One-sigma of the shared scale error of depth (relative)."""
    drift_unanchored: float = 0.005
    """The same where no support plane is known: then nothing but this tells drift from motion along the line of sight."""
    drift_own_depth: float = 0.005
    """The same where each pose states its own covariance: its depth then is its own (a known size against its outline),
    and nothing drifts in common. With 0.03 things of rendered clips were pulled up to 10 cm away along the line of sight."""
    own_drift: float = 0.006
    """One-sigma of each thing's own scale error (relative), where its record does not state a larger one."""
    drift_period_s: float = 2.5
    """Depth errors change no faster than with this period (s)."""
    push: float = 0.5
    """Power of a thing's acceleration (m²/s³): reaching hands have 1 to 3 m/s² for a tenth of a second."""
    twist: float = 20.0
    """Power of its angular acceleration (rad²/s³)."""
    still: float = 0.0005
    """Drift of a thing that lies still (m per square root of a second)."""
    still_turn: float = 0.005
    """The same in rad."""
    grip: float = 0.0015
    """Slip of a held thing in the grip (m per square root of a second)."""
    grip_turn: float = 0.02
    """The same in rad."""


def add_data(system: BlockSystem, bodies: Bodies, seen: Observed, config: TrackTermConfig) -> None:
    """Every body where it was seen, but for noise and the scale error of depth along the line of sight."""
    rows = np.arange(len(bodies.T))
    for n in map(int, np.flatnonzero(seen.present)):
        ray = bodies.T[:, n, :3, 3] - seen.eye
        scale = 1 + bodies.shared + bodies.own[:, n]
        off = (seen.eye + scale[:, None] * ray - seen.T[:, n, :3, 3]) / seen.sigma[n]
        turned = (
            so3_log(bodies.T[:, n, :3, :3] @ np.swapaxes(seen.T[:, n, :3, :3], 1, 2)) / seen.sigma_turn[n]
        )
        far = (off**2).sum(axis=1) + (turned**2).sum(axis=1)
        weight = seen.weight[:, n] * (config.tail + 6) / (config.tail + far)
        along = (ray / seen.sigma[n])[:, :, None]
        eye3 = np.broadcast_to(np.eye(3), (len(rows), 3, 3))
        system.add(
            rows, off, weight,
            [(0, place_of(n), scale[:, None, None] * eye3 / seen.sigma[n]), (0, SHARED, along), (0, own_of(n), along)],
        )  # fmt: skip
        system.add(rows, turned, weight, [(0, turn_of(n), eye3 / seen.sigma_turn[n])])


def add_drift(system: BlockSystem, bodies: Bodies, seen: Observed, config: TrackTermConfig) -> None:
    """Scale errors are small and slow."""
    _slow(system, bodies.shared, SHARED, config.drift, seen, config)
    for n in range(bodies.T.shape[1]):
        _slow(system, bodies.own[:, n], own_of(n), max(config.own_drift, seen.own_drift[n]), seen, config)


def _slow(
    system: BlockSystem,
    value: np.ndarray,
    where: slice,
    sigma: float,
    seen: Observed,
    config: TrackTermConfig,
) -> None:
    step, corner = seen.step, 2 * np.pi / config.drift_period_s
    density = 2.2 / config.drift_period_s / sigma**2  # of information; the band below the corner is that wide
    t = len(value)
    one = np.full((t, 1, 1), 1.0)
    system.add(np.arange(t), value[:, None], np.full(t, density * step), [(0, where, one)])
    if t > 2:
        bend = (value[2:] - 2 * value[1:-1] + value[:-2]) / (corner * step) ** 2
        K = one[2:] / (corner * step) ** 2
        parts = [(0, where, K), (1, where, -2 * K), (2, where, K)]
        system.add(np.arange(t - 2), bend[:, None], np.full(t - 2, density * step), parts)


def add_smooth(system: BlockSystem, bodies: Bodies, seen: Observed, config: TrackTermConfig) -> None:
    """No body accelerates without measure."""
    t = len(bodies.T)
    if t < 3:
        return
    step = seen.step
    rows, one, eye3 = np.arange(t - 2), np.ones(t - 2), np.broadcast_to(np.eye(3), (t - 2, 3, 3))
    for n in range(bodies.T.shape[1]):
        p, R = bodies.T[:, n, :3, 3], bodies.T[:, n, :3, :3]
        unit = 1 / np.sqrt(config.push * step**3)
        bend = (p[2:] - 2 * p[1:-1] + p[:-2]) * unit
        system.add(rows, bend, one, [(k, place_of(n), c * unit * eye3) for k, c in enumerate((1, -2, 1))])
        turns = so3_log(R[1:] @ np.swapaxes(R[:-1], 1, 2))
        unit = 1 / np.sqrt(config.twist * step**3)
        bend = (turns[1:] - turns[:-1]) * unit
        system.add(rows, bend, one, [(k, turn_of(n), c * unit * eye3) for k, c in enumerate((1, -2, 1))])


def add_still(
    system: BlockSystem,
    bodies: Bodies,
    n: int,
    weight: Float64[np.ndarray, " i"],
    seen: Observed,
    config: TrackTermConfig,
) -> None:
    """Body n does not move between frames i and i + 1, as far as `weight` (0..1) says so."""
    rows = np.flatnonzero(weight > 1e-3)
    eye3 = np.broadcast_to(np.eye(3), (len(rows), 3, 3))
    p, R = bodies.T[:, n, :3, 3], bodies.T[:, n, :3, :3]
    for values, where, sigma in (
        (p[rows + 1] - p[rows], place_of(n), config.still),
        (so3_log(R[rows + 1] @ np.swapaxes(R[rows], 1, 2)), turn_of(n), config.still_turn),
    ):
        unit = 1 / (sigma * np.sqrt(seen.step))
        system.add(rows, values * unit, weight[rows], [(0, where, -unit * eye3), (1, where, unit * eye3)])


def add_held(
    system: BlockSystem,
    bodies: Bodies,
    hand: int,
    n: int,
    T_hand_grip: Float64[np.ndarray, "t 4 4"],
    weight: Float64[np.ndarray, " i"],
    seen: Observed,
    config: TrackTermConfig,
) -> None:
    """Body n keeps its pose in the hand's grip frame between frames i and i + 1."""
    rows = np.flatnonzero(weight > 1e-3)
    if len(rows) == 0:
        return
    T_hand, T_body = bodies.T[:, hand], bodies.T[:, n]
    R_grip = T_hand[:, :3, :3] @ T_hand_grip[:, :3, :3]
    p_grip = T_hand[:, :3, 3] + (T_hand[:, :3, :3] @ T_hand_grip[:, :3, 3:])[..., 0]
    back = np.swapaxes(R_grip, 1, 2)
    place = (back @ (T_body[:, :3, 3] - p_grip)[..., None])[..., 0]
    turn = back @ T_body[:, :3, :3]
    lever = hat(T_body[:, :3, 3] - T_hand[:, :3, 3])
    by_hand = np.concatenate([-back, back @ lever], axis=2)
    zero = np.zeros_like(back)
    by_body = np.concatenate([back, zero], axis=2)
    unit = 1 / (config.grip * np.sqrt(seen.step))
    parts = [
        (k, pose_of(b), sign * unit * J[rows + k])
        for k, sign in ((0, -1.0), (1, 1.0))
        for b, J in ((hand, by_hand), (n, by_body))
    ]
    system.add(rows, (place[rows + 1] - place[rows]) * unit, weight[rows], parts)
    unit = 1 / (config.grip_turn * np.sqrt(seen.step))
    parts = [
        (k, turn_of(b), sign * side * unit * back[rows + k])
        for k, sign in ((0, -1.0), (1, 1.0))
        for b, side in ((hand, -1.0), (n, 1.0))
    ]
    off = so3_log(turn[rows + 1] @ np.swapaxes(turn[rows], 1, 2))
    system.add(rows, off * unit, weight[rows], parts)

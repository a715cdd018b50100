"""What looks wrong: flagged with a reason and a number, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import SIDES
from reenact.refine.contacts.distances import HandObjectGeometry
from reenact.refine.interaction.bodies import Observed
from reenact.refine.interaction.grips import Grips


@dataclass(frozen=True)
class FlagConfig:
    """When something is flagged."""

    sizes: tuple[float, float] = (0.005, 0.60)
    """Longest extent of things that hands take hold of (m)."""
    grip_misfit: float = 0.012
    """A pair that grips should be this near to the surface on average (m); more means a wrong size or scale."""
    hand_zone: float = 0.50
    """A manipulated thing comes nearer than this to a hand (m)."""
    background_motion: float = 0.02
    """A thing that moves less over the clip, far from hands, may be background (m)."""
    seldom: float = 0.10
    """A hand seen in a smaller share of the frames may not be one."""
    noisy: float = 0.04
    """Positions noisier than this (m per frame) are hardly a measurement."""
    same_place: float = 0.03
    """Two hands whose middles are nearer than this (m) in most frames are one hand seen twice."""


@dataclass(frozen=True)
class Flag:
    """One doubt."""

    kind: str
    """"scale", "background", "hand" or "noise"."""
    subject: str
    reason: str
    value: float


def find_flags(
    object_ids: Sequence[str],
    sizes: Float64[np.ndarray, "o 3"],
    observed: Observed,
    smooth: Float64[np.ndarray, "t n 4 4"],
    geometry: Sequence[Sequence[HandObjectGeometry | None]],
    grips: Sequence[Sequence[Grips | None]],
    config: FlagConfig | None = None,
) -> tuple[Flag, ...]:
    """Doubts about objects (by object, then side, for geometry and grips) and hands; bodies are hands, then objects."""
    config = config or FlagConfig()
    out: list[Flag] = []
    for o, name in enumerate(object_ids):
        out += _object(name, sizes[o], observed, smooth, o + 2, config)
        for side in (0, 1):
            grip, near = grips[o][side], geometry[o][side]
            if grip is not None and near is not None:
                out += _grip(name, SIDES[side], grip, near, config)
    return (*out, *_hands(observed, smooth, config))


def _object(
    name: str, size: np.ndarray, observed: Observed, smooth: np.ndarray, n: int, config: FlagConfig
) -> list[Flag]:
    out, longest = [], float(size.max())
    low, high = config.sizes
    if longest > 0 and not low <= longest <= high:
        words = f"is {longest:.3f} m long; things that hands hold are {low} to {high} m"
        out.append(Flag("scale", name, words, longest))
    seen = observed.weight[:, n] > 0
    hands = [h for h in (0, 1) if observed.present[h]]
    if seen.any() and hands:
        place = smooth[:, n, :3, 3]
        apart = min(float(np.linalg.norm(place - smooth[:, h, :3, 3], axis=1).min()) for h in hands)
        span = float(np.linalg.norm(np.ptp(np.quantile(place[seen], [0.1, 0.9], axis=0), axis=0)))
        if apart > config.hand_zone and span < config.background_motion:
            words = f"stays {apart:.2f} m from every hand and does not move: probably background"
            out.append(Flag("background", name, words, apart))
    if observed.present[n] and observed.sigma[n] > config.noisy:
        words = f"its place is uncertain by {observed.sigma[n]:.3f} m in each frame"
        out.append(Flag("noise", name, words, float(observed.sigma[n])))
    return out


def _grip(name: str, side: str, grip: Grips, near: HandObjectGeometry, config: FlagConfig) -> list[Flag]:
    held = grip.held > 0.5
    used = grip.touching[held].max(axis=0, initial=0.0) > 0.5
    if not used.any():
        return []
    miss = float(near.distance[held][:, used].mean())
    if abs(miss) <= config.grip_misfit:
        return []
    words = "do not reach its surface: it may be larger" if miss > 0 else "are inside it: it may be smaller"
    return [
        Flag(
            "scale",
            name,
            f"the {side} hand holds it, but touching points {words} ({1e3 * miss:.0f} mm)",
            miss,
        )
    ]


def _hands(observed: Observed, smooth: np.ndarray, config: FlagConfig) -> list[Flag]:
    out = []
    for side in (0, 1):
        share = float((observed.weight[:, side] > 0).mean())
        if observed.present[side] and share < config.seldom:
            out.append(
                Flag("hand", SIDES[side], f"the hand is seen in {share:.0%} of the frames only", share)
            )
        if observed.present[side] and observed.sigma[side] > config.noisy:
            words = f"its place is uncertain by {observed.sigma[side]:.3f} m in each frame"
            out.append(Flag("noise", SIDES[side], words, float(observed.sigma[side])))
    both = (observed.weight[:, :2] > 0).all(axis=1)
    if both.sum() > 4:
        apart = np.linalg.norm(observed.T[both, 0, :3, 3] - observed.T[both, 1, :3, 3], axis=1)
        if np.median(apart) < config.same_place:
            words = "left and right are at the same place: probably one hand seen twice"
            out.append(Flag("hand", "both", words, float(np.median(apart))))
    return out

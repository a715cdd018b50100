"""The vector objectives of dex-retargeting 0.5 (Qin et al., AnyTeleop, 2023; DexPilot, Handa et al., 2020), whole clip.

Both ask that vectors between points of the robot's hand equal scaled human ones, each under a smooth-L1 loss on its length.
"vector": wrist to every fingertip. "dexpilot": also between all fingertips; where the human ones are nearly closed, they are
asked to close, with 200 or 400 times the weight, and let go again only when farther apart (hysteresis). Their term
``4e-3 |q - previous|^2`` is here a penalty on joint speed over the whole clip, so that frames are not prisoners of the one
before; their low-pass filter (alpha 0.2) is left out: it only adds lag. DexPilot's switching fades over time instead of
jumping, as a jump of the target is a jump of the joints.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int

from reenact.retarget.banded import REFERENCE_DT, TaskRows
from reenact.retarget.finger_methods.hand import HandModel

_WRIST = -1


@dataclass(frozen=True)
class VectorConfig:
    """Wrist-to-fingertip vectors."""

    scale: float | None = None
    """Robot vectors over human ones; the two hands' reaches are compared when None. Published: 1.6 for Allegro and LEAP,
    1.2 for Shadow, 1.15 for Inspire."""
    huber: float = 0.02
    """Error beyond which a vector counts linearly (m); dex-retargeting's default."""
    norm_delta: float = 4e-3
    """Weight of the squared joint step between two frames, at 30 Hz, beside the mean loss (m / rad^2)."""


@dataclass(frozen=True)
class DexPilotConfig:
    """Vectors between fingertips, closing where a pinch is meant."""

    scale: float | None = None
    """As `VectorConfig.scale`."""
    huber: float = 0.03
    """Error beyond which a vector counts linearly (m)."""
    project_dist: float = 0.03
    """Fingertips nearer than this are asked to close (m)."""
    escape_dist: float = 0.05
    """Closed fingertips farther apart than this are let go (m)."""
    eta_thumb: float = 1e-4
    """Wanted distance of a finger closed with the thumb (m)."""
    eta_finger: float = 0.03
    """Wanted distance of two fingers that are both closed with the thumb (m)."""
    weight_thumb: float = 200.0
    """Weight of a closed thumb-finger vector; an open one has 1."""
    weight_finger: float = 400.0
    """Weight of a closed finger-finger vector."""
    fade_s: float = 0.15
    """Time over which closing sets in and fades (s); not in the published method, which switches."""
    norm_delta: float = 4e-3
    """As `VectorConfig.norm_delta`."""


@dataclass(frozen=True)
class VectorTask:
    """Vectors between points of the hand: wanted ones, weights, and the loss's turning point."""

    origin: Int[np.ndarray, " v"]
    """Index of the point each vector starts from; -1 is the wrist."""
    end: Int[np.ndarray, " v"]
    wanted: Float64[np.ndarray, "t v 3"]
    weight: Float64[np.ndarray, "t v"]
    huber: float
    norm_delta: float

    @property
    def sigma_velocity(self) -> float:
        """Joint speed worth an error of `huber` in one vector (rad/s): the published step penalty, per second."""
        return float(np.sqrt(self.huber / (2.0 * len(self.end) * self.norm_delta)) / REFERENCE_DT)


class VectorTerms:
    """Residual rows of a vector task."""

    def __init__(self, model: HandModel, task: VectorTask, valid: Float64[np.ndarray, " t"]) -> None:
        self.model, self.task = model, task
        self._root = np.sqrt(task.weight * valid[:, None]) / task.huber

    def __call__(self, x: Float64[np.ndarray, "t n"]) -> TaskRows:
        points, slopes = self.model.slopes(x)
        task, t = self.task, len(x)
        vectors, lean = points[:, task.end], slopes[:, task.end]
        inner = np.flatnonzero(task.origin != _WRIST)
        if len(inner):
            vectors[:, inner] -= points[:, task.origin[inner]]
            lean[:, inner] -= slopes[:, task.origin[inner]]
        error = vectors - task.wanted
        size = np.linalg.norm(error, axis=-1) / task.huber
        loss = np.where(size < 1.0, size**2, 2.0 * size - 1.0)
        cost = (loss * (self._root * task.huber) ** 2).sum(axis=1)
        root = self._root / np.sqrt(np.maximum(size, 1.0))
        residual = (error * root[..., None]).reshape(t, -1)
        lean *= root[..., None, None]
        return TaskRows(residual, lean.reshape(t, -1, x.shape[1]), cost)


def vector_task(model: HandModel, tips: Float64[np.ndarray, "t f 3"], config: VectorConfig) -> VectorTask:
    """Wrist to fingertips. `tips`: those the robot's fingers follow, in the wrist frame."""
    n = model.n_fingers
    scale = config.scale if config.scale is not None else reach_ratio(model, tips)
    return VectorTask(
        np.full(n, _WRIST),
        np.arange(n),
        scale * tips,
        np.ones((len(tips), n)),
        config.huber,
        config.norm_delta,
    )


def dexpilot_task(
    model: HandModel,
    tips: Float64[np.ndarray, "t f 3"],
    seconds: Float64[np.ndarray, " t"],
    config: DexPilotConfig,
) -> VectorTask:
    """Between fingertips, then wrist to fingertips."""
    n = model.n_fingers
    scale = config.scale if config.scale is not None else reach_ratio(model, tips)
    end, origin = np.triu_indices(n, 1)
    between = tips[:, end] - tips[:, origin]
    distance = np.linalg.norm(between, axis=-1)
    to_thumb = end == 0
    closed = _closed(distance, end, origin, config)
    share = fade(closed.astype(float), seconds, config.fade_s)
    aim = (
        between
        / (distance[..., None] + 1e-6)
        * np.where(to_thumb, config.eta_thumb, config.eta_finger)[:, None]
    )
    wanted = scale * between + share[..., None] * (aim - scale * between)
    strong = np.where(to_thumb, config.weight_thumb, config.weight_finger)
    outer = np.full((len(tips), n), float(len(end) + n))
    return VectorTask(
        np.concatenate([origin, np.full(n, _WRIST)]),
        np.concatenate([end, np.arange(n)]),
        np.concatenate([wanted, scale * tips], axis=1),
        np.concatenate([strong**share, outer], axis=1),
        config.huber,
        config.norm_delta,
    )


def _closed(
    distance: np.ndarray, end: np.ndarray, origin: np.ndarray, config: DexPilotConfig
) -> Bool[np.ndarray, "t v"]:
    """Which fingertip pairs are asked to close in each frame (hysteresis for those with the thumb)."""
    n_thumb = int((end == 0).sum())
    state, out = np.zeros(n_thumb, bool), np.zeros(distance.shape, bool)
    for t, row in enumerate(distance):
        state = np.where(row[:n_thumb] < config.project_dist, True, state)
        state = np.where(row[:n_thumb] > config.escape_dist, False, state)
        out[t, :n_thumb] = state
        both = state[end[n_thumb:] - 1] & state[origin[n_thumb:] - 1]
        out[t, n_thumb:] = both & (row[n_thumb:] <= config.project_dist)
    return out


def fade(
    values: Float64[np.ndarray, "t v"], seconds: Float64[np.ndarray, " t"], width_s: float
) -> Float64[np.ndarray, "t v"]:
    """Weighted mean over a triangle of the given half width around each instant; nothing is shifted."""
    shares = np.linspace(-0.75, 0.75, 7)
    weights = (1.0 - np.abs(shares)) / (1.0 - np.abs(shares)).sum()
    out = np.zeros_like(values)
    for share, weight in zip(shares, weights, strict=True):
        at = seconds + share * width_s
        out += weight * np.stack([np.interp(at, seconds, column) for column in values.T], axis=1)
    return out


def reach_ratio(model: HandModel, tips: Float64[np.ndarray, "t f 3"]) -> float:
    """How much longer the robot's straight fingers are than the human's longest reach in the clip, thumb left out."""
    fingers = [k for k, name in enumerate(model.hand.finger_names) if name != "thumb"]
    straight = np.clip(0.0, model.lower, model.upper)[None]
    own = np.linalg.norm(model.points(straight)[0, fingers], axis=-1)
    human = np.percentile(np.linalg.norm(tips[:, fingers], axis=-1), 95, axis=0)
    return float(own.mean() / human.mean())

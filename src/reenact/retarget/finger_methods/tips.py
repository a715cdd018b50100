"""Fingertip objectives: HOP's as published, and ours, which keeps a pinch a pinch.

HOP, eq. 1, frame by frame: ``1/2 |x_human - f(a)|^2 + lambda |a - previous|^2``. Here all frames are solved together, so
the second term becomes a penalty on joint speed that looks both ways and cannot lag. Ours asks for the fingers likewise,
metre for metre (objects do not scale with the hand), but for the thumb, whose root differs most between hands, against
the fingers, the more strictly the nearer it is to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import FINGERS
from reenact.retarget.banded import TaskRows
from reenact.retarget.finger_map import followed_fingers
from reenact.retarget.finger_methods.hand import HandModel
from reenact.robots.model import Hand


@dataclass(frozen=True)
class TipsConfig:
    """Our fingertip objective."""

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


@dataclass(frozen=True)
class HopConfig:
    """HOP's fingertip objective."""

    sigma_tip: float = 0.010
    """Fingertip error worth one unit (m)."""
    sigma_velocity: float = 3.0
    """Joint speed worth one unit (rad/s): HOP's lambda is sigma_tip^2 / (2 (sigma_velocity dt)^2), 0.005 here at 30 Hz;
    its own value is not published."""
    sigma_angle: float = 2.0
    """Distance to the direct angle map worth one unit (rad): only settles what tips leave open (four joints, three
    numbers)."""


class TipTerms:
    """Residual rows of one hand: fingertips, thumb-to-finger vectors, nearness to the angle map."""

    def __init__(
        self,
        model: HandModel,
        tips: Float64[np.ndarray, "t f=5 3"],
        valid: Float64[np.ndarray, " t"],
        prior: Float64[np.ndarray, "t n"],
        config: TipsConfig | HopConfig,
    ) -> None:
        self.model, self.valid, self.prior, self.config = model, valid, prior, config
        names = model.hand.finger_names
        self.wanted = wanted_tips(model.hand, tips)
        self.thumb: int | None = None
        self.placed = list(range(len(names)))
        if isinstance(config, TipsConfig) and "thumb" in names:
            self.thumb = names.index("thumb")
            self.placed = [k for k, name in enumerate(names) if name != "thumb"]
            self.pinch, self.pinch_weight = _pinches(model.hand, tips, config)

    def __call__(self, x: Float64[np.ndarray, "t n"]) -> TaskRows:
        tips, slopes = self.model.slopes(x)
        (t, n), config = x.shape, self.config
        residual = (tips[:, self.placed] - self.wanted[:, self.placed]) / config.sigma_tip
        rows, jacobians = (
            [residual.reshape(t, -1)],
            [slopes[:, self.placed].reshape(t, -1, n) / config.sigma_tip],
        )
        if self.thumb is not None:
            apart = tips[:, self.placed] - tips[:, [self.thumb]] - self.pinch
            lean = slopes[:, self.placed] - slopes[:, [self.thumb]]
            rows.append((apart * self.pinch_weight[..., None]).reshape(t, -1))
            jacobians.append((lean * self.pinch_weight[..., None, None]).reshape(t, -1, n))
        rows.append((x - self.prior) / config.sigma_angle)
        jacobians.append(np.broadcast_to(np.eye(n) / config.sigma_angle, (t, n, n)))
        residual = np.concatenate(rows, axis=1) * self.valid[:, None]
        jacobian = np.concatenate(jacobians, axis=1) * self.valid[:, None, None]
        return TaskRows(residual, jacobian, (residual**2).sum(axis=1))


def wanted_tips(hand: Hand, tips: Float64[np.ndarray, "t f=5 3"]) -> Float64[np.ndarray, "t k 3"]:
    """The human fingertips that the robot's fingers follow, as they are."""
    follow = followed_fingers(hand)
    columns = [[FINGERS.index(name) for name in follow[finger.name]] for finger in hand.fingers]
    return np.stack([tips[:, c].mean(axis=1) for c in columns], axis=1)


def _pinches(
    hand: Hand, tips: np.ndarray, config: TipsConfig
) -> tuple[Float64[np.ndarray, "t f 3"], Float64[np.ndarray, "t f"]]:
    """Human thumb-to-finger vectors of the robot's fingers and the weight (1/m) of each, larger when nearer."""
    columns = [FINGERS.index(name) for name in hand.finger_names if name != "thumb"]
    vectors = tips[:, columns] - tips[:, :1]
    near = np.clip(1.0 - np.linalg.norm(vectors, axis=-1) / config.pinch_range, 0.0, 1.0)
    return vectors, 1.0 / (config.sigma_apart * (config.sigma_pinch / config.sigma_apart) ** near)

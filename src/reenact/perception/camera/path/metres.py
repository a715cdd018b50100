"""The unit of a map, from hands: a hand that rests shows how far the camera went, and a hand covers what lies behind it.

Two opinions about one number, metres per unit of the map, multiplied as likelihoods over a grid:

- rest: over a short time, shift of the camera and shift of the hand in its view cancel while the hand rests. Hands rest
  often and otherwise move by anything, so the misfit has Cauchy's tails (the same idea as in SLAHMR, Ye et al., CVPR
  2023, with hands for bodies and rest for a motion prior).
- touch: seldom is a hand behind the room, and now and then it touches it: the upper end of (distance of the hand) /
  (distance of the map around it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.transforms import apply, inverse
from reenact.perception.camera.path.config import ScaleConfig

_NEIGHBOURS = 5
_MIN_SIGHTS = 5
_GRID = 801
_SPAN = 8.0
"""The grid reaches this factor to both sides of the touching scale."""


@dataclass(frozen=True, eq=False)
class SeenHands:
    """Hands in the camera's axes, metres."""

    joints_camera: Float64[np.ndarray, "t s=2 j=21 3"]
    valid: Bool[np.ndarray, "t s=2"]
    sigma_camera: Float64[np.ndarray, "t s=2 3"]


@dataclass(frozen=True)
class MapScale:
    """Metres per unit of a map."""

    metres: float
    """Meaningless where `sigma` is infinite."""
    sigma: float
    """Relative one-sigma, the hand's own size and the path's own bends included."""
    touch: float
    """What touching alone says; 0 where nothing of the map is around a hand."""
    rest_sigma: float
    """Relative width of what resting hands alone say; infinite without a hint."""
    reason: str


def map_scale(
    T_map_camera: Float64[np.ndarray, "t 4 4"],
    known: Bool[np.ndarray, " t"],
    points_map: Float64[np.ndarray, "p 3"],
    hands: SeenHands,
    t_seconds: Float64[np.ndarray, " t"],
    path_sigma: float,
    config: ScaleConfig,
) -> MapScale:
    """Both opinions joined; infinite sigma without hands before the map.

    ``path_sigma``: relative one-sigma of the path's own extent: a path that is bent has no one unit.
    """
    ratios = _touch_ratios(T_map_camera, known, points_map, hands)
    if len(ratios) < _MIN_SIGHTS:
        return MapScale(0.0, np.inf, 0.0, np.inf, "no hand before points of the map: its unit stays unknown")
    touch = float(np.quantile(ratios, config.touch_quantile))
    log_scale = np.linspace(np.log(touch / _SPAN), np.log(touch * _SPAN), _GRID)
    rest = _rest_loss(np.exp(log_scale), T_map_camera, known, hands, t_seconds, config)
    prior = 0.5 * ((log_scale - np.log(touch)) / config.touch_sigma) ** 2
    mean, spread = _moments(log_scale, rest + prior)
    rests, alone = _moments(log_scale, rest)
    flat = alone > 0.9 * np.log(_SPAN) / np.sqrt(3)
    apart = abs(rests - np.log(touch))
    if not flat and apart > config.contradiction * np.hypot(alone, config.touch_sigma):
        reason = (
            f"hands that rest say {np.exp(rests):.3g} m per unit, hands that touch {touch:.3g}: no metres"
        )
        return MapScale(0.0, np.inf, touch, alone, reason)
    own = max(config.hand_sigma, _hand_sigma(known, hands))
    sigma = float(np.sqrt(spread**2 + own**2 + path_sigma**2))
    reason = f"touching hands say {touch:.4g} m per unit, with resting ones {np.exp(mean):.4g}; one sigma {sigma:.0%}"
    return MapScale(float(np.exp(mean)), sigma, touch, np.inf if flat else alone, reason)


def _hand_sigma(known: np.ndarray, hands: SeenHands) -> float:
    """What hands say of their own distance, relative: the same error scales the whole path."""
    seen = hands.valid & known[:, None]
    distance = hands.joints_camera[seen].mean(axis=1)[:, 2]
    return float(np.median(hands.sigma_camera[seen][:, 2] / np.maximum(distance, 0.05)))


def _moments(x: np.ndarray, loss: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation under exp(-loss)."""
    weight = np.exp(loss.min() - loss)
    weight /= weight.sum()
    mean = float(weight @ x)
    return mean, float(np.sqrt(weight @ (x - mean) ** 2))


def _touch_ratios(
    T_map_camera: np.ndarray, known: np.ndarray, points_map: np.ndarray, hands: SeenHands
) -> Float64[np.ndarray, " n"]:
    """(Distance of a hand) / (distance of the map around it), along the view, for hands with points around them."""
    out = []
    for frame in np.flatnonzero(known & hands.valid.any(axis=1)):
        points = apply(inverse(T_map_camera[frame]), points_map)
        points = points[points[:, 2] > 0]
        if len(points) < _NEIGHBOURS:
            continue
        at = points[:, :2] / points[:, 2:]
        for side in np.flatnonzero(hands.valid[frame]):
            joints = hands.joints_camera[frame, side]
            if joints[:, 2].min() <= 0.05:
                continue
            on_picture = joints[:, :2] / joints[:, 2:]
            palm = np.linalg.norm(on_picture[9] - on_picture[0])
            apart = np.linalg.norm(at - on_picture.mean(axis=0), axis=-1)
            near = np.argsort(apart)[:_NEIGHBOURS]
            if apart[near].max() < 3 * palm:
                out.append(np.median(joints[:, 2]) / np.median(points[near, 2]))
    return np.array(out, dtype=np.float64)


def _rest_loss(
    scales: Float64[np.ndarray, " g"],
    T_map_camera: np.ndarray,
    known: np.ndarray,
    hands: SeenHands,
    t_s: np.ndarray,
    config: ScaleConfig,
) -> Float64[np.ndarray, " g"]:
    """Negative log-likelihood of every scale: shifts of hands over a short time, with Cauchy's tails.

    A hand's shift is seen from the later of two cameras; of its stated sigma only the part that changes within that time
    counts (a tenth across the view, half along it: the rest is a common error of the whole clip).
    """
    loss = np.zeros(len(scales))
    for side in range(2):
        a, b = _pairs(np.flatnonzero(known & hands.valid[:, side]), t_s, config.step_s)
        middle = hands.joints_camera[:, side].mean(axis=1)
        R_b_map = T_map_camera[b, :3, :3].transpose(0, 2, 1)
        R_b_a = R_b_map @ T_map_camera[a, :3, :3]
        camera_shift = _turned(R_b_map, T_map_camera[b, :3, 3] - T_map_camera[a, :3, 3])
        hand_shift = middle[b] - _turned(R_b_a, middle[a])
        sigma = np.array([0.1, 0.1, 0.5]) * (hands.sigma_camera[a, side] + hands.sigma_camera[b, side]) / 2
        width = np.hypot(config.rest_speed * (t_s[b] - t_s[a])[:, None], sigma)
        off = (scales[:, None, None] * camera_shift + hand_shift) / width
        loss += 2 * np.log1p((off**2).sum(axis=-1)).sum(axis=-1)
    return loss


def _pairs(
    frames: Int64[np.ndarray, " n"], t_s: Float64[np.ndarray, " t"], step_s: float
) -> tuple[Int64[np.ndarray, " m"], Int64[np.ndarray, " m"]]:
    """Frames about one step apart that follow one another without overlap; none across a hole of two steps."""
    first, second, i = [], [], 0
    while i < len(frames):
        j = int(np.searchsorted(t_s[frames], t_s[frames[i]] + step_s))
        if j >= len(frames):
            break
        if t_s[frames[j]] - t_s[frames[i]] <= 2 * step_s:
            first.append(frames[i])
            second.append(frames[j])
        i = j
    return np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)


def _turned(R: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.einsum("nij,nj->ni", R, v)

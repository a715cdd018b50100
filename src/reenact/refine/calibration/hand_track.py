"""Hands over a clip against measured depth: how far off they are, whether their size was wrong, and the hands put right.

What depth says of a hand is one number per frame: measured over drawn distance of its skin. Its middle over the clip is
shared by the hand's size and the lens (both scale a hand's distance) and is divided between them by their spreads; what
changes from frame to frame is distance alone. Frames without a comparison lean on their neighbours and on the clip.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.geometry.filters import whittaker
from reenact.geometry.transforms import apply, inverse
from reenact.hands.joints import MCPS, WRIST
from reenact.hands.posed import skin_of_joints
from reenact.refine.calibration.hand_depth import HandDepth, skin_ratio
from reenact.refine.calibration.hand_scale import HAND_LENGTH_SIGMA, KNOWN_HAND_SIGMA, width_ratio
from reenact.scene import CameraTrack, HandTracks

DepthPicture = Callable[[int], tuple[np.ndarray, np.ndarray, float] | None]
"""By frame: depth (0 unknown), labels of the same size (1 + side is a hand), relative one-sigma; None if unknown."""


@dataclass(frozen=True)
class HandTrackConfig:
    """How the hands are corrected."""

    rounds: int = 2
    """Times that hands are drawn and moved; after the first the skin is within a millimetre or so."""
    smooth_s: float = 0.4
    """Period below which a comparison is taken for noise (s); hands were smoothed before and are not that quick."""
    least_sigma: float = 0.004
    """Floor of one comparison's relative one-sigma: masks' edges and the skin's own shape (2 to 3 mm at 0.6 m)."""
    own_sigma: float = 0.03
    """Relative one-sigma of a hand's distance from frame to frame, apart from size and lens (net's landmarks, median
    of what `benchmarks/hand_depth.py` shows)."""
    same_width: float = 0.6
    """Drawn and masked hand must overlap by this (intersection over union) for their widths to be compared."""


@dataclass(frozen=True)
class HandReadings:
    """Measured over drawn distance of each hand."""

    ratio: Float64[np.ndarray, "t s=2"]
    sigma: Float64[np.ndarray, "t s=2"]
    """Relative one-sigma of the comparison alone."""
    sigma_depth: Float64[np.ndarray, "t s=2"]
    """Relative one-sigma of the depth itself."""
    valid: Bool[np.ndarray, "t s=2"]
    count: Int64[np.ndarray, "t s=2"]
    """Pixels."""
    width: Float64[np.ndarray, "t s=2"]
    """Drawn over measured width (DexMan B.2); 0 where the hand is not seen whole."""


@dataclass(frozen=True)
class CorrectedHands:
    """The hands where depth says they are."""

    hands: HandTracks
    moved: Float64[np.ndarray, "t s=2"]
    """How much farther from the camera (m)."""
    size_factor: float
    """New over old hand length."""
    size_sigma: float
    """Relative one-sigma of the new length."""


def read_hands(
    hands: HandTracks, camera: CameraTrack, picture: DepthPicture, drawer: HandDepth, config: HandTrackConfig
) -> HandReadings:
    """Draw every known hand and compare."""
    t = len(hands.valid)
    ratio, sigma, width = np.ones((t, 2)), np.ones((t, 2)), np.zeros((t, 2))
    sigma_depth, valid, count = np.ones((t, 2)), np.zeros((t, 2), bool), np.zeros((t, 2), np.int64)
    T = np.asarray(inverse(camera.scene_T_camera()))
    skins = {s: _skins(hands, T, s) for s in (0, 1) if hands.valid[:, s].any()}
    for k in range(t):
        found = picture(k) if hands.valid[k].any() else None
        if found is None:
            continue
        depth, label, relative = found
        for s in np.flatnonzero(hands.valid[k]).tolist():
            drawn = drawer.drawn_skin(skins[s][k], s)
            mask = label == 1 + s
            middle, noise, n = skin_ratio(drawn, depth, mask)
            if noise < 1.0:
                ratio[k, s], count[k, s], valid[k, s] = middle, n, True
                sigma[k, s], sigma_depth[k, s] = max(noise, config.least_sigma), relative
                wrist, middle_knuckle = apply(T[k], hands.joints_world[k, s, [WRIST, MCPS[1]]])
                width[k, s] = _width(
                    drawn, depth, mask, drawer.view.K, wrist, middle_knuckle, config.same_width
                )
    return HandReadings(ratio, sigma, sigma_depth, valid, count, width)


def _skins(hands: HandTracks, T_camera_world: np.ndarray, side: int) -> dict[int, np.ndarray]:
    rows = np.flatnonzero(hands.valid[:, side])
    joints = np.asarray(apply(T_camera_world[rows], hands.joints_world[rows, side]))
    skin = skin_of_joints(joints, side, float(hands.hand_length[side]))
    return dict(zip(rows.tolist(), skin, strict=True))


def _width(
    drawn: np.ndarray,
    depth: np.ndarray,
    mask: np.ndarray,
    K: np.ndarray,
    wrist: np.ndarray,
    middle_knuckle: np.ndarray,
    same: float,
) -> float:
    """Horizontal extent of the drawn hand over that of the unprojected mask, 0 where one is cut off."""
    skin = drawn > 0
    beyond = (_cloud(drawn, skin, K) - wrist) @ (middle_knuckle - wrist) > 0  # outlines end at the wrist
    skin[skin] = beyond
    hand = mask & (depth > 0)
    if (hand & skin).sum() < same * (mask | skin).sum():
        return 0.0
    return width_ratio(_cloud(drawn, skin, K), _cloud(depth, hand, K))


def _cloud(depth: np.ndarray, mask: np.ndarray, K: np.ndarray) -> Float64[np.ndarray, "n 3"]:
    rows, columns = np.nonzero(mask)
    z = depth[mask].astype(np.float64)
    return np.stack([(columns - K[0, 2]) / K[0, 0] * z, (rows - K[1, 2]) / K[1, 1] * z, z], axis=1)


def correct_hands(
    hands: HandTracks,
    camera: CameraTrack,
    t_seconds: Float64[np.ndarray, " t"],
    picture: DepthPicture,
    drawer: HandDepth,
    config: HandTrackConfig,
    *,
    depth_from_hands: bool,
    first: HandReadings | None = None,
) -> CorrectedHands | None:
    """Hands moved along their lines of sight to where the depth sees their skin; None where nothing can be compared.

    Args:
        depth_from_hands: the depth's scale came from these hands; their common distance and size then stay as they are.
        first: readings at `hands`, where they were taken already.
    """
    readings = first or read_hands(hands, camera, picture, drawer, config)
    if not readings.valid.any():
        return None
    factor, size_sigma = (1.0, 0.0) if depth_from_hands else _size(readings, hands, camera)
    T = camera.scene_T_camera()
    before = np.asarray(apply(inverse(T)[:, None], hands.joints_world)).mean(axis=2)[..., 2]
    out = hands
    for n in range(config.rounds):
        if n:
            readings = read_hands(out, camera, picture, drawer, config)
        resize = factor if n == 0 else 1.0
        out = _moved(out, T, readings, t_seconds, resize, config, depth_from_hands)
        out = replace(out, hand_length=hands.hand_length * factor)
    after = np.asarray(apply(inverse(T)[:, None], out.joints_world)).mean(axis=2)[..., 2]
    if factor != 1.0:
        out = replace(out, hand_length_source="measured")
    out = replace(out, sigma_camera=_sigma(hands, readings, after, depth_from_hands, config))
    return CorrectedHands(out, np.where(hands.valid, after - before, 0.0), factor, size_sigma)


def _size(readings: HandReadings, hands: HandTracks, camera: CameraTrack) -> tuple[float, float]:
    """Factor of the hands' length and its relative one-sigma; 1 where the lens is the likelier culprit."""
    known = hands.hand_length_source in ("user", "truth", "measured")
    sigma_size = KNOWN_HAND_SIGMA if known else HAND_LENGTH_SIGMA
    logs = np.log(readings.ratio[readings.valid])
    scatter = 1.48 * float(np.median(np.abs(logs - np.median(logs)))) / np.sqrt(min(len(logs), 10))
    measured = float(np.hypot(np.median(readings.sigma_depth[readings.valid]), scatter))
    share = sigma_size**2 / (sigma_size**2 + camera.focal_sigma**2 + measured**2)
    if share < 0.5:
        return 1.0, sigma_size
    return float(np.exp(share * np.median(logs))), float(sigma_size * np.sqrt(1 - share))


def _moved(
    hands: HandTracks,
    T: np.ndarray,
    readings: HandReadings,
    t: np.ndarray,
    resize: float,
    config: HandTrackConfig,
    depth_from_hands: bool,
) -> HandTracks:
    joints = hands.joints_world.copy()
    for s in np.flatnonzero(hands.valid.any(axis=0)).tolist():
        along = np.exp(_over_time(readings, s, t, config, depth_from_hands))
        rows = hands.valid[:, s]
        local = np.asarray(apply(inverse(T[rows]), joints[rows, s]))
        middle = local.mean(axis=1, keepdims=True)
        joints[rows, s] = apply(T[rows], middle * along[rows, None, None] + (local - middle) * resize)
    return replace(hands, joints_world=joints)


def _over_time(
    readings: HandReadings, side: int, t: np.ndarray, config: HandTrackConfig, depth_from_hands: bool
) -> Float64[np.ndarray, " t"]:
    """Log of the factor on a hand's distance, for every frame."""
    seen = readings.valid[:, side]
    if not seen.any():  # what the other hand says of size and lens holds for this one, too
        common = 0.0 if depth_from_hands else float(np.median(np.log(readings.ratio[readings.valid])))
        return np.full(len(t), common)
    logs = np.where(seen, np.log(readings.ratio[:, side]), 0.0)
    middle = 0.0 if depth_from_hands else float(np.median(logs[seen]))
    off = logs - middle
    variance = readings.sigma[:, side] ** 2
    if depth_from_hands:  # the depth's own noise from frame to frame, against the hands' own
        variance = variance + readings.sigma_depth[:, side] ** 2
    out = np.zeros(len(t))
    for _ in range(3):  # a comparison that its neighbours contradict counts less (Geman and McClure)
        doubt = (1 + ((off - out) / (3 * config.own_sigma)) ** 2) ** 2
        weight = np.where(seen, config.own_sigma**2 / variance / doubt, 0.0)
        # a hand is about as far off as usual where nothing is seen: one unit of weight for that, everywhere
        smooth = whittaker(
            np.where(seen, off, 0.0) * weight / (weight + 1), weight + 1, t, config.smooth_s, order=2
        )
        out = np.asarray(smooth)
    return out + middle


def _sigma(
    hands: HandTracks, readings: HandReadings, z: np.ndarray, depth_from_hands: bool, config: HandTrackConfig
) -> Float64[np.ndarray, "t s=2 3"]:
    """As before where depth saw nothing of a hand (or only its own scale); else as sure as depth and comparison are."""
    sigma = hands.sigma_camera.copy()
    if depth_from_hands:
        return sigma
    far = np.maximum(z, 0.05)
    measured = np.hypot(readings.sigma, readings.sigma_depth) * far
    unseen = np.hypot(config.own_sigma, np.median(readings.sigma_depth[readings.valid])) * far
    better = np.where(readings.valid, np.minimum(measured, unseen), unseen)
    shrink = np.minimum(better / np.maximum(sigma[..., 2], 1e-9), 1.0)
    # sideways metres come from the distance, too; what is left is the landmarks' own error, a quarter or so
    sigma[..., :2] *= np.maximum(shrink, 0.25)[..., None]
    sigma[..., 2] = np.minimum(sigma[..., 2], better)
    return sigma

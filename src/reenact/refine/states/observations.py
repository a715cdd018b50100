"""Object and hand tracks made ready for inference: rigid hand frames, outliers out, noise known, smooth copies.

In: records. Out: `RigidTrack` and `HandObservation`, plain arrays.
Windows are in seconds; the noise is measured on the tracks themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.alignment import kabsch
from reenact.geometry.filters import MAD_TO_SIGMA, whittaker
from reenact.geometry.rotations import project_to_so3, so3_log
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.hands.joints import MCPS, TIPS, WRIST, wrist_transform

_MEDIAN_OF_SIX = 5.35
"""Median of a chi-square of six."""
FRAME_JOINTS = (WRIST, 1, 2, *MCPS)
"""Joints that the hand's own frame is fitted to: wrist, thumb base, knuckles."""


@dataclass(frozen=True)
class ObservationConfig:
    """How tracks are prepared."""

    smooth_s: float = 0.30
    """Cut-off period of the smooth copies (s); hands reach with little above 3 Hz."""
    reweightings: int = 4
    """Rounds of reweighting against outliers."""
    noise_window_s: float = 0.5
    """Noise is the spread about straight lines over windows of this length (s)."""
    calm_share: float = 0.5
    """Which quantile of the windows' spreads is believed: fast motion bends the lines of some."""
    tail: float = 6.0
    """Degrees of freedom of the noise: small trusts far samples less."""
    hopeless: float = 80.0
    """Squared whitened distance (six numbers) beyond which a sample counts nothing."""
    least_sigma: float = 0.0005
    """Noise is never believed to be smaller (m)."""
    least_sigma_turn: float = 0.005
    """The same for rotations (rad)."""


@dataclass(frozen=True)
class RigidTrack:
    """A rigid thing over t frames."""

    T: Float64[np.ndarray, "t 4 4"]
    """As observed; meaningless where not used."""
    weight: Float64[np.ndarray, " t"]
    """How far each frame is believed, 0 (not seen, or an outlier) to 1."""
    sigma: float
    """Noise of the position per axis and frame (m)."""
    sigma_turn: float
    """Noise of the rotation per axis and frame (rad)."""
    smooth: Float64[np.ndarray, "t 4 4"]
    """Smoothed and filled between observations, ends held."""
    gain: float
    """Share of the noise's variance that the smooth copy keeps."""

    known: Float64[np.ndarray, " t"]
    """How well the smooth copy is founded at each frame, 0 (in a long gap) to 1."""
    slow: float = 0.0
    """Error of the place across the line of sight that comes and goes within a second or so, as stated (m)."""
    slow_turn: float = 0.0
    """The same of the turn (rad)."""

    @property
    def smooth_sigma(self) -> float:
        """Noise of the smooth position (m)."""
        return self.sigma * float(np.sqrt(self.gain))


@dataclass(frozen=True)
class HandErrors:
    """One-sigmas of errors that come and go within a second or so, which noise from frame to frame does not show."""

    depth: float = 0.0
    """Of the distance from the camera (m)."""
    across: float = 0.0
    """Of the place across the line of sight (m)."""
    turn: float = 0.0
    """Of the turn (rad)."""
    tip: float = 0.0
    """Of a fingertip in the hand's own frame (m)."""


@dataclass(frozen=True)
class HandObservation:
    """One hand: its rigid frame, and its joints in that frame."""

    rigid: RigidTrack
    shape: Float64[np.ndarray, "t j=21 3"]
    """Joints in the hand's own frame, smoothed a little (m)."""
    shape_raw: Float64[np.ndarray, "t j=21 3"]
    tip_sigma: float
    """Noise of a fingertip in the hand's own frame per axis and frame (m)."""
    length: float
    depth_sigma: Float64[np.ndarray, " t"]
    """Slow error of its distance from the camera, as stated, which no smoothing removes (m, one sigma)."""
    slow_tip: float = 0.0
    """Error of a fingertip in the hand's own frame that comes and goes within a second or so (m, one sigma)."""

    def joints(self, T_world_hand: Float64[np.ndarray, "t 4 4"]) -> Float64[np.ndarray, "t j=21 3"]:
        """The hand's joints at other rigid poses."""
        return apply(T_world_hand, self.shape)


def rigid_track(
    T: Float64[np.ndarray, "t 4 4"],
    valid: Bool[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
    config: ObservationConfig,
    trust: Float64[np.ndarray, " t"] | None = None,
) -> RigidTrack:
    """Smooth copy by reweighting (Student's t in six dimensions), noise from what it leaves over."""
    trust = valid.astype(np.float64) if trust is None else trust * valid
    weight, share = trust, max(float(valid.mean()), 0.05)
    gain = min(0.8, 1.85 * _step(t_seconds) / (config.smooth_s * share))
    sigma, turn = config.least_sigma, config.least_sigma_turn
    smooth = smooth_rigid(T, weight, t_seconds, config.smooth_s)
    for _ in range(config.reweightings):
        if valid.sum() < 5:
            break
        off = T[:, :3, 3] - smooth[:, :3, 3]
        turned = so3_log(inverse(smooth)[:, :3, :3] @ T[:, :3, :3])
        # what the smooth copy follows of the noise is put back by the windows' straight lines
        sigma = max(_window_noise(T[:, :3, 3], valid, t_seconds, config), config.least_sigma)
        turn = max(_window_noise(_turn_path(T, smooth), valid, t_seconds, config), config.least_sigma_turn)
        far = ((off / sigma) ** 2).sum(axis=1) + ((turned / turn) ** 2).sum(axis=1)
        # what is as far off as all around it is no outlier: the smooth copy cuts the corner of a fast motion
        far = far / np.maximum(
            _usual_nearby(far, trust > 0, t_seconds, config.smooth_s) / _MEDIAN_OF_SIX, 1.0
        )
        weight = trust * np.minimum((config.tail + 6) / (config.tail + far), 1.0)
        weight = np.where(far > config.hopeless, 0.0, weight)
        smooth = smooth_rigid(T, weight, t_seconds, config.smooth_s)
    known = _known(weight, t_seconds, config.smooth_s)
    return RigidTrack(T, weight, float(sigma), float(turn), smooth, gain, known)


def smooth_rigid(
    T: Float64[np.ndarray, "t 4 4"],
    weights: Float64[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
    cutoff_s: float,
) -> Float64[np.ndarray, "t 4 4"]:
    """Zero-phase smoothing of position and of the rotation's matrix entries, projected back."""
    if not (weights > 0).any():
        return np.tile(np.eye(4), (len(T), 1, 1))
    flat = np.concatenate([T[:, :3, 3], T[:, :3, :3].reshape(-1, 9)], axis=1)
    smooth = whittaker(flat, weights, t_seconds, cutoff_s, order=2)  # a third order swings out in gaps
    return np.asarray(make_T(project_to_so3(smooth[:, 3:].reshape(-1, 3, 3)), smooth[:, :3]))


def observe_hand(
    joints_world: Float64[np.ndarray, "t j=21 3"],
    valid: Bool[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
    side: int,
    length: float,
    config: ObservationConfig,
    errors: HandErrors | None = None,
    trust: Float64[np.ndarray, " t"] | None = None,
) -> HandObservation:
    """Rigid frame by least squares over wrist, thumb base and knuckles; origin in the middle of the hand.

    `trust`: how far each frame is believed (0 to 1); without it all valid ones are.
    """
    frame = list(FRAME_JOINTS)
    rough = apply(inverse(wrist_transform(joints_world, side)), joints_world)
    reference = np.median(rough[valid] if valid.any() else rough, axis=0)
    reference = reference - reference[list(MCPS)].mean(axis=0)
    seen = valid.astype(np.float64)
    T = kabsch(np.broadcast_to(reference[frame], (len(rough), len(frame), 3)), joints_world[:, frame])
    if valid.any():  # again on all joints, against the hand's own shape at the time
        shape = whittaker(apply(inverse(T), joints_world), seen, t_seconds, config.smooth_s, order=2)
        T = kabsch(shape, joints_world)
    rigid = rigid_track(T, valid, t_seconds, config, trust)
    raw = apply(inverse(T), joints_world)
    smooth = whittaker(raw, rigid.weight, t_seconds, 0.5 * config.smooth_s, order=2)
    if not rigid.weight.any():
        smooth = np.broadcast_to(reference, raw.shape).copy()
    tips = _window_noise(raw[:, TIPS].reshape(len(T), -1), rigid.weight > 0.3, t_seconds, config)
    slow = errors or HandErrors()
    unsure = np.full(len(T), slow.depth)
    rigid = replace(rigid, slow=slow.across, slow_turn=slow.turn)
    return HandObservation(rigid, smooth, raw, max(tips, config.least_sigma), length, unsure, slow.tip)


def _usual_nearby(far: np.ndarray, seen: np.ndarray, t: np.ndarray, window_s: float) -> np.ndarray:
    """Median of the seen frames within half a window on either side; 0 where there are none."""
    low, high = np.searchsorted(t, t - window_s / 2 - 1e-9), np.searchsorted(t, t + window_s / 2 + 1e-9)
    return np.array([
        np.median(far[a:b][seen[a:b]]) if seen[a:b].any() else 0.0 for a, b in zip(low, high, strict=True)
    ])  # fmt: skip


def _known(weight: np.ndarray, t: np.ndarray, window_s: float) -> np.ndarray:
    """Weight within half a window on either side, against half of what full sight would give."""
    low, high = np.searchsorted(t, t - window_s / 2 - 1e-9), np.searchsorted(t, t + window_s / 2 + 1e-9)
    sums = np.concatenate([[0.0], np.cumsum(weight)])
    return np.minimum(2 * (sums[high] - sums[low]) / np.maximum(high - low, 1), 1.0)


def _turn_path(T: np.ndarray, smooth: np.ndarray) -> np.ndarray:
    """Rotation vectors from the middle frame's smooth rotation: near it they add up like positions."""
    middle = smooth[len(smooth) // 2, :3, :3]
    path = so3_log(middle.T @ smooth[:, :3, :3])
    steps = np.diff(path, axis=0)
    jump = np.linalg.norm(steps, axis=1) > np.pi  # the vector flips at half a turn
    steps[jump] = 0.0
    smooth_path = np.concatenate([path[:1], path[:1] + np.cumsum(steps, axis=0)])
    return np.asarray(smooth_path + so3_log(np.swapaxes(smooth[:, :3, :3], 1, 2) @ T[:, :3, :3]))


def _window_noise(values: np.ndarray, valid: np.ndarray, t: np.ndarray, config: ObservationConfig) -> float:
    """Noise per entry: robust spread about straight lines over short windows, the calmer windows' word."""
    found = []
    for start in np.arange(t[0], t[-1], config.noise_window_s):
        idx = np.flatnonzero(valid & (t >= start) & (t < start + config.noise_window_s))
        if len(idx) < 5:
            continue
        line = np.stack([np.ones(len(idx)), t[idx] - start], axis=1)
        weight = np.ones(len(idx))
        for _ in range(3):
            fit = np.linalg.lstsq(line * weight[:, None], values[idx] * weight[:, None], rcond=None)[0]
            off = values[idx] - line @ fit
            spread = MAD_TO_SIGMA * np.median(np.abs(off)) + 1e-12
            weight = np.minimum(3 * spread / np.maximum(np.linalg.norm(off, axis=1), 1e-12), 1.0)
        found.append(spread * np.sqrt(len(idx) / (len(idx) - 2)))
    return float(np.quantile(found, config.calm_share)) if found else 0.0


def _step(t_seconds: np.ndarray) -> float:
    return float(np.median(np.diff(t_seconds))) if len(t_seconds) > 1 else 1 / 30

"""Hand tracks become what a robot is asked to do: wrist poses, fingertips and finger angles on its time grid.

In: `HandTracks` (21 joints in the scene's frame) and their instants. Out: `HandTargets` on the robot's instants.
Values between frames follow a cubic through the neighbouring valid frames; on the same grid they pass unchanged.
Nothing here filters, so nothing can shift motion in time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.errors import InputError
from reenact.geometry.timegrid import NS_PER_S, resample_linear, resample_valid
from reenact.hands.joints import TIPS, hand_length, wrist_transform
from reenact.hands.skeleton import HandSkeleton
from reenact.retarget.hand_noise import briskness, wrist_noise
from reenact.scene import HandTracks, Source


class BadTargets(InputError):
    """Hand tracks and instants that do not fit together."""


@dataclass(frozen=True)
class TargetConfig:
    """How tracks become targets."""

    max_gap_s: float = 0.12
    """Longest distance (s) between two valid frames that is interpolated; longer gaps have no target."""
    min_valid: int = 3
    """A side with fewer valid frames than this is left out: nothing can be tracked in it."""
    sigma_position_floor: float = 0.002
    """Least frame-to-frame noise assumed of a wrist position (m); zero noise would forbid any smoothing."""
    sigma_rotation_floor: float = 0.015
    """Least noise assumed of a wrist rotation (rad)."""
    sigma_position_most: float = 0.02
    """Most noise assumed (m); beyond it fast motion would be taken for noise."""
    sigma_rotation_most: float = 0.2
    """Most noise assumed (rad)."""
    scale: float = 1.0
    """Motion is scaled by this about the clip's mean wrist position; 1 keeps it metric."""
    lever: float = 0.4
    """Length (m) that turns linear acceleration of the wrist into joint acceleration: about an upper arm."""
    briskness_window_s: float = 5.0
    """Time over which a hand's briskness is averaged (s)."""
    noise_doubt: float = 1.25
    """The noise may be this much larger than estimated when it is taken off the briskness."""
    filled_factor: float = 3.0
    """Filled frames count as this many times noisier than observed ones."""


@dataclass(frozen=True)
class HandTargets:
    """What the robot's two wrists and fingers should do at each of its instants. Axis s: 0 left, 1 right."""

    t_ns: Int64[np.ndarray, " t"]
    T_world_wrist: Float64[np.ndarray, "t s=2 4 4"]
    """Wanted wrist poses, METIS wrist frame; meaningless where not valid."""
    tips_wrist: Float64[np.ndarray, "t s=2 f=5 3"]
    """Fingertips, thumb to pinky, in the wrist frame (m)."""
    angles: Float64[np.ndarray, "t s=2 20"]
    """Finger angles in the order of `hands.skeleton.ANGLE_NAMES` (rad)."""
    valid: Bool[np.ndarray, "t s=2"]
    source: UInt8[np.ndarray, "t s=2"]
    confidence: Float64[np.ndarray, "t s=2"]
    sigma_position: Float64[np.ndarray, "t s=2"]
    """Frame-to-frame noise of the wrist position (m, at one reference frame of 1/30 s)."""
    sigma_rotation: Float64[np.ndarray, "t s=2"]
    """Frame-to-frame noise of the wrist rotation (rad)."""
    acceleration: Float64[np.ndarray, "t s=2"]
    """How briskly the hand moves over the clip (rad/s^2, rms, noise taken off): what a joint must be free to do."""
    hand_length: Float64[np.ndarray, "s=2"]
    world_frame: str
    """"world" (gravity is -z) or "camera0"."""

    @property
    def seconds(self) -> Float64[np.ndarray, " t"]:
        """Seconds since the first instant."""
        return (self.t_ns - self.t_ns[0]) / NS_PER_S

    def every(self, step: int) -> HandTargets:
        """Every `step`-th instant."""
        arrays = {
            f.name: getattr(self, f.name)[::step]
            for f in fields(self)
            if f.name not in ("hand_length", "world_frame")
        }
        return replace(self, **arrays)

    @property
    def dt(self) -> Float64[np.ndarray, " steps"]:
        """Time between instants (s)."""
        return np.diff(self.t_ns) / NS_PER_S


def make_targets(
    hands: HandTracks,
    t_hands_ns: Int64[np.ndarray, " k"],
    t_ns: Int64[np.ndarray, " t"],
    config: TargetConfig | None = None,
) -> HandTargets:
    """Targets at the instants `t_ns` from tracks at the instants `t_hands_ns`.

    Raises:
        BadTargets: the instants do not match the tracks, do not rise, or are fewer than two.
    """
    config = config or TargetConfig()
    _check_instants(hands, t_hands_ns, t_ns)
    valid_in = hands.valid & (hands.valid.sum(axis=0) >= config.min_valid)
    valid = resample_valid(t_hands_ns, valid_in, t_ns, int(config.max_gap_s * NS_PER_S))
    joints = np.stack(
        [resample_cubic(t_hands_ns, hands.joints_world[:, s], valid_in[:, s], t_ns) for s in (0, 1)], axis=1
    )
    joints = np.where(valid[..., None, None], joints, _rest_joints())
    T = np.stack([wrist_transform(joints[:, s], s) for s in (0, 1)], axis=1)
    T = _scaled(T, valid, config.scale)
    local = np.einsum("tsji,tskj->tski", T[..., :3, :3], joints - joints[:, :, :1])
    angles = np.stack([HandSkeleton.adult(s).fit_angles(local[:, s]) for s in (0, 1)], axis=1)
    source, confidence = _provenance(hands, t_hands_ns, t_ns, valid)
    noise = wrist_noise(hands, valid_in)
    sigma_position, sigma_rotation = _whitening(noise, t_hands_ns, config)
    window_s, doubt = config.briskness_window_s, config.noise_doubt
    brisk = briskness(hands, valid_in, t_hands_ns, noise, config.lever, doubt, window_s)
    brisk = resample_linear(t_hands_ns, brisk, t_ns)
    wider = np.where(source == Source.FILLED, config.filled_factor, 1.0)
    return HandTargets(
        t_ns=np.asarray(t_ns),
        T_world_wrist=T,
        tips_wrist=local[:, :, list(TIPS)],
        angles=angles,
        valid=valid,
        source=source,
        confidence=confidence,
        sigma_position=sigma_position * wider,
        sigma_rotation=sigma_rotation * wider,
        acceleration=brisk,
        hand_length=_hand_lengths(joints, valid),
        world_frame=hands.world_frame,
    )


def _scaled(T: np.ndarray, valid: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0 or not valid.any():
        return T
    out, centre = T.copy(), T[valid][:, :3, 3].mean(axis=0)
    out[..., :3, 3] = centre + scale * (T[..., :3, 3] - centre)
    return out


def _check_instants(hands: HandTracks, t_hands_ns: np.ndarray, t_ns: np.ndarray) -> None:
    if len(t_hands_ns) != len(hands.valid):
        raise BadTargets(f"{len(t_hands_ns)} instants for {len(hands.valid)} frames of hands")
    for name, t in (("instants of the hands", t_hands_ns), ("the robot's instants", t_ns)):
        if len(t) < 2 or np.any(np.diff(t) <= 0):
            raise BadTargets(f"{name}: {len(t)} values that must rise strictly", hint="give two or more")


def _rest_joints() -> np.ndarray:
    """A flat hand at the origin: finite values for rows that are not to be read."""
    return np.stack([HandSkeleton.adult(s).rest_joints_wrist for s in (0, 1)])


def resample_cubic(
    t_from_ns: Int64[np.ndarray, " k"],
    values: Float64[np.ndarray, "k ..."],
    valid: Bool[np.ndarray, " k"],
    t_to_ns: Int64[np.ndarray, " m"],
) -> Float64[np.ndarray, "m ..."]:
    """Cubic Hermite interpolation through valid samples (slopes of the local parabola; ends and gaps one-sided).

    Exact for quadratic motion and on the samples themselves; outside the samples the end value is held.
    With no valid sample the answer is zeros.
    """
    used = np.flatnonzero(valid)
    if len(used) == 0:
        return np.zeros((len(t_to_ns), *values.shape[1:]))
    t, x = np.asarray(t_from_ns)[used] / NS_PER_S, values[used].reshape(len(used), -1)
    if len(used) == 1:
        return np.broadcast_to(values[used], (len(t_to_ns), *values.shape[1:])).copy()
    rate = np.diff(x, axis=0) / np.diff(t)[:, None]
    slope = np.concatenate([rate[:1], rate[-1:]]) if len(used) == 2 else _parabola_slopes(t, rate)
    want = np.clip(np.asarray(t_to_ns) / NS_PER_S, t[0], t[-1])
    i = np.clip(np.searchsorted(t, want, side="right") - 1, 0, len(t) - 2)
    h = (t[i + 1] - t[i])[:, None]
    u = (want - t[i])[:, None] / h
    out = x[i] + u * (x[i + 1] - x[i])
    bend = (slope[i] * h - (x[i + 1] - x[i])) * (1 - u) + ((x[i + 1] - x[i]) - slope[i + 1] * h) * u
    return (out + u * (1 - u) * bend).reshape(len(t_to_ns), *values.shape[1:])


def _parabola_slopes(t: np.ndarray, rate: np.ndarray) -> np.ndarray:
    h = np.diff(t)[:, None]
    middle = (h[1:] * rate[:-1] + h[:-1] * rate[1:]) / (h[1:] + h[:-1])
    first = rate[:1] + h[0] / (h[0] + h[1]) * (rate[:1] - rate[1:2])
    last = rate[-1:] + h[-1] / (h[-1] + h[-2]) * (rate[-1:] - rate[-2:-1])
    return np.concatenate([first, middle, last])


def _provenance(
    hands: HandTracks, t_hands_ns: np.ndarray, t_ns: np.ndarray, valid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Source and confidence at the robot's instants: the worse of the two frames around each."""
    after = np.clip(np.searchsorted(t_hands_ns, t_ns, side="left"), 0, len(t_hands_ns) - 1)
    before = np.clip(np.searchsorted(t_hands_ns, t_ns, side="right") - 1, 0, len(t_hands_ns) - 1)
    filled = (hands.source[before] == Source.FILLED) | (hands.source[after] == Source.FILLED)
    source = np.where(filled, np.uint8(Source.FILLED), hands.source[before])
    confidence = np.clip(resample_linear(t_hands_ns, hands.confidence, t_ns), 0.0, 1.0)
    unknown = np.uint8(Source.UNKNOWN)
    return np.where(valid, source, unknown).astype(np.uint8), np.where(valid, confidence, 0.0)


def _whitening(
    noise: np.ndarray, t_hands_ns: np.ndarray, config: TargetConfig
) -> tuple[np.ndarray, np.ndarray]:
    """The noise per side stated for frames of 1/30 s, within the configured bounds."""
    to_reference = np.sqrt(np.median(np.diff(t_hands_ns)) / NS_PER_S * 30.0)
    return (
        np.clip(noise[:, 0] * to_reference, config.sigma_position_floor, config.sigma_position_most),
        np.clip(noise[:, 1] * to_reference, config.sigma_rotation_floor, config.sigma_rotation_most),
    )


def _hand_lengths(joints: np.ndarray, valid: np.ndarray) -> np.ndarray:
    rest = hand_length(_rest_joints())
    return np.array(
        [np.median(hand_length(joints[valid[:, s], s])) if valid[:, s].any() else rest[s] for s in (0, 1)]
    )

"""Whether a thing moves in the picture, and with which hand, from points followed on it: what slow errors of poses hide.

In: followed points, the camera's path, the thing's distance, hands. Out: log odds per frame. A pose is a few millimetres
to centimetres off, slowly, and most so along the line of sight; a followed point is off by a fraction of a pixel. So when
a thing begins and ceases to move, and whether a hand goes where it goes, is read from its points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import apply, inverse
from reenact.scene import CameraTrack, HandTracks, PointTracks


@dataclass(frozen=True)
class PictureConfig:
    """How motion in the picture is read. Lengths in metres, times in seconds."""

    lag_s: float = 0.1
    """Points are compared over this long, half of it on either side, and at least from frame to frame (s)."""
    noise: float = 0.0008
    """Error of a followed point over that time, as a share of the picture's height."""
    quantile: float = 0.35
    """A thing is as fast as this quantile of its points: points that a hand in front drags along do not make it move."""
    few: float = 4.0
    """Points beside which one more begins to count little; fewer are believed less."""
    rest_speed: float = 0.01
    """Slower than this is rest (m/s)."""
    doubt: float = 0.01
    """How gradually that sets in, beside the noise (m/s)."""
    depth_share: float = 0.15
    """Relative error of the distance at which a thing is thought to be when the camera's own motion is taken out."""
    most_moving: float = 8.0
    """No look speaks against rest by more (nats)."""
    most_still: float = 1.0
    """No look speaks against motion by more (nats): a thing may come straight at the camera."""
    hand_noise: float = 0.001
    """Error of how far a surely found hand goes in that time, as a share of the picture's height..."""
    hand_doubt: float = 5.0
    """...which grows by a factor of e as confidence falls by one over this (held things of rendered clips: 0.2 px at 0.95,
    1 px at 0.75, 5 px at 0.45, of 360)..."""
    hand_share: float = 0.15
    """...and with how far the thing goes: turns out of the picture's plane are not followed."""
    stiffness: float = 0.02
    """Points spread less than this tell little of how the thing turns (share of the picture's height)."""
    tail: float = 3.0
    """Degrees of freedom of the hand's error (Student's t)."""
    most_apart: float = 6.0
    """No look speaks against a hand's going with the thing by more (nats)..."""
    most_with: float = 1.0
    """...nor for it."""


@dataclass(frozen=True)
class PictureMotion:
    """What the picture says of one thing's motion, log odds per frame; looks closer than the lag share one look's worth."""

    moves: Float64[np.ndarray, " t"]
    """For motion against rest; 0 where too few points tell."""
    with_hand: Float64[np.ndarray, "t s=2"]
    """For each hand's going where the thing goes against its going its own way; 0 where one of them is not seen."""


def picture_motion(
    points: PointTracks,
    o: int,
    camera: CameraTrack,
    hands: HandTracks,
    distance: Float64[np.ndarray, " t"],
    t_seconds: Float64[np.ndarray, " t"],
    config: PictureConfig,
) -> PictureMotion:
    """Motion of object `o` by its followed points; `distance`: from the camera, roughly (m).

    Rest is judged where the camera's path is known; hands are judged before any camera, since it moves them and the
    thing alike.
    """
    count = len(t_seconds)
    moves, with_hand = np.zeros(count), np.zeros((count, 2))
    mine = np.flatnonzero(points.object_idx == o)
    before, after = _neighbours(t_seconds, config.lag_s)
    usable, joints = camera.view_known & camera.path_known, _in_picture(hands, camera)
    T = camera.scene_T_camera()
    for i in range(count):
        a, b = int(before[i]), int(after[i])
        which = mine[points.valid[a, mine] & points.valid[b, mine]]
        if a == b or len(which) < 2:
            continue
        known = len(which) / (len(which) + config.few)
        start, end = points.points_px[a, which], points.points_px[b, which]
        if usable[a] and usable[b]:
            lasts = float(t_seconds[b] - t_seconds[a])
            T_b_a = inverse(T[b]) @ T[a]
            moves[i] = known * _moves(start, end, camera, T_b_a, float(distance[i]), lasts, config)
        for side in (0, 1):
            if hands.valid[a, side] and hands.valid[b, side]:
                sure = float(min(hands.confidence[a, side], hands.confidence[b, side]))
                noise = camera.height_px * config.hand_noise * np.exp(config.hand_doubt * (1 - sure))
                stiff = config.stiffness * camera.height_px
                pair = joints[a, side], joints[b, side]
                with_hand[i, side] = known * _goes_along(start, end, *pair, noise, stiff, config)
    step = np.gradient(t_seconds) if count > 1 else np.full(count, 1 / 30)
    looks = np.minimum(step / config.lag_s, 1.0)
    return PictureMotion(moves * looks, with_hand * looks[:, None])


def _moves(
    start: Float64[np.ndarray, "p 2"],
    end: Float64[np.ndarray, "p 2"],
    camera: CameraTrack,
    T_b_a: Float64[np.ndarray, "4 4"],
    distance: float,
    lasts_s: float,
    config: PictureConfig,
) -> float:
    """Log odds of motion against rest, the camera's own motion taken out."""
    expected, parallax = _at_rest(start, camera, T_b_a, distance)
    off = float(np.quantile(np.linalg.norm(end - expected, axis=1), config.quantile))
    per_px = distance / (float(np.sqrt(camera.params[0] * camera.params[1])) * lasts_s)
    noise = per_px * np.hypot(config.noise * camera.height_px, config.depth_share * parallax)
    ratio = (off * per_px - config.rest_speed) / np.hypot(noise, config.doubt)
    return float(np.clip(ratio, -config.most_still, config.most_moving))


def _at_rest(
    pixels: Float64[np.ndarray, "p 2"],
    camera: CameraTrack,
    T_b_a: Float64[np.ndarray, "4 4"],
    distance: float,
) -> tuple[Float64[np.ndarray, "p 2"], float]:
    """Where points at rest are seen in the second frame, and by how much that hangs on their distance (px)."""
    lens = camera.camera()
    rays = lens.unproject(pixels)
    expected = lens.project(apply(T_b_a, distance * rays))
    far = lens.project(rays @ T_b_a[:3, :3].T)
    return expected, float(np.median(np.linalg.norm(expected - far, axis=1)))


def _in_picture(hands: HandTracks, camera: CameraTrack) -> Float64[np.ndarray, "t s=2 j=21 2"]:
    """The hands' joints in pixels; meaningless where the hand is not seen."""
    view = inverse(camera.scene_T_camera())[:, None]
    seen = apply(np.broadcast_to(view, (*hands.valid.shape, 4, 4)), hands.joints_world)
    seen = np.where(hands.valid[..., None, None], seen, np.array([0.0, 0.0, 1.0]))
    return np.asarray(camera.camera().project(seen))


def _goes_along(
    start: Float64[np.ndarray, "p 2"],
    end: Float64[np.ndarray, "p 2"],
    joints_start: Float64[np.ndarray, "j=21 2"],
    joints_end: Float64[np.ndarray, "j=21 2"],
    noise_px: float,
    stiff_px: float,
    config: PictureConfig,
) -> float:
    """Log odds that a hand goes where the thing's own motion in the picture, as a similarity, would take it."""
    way = np.median(end - start, axis=0)
    far = float(np.linalg.norm(way))
    own = np.linalg.norm(end - start - way, axis=1)
    kept = own <= np.quantile(own, 0.8) + 1e-6
    expected = _carried(start[kept], end[kept], joints_start, stiff_px)
    off = float(np.linalg.norm(np.median(joints_end - expected, axis=0)))
    ratio = off / np.hypot(noise_px, config.hand_share * far)
    apart = 0.5 * (config.tail + 1) * np.log1p(ratio**2 / config.tail)
    told = far / (far + noise_px)  # that both rest says nothing for a hold
    return float(np.clip(1 + np.log1p(far / noise_px) - apart, -config.most_apart, config.most_with * told))


def _carried(
    start: Float64[np.ndarray, "p 2"],
    end: Float64[np.ndarray, "p 2"],
    pixels: Float64[np.ndarray, "q 2"],
    stiff_px: float,
) -> Float64[np.ndarray, "q 2"]:
    """Where the similarity that takes `start` to `end` takes other pixels; a narrow set of points turns little."""
    middle, to = start.mean(axis=0), end.mean(axis=0)
    p, q, x = ((v[:, 0] + 1j * v[:, 1]) for v in (start - middle, end - to, pixels - middle))
    stiff = len(start) * stiff_px**2
    moved = (np.vdot(p, q) + stiff) / (np.vdot(p, p).real + stiff) * x
    return np.asarray(np.stack([moved.real, moved.imag], axis=1) + to)


def _neighbours(t: np.ndarray, lag_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Frames half a lag before and after each, at least one frame away where the clip has one."""
    idx = np.arange(len(t))
    before = np.minimum(np.searchsorted(t, t - lag_s / 2 - 1e-6), np.maximum(idx - 1, 0))
    after = np.maximum(
        np.searchsorted(t, t + lag_s / 2 + 1e-6, side="right") - 1, np.minimum(idx + 1, len(t) - 1)
    )
    return before, after

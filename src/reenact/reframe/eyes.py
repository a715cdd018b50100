"""Where the virtual ego camera stands: above and behind the midpoint of the hands, level, looking at what they do.

EgoInfinity (project page, section 02, "Egocentric view synthesis"): "a virtual ego camera is placed above the bilateral
hand midpoint, its up-axis set to the gravity vector and aimed at the interaction region, following it frame by frame".
The page gives no numbers. Straight above, an up-axis along gravity would not fix the picture's turn, so the camera
also stands back, against the way the person faces; height and distance are those of a seated adult's eyes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from reenact.errors import NoResultError
from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.filters import whittaker
from reenact.geometry.transforms import make_T
from reenact.reframe.follow import Followed, follow
from reenact.reframe.heading import facing
from reenact.reframe.measures import EgoMeasures, measure_ego, path_motion
from reenact.scene import CameraTrack, HandTracks, Scene, Source

MOST_SMOOTHING = 30.0
"""Times the configured cut-off, after which the limits are given up: the path is then nearly straight anyway."""


class NoHandsToFollow(NoResultError):
    """No frame has a metric hand, so there is nothing to look at."""


@dataclass(frozen=True)
class EgoConfig:
    """Place, lens and calm of the virtual camera."""

    above: float = 0.45
    """Height over the midpoint of the hands (m). Eyes of a seated adult are 0.45 to 0.6 over hands at a table."""
    behind: float = 0.28
    """Distance behind it, against the way the person faces (m)."""
    width_px: int = 640
    height_px: int = 480
    horizontal_fov_deg: float = 80.0
    """Across. Head-worn cameras have 70 to 110; at 0.53 m this shows 0.89 m of table."""
    cutoff_s: float = 1.5
    """Zero-phase smoothing of place and aim: motion of this period comes through at half its size."""
    heading_cutoff_s: float = 8.0
    """The same for the way the person faces."""
    fade_s: float = 1.0
    """Time in which a hand that is not known counts for 1/e."""
    reach: float = 0.20
    """Distance from a hand (m) at which an object draws the aim 1/e as much as a hand."""
    max_speed: float = 0.8
    """Of the camera (m/s). While it is exceeded the smoothing is lengthened."""
    max_acceleration: float = 3.0
    """Of the camera (m/s2)."""
    max_turn_deg: float = 60.0
    """Fastest turn of the camera (deg/s)."""
    share_in_view: float = 0.99
    """Share of all known joints that shall be in the picture; else the camera stands further off."""
    clearance: float = 0.12
    """Least height over, and least depth before the camera, of any known joint (m)."""
    max_stand_off: float = 2.2
    """The farthest it may stand, times `above` and `behind`."""


@dataclass(frozen=True)
class EgoView:
    """The virtual camera, and what it took."""

    camera: CameraTrack
    """`intrinsics_source` "virtual"; valid in every frame; `source` SIMULATED, FILLED where no hand is known."""
    stand_off: float
    """Times the configured height and distance."""
    cutoff_s: float
    """Smoothing that was needed to keep the speed limits."""
    heading_agreement: float
    """How well the cues about the way the person faces agree, 0 to 1, median over the clip."""
    up_from: str
    """"gravity" of the scene's world, "support" plane, or "camera": the first camera's own up, an assumption."""
    source_view: str
    """Where the real camera stood: "ego" (behind and above the hands, looking along), "exo" or "unknown"."""
    measures: EgoMeasures


def place_ego_camera(scene: Scene, config: EgoConfig | None = None) -> EgoView:
    """The virtual camera of a scene, one pose per frame of the clip.

    Raises:
        NoHandsToFollow: the scene has no metric hand in any frame.
    """
    config = config or EgoConfig()
    hands, t = scene.hands, scene.clip.t_seconds
    if hands is None or not hands.valid.any():
        raise NoHandsToFollow(
            f"{scene.clip.clip_id} has no metric hands to look at", hint="the ego camera follows the hands"
        )
    up, up_from, up_sigma = scene_up(scene)
    followed = follow(hands, scene.objects, t, config.fade_s, config.reach)
    stand_off = 1.0
    T, forward, agreement, cutoff = _calm(hands, followed, up, t, config, stand_off)
    while not _sees(T, hands, up, config) and stand_off < config.max_stand_off:
        stand_off = min(stand_off * 1.1, config.max_stand_off)
        T, forward, agreement, cutoff = _calm(hands, followed, up, t, config, stand_off)
    known = hands.valid.any(axis=1)
    track = replace(
        scene.camera,
        model="pinhole",
        params=lens(config).params,
        width_px=config.width_px,
        height_px=config.height_px,
        intrinsics_source="virtual",
        focal_sigma=0.0,
        T_world_camera=T,
        valid=np.ones(len(t), bool),
        confidence=np.minimum(followed.presence, 1.0),
        source=np.where(known, Source.SIMULATED, Source.FILLED).astype(np.uint8),
        motion="moving",
        motion_heights_per_s=0.0,
        gravity_source=scene.camera.gravity_source,
        gravity_sigma=up_sigma,
    )
    return EgoView(
        camera=track,
        stand_off=stand_off,
        cutoff_s=cutoff,
        heading_agreement=float(np.median(agreement)),
        up_from=up_from,
        source_view=_source_view(scene, followed, forward, up),
        measures=measure_ego(track, hands, t, up),
    )


def lens(config: EgoConfig) -> PinholeCamera:
    """The virtual camera's lens."""
    return PinholeCamera.from_fov(np.deg2rad(config.horizontal_fov_deg), config.width_px, config.height_px)


def scene_up(scene: Scene) -> tuple[Float64[np.ndarray, "3"], str, float]:
    """Unit up-direction in the scene's frame, where it is from, and its one-sigma (rad)."""
    camera, support = scene.camera, scene.support
    if camera.world_frame == "world":
        return np.array([0.0, 0.0, 1.0]), "gravity", camera.gravity_sigma
    if support is not None and support.valid:
        return np.array(support.normal_world), "support", support.sigma_normal
    return -camera.scene_T_camera()[0, :3, 1], "camera", camera.gravity_sigma


def _calm(
    hands: HandTracks, followed: Followed, up: np.ndarray, t: np.ndarray, config: EgoConfig, stand_off: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Poses smoothed as little as the speed limits allow, the way the person faces and how sure that is, the cut-off."""
    longer = 1.0
    while True:
        cutoff = longer * config.cutoff_s
        forward, agreement = facing(hands.joints_world, hands.valid, up, t, longer * config.heading_cutoff_s)
        T = _poses(followed, forward, up, t, config, stand_off, cutoff)
        motion = path_motion(T, t)
        calm = (
            motion.speed <= config.max_speed
            and motion.acceleration <= config.max_acceleration
            and motion.turn_deg <= config.max_turn_deg
        )
        if calm or longer > MOST_SMOOTHING:
            return T, forward, agreement, cutoff
        longer *= 1.3


def _poses(
    followed: Followed,
    forward: np.ndarray,
    up: np.ndarray,
    t: np.ndarray,
    config: EgoConfig,
    stand_off: float,
    cutoff_s: float,
) -> np.ndarray:
    weights = 0.05 + 0.95 * followed.presence
    midpoint = whittaker(followed.midpoint, weights, t, cutoff_s, order=2)
    target = whittaker(followed.target, weights, t, cutoff_s, order=2)
    eye = midpoint + stand_off * (config.above * up - config.behind * forward)
    return look_from(eye, target, forward, up)


def look_from(
    eye: Float64[np.ndarray, "t 3"],
    target: Float64[np.ndarray, "t 3"],
    forward: Float64[np.ndarray, "t 3"],
    up: Float64[np.ndarray, "3"],
) -> Float64[np.ndarray, "t 4 4"]:
    """Level OpenCV cameras at `eye` that look at `target`.

    Never steeper than about 76 degrees, nor backwards: there the up-direction would no longer say how the picture is
    turned, so the aim keeps at least a quarter of its height difference ahead, along the unit vectors `forward`.
    """
    ray = target - eye
    ahead = (ray * forward).sum(axis=1)
    least = 0.25 * np.abs(ray @ up) + 1e-3
    ray = ray + np.maximum(least - ahead, 0.0)[:, None] * forward
    z = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    x = np.cross(z, up)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return make_T(np.stack([x, np.cross(z, x), z], axis=2), eye)


def _sees(T: np.ndarray, hands: HandTracks, up: np.ndarray, config: EgoConfig) -> bool:
    """Whether enough joints are in the picture and all are below and before the camera."""
    joints, eye = hands.joints_world, T[:, None, None, :3, 3]
    height = ((eye - joints) @ up)[hands.valid]
    rel = np.einsum("tba,tsjb->tsja", T[:, :3, :3], joints - eye)[hands.valid].reshape(-1, 3)
    if height.min() < config.clearance or rel[:, 2].min() < config.clearance:
        return False
    camera = lens(config)
    return float(camera.in_image(camera.project(rel)).mean()) >= config.share_in_view


def _source_view(scene: Scene, followed: Followed, forward: np.ndarray, up: np.ndarray) -> str:
    """Ego: the real camera is above the hands, at most 0.9 m from them, and looks the way the person faces."""
    assert scene.hands is not None
    known = scene.hands.valid.any(axis=1)
    T = scene.camera.scene_T_camera()[known]
    away = T[:, :3, 3] - followed.midpoint[known]
    ahead = (
        T[:, :3, 2] + T[:, :3, 1] * -0.5
    )  # a camera that looks down still shows "ahead" at the picture's top
    ahead -= (ahead @ up)[:, None] * up
    along = (ahead * forward[known]).sum(axis=1) / np.maximum(np.linalg.norm(ahead, axis=1), 1e-9)
    near = np.linalg.norm(away, axis=1) < 0.9
    above = away @ up > 0
    votes = near & above & (along > np.cos(np.deg2rad(50)))
    share = float(votes.mean())
    return "ego" if share > 0.7 else "exo" if share < 0.3 else "unknown"

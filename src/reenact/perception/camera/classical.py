"""The CPU backend: user values first, then lines through their gate, lines with the prior, the prior alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from reenact.geometry.cameras import Camera, PinholeCamera
from reenact.perception.camera.contract import Frame, NoCameraFrames
from reenact.perception.camera.gravity import gravity_from_lines
from reenact.perception.camera.lines import LinesConfig
from reenact.perception.camera.looks import Looked, look
from reenact.perception.camera.motion import MotionConfig, MotionVerdict
from reenact.perception.camera.path.level import UpSights
from reenact.perception.camera.prior import PriorConfig, prior_lens, prior_up
from reenact.perception.camera.up_vote import GravityConfig
from reenact.perception.camera.user import UserCamera
from reenact.perception.camera.world import world_from_up
from reenact.scene import CameraTrack, Clip, Source


@dataclass(frozen=True)
class ClassicalCameraConfig:
    """Everything that decides; user values win."""

    user: UserCamera = field(default_factory=UserCamera)
    """What the user knows."""
    lines: LinesConfig = field(default_factory=LinesConfig)
    """Focal length from lines."""
    gravity: GravityConfig = field(default_factory=GravityConfig)
    """Up from lines."""
    motion: MotionConfig = field(default_factory=MotionConfig)
    """Still or moving."""
    prior: PriorConfig = field(default_factory=PriorConfig)
    """What is assumed otherwise."""
    user_gravity_sigma_deg: float = 2.0
    """One-sigma of a pitch and roll given by the user, degrees."""
    seed: int = 0
    """Of the random search."""


@dataclass(frozen=True)
class _Lens:
    """Intrinsics of the clip's size with where they came from."""

    camera: Camera
    sigma: float
    centre_sigma_px: float
    source: str


class ClassicalCamera:
    """Lines, corners and priors; no network, no weights."""

    name = "classical-lines-1"

    def __init__(self, config: ClassicalCameraConfig | None = None) -> None:
        self.config = config or ClassicalCameraConfig()
        self._diagnostics: dict[str, Any] = {}
        self._up_sights: UpSights | None = None
        self._looked: Looked | None = None

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Decisions of the last ``estimate`` with their reasons."""
        return self._diagnostics

    @property
    def up_sights(self) -> UpSights:
        """Up in the pictures looked at in the last ``estimate``.

        Raises:
            NoCameraFrames: nothing was estimated yet.
        """
        if self._up_sights is None:
            raise NoCameraFrames("no clip was looked at yet", hint="call estimate first")
        return self._up_sights

    def sights_through(self, lens: CameraTrack, clip: Clip) -> UpSights:
        """Up in the pictures of the last ``estimate`` through a lens known better by now; nothing is decoded again.

        Raises:
            NoCameraFrames: nothing was estimated yet.
        """
        if self._looked is None:
            raise NoCameraFrames("no clip was looked at yet", hint="call estimate first")
        fx, fy, cx, cy = (float(v) for v in lens.params)
        user = replace(self.config.user, fx=fx, fy=fy, cx=cx, cy=cy, focal_sigma=lens.focal_sigma)
        again, looked = ClassicalCamera(replace(self.config, user=user)), self._looked
        return again._up(looked, again._lens(looked, clip), clip, still=looked.motion.motion == "still")

    def estimate(self, frames: Iterable[Frame], clip: Clip) -> CameraTrack:
        """See :class:`~reenact.perception.camera.contract.CameraBackend`."""
        self._diagnostics = {}
        self._looked = looked = look(frames, clip, self.config.motion, self.config.lines)
        verdict = looked.motion
        self._diagnostics["motion"] = asdict(verdict)
        lens = self._lens(looked, clip)
        self._up_sights = up = self._up(looked, lens, clip, still=verdict.motion == "still")
        return _track(clip, lens, up, verdict, self.config)

    def _lens(self, looked: Looked, clip: Clip) -> _Lens:
        """User, else lines, else prior."""
        c = self.config
        if c.user.knows_lens:
            camera, sigma = c.user.lens(clip.width_px, clip.height_px)
            self._diagnostics["intrinsics"] = {"source": "user", "reason": "given by the user"}
            assumed = 0.0 if c.user.cx is not None and c.user.cy is not None else c.lines.ladder.centre_sigma
            return _Lens(camera, sigma, assumed * max(clip.width_px, clip.height_px), "user")
        camera = prior_lens(c.prior, clip.width_px, clip.height_px)
        found = looked.focal(
            c.lines, camera.fx * looked.width_px / clip.width_px, c.prior.focal_sigma, c.seed
        )
        source = "lines" if found.trusted else "prior"
        self._diagnostics["intrinsics"] = {"source": source, **asdict(found)}
        if not found.trusted:
            centre_sigma_px = c.lines.ladder.centre_sigma * max(clip.width_px, clip.height_px)
            return _Lens(camera, c.prior.focal_sigma, centre_sigma_px, "prior")
        f, (cx, cy) = found.focal_px, found.centre_px
        seen = PinholeCamera(f, f, cx, cy, looked.width_px, looked.height_px)
        up = clip.width_px / looked.width_px
        camera = replace(seen.scaled(up), width_px=clip.width_px, height_px=clip.height_px)
        return _Lens(camera, found.sigma, found.centre_sigma_px * up, "lines")

    def _up(self, looked: Looked, lens: _Lens, clip: Clip, *, still: bool) -> UpSights:
        """User, else lines through the lens just found, else the picture's up."""
        c = self.config
        given = c.user.up_camera()
        if given is not None:
            self._diagnostics["gravity"] = {"source": "user", "reason": "given by the user"}
            return UpSights(clip.t_ns[:1], given[None], float(np.deg2rad(c.user_gravity_sigma_deg)), "user")
        small = lens.camera.scaled(looked.width_px / clip.width_px, looked.height_px / clip.height_px)
        index = looked.evenly(c.lines.frames)
        found = gravity_from_lines(
            looked.segments(index, c.lines.segments),
            small,
            lens.sigma,
            c.lines.ladder.manhattan,
            c.gravity,
            centre_sigma_px=lens.centre_sigma_px * looked.width_px / clip.width_px,
            still=still,
            seed=c.seed,
        )
        prior_sigma = float(np.deg2rad(c.prior.gravity_sigma_deg))
        trusted = found.trusted and found.sigma < prior_sigma
        self._diagnostics["gravity"] = {
            "source": "lines" if trusted else "prior",
            "reason": found.reason,
            "fit": found.fit,
            "probability": found.probability,
            "sigma": found.sigma,
            "t_ns": [looked.t_ns[i] for i in index],
            "up_camera": found.up_camera.tolist() if trusted else [],
        }
        if not trusted:
            return UpSights(clip.t_ns[:1], prior_up(c.prior)[None], prior_sigma, "prior")
        times = np.array([looked.t_ns[i] for i in index], dtype=np.int64)
        return UpSights(times, found.up_camera, found.sigma, "lines")


def _track(
    clip: Clip, lens: _Lens, up: UpSights, verdict: MotionVerdict, config: ClassicalCameraConfig
) -> CameraTrack:
    """Still: one pose in a gravity-aligned world. Otherwise nothing is claimed beyond the first frame's axes (up per
    frame looked at is among the diagnostics)."""
    count, still = len(clip.t_ns), verdict.motion == "still"
    first = world_from_up(up.up_camera[0]) if still else np.eye(4)
    margin = min(1.0, verdict.heights_per_s / config.motion.still_below)
    return CameraTrack(
        model=lens.camera.model,
        params=lens.camera.params,
        width_px=clip.width_px,
        height_px=clip.height_px,
        intrinsics_source=lens.source,
        focal_sigma=lens.sigma,
        T_world_camera=np.repeat(first[None], count, axis=0),
        valid=np.full(count, still),
        confidence=np.full(count, 1 - 0.5 * margin if still else 0.0),
        source=np.full(count, Source.OBSERVED if still else Source.UNKNOWN, dtype=np.uint8),
        motion=verdict.motion,
        motion_heights_per_s=verdict.heights_per_s,
        world_frame="world" if still else "camera0",
        gravity_source=up.source if still else "unknown",
        gravity_sigma=up.sigma if still else np.pi,
    )

"""The CPU backend: user values first, then lines through their gate, lines with the prior, the prior alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from reenact.geometry.cameras import Camera, PinholeCamera
from reenact.perception.camera.contract import BadCameraFrame, Frame, NoCameraFrames
from reenact.perception.camera.gravity import gravity_from_lines
from reenact.perception.camera.ladder import climb
from reenact.perception.camera.lines import FocalFinding, LinesConfig, focal_from_lines, focal_with_prior
from reenact.perception.camera.motion import MotionConfig, MotionMeter, MotionVerdict
from reenact.perception.camera.path.level import UpSights
from reenact.perception.camera.prior import PriorConfig, prior_lens, prior_up
from reenact.perception.camera.segments import Picture, Segments, SegmentsConfig, find_segments
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
        self._looked: _Looked | None = None

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
        self._looked = looked = _look(frames, clip, self.config)
        verdict = looked.motion
        self._diagnostics["motion"] = asdict(verdict)
        lens = self._lens(looked, clip)
        self._up_sights = up = self._up(looked, lens, clip, still=verdict.motion == "still")
        return _track(clip, lens, up, verdict, self.config)

    def _lens(self, looked: _Looked, clip: Clip) -> _Lens:
        """User, else lines, else prior."""
        c = self.config
        if c.user.knows_lens:
            camera, sigma = c.user.lens(clip.width_px, clip.height_px)
            self._diagnostics["intrinsics"] = {"source": "user", "reason": "given by the user"}
            assumed = 0.0 if c.user.cx is not None and c.user.cy is not None else c.lines.ladder.centre_sigma
            return _Lens(camera, sigma, assumed * max(clip.width_px, clip.height_px), "user")
        camera = prior_lens(c.prior, clip.width_px, clip.height_px)
        found = looked.focal(c, camera.fx * looked.width_px / clip.width_px)
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

    def _up(self, looked: _Looked, lens: _Lens, clip: Clip, *, still: bool) -> UpSights:
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


@dataclass(eq=False)
class _Looked:
    """What one pass over the frames left behind; segments are found when first needed."""

    t_ns: list[int]
    pictures: list[Picture]
    """Evenly over the clip; the first is the first frame."""
    width_px: int
    height_px: int
    motion: MotionVerdict
    _found: dict[int, Segments] = field(default_factory=dict)

    def evenly(self, count: int) -> list[int]:
        """Indices of so many of the pictures, the first one among them."""
        few = min(count, len(self.pictures))
        return [i * len(self.pictures) // few for i in range(few)]

    def segments(self, index: list[int], config: SegmentsConfig) -> list[Segments]:
        """Segments of those pictures."""
        for i in index:
            if i not in self._found:
                self._found[i] = find_segments(self.pictures[i], config)
        return [self._found[i] for i in index]

    def focal(self, config: ClassicalCameraConfig, prior_focal_px: float) -> FocalFinding:
        """Lines of a few frames; of more if that did not suffice and the camera moves; then with the prior."""
        lines, moving = config.lines, self.motion.motion == "moving"
        for count in (lines.frames, lines.second_look):
            segments = self.segments(self.evenly(count), lines.segments)
            ladder = climb(segments, self.width_px, self.height_px, lines.ladder, config.seed)
            found = focal_from_lines(ladder, lines, moving=moving)
            if found.trusted or not moving:
                break
        if found.trusted:
            return found
        both = focal_with_prior(ladder, lines, prior_focal_px, config.prior.focal_sigma)
        return replace(both, reason=f"{found.reason}; {both.reason}")


def _look(frames: Iterable[Frame], clip: Clip, config: ClassicalCameraConfig) -> _Looked:
    """One pass: corners between neighbours, grey pictures evenly over the clip for the search of lines."""
    start_ns, span_ns = int(clip.t_ns[0]), clip.end_ns - int(clip.t_ns[0])
    meter = MotionMeter(config.motion, clip.duration_s)
    times: list[int] = []
    pictures: list[Picture] = []
    shape: tuple[int, ...] = ()
    last_ns = None
    for t_ns, rgb in frames:
        _check(rgb, clip, shape, t_ns, last_ns)
        shape, last_ns = rgb.shape, t_ns
        meter.add(t_ns, rgb)
        if not times or (t_ns - start_ns) * config.lines.second_look >= len(times) * span_ns:
            times.append(t_ns)
            pictures.append(Picture.of(rgb, config.lines.segments))
    if not times:
        raise NoCameraFrames("no frames to find the camera in", hint="give at least one frame of the clip")
    return _Looked(times, pictures, shape[1], shape[0], meter.verdict())


def _check(rgb: np.ndarray, clip: Clip, shape: tuple[int, ...], t_ns: int, last_ns: int | None) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise BadCameraFrame(f"frame at {t_ns} ns is {rgb.dtype} {rgb.shape}", hint="RGB uint8 (h, w, 3)")
    if shape and rgb.shape != shape:
        raise BadCameraFrame(
            f"frame at {t_ns} ns is {rgb.shape}, the one before {shape}", hint="one size per clip"
        )
    if last_ns is not None and t_ns <= last_ns:
        raise BadCameraFrame(f"frame at {t_ns} ns comes after one at {last_ns} ns", hint="times must rise")
    h, w = rgb.shape[:2]
    if abs(w * clip.height_px - h * clip.width_px) > max(clip.width_px, clip.height_px):
        raise BadCameraFrame(
            f"frame of {w} x {h} in a clip of {clip.width_px} x {clip.height_px}",
            hint="shrink without cropping",
        )


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

"""One pass over a clip's frames for the camera: corners between neighbours, grey pictures kept for the search of lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from reenact.perception.camera.contract import BadCameraFrame, Frame, NoCameraFrames
from reenact.perception.camera.ladder import climb
from reenact.perception.camera.lines import FocalFinding, LinesConfig, focal_from_lines, focal_with_prior
from reenact.perception.camera.motion import MotionConfig, MotionMeter, MotionVerdict
from reenact.perception.camera.segments import Picture, Segments, SegmentsConfig, find_segments
from reenact.scene import Clip


@dataclass(eq=False)
class Looked:
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

    def focal(self, lines: LinesConfig, prior_focal_px: float, prior_sigma: float, seed: int) -> FocalFinding:
        """Lines of a few frames; of more if that did not suffice and the camera moves; then with the prior."""
        moving = self.motion.motion == "moving"
        for count in (lines.frames, lines.second_look):
            segments = self.segments(self.evenly(count), lines.segments)
            ladder = climb(segments, self.width_px, self.height_px, lines.ladder, seed)
            found = focal_from_lines(ladder, lines, moving=moving)
            if found.trusted or not moving:
                break
        if found.trusted:
            return found
        both = focal_with_prior(ladder, lines, prior_focal_px, prior_sigma)
        return replace(both, reason=f"{found.reason}; {both.reason}")


def look(frames: Iterable[Frame], clip: Clip, motion: MotionConfig, lines: LinesConfig) -> Looked:
    """One pass: corners between neighbours, grey pictures evenly over the clip for the search of lines."""
    start_ns, span_ns = int(clip.t_ns[0]), clip.end_ns - int(clip.t_ns[0])
    meter = MotionMeter(motion, clip.duration_s)
    times: list[int] = []
    pictures: list[Picture] = []
    shape: tuple[int, ...] = ()
    last_ns = None
    for t_ns, rgb in frames:
        _check(rgb, clip, shape, t_ns, last_ns)
        shape, last_ns = rgb.shape, t_ns
        meter.add(t_ns, rgb)
        if not times or (t_ns - start_ns) * lines.second_look >= len(times) * span_ns:
            times.append(t_ns)
            pictures.append(Picture.of(rgb, lines.segments))
    if not times:
        raise NoCameraFrames("no frames to find the camera in", hint="give at least one frame of the clip")
    return Looked(times, pictures, shape[1], shape[0], meter.verdict())


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

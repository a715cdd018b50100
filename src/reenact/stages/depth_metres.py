"""Depth of whatever kind made metric, and the hands put where it sees them: what stage `depth` does to dense depth.

In: a dense depth backend and the folders of camera, hands and masks. Out: a backend that gives metres, the hands at their
measured distance (where the metres are not the hands' own), and the record of every scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reenact.errors import NoResultError
from reenact.perception.depth.contract import ChunkedDepthBackend, DepthBackend, DepthImage
from reenact.perception.masks.contract import ObjectMasks
from reenact.records import load_record
from reenact.refine.calibration.chunks import DepthChunk
from reenact.refine.calibration.clip_depth import ClipDepth, join
from reenact.refine.calibration.hand_depth import HandDepth
from reenact.refine.calibration.hand_scale import (
    HAND_LENGTH_SIGMA,
    KNOWN_HAND_SIGMA,
    WIDTH_SIGMA,
    ScaleEstimate,
    scale_from_ratios,
)
from reenact.refine.calibration.hand_track import (
    CorrectedHands,
    HandReadings,
    HandTrackConfig,
    correct_hands,
    read_hands,
)
from reenact.rendering.mesh_depth import View
from reenact.scene import CameraTrack, HandTracks, MaskLabel, MetricScales
from reenact.stages.clip import load_clip
from reenact.stages.depth_scales import Row, disagreement, given_scale, opinion_rows, scales_record
from reenact.stages.masks import load_masks

VIEW_WIDTH_PX = 320
"""Hands are drawn and compared in pictures no wider than this."""


class DepthWithoutScale(NoResultError):
    """Relative depth that nothing in the clip can make metric."""


@dataclass(frozen=True)
class MetresConfig:
    """How depth becomes metric."""

    scale: float | None = None
    """Metres per unit of the given depth, when known; wins over the hands."""
    scale_sigma: float = 0.02
    """Relative one-sigma of a scale that the user gave."""
    background: bool = True
    """Bring every frame of a still camera to the room behind everything."""
    hands: HandTrackConfig = field(default_factory=HandTrackConfig)
    """Hands against depth."""
    move_hands: bool = True
    """Put the hands at the distance at which depth sees them."""
    without_scale: Literal["fail", "leave"] = "fail"
    """Relative depth that no hand can make metric: fail, or store it as it is (no later stage reads it then)."""


@dataclass(frozen=True)
class Calibrated:
    """What stage `depth` stores."""

    depth: MetricDepth
    scales: MetricScales
    hands: HandTracks | None
    notes: Mapping[str, Any]


@dataclass(frozen=True)
class MetricDepth:
    """A backend's depth under the maps that were found."""

    backend: DepthBackend
    clip_depth: ClipDepth
    kind: str
    scale_source: str

    @property
    def name(self) -> str:
        """Of the backend within."""
        return self.backend.name

    @property
    def licence(self) -> str:
        """Of the backend within."""
        return self.backend.licence

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Of the backend within."""
        return self.backend.diagnostics

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract."""
        i = self.clip_depth.chunk_of(frame)
        given = None if i is None else _given(self.backend, i, frame)
        values = self.clip_depth(frame)
        if given is None or values is None:
            return None
        sigma = float(np.hypot(given.sigma_relative, self.clip_depth.whole(frame).sigma_relative))
        return DepthImage(values, sigma, given.confidence, given.source)


def calibrate(backend: DepthBackend, inputs: Mapping[str, Path], config: MetresConfig) -> Calibrated:
    """Everything there is to know of the scale of dense depth, and of the hands by it.

    Raises:
        DepthWithoutScale: relative depth, and no hand, no known lens or nothing known at all to give it metres.
        NothingInCommon: chunks that do not overlap.
    """
    clip = load_clip(inputs["clip"])
    camera = load_record(CameraTrack, inputs["camera"], "camera")
    hands = load_record(HandTracks, inputs["hands"], "hands")
    masks = load_masks(inputs["masks"])
    joined = _join(backend, len(clip.t_ns), camera, masks, config)
    metric = backend.kind == "depth_metric"
    if config.scale is not None:
        joined = joined.in_metres(config.scale, config.scale_sigma, 0)
    elif not metric and camera.model != "pinhole":
        return _without_scale(
            backend,
            joined,
            hands,
            config,
            "the lens is not a pinhole, and hands are drawn through those only",
        )
    if camera.model != "pinhole":
        rows = [given_scale(backend, config.scale, config.scale_sigma)]
        return _result(backend, joined, "depth_metric", rows, None, None, len(clip.t_ns))
    given = metric or config.scale is not None
    with HandDepth(_view(camera, backend, len(clip.t_ns))) as drawer:
        picture = _pictures(backend, joined, drawer.view)
        readings = read_hands(hands, camera, picture, drawer, config.hands)
        own, width = hand_opinions(readings, hands, camera)
        if not given:
            if own is None:
                why = "no frame shows a hand and its depth"
                return _without_scale(backend, joined, hands, config, why)
            joined = joined.in_metres(own.scale, own.sigma_relative, own.count)
            picture, readings = _pictures(backend, joined, drawer.view), _scaled(readings, own.scale)
        corrected = None
        if config.move_hands:
            corrected = correct_hands(
                hands, camera, clip.t_seconds, picture, drawer, config.hands,
                depth_from_hands=not given, first=readings,
            )  # fmt: skip
    rows = [given_scale(backend, config.scale, config.scale_sigma)] if given else []
    rows += opinion_rows(own, width, used=not given)
    return _result(backend, joined, "depth_metric", rows, corrected, (own, width), len(clip.t_ns))


def hand_opinions(
    readings: HandReadings, hands: HandTracks, camera: CameraTrack
) -> tuple[ScaleEstimate | None, ScaleEstimate | None]:
    """The depth's scale by the hands' drawn skin, and by their width (DexMan B.2)."""
    known = hands.hand_length_source in ("user", "truth", "measured")
    size = KNOWN_HAND_SIGMA if known else HAND_LENGTH_SIGMA
    skin = scale_from_ratios(
        1 / readings.ratio[readings.valid], "hand_skin", hand_sigma=size, focal_sigma=camera.focal_sigma
    )
    width = scale_from_ratios(
        readings.width[readings.width > 0], "hand_width", hand_sigma=size,
        focal_sigma=camera.focal_sigma, rule_sigma=WIDTH_SIGMA,
    )  # fmt: skip
    return skin, width


def _join(
    backend: DepthBackend, frames: int, camera: CameraTrack, masks: ObjectMasks, config: MetresConfig
) -> ClipDepth:
    spans = backend.chunks if isinstance(backend, ChunkedDepthBackend) else None

    def reader(chunk: int) -> Callable[[int], np.ndarray | None]:
        def read(frame: int) -> np.ndarray | None:
            image = _given(backend, chunk, frame)
            return None if image is None else image.values

        return read

    chunks = (
        [DepthChunk(0, frames, reader(0))]
        if spans is None
        else [DepthChunk(s.first, s.count, reader(i)) for i, s in enumerate(spans)]
    )
    size = _size(backend, frames)

    def labels(frame: int) -> np.ndarray:
        return _nearest(masks.labels[frame], size)

    objects = range(MaskLabel.FIRST_OBJECT, MaskLabel.FIRST_OBJECT + len(masks.tracks.object_ids))
    codes = [int(MaskLabel.HAND_LEFT), int(MaskLabel.HAND_RIGHT), *objects]
    still = config.background and camera.motion == "still"
    return join(chunks, labels, codes, still=still, with_shift=backend.kind != "depth_metric")


def _given(backend: DepthBackend, chunk: int, frame: int) -> DepthImage | None:
    if isinstance(backend, ChunkedDepthBackend):
        return backend.chunk_frame(chunk, frame)
    return backend.frame(frame)


def _size(backend: DepthBackend, frames: int) -> tuple[int, int]:
    """Rows and columns of the depth pictures; one pixel where no frame is known."""
    first = next((image for image in map(backend.frame, range(frames)) if image is not None), None)
    return (1, 1) if first is None else (first.values.shape[0], first.values.shape[1])


def _view(camera: CameraTrack, backend: DepthBackend, frames: int) -> View:
    columns = _size(backend, frames)[1]
    width = max(min(columns, VIEW_WIDTH_PX), 8)
    view = View.of(camera.params, camera.width_px, camera.height_px)
    return view.resized(width, max(round(camera.height_px * width / camera.width_px), 8))


def _pictures(
    backend: DepthBackend, depth: ClipDepth, view: View
) -> Callable[[int], tuple[np.ndarray, np.ndarray, float] | None]:
    size = (view.height_px, view.width_px)

    def picture(frame: int) -> tuple[np.ndarray, np.ndarray, float] | None:
        values, i = depth(frame), depth.chunk_of(frame)
        given = None if i is None else _given(backend, i, frame)
        if values is None or given is None:
            return None
        return _nearest(values, size), _nearest(depth.labels(frame), size), given.sigma_relative

    return picture


def _nearest(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    rows = (2 * np.arange(size[0]) + 1) * picture.shape[0] // (2 * size[0])
    columns = (2 * np.arange(size[1]) + 1) * picture.shape[1] // (2 * size[1])
    return np.asarray(picture[rows[:, None], columns])


def _scaled(readings: HandReadings, scale: float) -> HandReadings:
    return replace(readings, ratio=np.where(readings.valid, readings.ratio * scale, 1.0))


def _without_scale(
    backend: DepthBackend, joined: ClipDepth, hands: HandTracks, config: MetresConfig, why: str
) -> Calibrated:
    if config.without_scale == "fail":
        raise DepthWithoutScale(
            f"the depth ({backend.name}) has no scale of its own, and {why}",
            hint="give its scale (--set placing.depth.metres.scale=METRES_PER_UNIT), leave the depth out, or keep it "
            "unused (--set placing.depth.metres.without_scale=leave)",
        )
    frames = len(hands.valid)
    known = [v for v in (joined(k) for k in range(frames)) if v is not None and (v > 0).any()]
    middle = float(np.median([np.median(v[v > 0]) for v in known])) if known else 1.0
    made = _result(
        backend, joined.in_metres(1 / middle, 0.0, 0), "depth_scale_invariant", [], None, None, frames
    )
    return Calibrated(made.depth, made.scales, None, {"flags": [f"depth is not metric: {why}"]})


def _result(
    backend: DepthBackend,
    depth: ClipDepth,
    kind: str,
    rows: list[Row],
    corrected: CorrectedHands | None,
    opinions: tuple[ScaleEstimate | None, ScaleEstimate | None] | None,
    frames: int,
) -> Calibrated:
    scales = scales_record(rows, depth, corrected, frames)
    used = [row for row in rows if row[0] == "depth" and row[5]]
    source = {"hand_skin": "hand"}.get(used[0][1], used[0][1]) if used else "unknown"
    notes: dict[str, Any] = {"flags": disagreement(opinions)}
    return Calibrated(
        MetricDepth(backend, depth, kind, source),
        scales,
        corrected.hands if corrected is not None else None,
        notes,
    )

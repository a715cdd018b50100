"""The CPU backend: pyramidal Lucas-Kanade (Bouguet 2001) with a forward-backward check (Kalal et al. 2010).

A point is born in an object's mask (or in the background) where too few live, is followed forward to where it is lost
and, in a second pass, backward from its birth. It ends where going and coming back disagree, or where the labels say
that its pixel belongs to something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from reenact.perception.masks.contract import ObjectMasks
from reenact.perception.pictures.flow import grey
from reenact.perception.pictures.follow import there_and_back
from reenact.perception.pictures.stack import PictureStack, StackConfig, read_stack
from reenact.perception.points.contract import Frame, check_labels
from reenact.scene import Clip, MaskLabel, PointTracks, Source


@dataclass(frozen=True)
class LucasKanadeConfig:
    """Lengths in pixels of the working size unless said otherwise."""

    stack: StackConfig = field(default_factory=lambda: StackConfig(width_px=640))
    """How small the frames are looked at."""
    points_per_object: int = 60
    """Points wanted on each object while it is seen."""
    points_background: int = 60
    """Points wanted on the background."""
    refill_s: float = 0.5
    """Pause between looks for new points."""
    refill_below: float = 0.7
    """New points are sought when fewer than this share of the wanted ones live."""
    spacing: float = 0.012
    """Smallest distance between points, in frame heights."""
    window_px: int = 15
    """Side of the LK window."""
    levels: int = 3
    """Pyramid levels above the full size."""
    max_roundtrip_px: float = 0.6
    """Forward-backward error above which a point is lost."""
    sigma_px: float = 0.25
    """Forward-backward error at which confidence is 0.6."""
    min_life_s: float = 0.12
    """Points seen for a shorter time are dropped; three frames are enough in any case."""
    max_speed: float = 3.0
    """Fastest motion, in frame heights per second."""


class LucasKanade:
    """Follows points on objects and background."""

    name = "lucas-kanade-1"
    licence = "Apache-2.0"

    def __init__(self, config: LucasKanadeConfig | None = None) -> None:
        self.config = config or LucasKanadeConfig()
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Points per object, median life in frames, and how points ended."""
        return self._diagnostics

    def track(self, frames: Iterable[Frame], clip: Clip, masks: ObjectMasks) -> PointTracks:
        """See the contract."""
        check_labels(clip, masks)
        return self.track_stack(read_stack(frames, clip, self.config.stack), masks)

    def track_stack(self, stack: PictureStack, masks: ObjectMasks) -> PointTracks:
        """The same on frames already held."""
        run = _Run(stack, masks, self.config)
        run.forward()
        run.backward()
        tracks = run.tracks(self.name, self.licence)
        self._diagnostics = _account(tracks, masks.tracks.object_ids, run.ends)
        return tracks


class _Run:
    def __init__(self, stack: PictureStack, masks: ObjectMasks, config: LucasKanadeConfig) -> None:
        self._stack, self._masks, self._config = stack, masks, config
        self._grey = [grey(picture) for picture in stack.rgb]
        self._objects = len(masks.tracks.object_ids)
        self._owner: list[int] = []
        self._born: list[int] = []
        self._px: list[dict[int, tuple[float, float, float]]] = []
        self.ends = {"disagree": 0, "left_its_object": 0, "left_the_picture": 0}

    def forward(self) -> None:
        """Births and the way forward."""
        live: list[int] = []
        next_look_ns = -1
        for frame in range(len(self._grey)):
            if frame > 0:
                live = self._step(live, frame - 1, frame)
            if int(self._stack.t_ns[frame]) >= next_look_ns:
                live += self._births(frame, live)
                next_look_ns = int(self._stack.t_ns[frame]) + int(self._config.refill_s * 1e9)

    def backward(self) -> None:
        """From each birth back in time."""
        live: list[int] = []
        for frame in range(len(self._grey) - 1, 0, -1):
            live += [p for p, born in enumerate(self._born) if born == frame]
            live = self._step(live, frame, frame - 1)

    def _step(self, live: list[int], a: int, b: int) -> list[int]:
        if not live:
            return []
        c = self._config
        start = np.array([self._px[p][a][:2] for p in live], np.float32)
        end, ok, error = there_and_back(self._grey[a], self._grey[b], start, c.window_px, c.levels)
        step = np.linalg.norm(end - start, axis=-1)
        good = ok & (error <= c.max_roundtrip_px)
        dt = abs(int(self._stack.t_ns[b]) - int(self._stack.t_ns[a])) * 1e-9
        good &= step <= c.max_speed * dt * self._stack.height_px
        self.ends["disagree"] += int((~good).sum())
        still = []
        labels = self._labels(b)
        for k in np.flatnonzero(good).tolist():
            p, (x, y) = live[k], end[k].tolist()
            why = self._why_gone(labels, x, y, self._owner[p], b)
            if why:
                self.ends[why] += 1
                continue
            self._px[p][b] = (x, y, float(np.exp(-0.5 * (error[k] / c.sigma_px) ** 2)))
            still.append(p)
        return still

    def _why_gone(self, labels: np.ndarray, x: float, y: float, owner: int, frame: int) -> str:
        column = int((x + 0.5) * labels.shape[1] / self._stack.width_px)
        row = int((y + 0.5) * labels.shape[0] / self._stack.height_px)
        if not (0 <= column < labels.shape[1] and 0 <= row < labels.shape[0]):
            return "left_the_picture"
        if owner >= 0 and not self._masks.tracks.valid[frame, owner]:
            return "left_its_object"
        low_c, low_r = max(0, column - 1), max(0, row - 1)
        around = labels[low_r : row + 2, low_c : column + 2]
        if owner < 0:
            return (
                ""
                if labels[row, column] < MaskLabel.FIRST_OBJECT and labels[row, column] == 0
                else "left_its_object"
            )
        own = MaskLabel.FIRST_OBJECT + owner
        return "" if bool((around == own).any()) else "left_its_object"

    def _labels(self, frame: int) -> UInt8[np.ndarray, "h w"]:
        return self._masks.labels[frame]

    def _births(self, frame: int, live: list[int]) -> list[int]:
        labels = cv2.resize(
            self._labels(frame),
            (self._stack.width_px, self._stack.height_px),
            interpolation=cv2.INTER_NEAREST,
        )
        born = []
        for owner in range(-1, self._objects):
            wanted = self._config.points_background if owner < 0 else self._config.points_per_object
            have = [p for p in live if self._owner[p] == owner]
            if len(have) >= self._config.refill_below * wanted:
                continue
            if owner >= 0 and not self._masks.tracks.valid[frame, owner]:
                continue
            area = labels == (0 if owner < 0 else MaskLabel.FIRST_OBJECT + owner)
            for x, y in self._corners(frame, area, have, wanted - len(have), owner < 0):
                self._owner.append(owner)
                self._born.append(frame)
                self._px.append({frame: (float(x), float(y), 1.0)})
                born.append(len(self._px) - 1)
        return born

    def _corners(
        self, frame: int, area: np.ndarray, have: list[int], wanted: int, is_background: bool
    ) -> Float64[np.ndarray, "n 2"]:
        clear = self._config.window_px + 2 if is_background else 3  # no edge of a moving thing in the window
        allowed = cv2.erode(area.astype(np.uint8), np.ones((clear, clear), np.uint8))
        spacing = max(3, round(self._config.spacing * self._stack.height_px * (3 if is_background else 1)))
        for p in have:
            x, y, _ = self._px[p][frame]
            cv2.circle(allowed, (round(x), round(y)), spacing, 0, -1)
        if wanted <= 0 or not allowed.any():
            return np.zeros((0, 2))
        found = cv2.goodFeaturesToTrack(self._grey[frame], wanted, 0.01, spacing, mask=allowed, blockSize=5)
        return np.zeros((0, 2)) if found is None else found[:, 0].astype(np.float64)

    def _lives(self, path: dict[int, tuple[float, float, float]]) -> bool:
        """Whether a point was seen for long enough."""
        seconds = (int(self._stack.t_ns[max(path)]) - int(self._stack.t_ns[min(path)])) * 1e-9
        return len(path) >= 3 and seconds >= self._config.min_life_s - 1e-3

    def tracks(self, name: str, licence: str) -> PointTracks:
        """The record; short-lived points are left out."""
        kept = [p for p, path in enumerate(self._px) if self._lives(path)]
        count = len(self._grey)
        px = np.zeros((count, len(kept), 2))
        valid, confidence = np.zeros((count, len(kept)), bool), np.zeros((count, len(kept)))
        for k, p in enumerate(kept):
            at = np.array(sorted(self._px[p]))
            rows = np.array([self._px[p][int(i)] for i in at])
            px[at, k], confidence[at, k], valid[at, k] = rows[:, :2], rows[:, 2], True
        owner = np.array([self._owner[p] for p in kept], np.int64)
        confidence *= _mask_trust(self._masks, owner)
        return unlifted(owner, self._stack.to_full(px), valid, confidence, Source.OBSERVED, name, licence)


def _mask_trust(masks: ObjectMasks, owner: Int64[np.ndarray, " p"]) -> Float64[np.ndarray, "t p"]:
    """A point is no surer on an object than the object's mask."""
    trust = np.concatenate([masks.tracks.confidence, np.ones((len(masks.labels), 1))], axis=1)
    return np.asarray(trust[:, owner])  # -1 is the last column: the background


def unlifted(
    owner: Int64[np.ndarray, " p"],
    points_px: Float64[np.ndarray, "t p 2"],
    valid: Bool[np.ndarray, "t p"],
    confidence: Float64[np.ndarray, "t p"],
    source: Source,
    name: str,
    licence: str,
) -> PointTracks:
    """Tracks in pixels only."""
    count, points = valid.shape
    return PointTracks(
        object_idx=owner, points_px=points_px, valid=valid, confidence=np.where(valid, confidence, 0.0),
        source=np.where(valid, np.uint8(source), np.uint8(Source.UNKNOWN)),
        points_world=np.zeros((count, points, 3)), valid_world=np.zeros((count, points), bool),
        sigma_world=np.zeros((count, points)), depth_source="none", backend=name, licence=licence,
    )  # fmt: skip


def _account(tracks: PointTracks, object_ids: tuple[str, ...], ends: Mapping[str, int]) -> dict[str, Any]:
    life = tracks.valid.sum(axis=0)
    rows = {}
    for owner in range(-1, len(object_ids)):
        mine = tracks.object_idx == owner
        rows["background" if owner < 0 else object_ids[owner]] = {
            "points": int(mine.sum()),
            "median_life_frames": float(np.median(life[mine])) if mine.any() else 0.0,
            "frames_with_8_or_more": int((tracks.valid[:, mine].sum(axis=1) >= 8).sum()),
        }
    return {"objects": rows, "ends": dict(ends)}

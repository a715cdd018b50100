"""The CPU backend: GrabCut at the seeds, then dense flow, colour models and hand regions, forward and backward.

All objects are followed together, so that a pixel goes to the one that claims it more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from reenact.perception.masks.contract import MAX_OBJECTS, Frame, ObjectMasks, TooManyObjects
from reenact.perception.masks.follower import FollowerConfig, ObjectFollower, View
from reenact.perception.masks.seed import SeedConfig, mask_from_box
from reenact.perception.masks.views import Views
from reenact.perception.pictures.colour import colour_bins
from reenact.perception.pictures.hands import HandRegionConfig, HandRegions
from reenact.perception.pictures.stack import PictureStack, StackConfig, read_stack
from reenact.scene import Clip, FoundObjects, HandLandmarks, MaskLabel, MaskTracks, Source


@dataclass(frozen=True)
class ClassicalMasksConfig:
    """Settings of the CPU masks."""

    stack: StackConfig = field(default_factory=StackConfig)
    """How small the frames are looked at; labels have this size."""
    hands: HandRegionConfig = field(default_factory=HandRegionConfig)
    """Pixels of hands and arms."""
    seed: SeedConfig = field(default_factory=SeedConfig)
    """From a box to a mask."""
    follow: FollowerConfig = field(default_factory=FollowerConfig)
    """From a mask to the next frame's."""


class ClassicalMasks:
    """Outlines of found objects over a clip."""

    name = "classical-1"
    licence = "Apache-2.0"

    def __init__(self, config: ClassicalMasksConfig | None = None) -> None:
        self.config = config or ClassicalMasksConfig()
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Per object: trust in the seed, frames seen, hidden and lost."""
        return self._diagnostics

    def segment(
        self, frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, found: FoundObjects
    ) -> ObjectMasks:
        """See the contract."""
        if len(found.seed_frame) > MAX_OBJECTS:
            raise TooManyObjects(f"{len(found.seed_frame)} objects", hint=f"at most {MAX_OBJECTS}")
        stack = read_stack(frames, clip, self.config.stack)
        regions = HandRegions(stack, landmarks, self.config.hands)
        return self.segment_stack(stack, regions, found)

    def segment_stack(
        self, stack: PictureStack, regions: HandRegions, found: FoundObjects, views: Views | None = None
    ) -> ObjectMasks:
        """The same on frames already held; given views say which of the frames are looked at (the others stay empty)."""
        views = views or Views(stack, regions)
        sweep = _Sweep(views, found, self.config)
        for order in (views.frames, views.frames[::-1]):
            sweep.run(order)
        self._diagnostics = {"objects": sweep.account(), "size_px": [stack.width_px, stack.height_px]}
        return ObjectMasks(sweep.labels, sweep.tracks(found, self.name, self.licence))


class _Sweep:
    """Both directions over one clip; results gather in arrays."""

    def __init__(self, views: Views, found: FoundObjects, config: ClassicalMasksConfig) -> None:
        self._views, self._stack, self._config = views, views.stack, config
        count, objects = len(self._stack.t_ns), len(found.seed_frame)
        self.labels = views.hands.copy()
        self._valid = np.zeros((count, objects), bool)
        self._confidence = np.zeros((count, objects))
        self._area = np.zeros((count, objects))
        self._hidden = np.zeros((count, objects))
        self._ids = found.object_ids
        at = np.array(views.frames)
        seeds = [int(np.abs(self._stack.frame_idx - f).argmin()) for f in found.seed_frame.tolist()]
        self._starts = [int(at[np.abs(at - f).argmin()]) for f in seeds]
        self._seeds = [self._cut(found, o) for o in range(objects)]

    def _cut(self, found: FoundObjects, o: int) -> tuple[np.ndarray, float]:
        """The seed's mask in the frame looked at that is nearest to the seed's, and the trust in it."""
        frame, stack = self._starts[o], self._stack
        barred = self._views.hands[frame] > 0
        outline = stack.to_small(found.outline(o))
        cut = mask_from_box(
            stack.rgb[frame], stack.box_to_small(found.seed_box_px[o]), barred, self._config.seed, outline
        )
        return cut.mask, cut.trust * float(found.confidence[o])

    def run(self, order: list[int]) -> None:
        """One direction: an object joins at its seed and is followed from there on."""
        followers: dict[int, ObjectFollower] = {}
        forward = len(order) < 2 or order[1] > order[0]
        starts = {o: order.index(frame) for o, frame in enumerate(self._starts)}
        for step, frame in enumerate(order):
            joining = [o for o, s in starts.items() if s == step]
            if followers:
                view = self._views.view(frame, order[step - 1])
                self._advance(followers, frame, view)
            for o in joining:
                self._join(followers, o, frame, is_first_sweep=forward)
            if not followers and not joining and all(s < step for s in starts.values()):
                break

    def _join(
        self, followers: dict[int, ObjectFollower], o: int, frame: int, *, is_first_sweep: bool
    ) -> None:
        mask, trust = self._seeds[o]
        bins = colour_bins(self._stack.rgb[frame])
        if not mask.any():
            return
        followers[o] = ObjectFollower(mask, bins, self._views.hands[frame], self._config.follow)
        followers[o].confidence = trust
        if is_first_sweep:
            self._write(o, frame, followers[o])

    def _advance(self, followers: dict[int, ObjectFollower], frame: int, view: View) -> None:
        active = {o: f for o, f in followers.items() if f.lost_s is None}
        taken = np.zeros(view.bins.shape, bool)
        if active:
            for follower in active.values():
                follower.predict(view)
            best = np.zeros(view.bins.shape, np.float32)
            winner = np.full(view.bins.shape, -1, np.int16)
            for o, follower in active.items():
                better = follower.score > best[follower.window]
                best[follower.window][better] = follower.score[better]
                winner[follower.window][better] = o
            for o, follower in active.items():
                follower.accept(winner[follower.window] == o, view)
                taken |= follower.seen
        for follower in followers.values():
            if follower.lost_s is not None:
                follower.look_for(view, taken)
                taken |= follower.seen
        for o, follower in followers.items():
            self._write(o, frame, follower)

    def _write(self, o: int, frame: int, follower: ObjectFollower) -> None:
        self._hidden[frame, o] = follower.hidden_share
        self._valid[frame, o] = follower.valid
        if not follower.valid:
            return
        labels = self.labels[frame]
        labels[follower.seen] = MaskLabel.FIRST_OBJECT + o
        self._confidence[frame, o] = follower.confidence
        self._area[frame, o] = float(follower.seen.sum())

    def tracks(self, found: FoundObjects, name: str, licence: str) -> MaskTracks:
        """The record over all frames."""
        return MaskTracks(
            object_ids=found.object_ids, valid=self._valid, confidence=self._confidence,
            source=np.where(self._valid, np.uint8(Source.OBSERVED), np.uint8(Source.UNKNOWN)),
            area_px=self._area, occluded_share=np.clip(self._hidden, 0.0, 1.0),
            width_px=self._stack.width_px, height_px=self._stack.height_px, backend=name, licence=licence,
        )  # fmt: skip

    def account(self) -> list[dict[str, Any]]:
        """Per object, in words of numbers."""
        return [
            {
                "id": self._ids[o],
                "seed_trust": round(self._seeds[o][1], 3),
                "frames_seen": int(self._valid[:, o].sum()),
                "frames_hidden_by_hands": int((~self._valid[:, o] & (self._hidden[:, o] > 0.5)).sum()),
                "frames_lost": int((~self._valid[:, o] & (self._hidden[:, o] <= 0.5)).sum()),
                "mean_confidence": _mean(self._confidence[:, o], self._valid[:, o]),
            }
            for o in range(len(self._ids))
        ]


def _mean(values: Float64[np.ndarray, " t"], where: np.ndarray) -> float:
    return round(float(values[where].mean()), 3) if where.any() else 0.0

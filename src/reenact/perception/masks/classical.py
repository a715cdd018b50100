"""The CPU backend: GrabCut at the seeds, then dense flow, colour models and hand regions, forward and backward.

All objects are followed together, so that a pixel goes to the one that claims it more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reenact.perception.masks.backdrop import BackdropConfig
from reenact.perception.masks.boxed import BoxedConfig
from reenact.perception.masks.contract import MAX_OBJECTS, Frame, ObjectMasks, TooManyObjects
from reenact.perception.masks.crowd import RivalConfig
from reenact.perception.masks.follower import FollowerConfig
from reenact.perception.masks.identity import IdentityConfig
from reenact.perception.masks.search import SearchConfig
from reenact.perception.masks.seed import SeedConfig
from reenact.perception.masks.sweep import Sweep
from reenact.perception.masks.views import Views
from reenact.perception.pictures.hands import HandRegionConfig, HandRegions
from reenact.perception.pictures.stack import PictureStack, StackConfig, read_stack
from reenact.scene import Clip, FoundObjects, HandLandmarks


@dataclass(frozen=True)
class ClassicalMasksConfig:
    """Settings of the CPU masks."""

    stack: StackConfig = field(default_factory=StackConfig)
    """How small the frames are looked at; labels have this size."""
    hands: HandRegionConfig = field(default_factory=HandRegionConfig)
    """Pixels of hands and arms."""
    seed: SeedConfig = field(default_factory=SeedConfig)
    """From a box to a mask."""
    boxed: BoxedConfig = field(default_factory=BoxedConfig)
    """From a user's box."""
    backdrop: BackdropConfig = field(default_factory=BackdropConfig)
    """What lies behind, lit and in shade."""
    follow: FollowerConfig = field(default_factory=FollowerConfig)
    """From a mask to the next frame's."""
    search: SearchConfig = field(default_factory=SearchConfig)
    """Seen again."""
    rivals: RivalConfig = field(default_factory=RivalConfig)
    """Things that look like an object."""
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    """Whether it is still the same thing."""


class ClassicalMasks:
    """Outlines of found objects over a clip."""

    name = "classical-1"
    licence = "Apache-2.0"

    def __init__(self, config: ClassicalMasksConfig | None = None) -> None:
        self.config = config or ClassicalMasksConfig()
        self._diagnostics: dict[str, Any] = {}
        self.twin_gap = np.zeros((0, 0))
        """Of the last sweep, frame by object: distance of the nearest look-alike, in roots of the object's area."""

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
        sweep = Sweep(views, found, self.config)
        for order in (views.frames, views.frames[::-1]):
            sweep.run(order)
        self.twin_gap = sweep.twin_gap
        self._diagnostics = {"objects": sweep.account(), "size_px": [stack.width_px, stack.height_px]}
        return ObjectMasks(sweep.labels, sweep.tracks(found, self.name, self.licence))

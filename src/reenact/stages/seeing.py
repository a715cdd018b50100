"""The part of the plan that sees objects: `found`, `masks`, `points`. It is there only when objects are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reenact.pipeline.stage import Stage
from reenact.stages import found, masks, points
from reenact.stages.clip import ClipConfig


@dataclass(frozen=True)
class SeeingConfig:
    """Settings of the three stages."""

    found: found.FoundConfig = field(default_factory=found.FoundConfig)
    """Which things are worth following; the user's boxes and clicks."""
    masks: masks.MasksConfig = field(default_factory=masks.MasksConfig)
    """Their outlines over the clip."""
    points: points.PointsConfig = field(default_factory=points.PointsConfig)
    """Points on them."""

    def wants_truth(self) -> bool:
        """Is one of the backends the truth?"""
        return "truth" in (self.found.backend, self.masks.backend, self.points.backend)


def seeing_stages(config: SeeingConfig, clip: ClipConfig) -> list[Stage[Any]]:
    """The stages in order; those with a truth backend read the source `truth`."""

    def reads(backend: str, *inputs: str) -> tuple[str, ...]:
        return (*inputs, "truth") if backend == "truth" else inputs

    return [
        Stage(
            "found", "6", found.FoundStageConfig(config.found, clip),
            reads(config.found.backend, "clip", "video", "camera", "landmarks"), found.run,
        ),
        Stage(
            "masks", "7", masks.MasksStageConfig(config.masks, clip),
            reads(config.masks.backend, "clip", "video", "landmarks", "found"), masks.run,
        ),
        Stage(
            "points", "2", points.PointsStageConfig(config.points, clip),
            reads(config.points.backend, "clip", "video", "camera", "hands", "masks"), points.run,
        ),
    ]  # fmt: skip

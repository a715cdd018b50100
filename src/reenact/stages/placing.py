"""The part of the plan that places objects: `depth`, `support`, `objects`. It is there only when objects are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reenact.pipeline.stage import Stage
from reenact.refine.calibration.support import SupportConfig
from reenact.stages import depth, objects, support

DEPTH_FILES = "depth_files"
"""Source: a folder of depth pictures."""


@dataclass(frozen=True)
class PlacingConfig:
    """Settings of the three stages."""

    depth: depth.DepthConfig = field(default_factory=depth.DepthConfig)
    """How far pixels are."""
    support: SupportConfig = field(default_factory=SupportConfig)
    """What things stand on."""
    objects: objects.PlacedObjectsConfig = field(default_factory=objects.PlacedObjectsConfig)
    """Shapes and poses; the user's meshes and sizes."""

    def wants_truth(self) -> bool:
        """Is one of the backends the truth?"""
        return "truth" in (self.depth.backend, self.objects.backend)


def placing_stages(config: PlacingConfig, with_depth_files: bool) -> list[Stage[Any]]:
    """The stages in order; those with a truth backend read the source `truth`."""
    files = (DEPTH_FILES,) if with_depth_files else ()
    true_depth = ("truth",) if config.depth.backend == "truth" else ()
    true_objects = ("truth",) if config.objects.backend == "truth" else ()
    everything = ("clip", "camera", "hands", "found", "masks", "points", "depth", "support")
    return [
        Stage("depth", "4", config.depth, ("clip", "camera", "hands", "masks", *files, *true_depth), depth.run),
        Stage(
            "support", "11", support.SupportStageConfig(config.support, config.objects),
            ("clip", "camera", "hands", "found", "masks", "depth"), support.run,
        ),
        Stage("objects", "24", config.objects, (*everything, *true_objects), objects.run),
    ]  # fmt: skip

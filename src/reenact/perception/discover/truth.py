"""The truth backend: the objects of a scene that knows them, their roles from the true states and distances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8

from reenact.errors import InputError
from reenact.geometry.transforms import apply
from reenact.perception.discover.contract import Frame
from reenact.perception.masks.seed import box_of
from reenact.scene import CameraTrack, Clip, FoundObjects, HandLandmarks, InteractionState, MaskLabel, Scene


class NoTrueObjects(InputError):
    """The truth knows no objects or no states."""


@dataclass(frozen=True)
class TruthFinderConfig:
    """Which true objects are given."""

    near: float = 0.05
    """A still object to which a moving one comes this close (m, mesh to mesh) is a target."""
    with_bystanders: bool = False
    """Also give objects that nothing happens to, with role "unknown"."""
    min_area_px: int = 30
    """An object is given only if some frame shows this many of its pixels."""


class TruthFinder:
    """Finds the objects of a scene whose objects and states are known."""

    name = "truth"
    licence = "none"

    def __init__(
        self, truth: Scene, labels: Callable[[int], UInt8[np.ndarray, "h w"]], config: TruthFinderConfig | None = None
    ) -> None:  # fmt: skip
        """``labels``: frame -> true `MaskLabel` codes at the clip's full size."""
        if truth.objects is None or truth.states is None:
            raise NoTrueObjects(f"the truth of {truth.clip.clip_id} has no objects or states")
        self.config = config or TruthFinderConfig()
        self._truth, self._labels = truth, labels
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Role of each object of the truth, and which are never seen."""
        return self._diagnostics

    def find(
        self, frames: Iterable[Frame], clip: Clip, landmarks: HandLandmarks, camera: CameraTrack | None = None
    ) -> FoundObjects:
        """The contract's form; pixels are not looked at."""
        return self.objects()

    def objects(self) -> FoundObjects:
        """The same without frames."""
        objects = self._truth.objects
        assert objects is not None
        roles = true_roles(self._truth, self.config.near)
        kept, seeds, boxes, areas = [], [], [], []
        for o in range(len(roles)):
            frame, box, area = self._best_view(o)
            areas.append(area)
            if area >= self.config.min_area_px and (roles[o] != "unknown" or self.config.with_bystanders):
                kept.append(o)
                seeds.append(frame)
                boxes.append(box)
        order = sorted(
            range(len(kept)), key=lambda k: ("manipulated", "target", "unknown").index(roles[kept[k]])
        )
        kept, seeds, boxes = [kept[k] for k in order], [seeds[k] for k in order], [boxes[k] for k in order]
        self._diagnostics = {
            "roles": dict(zip(objects.object_ids, roles, strict=True)),
            "largest_area_px": dict(zip(objects.object_ids, areas, strict=True)),
        }
        return FoundObjects(
            object_ids=tuple(objects.object_ids[o] for o in kept), names=tuple(objects.names[o] for o in kept),
            roles=tuple(roles[o] for o in kept), seed_frame=np.array(seeds, np.int64),
            seed_box_px=np.array(boxes, np.float64).reshape(-1, 4), confidence=np.ones(len(kept)),
            sources=("truth",) * len(kept), reasons=tuple(_REASONS[roles[o]] for o in kept),
            backend=self.name, licence=self.licence,
        )  # fmt: skip

    def _best_view(self, o: int) -> tuple[int, np.ndarray, int]:
        """The first of some 16 frames that shows nearly the most pixels of it."""
        count = len(self._truth.clip.t_ns)
        best: tuple[int, np.ndarray, int] = (0, np.zeros(4), 0)
        for frame in np.unique(np.linspace(0, count - 1, 16).astype(int)).tolist():
            mask = self._labels(frame) == MaskLabel.FIRST_OBJECT + o
            area = int(mask.sum())
            if area > 1.1 * best[2]:
                best = (frame, box_of(mask), area)
        return best


_REASONS = {
    "manipulated": "The truth says that it is moved or held.",
    "target": "The truth says that a moved object comes to it and that it stays.",
    "unknown": "The truth says that nothing happens to it.",
}


def true_roles(truth: Scene, near: float) -> list[str]:
    """Role of each object of a scene with objects and states."""
    objects, states = truth.objects, truth.states
    assert objects is not None
    assert states is not None
    busy = (states.state != InteractionState.STATIC).any(axis=0)
    roles = []
    for o in range(len(busy)):
        if busy[o]:
            roles.append("manipulated")
            continue
        gaps = [_closest(truth, o, other) for other in np.flatnonzero(busy).tolist()]
        roles.append("target" if gaps and min(gaps) < near else "unknown")
    return roles


def _closest(truth: Scene, still: int, moving: int, most: int = 250, looks: int = 24) -> float:
    """Smallest distance of vertices over some frames in which the moving object is not at rest."""
    objects, states = truth.objects, truth.states
    assert objects is not None
    assert states is not None
    at = np.flatnonzero(states.state[:, moving] != InteractionState.STATIC)
    at = at[np.unique(np.linspace(0, len(at) - 1, looks).astype(int))]
    a, b = (objects.mesh(o)[0] for o in (still, moving))
    a, b = a[:: max(1, len(a) // most)], b[:: max(1, len(b) // most)]
    gaps = [
        np.linalg.norm(
            apply(objects.T_world_object[f, still], a)[:, None] - apply(objects.T_world_object[f, moving], b)[None],
            axis=-1,
        ).min()
        for f in at.tolist()
    ]  # fmt: skip
    return float(min(gaps)) if gaps else float("inf")

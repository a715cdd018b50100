"""The truth backend: points of known meshes, projected, seen where the true depth says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64

from reenact.errors import InputError
from reenact.geometry.transforms import apply, inverse
from reenact.perception.masks.contract import ObjectMasks
from reenact.perception.points.contract import Frame
from reenact.scene import Clip, PointTracks, Scene, Source


class NoTruePoints(InputError):
    """The truth lacks objects, or does not have the objects that were asked for."""


@dataclass(frozen=True)
class TruthPointsConfig:
    """Which points, and their noise."""

    points_per_object: int = 40
    """Vertices drawn from each mesh."""
    jitter_px: float = 0.0
    """White noise on each pixel coordinate, one-sigma."""
    slack: float = 0.004
    """A point this much behind the visible surface still counts as seen (m)."""
    seed: int = 0
    """Seed of the draws."""


class TruthPoints:
    """Points of a scene whose objects and camera are known."""

    name = "truth"
    licence = "none"

    def __init__(
        self, truth: Scene, depth: Callable[[int], Float32[np.ndarray, "h w"]], config: TruthPointsConfig | None = None
    ) -> None:  # fmt: skip
        """``depth``: frame -> true metres along the optical axis, 0 where there is no surface."""
        if truth.objects is None:
            raise NoTruePoints(f"the truth of {truth.clip.clip_id} has no objects", hint="use a toy clip")
        self.config = config or TruthPointsConfig()
        self._truth, self._depth = truth, depth
        self._diagnostics: dict[str, Any] = {}

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """How many points, and the share seen."""
        return self._diagnostics

    def track(self, frames: Iterable[Frame], clip: Clip, masks: ObjectMasks) -> PointTracks:
        """The contract's form; pixels are not looked at, the objects are those that the masks name."""
        return self.tracks(masks.tracks.object_ids)

    def tracks(self, object_ids: tuple[str, ...] | None = None) -> PointTracks:
        """Points of these objects of the truth (all of them by default).

        Raises:
            NoTruePoints: the truth has no object of that id.
        """
        objects, camera_track = self._truth.objects, self._truth.camera
        assert objects is not None
        ids = objects.object_ids if object_ids is None else object_ids
        unknown = [name for name in ids if name not in objects.object_ids]
        if unknown:
            raise NoTruePoints(f"the truth has no object {unknown}", hint=f"it has {objects.object_ids}")
        rng = np.random.default_rng(self.config.seed)
        owner, world = [], []
        for k, name in enumerate(ids):
            o = objects.object_ids.index(name)
            vertices, _ = objects.mesh(o)
            picks = rng.permutation(len(vertices))[: self.config.points_per_object]
            owner += [k] * len(picks)
            world.append(apply(objects.T_world_object[:, o], vertices[np.sort(picks)]))
        points = np.concatenate(world, axis=1) if world else np.zeros((len(camera_track.valid), 0, 3))
        px, seen = self._projected(points)
        px = px + self.config.jitter_px * rng.normal(size=px.shape)
        self._diagnostics = {
            "points": points.shape[1],
            "seen_share": float(seen.mean()) if seen.size else 0.0,
        }
        source = Source.TRUTH if self.config.jitter_px == 0 else Source.OBSERVED
        return PointTracks(
            object_idx=np.array(owner, np.int64), points_px=np.where(seen[..., None], px, 0.0), valid=seen,
            confidence=seen.astype(np.float64),
            source=np.where(seen, np.uint8(source), np.uint8(Source.UNKNOWN)), points_world=points,
            valid_world=np.ones(seen.shape, bool), sigma_world=np.zeros(seen.shape), depth_source="truth",
            backend=self.name, licence=self.licence,
        )  # fmt: skip

    def _projected(
        self, world: Float64[np.ndarray, "t p 3"]
    ) -> tuple[Float64[np.ndarray, "t p 2"], Bool[np.ndarray, "t p"]]:
        track = self._truth.camera
        camera = track.camera()
        px, seen = np.zeros((*world.shape[:2], 2)), np.zeros(world.shape[:2], bool)
        for frame in range(len(world)):
            local = apply(inverse(track.T_world_camera[frame]), world[frame])
            ahead = camera.in_front(local)
            px[frame] = camera.project(np.where(ahead[:, None], local, np.array([0.0, 0.0, 1.0])))
            inside = ahead & camera.in_image(px[frame])
            at = np.rint(px[frame][inside]).astype(int)
            surface = self._depth(frame)
            column = np.clip(at[:, 0], 0, surface.shape[1] - 1)
            row = np.clip(at[:, 1], 0, surface.shape[0] - 1)
            near = local[inside, 2] < surface[row, column] + self.config.slack
            seen[frame, np.flatnonzero(inside)[near]] = True
        return px, seen

"""One object through a clip: found in its clearest frames, followed from there both ways (`following`), and of the
several ways to follow it the one that agrees best taken at each time (`ways`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from reenact.geometry.transforms import inverse
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import ObjectPoses, PoseStart, SightingSource
from reenact.perception.pose.doubt import Doubt
from reenact.perception.pose.fit import summary
from reenact.perception.pose.following import Way
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.predicting import turned
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.solve import bounded_inverse
from reenact.perception.pose.start import Start, find_starts
from reenact.perception.pose.ways import chosen, together
from reenact.perception.pose.window import Camera
from reenact.rendering.mesh_depth import MeshDepthRenderer


class PoseTracker:
    """The CPU backend. Holds no GL of its own: it draws with the renderer it is given."""

    name = "outline_depth_tracks"
    licence = "none"

    def __init__(
        self, renderer: MeshDepthRenderer, mesh_idx: int, camera: Camera, config: PoseConfig
    ) -> None:
        self._renderer, self._mesh_idx, self._camera, self._config = renderer, mesh_idx, camera, config

    def track(
        self, model: ObjectModel, sightings: SightingSource, start: PoseStart | None = None
    ) -> ObjectPoses:
        """See `PoseBackend.track`."""
        refiner = PoseRefiner(model, self._renderer, self._mesh_idx, self._camera, self._config)
        starts = (
            [Start(start.frame, np.asarray(start.T_world_object), ())]
            if start is not None
            else find_starts(refiner, sightings, self._config)
        )
        if not starts:
            return _nothing(len(sightings))
        ways: list[Way] = []
        for begin in starts:
            way = Way(model, sightings, refiner, self._config)
            way.all_frames(begin, ways)
            ways.append(way)
        t_seconds = np.array([sightings[k].t_seconds for k in range(len(sightings))])
        path, share = chosen(ways, model, t_seconds, self._config)
        T, valid, confidence, covariance = together(ways, path, share, model)
        doubt = Doubt(refiner, self._config)
        for k in np.flatnonzero(valid).tolist():
            way, sighting = ways[path[k]], sightings[k]
            doubt.also(way.others)
            refiner.feet = way.feet
            added, belief = doubt.of(T[k], inverse(sighting.T_world_camera), way.fits[k], sighting)
            covariance[k] += turned(added, sighting.T_world_camera)
            confidence[k] *= belief
        return ObjectPoses(T, valid, confidence, covariance, _notes(ways, starts, path, valid))


def _notes(
    ways: Sequence[Way], starts: Sequence[Start], path: np.ndarray, valid: np.ndarray
) -> dict[str, object]:
    """What was done; the way taken most comes first."""
    order = np.argsort([-(path == w).sum() for w in range(len(ways))], kind="stable").tolist()
    best = ways[order[0]]
    return {
        "problem": "",
        "reference_frame": starts[order[0]].frame,
        "frames_valid": int(valid.sum()),
        "frames": len(valid),
        "refused": dict(sum((way.why for way in ways), Counter())),
        "searches": sum(way.search.count for way in ways),
        "anchored_points": len(best.anchors),
        "fit": summary(list(best.fits.values())),
        "ways": [_about(ways[w], starts[w].frame, path == w) for w in order],
    }


def _about(way: Way, start: int, taken: np.ndarray) -> dict[str, float]:
    seen = way.value[way.visited]
    return {
        "start": start,
        "frames_followed": int(way.visited.sum()),
        "frames_taken": int(taken.sum()),
        "agreement": round(float(seen.mean()), 4) if len(seen) else 0.0,
    }


def _nothing(frames: int) -> ObjectPoses:
    covariance: Float64[np.ndarray, "t 6 6"] = np.tile(bounded_inverse(np.zeros((6, 6))), (frames, 1, 1))
    notes = {"problem": "no frame shows enough of it", "frames_valid": 0, "frames": frames}
    return ObjectPoses(
        np.tile(np.eye(4), (frames, 1, 1)), np.zeros(frames, bool), np.zeros(frames), covariance, notes
    )

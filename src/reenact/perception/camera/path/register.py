"""Every frame of the clip placed against the map of the keyframes; short holes bridged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from reenact.geometry.transforms import interpolate
from reenact.perception.camera.path.config import PathConfig
from reenact.perception.camera.path.mapping import Map, PinholeLens, place_frame
from reenact.perception.camera.path.tracks import CornerTracks

_MIN_AGREE = 12


@dataclass(frozen=True, eq=False)
class FramePoses:
    """The camera in every frame, in the frame of the map."""

    T_map_camera: Float64[np.ndarray, "t 4 4"]
    """Where neither placed nor bridged: the nearest pose in time, not to be read."""
    placed: Bool[np.ndarray, " t"]
    """Placed by what the frame itself shows."""
    bridged: Bool[np.ndarray, " t"]
    """Interpolated across a short hole."""


def place_frames(
    found: Map,
    tracks: CornerTracks,
    lens: PinholeLens,
    t_seconds: Float64[np.ndarray, " t"],
    config: PathConfig,
) -> FramePoses:
    """Keyframes keep the map's pose; frames between are placed by the points they see."""
    T = np.tile(np.eye(4), (tracks.frames, 1, 1))
    placed = np.zeros(tracks.frames, dtype=bool)
    T[found.frames], placed[found.frames] = found.T_map_camera, True
    point_of = np.full(int(max(tracks.track.max(initial=0), found.track.max(initial=0))) + 1, -1)
    point_of[found.track] = np.arange(len(found.track))
    for frame in np.flatnonzero(~placed):
        rows = tracks.seen_in(int(frame))
        point = point_of[tracks.track[rows]]
        known = point >= 0
        if known.sum() < _MIN_AGREE:
            continue
        xy = tracks.xy_px[rows[known]]
        answer = place_frame(
            xy, found.points_map[point[known]], lens, config.mapping.epipolar_px, config.seed
        )
        if answer is not None and answer[1] >= max(_MIN_AGREE, known.sum() / 2):
            T[frame], placed[frame] = answer[0], True
    return _bridge(T, placed, t_seconds, config.judge.max_hole_s)


def _bridge(T: np.ndarray, placed: np.ndarray, t_s: np.ndarray, max_hole_s: float) -> FramePoses:
    """Poses of unplaced frames between two placed ones, on the shortest way; else the nearest one's."""
    have = np.flatnonzero(placed)
    bridged = np.zeros(len(placed), dtype=bool)
    T = T.copy()
    for frame in np.flatnonzero(~placed):
        after = int(np.searchsorted(have, frame))
        if 0 < after < len(have) and t_s[have[after]] - t_s[have[after - 1]] <= max_hole_s:
            a, b = have[after - 1], have[after]
            T[frame] = interpolate(T[a], T[b], float((t_s[frame] - t_s[a]) / (t_s[b] - t_s[a])))
            bridged[frame] = True
        elif len(have):
            near = have[np.argmin(np.abs(have - frame))]
            T[frame] = T[near]
    return FramePoses(T, placed, bridged)

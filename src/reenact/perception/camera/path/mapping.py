"""Tracks to keyframe poses and points: pairs by the five-point method, then the global mapper of ``pycolmap``.

The only file that knows ``pycolmap``. It is given tracks (followed corners, chained marks) and matches nothing itself.
"""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from reenact.errors import SetupError
from reenact.geometry.transforms import inverse
from reenact.perception.camera.path.config import MappingConfig
from reenact.perception.camera.path.tracks import CornerTracks

LICENCE = "BSD-3-Clause; pycolmap's wheels hold CHOLMOD parts under GPL-2.0-or-later"
"""Of the mapper; written beside every path. Why it is an extra (`sfm`) and not in the core."""


class NoMapper(SetupError):
    """The library that solves camera paths is not installed."""


@dataclass(frozen=True, eq=False)
class Map:
    """Keyframes and points of the largest model, in its own frame `map` (unit unknown)."""

    frames: Int64[np.ndarray, " k"]
    """Frames that were placed, rising."""
    T_map_camera: Float64[np.ndarray, "k 4 4"]
    points_map: Float64[np.ndarray, "p 3"]
    track: Int64[np.ndarray, " p"]
    """The track of each point; a track split in two keeps its longer part."""
    error_px: float
    """Mean reprojection error."""
    focal_px: float
    """Of the lens given, or as refined."""


@dataclass(frozen=True)
class PinholeLens:
    """A pinhole picture at working size, integer pixel centres."""

    focal_px: float
    cx: float
    cy: float
    width_px: int
    height_px: int


def map_keyframes(
    tracks: CornerTracks, lens: PinholeLens, config: MappingConfig, seed: int, *, refine_lens: bool = False
) -> Map | None:
    """Poses of the keyframes and points of the tracks; None where the pairs do not hang together.

    ``refine_lens``: also find the focal length, starting from the lens's.

    Raises:
        NoMapper: ``pycolmap`` is not installed.
    """
    colmap = _library()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "tracks.db"
        track_of = _write_database(colmap, database, tracks, lens, config, seed)
        models = colmap.global_mapping(database, folder, folder, _options(colmap, config, seed, refine_lens))
    if not models:
        return None
    model = max(models.values(), key=lambda m: (m.num_reg_images(), m.num_points3D()))
    return _read(model, track_of)


def place_frame(
    xy_px: Float64[np.ndarray, "n 2"],
    points_map: Float64[np.ndarray, "n 3"],
    lens: PinholeLens,
    epipolar_px: float,
    seed: int,
) -> tuple[Float64[np.ndarray, "4 4"], int] | None:
    """``T_map_camera`` of a picture that sees known points, and how many of them agree; None without an answer."""
    colmap = _library()
    search = colmap.AbsolutePoseEstimationOptions()
    search.ransac.max_error, search.ransac.random_seed = 2 * epipolar_px, seed
    found = colmap.estimate_and_refine_absolute_pose(xy_px + 0.5, points_map, _camera(colmap, lens), search)
    if found is None:
        return None
    return inverse(_matrix(found["cam_from_world"])), int(found["num_inliers"])


def _library() -> Any:
    try:
        with _own_signals():
            import pycolmap
    except ImportError as error:
        raise NoMapper(
            "camera paths need pycolmap, which is not installed",
            hint="pip install 'reenact[sfm]', or --set camera.path.method=none",
        ) from error
    pycolmap.logging.minloglevel = int(pycolmap.logging.FATAL)
    return pycolmap


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """The library takes SIGTERM for a crash and prints a stack; the process keeps its own way to end."""
    own = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, own)


def _camera(colmap: Any, lens: PinholeLens) -> Any:
    """COLMAP puts the middle of the first pixel at 0.5."""
    params = [lens.focal_px, lens.cx + 0.5, lens.cy + 0.5]
    camera = colmap.Camera(model="SIMPLE_PINHOLE", width=lens.width_px, height=lens.height_px, params=params)
    camera.has_prior_focal_length = True
    return camera


def _write_database(
    colmap: Any, path: Path, tracks: CornerTracks, lens: PinholeLens, config: MappingConfig, seed: int
) -> dict[int, np.ndarray]:
    """Keyframes, their corners and the pairs that fit one motion. Returns the tracks of each image's corners."""
    database = colmap.Database.open(path)
    camera = _camera(colmap, lens)
    camera.camera_id = database.write_camera(camera)
    rig = colmap.Rig()
    rig.add_ref_sensor(camera.sensor_id)
    rig_id = database.write_rig(rig)
    rows = {frame: tracks.seen_in(frame) for frame in tracks.keyframes}
    image_ids, track_of = {}, {}
    for frame, seen in rows.items():
        image = colmap.Image(name=str(frame), camera_id=camera.camera_id)
        image.image_id = image_ids[frame] = database.write_image(image)
        placed = colmap.Frame()
        placed.rig_id = rig_id
        placed.add_data_id(image.data_id)
        database.write_frame(placed)
        database.write_keypoints(image.image_id, (tracks.xy_px[seen] + 0.5).astype(np.float32))
        track_of[frame] = tracks.track[seen]
    search = colmap.TwoViewGeometryOptions()
    search.compute_relative_pose = True
    search.ransac.max_error, search.ransac.random_seed = config.epipolar_px, seed
    for a, b in _pairs(tracks.keyframes, config):
        _, in_a, in_b = np.intersect1d(track_of[a], track_of[b], assume_unique=True, return_indices=True)
        if len(in_a) < config.min_shared:
            continue
        both = np.stack([in_a, in_b], axis=1).astype(np.uint32)
        same = np.repeat(np.arange(len(both), dtype=np.uint32)[:, None], 2, axis=1)
        xy_a, xy_b = (tracks.xy_px[rows[f]][i] + 0.5 for f, i in ((a, in_a), (b, in_b)))
        geometry = colmap.estimate_calibrated_two_view_geometry(camera, xy_a, camera, xy_b, same, search)
        geometry.inlier_matches = both[geometry.inlier_matches[:, 0]]
        database.write_matches(image_ids[a], image_ids[b], both)
        database.write_two_view_geometry(image_ids[a], image_ids[b], geometry)
    database.close()
    return track_of


def _pairs(keyframes: tuple[int, ...], config: MappingConfig) -> list[tuple[int, int]]:
    count = len(keyframes)
    return [(keyframes[i], keyframes[i + s]) for i in range(count) for s in config.strides if i + s < count]


def _options(colmap: Any, config: MappingConfig, seed: int, refine_lens: bool) -> Any:
    """The lens stays as it is unless asked; one thread, so that the same tracks give the same map."""
    options = colmap.GlobalPipelineOptions()
    options.num_threads = options.mapper.num_threads = 1
    options.random_seed = options.mapper.random_seed = seed
    options.mapper.rotation_averaging.random_seed = options.mapper.global_positioning.random_seed = seed
    options.mapper.retriangulation.random_seed = seed
    adjust = options.mapper.bundle_adjustment
    adjust.refine_focal_length, adjust.refine_extra_params = refine_lens, False
    adjust.ceres.use_gpu = options.mapper.global_positioning.use_gpu = False
    adjust.ceres.solver_options.num_threads = 1
    options.mapper.min_tri_angle_deg = config.min_angle_deg
    return options


def _read(model: Any, track_of: dict[int, np.ndarray]) -> Map:
    poses = {int(i.name): inverse(_matrix(i.cam_from_world())) for i in model.images.values() if i.has_pose}
    frame_of = {i.image_id: int(i.name) for i in model.images.values()}
    best: dict[int, tuple[int, np.ndarray]] = {}
    for point in model.points3D.values():
        first = point.track.elements[0]
        track = int(track_of[frame_of[first.image_id]][first.point2D_idx])
        length = point.track.length()
        if length > best.get(track, (0, None))[0]:
            best[track] = (length, np.asarray(point.xyz))
    frames, order = sorted(poses), sorted(best)
    return Map(
        frames=np.array(frames, dtype=np.int64),
        T_map_camera=np.array([poses[f] for f in frames]).reshape(-1, 4, 4),
        points_map=np.array([best[t][1] for t in order], dtype=np.float64).reshape(-1, 3),
        track=np.array(order, dtype=np.int64),
        error_px=float(model.compute_mean_reprojection_error()),
        focal_px=float(next(iter(model.cameras.values())).focal_length),
    )


def _matrix(rigid: Any) -> np.ndarray:
    """4x4 of a COLMAP rigid transform."""
    T = np.eye(4)
    T[:3] = rigid.matrix()
    return T

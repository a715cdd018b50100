"""All objects of a clip: shapes, then poses; put into the scene's records.

In: what was found, the evidence of the clip, what the user says of shapes. Out: `ObjectShapes`, `ObjectTracks` (before
refinement), `PoseCovariance`, and notes per object. An object whose metres are only a guess keeps its shape and has no
valid pose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float64

from reenact.perception.pose.carried import CarriedConfig, carried_share, fitting_share
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import ObjectPoses
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.sightings import ClipEvidence, ClipSightings
from reenact.perception.pose.symmetry import Symmetry
from reenact.perception.pose.tracker import PoseTracker
from reenact.perception.pose.window import Camera
from reenact.perception.shape.contract import ShapeEstimate
from reenact.perception.shape.fit import PrimitiveFit
from reenact.perception.shape.hull import HullConfig, visual_hull
from reenact.perception.shape.problem import ShapeFitConfig
from reenact.rendering.mesh_depth import MeshDepthRenderer, View
from reenact.scene import FoundObjects, ObjectShapes, ObjectTracks, PoseCovariance, Source

_NO_MESH = (np.zeros((0, 3)), np.zeros((0, 3), np.int64))


@dataclass(frozen=True)
class ObjectsConfig:
    """Shapes and poses."""

    pose: PoseConfig = field(default_factory=PoseConfig)
    """Following poses."""
    shape: ShapeFitConfig = field(default_factory=ShapeFitConfig)
    """Fitting plain solids."""
    carried: CarriedConfig = field(default_factory=CarriedConfig)
    """What moves must be carried."""
    hull: HullConfig | None = field(default_factory=HullConfig)
    """Carve a visual hull where a thing that no plain solid fits was seen from many sides, and follow it once more with
    that; None never does."""


@dataclass(frozen=True)
class PlacedObjects:
    """The answer."""

    shapes: ObjectShapes
    objects: ObjectTracks
    covariance: PoseCovariance
    notes: Mapping[str, Any]


def place_objects(
    found: FoundObjects,
    evidence: ClipEvidence,
    given: Sequence[ShapeEstimate | None],
    config: ObjectsConfig | None = None,
) -> PlacedObjects:
    """Shapes and poses of all found objects.

    given: per object the user's shape, or None where it is to be fitted.

    Raises:
        NoGlError: no offscreen GL on this machine.
    """
    config = config or ObjectsConfig()
    camera = evidence.camera.camera()
    up = np.array([0.0, 0.0, 1.0]) if evidence.camera.world_frame == "world" else None
    sightings = [ClipSightings(evidence, i, config.pose) for i in range(len(found.names))]
    fit = PrimitiveFit(camera, config.shape)
    shapes = [g if g is not None else fit.estimate(s, up) for g, s in zip(given, sightings, strict=True)]
    poses: list[ObjectPoses | None] = [None] * len(shapes)
    drawn = [i for i, shape in enumerate(shapes) if shape is not None]
    if drawn:
        size = config.pose.window_px
        meshes = [(shapes[i].vertices, shapes[i].faces) for i in drawn]  # type: ignore[union-attr]
        with MeshDepthRenderer(View(np.eye(3), size, size), meshes, near=0.05, far=20) as renderer:
            for mesh_idx, i in enumerate(drawn):
                shape = shapes[i]
                assert shape is not None
                tracker = PoseTracker(renderer, mesh_idx, camera, config.pose)
                poses[i] = tracker.track(model_of(shape, config.pose), sightings[i], shape.start)
    if config.hull is not None:
        _carve(shapes, poses, [g is None for g in given], sightings, camera, config)
    return _records(found, evidence, shapes, poses, config.carried)


def _carve(
    shapes: list[ShapeEstimate | None],
    poses: list[ObjectPoses | None],
    fitted: list[bool],
    sightings: Sequence[ClipSightings],
    camera: Camera,
    config: ObjectsConfig,
) -> None:
    """Fitted shapes that were seen all around become hulls, in place."""
    size = config.pose.window_px
    for i, (shape, pose) in enumerate(zip(shapes, poses, strict=True)):
        if not fitted[i] or shape is None or shape.kind != "visual_hull" or pose is None:
            continue
        hull = visual_hull(shape, sightings[i], pose, camera, config.hull)
        if hull is None:
            continue
        mesh = (hull.vertices, hull.faces)
        with MeshDepthRenderer(View(np.eye(3), size, size), [mesh], near=0.05, far=20) as renderer:
            tracker = PoseTracker(renderer, 0, camera, config.pose)
            poses[i] = tracker.track(model_of(hull, config.pose), sightings[i], hull.start)
        shapes[i] = hull


def model_of(shape: ShapeEstimate, config: PoseConfig) -> ObjectModel:
    """The shape as the pose solver wants it."""
    return ObjectModel.of(
        shape.vertices,
        shape.faces,
        count=config.surface_points,
        symmetry=shape.symmetry,
        sigma_size=_relative(shape),
        seed=config.seed,
    )


def _relative(shape: ShapeEstimate) -> float:
    return float((shape.sigma_size / np.maximum(shape.size, 1e-6)).mean())


def _records(
    found: FoundObjects,
    evidence: ClipEvidence,
    shapes: Sequence[ShapeEstimate | None],
    poses: Sequence[ObjectPoses | None],
    carried: CarriedConfig,
) -> PlacedObjects:
    t, o = len(evidence.t_seconds), len(shapes)
    T, valid = np.tile(np.eye(4), (t, o, 1, 1)), np.zeros((t, o), bool)
    confidence, covariance = np.zeros((t, o)), np.tile(np.eye(6), (t, o, 1, 1))
    notes: dict[str, Any] = {}
    for i, (shape, pose) in enumerate(zip(shapes, poses, strict=True)):
        about: dict[str, Any] = {"name": found.names[i], "poses_in": _frame_of(evidence)}
        if shape is None:
            about["problem"] = "no frame shows enough of it to tell its shape"
        else:
            about["shape"] = {**shape.notes, "kind": shape.kind, "scale_source": shape.scale_source}
        if pose is not None and shape is not None:
            about["pose"] = dict(pose.notes)
            T[:, i], covariance[:, i] = pose.T_world_object, with_scale(pose, shape, evidence)
            problem = _contradicted(pose, shape, i, evidence, carried, about)
            if shape.known and problem:
                about["problem"] = problem
            elif shape.known:
                valid[:, i], confidence[:, i] = pose.valid, pose.confidence * shape.confidence**0.5
            else:
                about["problem"] = "nothing tells its size: give --object-size or --object-mesh"
        notes[found.object_ids[i]] = about
    meshes = [(s.vertices, s.faces) if s is not None else _NO_MESH for s in shapes]
    objects = ObjectTracks(
        object_ids=found.object_ids,
        names=found.names,
        T_world_object=T,
        valid=valid,
        confidence=np.where(valid, confidence, 0.0),
        source=np.where(valid, np.uint8(Source.OBSERVED), np.uint8(Source.UNKNOWN)),
        mesh_vertices=np.concatenate([m[0] for m in meshes]) if meshes else _NO_MESH[0],
        mesh_faces=np.concatenate([m[1] for m in meshes]) if meshes else _NO_MESH[1],
        vertex_start=np.cumsum([0, *(len(m[0]) for m in meshes)]).astype(np.int64),
        face_start=np.cumsum([0, *(len(m[1]) for m in meshes)]).astype(np.int64),
    )
    spread = PoseCovariance(object_ids=found.object_ids, covariance=covariance, valid=valid)
    return PlacedObjects(_shapes(found, shapes), objects, spread, notes)


def _contradicted(
    pose: ObjectPoses,
    shape: ShapeEstimate,
    i: int,
    evidence: ClipEvidence,
    config: CarriedConfig,
    about: dict[str, Any],
) -> str:
    """Why none of the poses is to be believed, taken together; empty if they may be. The shares go into the notes."""
    is_exact = shape.kind == "user_mesh"
    fitting = fitting_share(pose.valid, i, evidence, config)
    vertices = shape.vertices[:: max(1, len(shape.vertices) // 400)]
    reach = config.reach if is_exact else config.reach_fitted
    carried = carried_share(pose.T_world_object, pose.valid, vertices, i, evidence, reach, config)
    about["fitting_share"], about["carried_share"] = (
        None if s is None else round(s, 3) for s in (fitting, carried)
    )
    if is_exact and fitting is not None and fitting < config.least_fitting:
        return f"its mesh fits its outline in {fitting:.0%} of the frames that show it only"
    if carried is not None and carried < config.least_share:
        return "it moves with no hand at it: what was outlined is not all of it"
    return ""


def _frame_of(evidence: ClipEvidence) -> str:
    """What the poses are relative to: the world, the first camera, or each frame's own camera where its path is unknown."""
    camera = evidence.camera
    if not camera.path_known:
        return "camera of each frame"
    return str(camera.world_frame)


def with_scale(
    pose: ObjectPoses, shape: ShapeEstimate, evidence: ClipEvidence
) -> Float64[np.ndarray, "t 6 6"]:
    """The pose's covariance with what all its readings share along the line of sight: the scale of measured depth,
    or else the size of the object and the focal length.

    On a path of a wrong unit, what rests seems to go by that part of the camera's own way; and it wanders with the path's
    turns at its distance (rendered clips: 5 to 11 mm where that says 8 to 13 mm, 20 to 50 mm where it says 25 mm)."""
    covariance = np.array(pose.covariance)
    eye = evidence.camera.scene_T_camera()[:, :3, 3]
    sight = pose.T_world_object[:, :3, 3] - eye
    relative = np.full(len(sight), np.hypot(_relative(shape), evidence.camera.focal_sigma))
    for k in range(len(sight)):
        found = evidence.depth(k) if evidence.depth is not None and pose.valid[k] else None
        if found is not None:
            relative[k] = min(relative[k] if shape.scale_source == "user" else np.inf, found[1])
    covariance[:, :3, :3] += (relative**2)[:, None, None] * sight[:, :, None] * sight[:, None, :]
    if evidence.room is not None:
        way = evidence.room.scale_sigma * (eye - eye.mean(axis=0))
        turned = evidence.room.turn_sigma**2 * (sight**2).sum(axis=1)
        covariance[:, :3, :3] += way[:, :, None] * way[:, None, :] + turned[:, None, None] * np.eye(3)
    return covariance


def _shapes(found: FoundObjects, shapes: Sequence[ShapeEstimate | None]) -> ObjectShapes:
    def rows(values: list[np.ndarray]) -> np.ndarray:
        return np.array(values, np.float64).reshape(len(shapes), 3)

    alike = [s.symmetry if s is not None else Symmetry.none() for s in shapes]
    return ObjectShapes(
        object_ids=found.object_ids,
        kinds=tuple(s.kind if s is not None else "unknown" for s in shapes),
        size=rows([s.size if s is not None else np.zeros(3) for s in shapes]),
        sigma_size=rows([s.sigma_size if s is not None else np.ones(3) for s in shapes]),
        scale_sources=tuple(s.scale_source if s is not None else "unknown" for s in shapes),
        confidence=np.array([s.confidence if s is not None else 0.0 for s in shapes], np.float64),
        symmetry_axis=rows([s.axis for s in alike]),
        symmetry_orders=rows([s.orders for s in alike]).astype(np.int64),
    )

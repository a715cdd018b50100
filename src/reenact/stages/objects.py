"""Stage `objects`: shapes and 6-DoF poses as perceived, before refinement.

In: clip, camera, hands, found, masks, points, depth, support (or truth). Out: the records `shapes`, `objects_raw` and
`pose_covariance`. What cannot be told is not valid, and `notes.json` says why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reenact.perception.depth.stored import StoredDepth
from reenact.perception.pose.all_objects import ObjectsConfig, place_objects
from reenact.perception.pose.model import sample_surface
from reenact.perception.pose.sightings import ClipEvidence
from reenact.perception.pose.symmetry import find_symmetry
from reenact.perception.pose.truth import TruthPoseConfig, noisy_truth
from reenact.perception.shape.contract import BadShape, ShapeEstimate
from reenact.perception.shape.user import MeshFile, StatedSize, shape_from_mesh, shape_from_size
from reenact.pipeline.stage import StageCall
from reenact.records import load_record, save_record
from reenact.scene import (
    CameraTrack,
    FoundObjects,
    ObjectShapes,
    ObjectTracks,
    PointTracks,
    PoseCovariance,
    Scene,
    SupportPlane,
)
from reenact.stages import layout
from reenact.stages.clip import load_clip
from reenact.stages.depth import is_dense
from reenact.stages.masks import load_masks
from reenact.stages.notes import write_json, write_notes
from reenact.stages.scene import load_camera_path, load_hands


@dataclass(frozen=True)
class NamedMesh:
    """A user's mesh for the objects whose name, id or number is `label`; "*" is any."""

    label: str
    path: str
    unit: str = "m"
    sha256: str = ""
    """Of the file, so that another file is another setting."""

    @staticmethod
    def parse(text: str) -> NamedMesh:
        """`LABEL=FILE` or `LABEL=FILE@mm`.

        Raises:
            BadShape: no label, or no such file.
        """
        label, equals, rest = text.partition("=")
        file = MeshFile.parse(rest)
        if not equals or not label or not file.path.is_file():
            raise BadShape(f"object mesh {text!r}", hint="LABEL=FILE, and the file must exist")
        digest = hashlib.sha256(file.path.read_bytes()).hexdigest()
        return NamedMesh(label, str(file.path), file.unit, digest)


@dataclass(frozen=True)
class NamedSize:
    """A stated size for the objects whose name, id or number is `label`; "*" is any."""

    label: str
    size: tuple[float, float, float]
    solid: str = "box"

    @staticmethod
    def parse(text: str) -> NamedSize:
        """`LABEL=X,Y,Z` or `LABEL=X,Y,Z,cylinder` (metres, z up). Raises `BadShape`."""
        label, equals, rest = text.partition("=")
        if not equals or not label:
            raise BadShape(f"object size {text!r}", hint="LABEL=X,Y,Z in metres")
        stated = StatedSize.parse(rest)
        return NamedSize(label, stated.size, stated.kind)


@dataclass(frozen=True)
class PlacedObjectsConfig:
    """Which backend, and its settings."""

    backend: Literal["classical", "truth"] = "classical"
    """classical: outline, depth, points, plane and hand on the CPU; truth: a toy clip's own poses with stated noise."""
    meshes: tuple[NamedMesh, ...] = ()
    """Mesh files given by the user."""
    sizes: tuple[NamedSize, ...] = ()
    """Sizes given by the user."""
    classical: ObjectsConfig = field(default_factory=ObjectsConfig)
    """Thresholds."""
    truth: TruthPoseConfig = field(default_factory=TruthPoseConfig)
    """Noise put on the truth."""


def run(call: StageCall[PlacedObjectsConfig]) -> None:
    """See the module's docstring."""
    found = load_record(FoundObjects, call.inputs["found"], "found")
    if call.config.backend == "truth":
        _from_truth(call, found)
        return
    given = given_shapes(found, call.config)
    with StoredDepth(call.inputs["depth"]) as depth:
        placed = place_objects(found, _evidence(call, depth), given, call.config.classical)
    save_record(placed.shapes, call.out, "shapes")
    save_record(placed.objects, call.out, "objects_raw")
    save_record(placed.covariance, call.out, "pose_covariance")
    write_notes(call.out, {"backend": "classical", "licence": "none", "objects": placed.notes})
    write_json(call.out / layout.QUALITY, measures(placed.notes))


def measures(notes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the report shows of each object: how well its shape and its poses fit what was seen."""
    out: dict[str, dict[str, Any]] = {}
    for object_id, about in notes.items():
        shape, pose = about.get("shape", {}), about.get("pose", {})
        out[f"{about['name']} ({object_id})"] = {
            "shape": {k: shape[k] for k in ("iou", "misfit", "depth_misfit") if k in shape},
            "poses": pose.get("fit", {}),
            "frames_refused": pose.get("refused", {}),
        }
    return out


def _evidence(call: StageCall[PlacedObjectsConfig], depth: StoredDepth) -> ClipEvidence:
    masks = load_masks(call.inputs["masks"])
    return ClipEvidence(
        camera=load_record(CameraTrack, call.inputs["camera"], "camera"),
        t_seconds=load_clip(call.inputs["clip"]).t_seconds,
        masks=masks.tracks,
        labels=lambda k: masks.labels[k],
        depth=depth if depth.metric and is_dense(depth.record.backend) else None,
        points=load_record(PointTracks, call.inputs["points"], "points"),
        hands=load_hands(call.inputs),
        support=load_record(SupportPlane, call.inputs["support"], "support"),
        room=load_camera_path(call.inputs),
    )


def given_shapes(found: FoundObjects, config: PlacedObjectsConfig) -> list[ShapeEstimate | None]:
    """What the user said of each object; a mesh wins over a size.

    Raises:
        BadShape: a mesh or size is given for a name that no object of the clip has, or the mesh is of no use.
    """
    if found.object_ids:
        for label in [mesh.label for mesh in config.meshes] + [size.label for size in config.sizes]:
            if not any(_meant(label, i, found) for i in range(len(found.object_ids))):
                raise BadShape(
                    f"no object of this clip is called {label!r}",
                    hint=f"found: {', '.join(found.names)}; the label of --object-box or --object-label, or * for any",
                )
    return [_given_shape(i, found, config) for i in range(len(found.object_ids))]


def _meant(label: str, object_idx: int, found: FoundObjects) -> bool:
    """Is an object the one that a user's label names?"""
    own = (found.object_ids[object_idx].lower(), str(object_idx))
    return label == "*" or label.lower() in own or label.lower() in found.names[object_idx].lower()


def _given_shape(object_idx: int, found: FoundObjects, config: PlacedObjectsConfig) -> ShapeEstimate | None:
    for mesh in config.meshes:
        if _meant(mesh.label, object_idx, found):
            return shape_from_mesh(MeshFile(Path(mesh.path), mesh.unit))
    for stated in config.sizes:
        if _meant(stated.label, object_idx, found):
            return shape_from_size(StatedSize(stated.size, stated.solid))
    return None


def _from_truth(call: StageCall[PlacedObjectsConfig], found: FoundObjects) -> None:
    """The true objects that were found, in the order in which they were found."""
    truth = Scene.load(call.inputs["truth"]).objects
    if truth is None:
        raise BadShape("the truth holds no objects", hint="choose another backend")
    order = [truth.object_ids.index(name) for name in found.object_ids if name in truth.object_ids]
    noisy, covariance = noisy_truth(_chosen(truth, order), call.config.truth)
    size = np.array([np.ptp(noisy.mesh(i)[0], axis=0) for i in range(len(order))]).reshape(-1, 3)
    meshes = [noisy.mesh(i) for i in range(len(order))]
    alike = [find_symmetry(sample_surface(*mesh, 3000, 0)[0], mesh[0]) for mesh in meshes]
    shapes = ObjectShapes(
        object_ids=noisy.object_ids,
        kinds=("truth",) * len(order),
        size=size,
        sigma_size=0 * size,
        scale_sources=("truth",) * len(order),
        confidence=np.ones(len(order)),
        symmetry_axis=np.array([s.axis for s in alike]).reshape(-1, 3),
        symmetry_orders=np.array([s.orders for s in alike], np.int64).reshape(-1, 3),
    )
    save_record(shapes, call.out, "shapes")
    save_record(noisy, call.out, "objects_raw")
    save_record(PoseCovariance(object_ids=noisy.object_ids, covariance=covariance.covariance, valid=noisy.valid),
                call.out, "pose_covariance")  # fmt: skip
    write_notes(call.out, {"backend": "truth", "licence": "none"})


def _chosen(objects: ObjectTracks, order: list[int]) -> ObjectTracks:
    meshes = [objects.mesh(i) for i in order]
    empty = (np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    return ObjectTracks(
        object_ids=tuple(objects.object_ids[i] for i in order),
        names=tuple(objects.names[i] for i in order),
        T_world_object=objects.T_world_object[:, order],
        valid=objects.valid[:, order],
        confidence=objects.confidence[:, order],
        source=objects.source[:, order],
        mesh_vertices=np.concatenate([m[0] for m in meshes] or [empty[0]]),
        mesh_faces=np.concatenate([m[1] for m in meshes] or [empty[1]]),
        vertex_start=np.cumsum([0, *(len(m[0]) for m in meshes)]).astype(np.int64),
        face_start=np.cumsum([0, *(len(m[1]) for m in meshes)]).astype(np.int64),
    )

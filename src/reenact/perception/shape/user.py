"""Shapes that the user gives: a mesh file (OBJ, STL, PLY, GLB; trimesh reads it) or the size of a plain solid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from reenact.errors import SetupError
from reenact.geometry.mesh_distance.crossings import inside_lattice
from reenact.perception.pose.model import sample_surface
from reenact.perception.pose.symmetry import find_symmetry
from reenact.perception.shape.contract import BadShape, ShapeEstimate
from reenact.perception.shape.primitives import KINDS, primitive_mesh, primitive_symmetry

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
_SMALLEST, _LARGEST = 0.005, 3.0
_LATTICE, _LEAST_SOLID = 40, 0.005
"""Points across in which inside is looked for, and the least share of them: thin walls of a bowl are more."""


class NoMeshReader(SetupError):
    """trimesh is not installed."""


@dataclass(frozen=True)
class MeshFile:
    """A file and the unit of its numbers."""

    path: Path
    unit: str = "m"

    @staticmethod
    def parse(text: str) -> MeshFile:
        """`FILE` or `FILE@mm` (m, cm, mm, in)."""
        path, _, unit = text.rpartition("@")
        return MeshFile(Path(path), unit) if path and unit in UNITS else MeshFile(Path(text))


@dataclass(frozen=True)
class StatedSize:
    """Extent x, y, z in metres, z up, and what kind of solid it is."""

    size: tuple[float, float, float]
    kind: str = "box"

    @staticmethod
    def parse(text: str) -> StatedSize:
        """`X,Y,Z` or `X,Y,Z,cylinder`; without a kind: a box.

        Raises:
            BadShape: not three positive numbers, or an unknown kind.
        """
        parts = [part.strip() for part in text.split(",")]
        kind = parts.pop() if parts and parts[-1] in KINDS else "box"
        try:
            x, y, z = (float(part) for part in parts)
        except ValueError:
            raise BadShape(
                f"object size {text!r} is not X,Y,Z", hint=f"metres, then perhaps one of {', '.join(KINDS)}"
            ) from None
        if not all(_SMALLEST <= v <= _LARGEST for v in (x, y, z)):
            raise BadShape(f"object size {text!r}", hint=f"metres between {_SMALLEST} and {_LARGEST}")
        return StatedSize((x, y, z), kind)


def shape_from_mesh(file: MeshFile) -> ShapeEstimate:
    """The mesh in its own frame; its symmetry is looked for.

    Raises:
        NoMeshReader: the extra `objects` is not installed.
        BadShape: no such file, no mesh in it, a mesh without an inside, or a size that is not of a thing one handles.
    """
    vertices, faces = _read(file.path)
    vertices = vertices * UNITS[file.unit]
    extent = np.ptp(vertices, axis=0)
    if not _SMALLEST <= float(extent.max()) <= _LARGEST:
        raise BadShape(
            f"{file.path.name} is {extent.max():.3g} m across",
            hint="say the unit of its numbers: FILE@mm, FILE@cm, FILE@in",
        )
    if _solid_share(vertices, faces) < _LEAST_SOLID:
        raise BadShape(
            f"{file.path.name} has no inside: it is an open sheet, or its faces look inward",
            hint="a closed mesh whose faces look outward (small holes are allowed), or --object-size instead",
        )
    points, _ = sample_surface(vertices, faces, 3000, 0)
    symmetry = find_symmetry(points, vertices)
    notes = {"file": file.path.name, "unit": file.unit, "faces": len(faces)}
    return ShapeEstimate("user_mesh", vertices, faces, 0.01 * extent, "user", 1.0, symmetry, notes=notes)


def shape_from_size(stated: StatedSize) -> ShapeEstimate:
    """A plain solid of the stated size; 3 % of it is allowed for what a solid leaves out."""
    size: Float64[np.ndarray, " 3"] = np.array(stated.size)
    vertices, faces = primitive_mesh(stated.kind, size)
    return ShapeEstimate(
        "known_primitive",
        vertices,
        faces,
        0.03 * size,
        "user",
        0.9,
        primitive_symmetry(stated.kind, size),
        notes={"solid": stated.kind},
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise BadShape(f"no mesh file at {path}")
    trimesh = _trimesh()
    try:
        mesh = trimesh.load(path, force="mesh", process=False)
    except (ValueError, KeyError, IndexError, OSError, NotImplementedError) as error:
        raise BadShape(
            f"{path.name} cannot be read as a mesh: {error}", hint="OBJ, STL, PLY or GLB"
        ) from error
    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    if len(faces) == 0:
        raise BadShape(f"{path.name} holds no triangles", hint="OBJ, STL, PLY or GLB")
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return vertices, faces[area > 0]


def _solid_share(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Share of the bounding box that is inside; small holes do no harm (three directions vote)."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    x, y, z = (np.linspace(low[k], high[k], _LATTICE + 2)[1:-1] for k in range(3))
    if not (high > low).all():
        return 0.0
    return float(inside_lattice(vertices[faces], (x, y, z)).mean())


def _trimesh() -> Any:
    try:
        import trimesh
    except ImportError as error:
        raise NoMeshReader("mesh files need trimesh", hint="pip install 'reenact[objects]'") from error
    return trimesh

"""Solids are what they say; fits find the planted size within their own sigmas; user shapes are read or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.pose.contract import Plane
from reenact.perception.pose.model import sample_surface
from reenact.perception.shape.contract import BadShape
from reenact.perception.shape.fit import PrimitiveFit
from reenact.perception.shape.primitives import KINDS, primitive_distance, primitive_mesh, primitive_symmetry
from reenact.perception.shape.problem import ShapeFitConfig
from reenact.perception.shape.user import MeshFile, StatedSize, shape_from_mesh, shape_from_size
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View
from tests.perception.pose.solids import drawn_sightings

SIZE = np.array([0.05, 0.08, 0.12])
CAMERA = PinholeCamera(260.0, 260.0, 119.5, 89.5, 240, 180)
VIEW = View(np.asarray(CAMERA.K), 240, 180)
VOLUME = {"box": 1.0, "cylinder": np.pi / 4, "sphere": np.pi / 6, "ellipsoid": np.pi / 6}


@pytest.mark.parametrize("kind", KINDS)
def test_solids_have_their_extent_volume_and_distance(kind: str) -> None:
    vertices, faces = primitive_mesh(kind, SIZE)
    assert np.allclose(np.ptp(vertices, axis=0), SIZE, rtol=2e-3)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    volume = float((a * np.cross(b, c)).sum() / 6)
    assert volume == pytest.approx(VOLUME[kind] * SIZE.prod(), rel=0.015), "closed, and facing outwards"
    points, normals = sample_surface(vertices, faces, 500, 0)
    assert np.abs(primitive_distance(kind, SIZE, points)).max() < 4e-4
    off = primitive_distance(kind, SIZE, points + 0.004 * normals)
    assert np.median(off) == pytest.approx(0.004, rel=0.1)
    assert (primitive_distance(kind, SIZE, points * 0.8) < 0).all()


def test_a_solid_without_size_is_refused() -> None:
    with pytest.raises(BadShape):
        primitive_mesh("box", np.array([0.1, 0.0, 0.1]))
    with pytest.raises(BadShape):
        primitive_mesh("cone", SIZE)
    assert primitive_symmetry("cylinder", np.array([0.06, 0.06, 0.1])).axis.tolist() == [0, 0, 1]
    assert primitive_symmetry("box", SIZE).orders.tolist() == [2, 2, 2]


def _standing(kind: str, depth_sigma: float | None):
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    tilt = np.deg2rad(35)
    R_camera_world = np.array(
        [[1, 0, 0], [0, -np.sin(tilt), -np.cos(tilt)], [0, np.cos(tilt), -np.sin(tilt)]]
    )
    T = make_T(R_camera_world @ so3_exp(np.array([0, 0, 0.5])), np.array([0.04, 0.02, 0.65]))
    up = R_camera_world[:, 2]
    plane = Plane(up, float(up @ T[:3, 3]) - SIZE[2] / 2, 0.003)
    size = SIZE if kind == "box" else SIZE[[1, 1, 2]]
    seen = drawn_sightings(primitive_mesh(kind, size), T[None], VIEW, depth_sigma=depth_sigma, plane=plane)
    return size, T, seen


@pytest.mark.parametrize(("kind", "depth_sigma"), [("cylinder", None), ("box", 0.01)])
def test_a_standing_solid_is_measured_within_its_sigmas(kind: str, depth_sigma: float | None) -> None:
    size, T, seen = _standing(kind, depth_sigma)
    shape = PrimitiveFit(CAMERA, ShapeFitConfig(window_px=80)).estimate(seen, None, ("cylinder", "box"))
    assert shape is not None
    assert shape.kind == kind
    assert shape.scale_source == ("support" if depth_sigma is None else "depth")
    found = np.sort(shape.size[:2]), np.sort(size[:2])
    assert np.abs(found[0] - found[1]).max() < 0.006
    assert abs(shape.size[2] - size[2]) < 0.004
    assert (np.abs(np.sort(shape.size) - np.sort(size)) < 3 * np.sort(shape.sigma_size)).all()
    assert shape.start is not None
    assert np.linalg.norm(shape.start.T_world_object[:3, 3] - T[:3, 3]) < 0.006


def test_without_plane_depth_or_hand_the_size_is_a_guess_and_says_so() -> None:
    _, _, seen = _standing("box", None)
    shape = PrimitiveFit(CAMERA).estimate([replace(s, plane=None) for s in seen], None, ("cylinder",))
    assert shape is not None
    assert shape.scale_source == "prior"
    assert not shape.known
    assert (shape.sigma_size > 0.4 * shape.size).all()


def test_a_users_mesh_is_read_in_its_unit(tmp_path: Path) -> None:
    pytest.importorskip("trimesh", reason="extra `objects` not installed")
    vertices, faces = primitive_mesh("cylinder", np.array([60.0, 60.0, 110.0]))
    lines = [f"v {x} {y} {z}" for x, y, z in vertices] + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]
    path = tmp_path / "can.obj"
    path.write_text("\n".join(lines))
    shape = shape_from_mesh(MeshFile.parse(f"{path}@mm"))
    assert np.allclose(shape.size, [0.06, 0.06, 0.11], rtol=1e-3)
    assert shape.symmetry.axis.tolist() == [0, 0, 1]
    with pytest.raises(BadShape, match="m across"):
        shape_from_mesh(MeshFile.parse(str(path)))
    with pytest.raises(BadShape, match="no mesh file"):
        shape_from_mesh(MeshFile(tmp_path / "none.obj"))
    path.write_text("v 0 0 0\n")
    with pytest.raises(BadShape):
        shape_from_mesh(MeshFile(path))


def test_a_mesh_needs_an_inside_but_may_have_a_small_hole(tmp_path: Path) -> None:
    pytest.importorskip("trimesh", reason="extra `objects` not installed")
    vertices, faces = primitive_mesh("box", SIZE)
    path = tmp_path / "box.obj"

    def read(faces: np.ndarray) -> np.ndarray:
        lines = [f"v {x} {y} {z}" for x, y, z in vertices] + [
            f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces
        ]
        path.write_text("\n".join(lines))
        return shape_from_mesh(MeshFile(path)).size

    assert np.allclose(read(faces[1:]), SIZE, rtol=1e-3)
    for useless in (faces[:2], faces[:, ::-1]):  # an open sheet; a box seen from within
        with pytest.raises(BadShape, match="no inside") as refused:
            read(useless)
        assert "--object-size" in refused.value.hint


@pytest.mark.parametrize("text", ["0.1,0.1", "a,b,c", "0.1,0.1,-1", "10,0.1,0.1"])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadShape):
        StatedSize.parse(text)


def test_a_stated_size_is_kept() -> None:
    shape = shape_from_size(StatedSize.parse("0.108,0.108,0.235,cylinder"))
    assert np.allclose(shape.size, [0.108, 0.108, 0.235])
    assert (shape.kind, shape.scale_source) == ("known_primitive", "user")

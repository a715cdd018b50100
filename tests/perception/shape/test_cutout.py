"""A thing that no plain solid fits is cut out of its picture, and says how little it knows."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.shape.fit import PrimitiveFit
from reenact.perception.shape.problem import ShapeFitConfig
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import View
from tests.perception.pose.solids import box, drawn_sightings

CAMERA = PinholeCamera(260.0, 260.0, 119.5, 89.5, 240, 180)
VIEW = View(np.asarray(CAMERA.K), 240, 180)


def hammer() -> tuple[np.ndarray, np.ndarray]:
    """A head across the end of a handle."""
    handle, head = box(0.03, 0.22, 0.03), box(0.13, 0.04, 0.03)
    vertices = np.concatenate([handle[0], head[0] + [0.0, 0.12, 0.0]])
    return vertices - [0, 0.015, 0], np.concatenate([handle[1], head[1] + len(handle[0])])


@pytest.mark.parametrize("roll", [0.3, 1.2])
def test_a_hammer_gets_its_outline_as_shape_within_the_stated_spread(roll: float) -> None:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    vertices, faces = hammer()
    T = make_T(so3_exp(np.array([0.0, 0.0, roll])), np.array([0.02, 0.01, 0.6]))
    seen = drawn_sightings((vertices, faces), T[None], VIEW, depth_sigma=0.01)
    shape = PrimitiveFit(CAMERA, ShapeFitConfig(window_px=80)).estimate(seen, None, ("cylinder",))
    assert shape is not None
    assert shape.kind == "visual_hull"
    assert shape.notes["plain_iou"] < 0.8
    in_picture = np.ptp(vertices @ T[:3, :3].T, axis=0)
    assert (np.abs(shape.size - in_picture) < 2 * shape.sigma_size).all()
    assert (shape.sigma_size > 0.19 * shape.size).all(), "how it is turned away from the picture is not seen"
    assert shape.confidence < 0.3
    corners = vertices[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    assert area.min() > 0
    assert shape.start is not None
    assert np.linalg.norm(shape.start.T_world_object[:3, 3] - T[:3, 3]) < 0.03

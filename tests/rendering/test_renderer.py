"""Pixels lie where K says, depth is z in metres, identity names the right geom, nothing leaks out."""

from __future__ import annotations

import os

import mujoco
import numpy as np
import pytest

from reenact.rendering import gl
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.renderer import OffscreenRenderer, RenderConfig, look_at

SCENE = """<mujoco><worldbody><light pos="0 0 3"/>
<geom name="wall" type="box" size=".01 2 2" pos="2 0 1" rgba=".2 .2 .9 1"/>
<geom name="ball" type="sphere" size=".03" pos="{}" rgba=".9 .1 .1 1"/>
<geom name="hidden" type="box" size="3 3 3" group="3"/></worldbody></mujoco>"""
BALL = np.array([0.6, 0.13, 1.08])


@pytest.fixture(scope="module", params=[0, 4], ids=["plain", "multisampled"])
def seen(request):
    try:
        choose_backend()
    except NoGlError as err:
        pytest.skip(str(err))
    model = mujoco.MjModel.from_xml_string(SCENE.format(" ".join(map(str, BALL))))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    K = np.array([[420.0, 0, 150.0], [0, 390.0, 131.0], [0, 0, 1]])
    T_world_camera = look_at(np.array([-0.4, -0.2, 1.3]), np.array([0.6, 0.0, 1.0]))
    config = RenderConfig(width_px=320, height_px=240, samples=request.param)
    before = (model.vis.global_.offwidth, model.vis.quality.offsamples)
    with OffscreenRenderer(model, config) as renderer:
        renderer.look(data, K, T_world_camera)
        result = renderer.rgb(), renderer.surfaces()
        again = renderer.rgb()
    assert before == (model.vis.global_.offwidth, model.vis.quality.offsamples)
    return model, K, T_world_camera, result, again


def test_ball_appears_where_the_intrinsics_project_it(seen):
    model, K, T_world_camera, (_, surfaces), _ = seen
    ball = (surfaces.object_idx == model.geom("ball").id) & surfaces.hit
    v, u = np.nonzero(ball)
    centre = np.linalg.inv(T_world_camera) @ [*BALL, 1.0]
    expected = (K @ centre[:3])[:2] / centre[2]
    assert np.abs([u.mean(), v.mean()] - expected).max() < 0.3


def test_depth_is_metric_z_to_a_millimetre(seen):
    model, K, T_world_camera, (_, surfaces), _ = seen
    wall = (surfaces.object_idx == model.geom("wall").id) & surfaces.hit
    v, u = np.nonzero(wall)
    rays = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones(len(u))], axis=1)
    points = rays * surfaces.depth[v, u, None] @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]
    front = points[:, 0]
    assert len(front) > 10_000
    assert np.abs(front - 1.99).max() < 1e-3


def test_colour_shows_what_identity_says_and_is_repeatable(seen):
    model, _, _, (rgb, surfaces), again = seen
    ball = (surfaces.object_idx == model.geom("ball").id) & surfaces.hit
    assert rgb[ball][:, 0].mean() > 2 * rgb[ball][:, 2].mean()
    assert np.array_equal(rgb, again)


def test_identity_names_only_visible_geoms_even_along_edges(seen):
    model, _, _, (_, surfaces), _ = seen
    known = {model.geom("wall").id, model.geom("ball").id}
    assert set(np.unique(surfaces.object_idx[surfaces.hit])) == known


def test_collision_group_is_not_drawn_by_default(seen):
    model, _, _, (_, surfaces), _ = seen
    assert not ((surfaces.object_idx == model.geom("hidden").id) & surfaces.hit).any()


def test_no_variable_is_left_in_the_environment(seen):
    assert "MUJOCO_GL" not in os.environ or os.environ["MUJOCO_GL"] != gl.choose_backend().name
    assert os.environ.get("PYOPENGL_PLATFORM") is None


def test_no_gl_at_all_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(
        gl, "_candidates", lambda: [("egl", "libEGL.so.1 does not load"), ("osmesa", "absent")]
    )
    gl.choose_backend.cache_clear()
    with pytest.raises(NoGlError, match=r"egl: libEGL.so.1 does not load; osmesa: absent .*apt install"):
        gl.choose_backend()
    gl.choose_backend.cache_clear()

"""Robots stand still under gravity and can be seen."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.renderer import RenderConfig, look_at
from reenact.robots.build import COLLISION_GROUP, VISUAL_GROUP
from reenact.robots.pictures import Studio, StudioConfig

SMALL = StudioConfig(render=RenderConfig(width_px=160, height_px=120))


def test_servos_hold_the_home_pose_under_gravity(robot):
    model, data = robot.model, mujoco.MjData(robot.model)
    data.qpos[:] = robot.home_q
    names = [model.actuator(k).name for k in range(model.nu)]
    data.ctrl[:] = robot.home_q[robot.joint_idx(names)]
    mujoco.mj_step(model, data, 200)
    assert np.abs(data.qpos - robot.home_q).max() < 0.06
    assert np.abs(data.qvel).max() < 0.2


def test_every_moving_body_is_drawn_and_collides(robot):
    """A finger or arm link without a shape would be a hole in the picture and in the physics."""
    model = robot.model
    bodies = {int(b) for arm in robot.arms.values() for b in model.jnt_bodyid[arm.joint_idx]}
    bodies |= {int(b) for hand in robot.hands.values() for b in model.jnt_bodyid[hand.joint_idx]}
    tips = {model.body(f.tip.body).id for hand in robot.sheet.hands.values() for f in hand.fingers.values()}
    for group in (VISUAL_GROUP, COLLISION_GROUP):
        shaped = {int(b) for b, g in zip(model.geom_bodyid, model.geom_group, strict=True) if g == group}
        assert len(bodies & shaped) > 0.5 * len(bodies)
        assert all(tip in shaped or int(model.body_parentid[tip]) in shaped for tip in tips)


@pytest.fixture
def needs_gl():
    try:
        choose_backend()
    except NoGlError as err:
        pytest.skip(str(err))


def test_a_picture_shows_the_robot_and_follows_its_base(needs_gl, make_robot):
    robot = make_robot("unitree_g1_dex3")
    with Studio(robot, SMALL) as studio:
        camera = studio.camera()
        at_home = studio.render(robot.home_q)
        T = np.eye(4)
        T[:3, 3] = [0.0, 0.4, 0.0]
        aside = studio.render(robot.home_q, T, camera)
        away = studio.render(
            robot.home_q, T, (camera[0], look_at(np.array([3.0, 0, 1]), np.array([9.0, 0, 1])))
        )
    assert at_home.shape == (120, 160, 3)
    dark = at_home.astype(int).sum(axis=2) < 200
    assert 0.005 < dark.mean() < 0.2
    shifted = aside.astype(int).sum(axis=2) < 200
    assert np.nonzero(shifted)[1].mean() > np.nonzero(dark)[1].mean() + 5
    assert (away.astype(int).sum(axis=2) < 200).mean() < 0.001


def test_pictures_are_repeatable(needs_gl, make_robot):
    robot = make_robot("xlerobot")
    with Studio(robot, SMALL) as studio:
        assert np.array_equal(studio.render(robot.home_q), studio.render(robot.home_q))

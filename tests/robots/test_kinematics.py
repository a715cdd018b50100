"""Our numpy kinematics are MuJoCo's; our Jacobians are the derivative of our kinematics."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from reenact.geometry.rotations import so3_log
from reenact.robots.build import BASE
from reenact.robots.kinematics import Kinematics
from reenact.robots.sheet import FrameSpec

EVERY_KIND = """<mujoco><compiler angle="radian"/><worldbody><body name="root" mocap="true" pos="0 0 1">
<body name="a" pos=".1 .2 .3" quat=".5 .1 -.3 .8"><joint name="h" axis="1 2 -1" pos=".05 0 .02" ref=".3"/>
<joint name="s" type="slide" axis="0 1 1"/><geom size=".1"/>
<body name="b" pos="0 0 .2" euler=".4 3.14159265358979 0"><geom size=".1"/><joint name="g" axis="0 0 -1"/>
<body name="c" pos="0 .1 0" euler="0 1.57079632679 .2"><geom size=".1"/>
<joint name="t" type="slide" axis="-1 0 0"/></body>
<body name="d" pos=".3 0 0"><geom size=".1"/><joint name="k" axis="0 1 0"/></body>
</body></body></body></worldbody></mujoco>"""


def mujoco_frames(model, base, q, bodies):
    data = mujoco.MjData(model)
    data.qpos[:] = q
    mujoco.mj_kinematics(model, data)
    T = np.tile(np.eye(4), (len(bodies) + 1, 1, 1))
    for k, name in enumerate([base, *bodies]):
        body = model.body(name).id
        T[k, :3, :3], T[k, :3, 3] = data.xmat[body].reshape(3, 3), data.xpos[body]
    return np.linalg.inv(T[0]) @ T[1:]


def test_batched_kinematics_equal_mujoco_to_1e9(robot, random_q):
    names = [n for n in robot.kinematics.frame_names if not n.startswith(("wrist_", "tip_", "grip_"))]
    q = random_q(robot, 12, seed=1)
    ours = robot.frames(q, names)
    for row in range(len(q)):
        theirs = mujoco_frames(robot.model, BASE, q[row], names)
        assert np.abs(ours[row] - theirs).max() < 1e-9


def test_every_joint_kind_anchor_and_reference_angle_is_understood():
    model = mujoco.MjModel.from_xml_string(EVERY_KIND)
    kinematics = Kinematics(model, "root", {name: FrameSpec(body=name) for name in "abcd"})
    q = np.random.default_rng(0).uniform(-2, 2, (30, model.nq))
    for row, T in zip(q, kinematics.frames(q, list("abcd")), strict=True):
        assert np.abs(T - mujoco_frames(model, "root", row, list("abcd"))).max() < 1e-12


def test_frames_offset_on_a_body_ride_along(robot, random_q):
    side = robot.wrist_sides[0]
    wrist = robot.sheet.wrists[side]
    q = random_q(robot, 5, seed=2)
    T = robot.frames(q, [wrist.body, f"wrist_{side}"])
    offset = np.linalg.inv(T[:, 0]) @ T[:, 1]
    assert np.abs(offset - offset[0]).max() < 1e-12
    assert np.abs(offset[0, :3, 3] - wrist.pos).max() < 1e-12


def test_jacobians_are_the_finite_difference_of_the_poses(robot, random_q):
    frames = [f"wrist_{side}" for side in robot.wrist_sides]
    frames += [f.tip_frame for hand in robot.hands.values() for f in hand.fingers[:2]]
    q = random_q(robot, 2, seed=3)
    T, J = robot.kinematics.jacobians(q, frames)
    step = 1e-6
    for joint in range(robot.n_q):
        nudge = np.zeros(robot.n_q)
        nudge[joint] = step
        after, before = robot.frames(q + nudge, frames), robot.frames(q - nudge, frames)
        linear = (after[..., :3, 3] - before[..., :3, 3]) / (2 * step)
        turn = so3_log(after[..., :3, :3] @ np.swapaxes(before[..., :3, :3], -1, -2)) / (2 * step)
        assert np.abs(J[..., :3, joint] - linear).max() < 1e-8
        assert np.abs(J[..., 3:, joint] - turn).max() < 1e-8
    assert np.array_equal(T, robot.frames(q, frames))


def test_asking_for_some_joints_gives_those_columns(make_robot, random_q):
    robot = make_robot("unitree_g1_dex3")
    arm = robot.arms["right"].joint_idx
    q = random_q(robot, 4)
    _, whole = robot.kinematics.jacobians(q, ["wrist_right"])
    _, part = robot.kinematics.jacobians(q, ["wrist_right"], arm)
    assert np.array_equal(part, whole[..., arm])
    assert set(np.nonzero(whole.any(axis=(0, 1, 2)))[0]) == set(arm)


@pytest.mark.parametrize("n", [1, 2047, 2048, 2049, 5000])
def test_chunks_do_not_show(make_robot, random_q, n):
    robot = make_robot("dual_fr3_leap")
    q = random_q(robot, 5000)
    one_by_one = robot.frames(q[n - 1], ["wrist_left", "tip_right_thumb"])
    assert np.abs(robot.frames(q[:n], ["wrist_left", "tip_right_thumb"])[-1] - one_by_one).max() < 1e-14


def test_leading_axes_and_single_precision_are_kept(make_robot, random_q):
    robot = make_robot("dual_fr3_leap")
    q = random_q(robot, 6)
    T = robot.frames(q.reshape(2, 3, -1).astype(np.float32), ["wrist_left"])
    assert T.shape == (2, 3, 1, 4, 4)
    assert T.dtype == np.float32
    assert np.abs(T.reshape(6, 4, 4) - robot.T_base_wrist(q, "left")).max() < 1e-5


def test_wrong_number_of_joints_is_refused(make_robot):
    with pytest.raises(ValueError, match="q has 7 joints in its last axis; this robot has 46"):
        make_robot("dual_fr3_leap").frames(np.zeros((3, 7)), ["wrist_left"])

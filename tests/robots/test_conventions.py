"""What a sheet means by wrist, finger, bend and left: tested on the geometry, for every robot."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.robots.check import open_hand, tips_in_wrist

MIRROR = np.diag([1.0, -1.0, 1.0])
HINGE = 3


def hands_of(robot):
    if not robot.hands:
        pytest.skip(f"{robot.name} has no fingers")
    return robot.hands


def test_fingers_point_along_x_on_the_left_and_against_it_on_the_right(robot):
    for side, hand in hands_of(robot).items():
        tips = tips_in_wrist(robot, open_hand(robot, side), side) * [1 if side == "left" else -1, 1, 1]
        for name, tip in zip(hand.finger_names, tips, strict=True):
            if name != "thumb":
                assert tip[0] > 0.12, (side, name, tip)
                assert abs(tip[1]) < 0.45 * tip[0], (side, name, tip)


def test_thumb_side_is_plus_z(robot):
    """From little finger to thumb z rises."""
    for side, hand in hands_of(robot).items():
        z = dict(
            zip(hand.finger_names, tips_in_wrist(robot, open_hand(robot, side), side)[:, 2], strict=True)
        )
        order = [z[name] for name in ("pinky", "ring", "middle", "index") if name in z]
        assert np.all(np.diff(order) > 0.01), (side, z)
        assert z["thumb"] > min(order)


def test_curling_goes_towards_the_palm_which_is_minus_y(robot):
    for side, hand in hands_of(robot).items():
        change = tips_in_wrist(robot, open_hand(robot, side, 0.5), side) - tips_in_wrist(
            robot, open_hand(robot, side, 0.1), side
        )
        for name, moved in zip(hand.finger_names, change, strict=True):
            if name != "thumb":
                assert moved[1] < -0.01, (side, name, moved)


def test_every_bend_joint_curls_and_every_spread_joint_goes_thumbwards_with_its_sign(robot):
    for side, hand in hands_of(robot).items():
        q = open_hand(robot, side, 0.35)
        T, J = robot.kinematics.jacobians(q, [f"wrist_{side}", *(f.tip_frame for f in hand.fingers)])
        for k, finger in enumerate(hand.fingers):
            for joint, role, sign in zip(finger.joint_idx, finger.roles, finger.signs, strict=True):
                velocity = sign * J[k + 1, :3, joint] @ T[0, :3, :3]
                if role == "bend" and finger.name != "thumb" and robot_moves_freely(robot, joint):
                    assert velocity[1] < 0, (finger.name, joint, velocity)
                if role == "spread":
                    assert velocity[2] > 0, (finger.name, joint, velocity)
                if role == "oppose":
                    assert velocity[1] < 0 or velocity[2] < 0, (finger.name, joint, velocity)


def robot_moves_freely(robot, joint):
    return joint in robot.free_idx


def test_a_fist_brings_the_thumb_and_index_tips_together(robot):
    """Some reachable pose has thumb and index tips within 3 cm: the pinch every hand here is built for."""
    for side, hand in hands_of(robot).items():
        thumb, index = hand.finger_names.index("thumb"), hand.finger_names.index("index")
        rng = np.random.default_rng(0)
        q = np.tile(robot.home_q, (20_000, 1))
        joints = np.concatenate([hand.fingers[k].joint_idx for k in (thumb, index)])
        q[:, joints] = rng.uniform(robot.lower[joints], robot.upper[joints], (len(q), len(joints)))
        tips = robot.fingertips(robot.couple(q), side)
        gap = np.linalg.norm(tips[:, thumb] - tips[:, index], axis=1).min()
        assert gap < 0.03, (side, gap)


def mirrored_q(robot, q):
    """The pose seen in a mirror (y -> -y): each joint's value goes to its twin, signed by the axes at zero."""
    out = q.copy()
    zero = np.zeros(robot.n_q)
    for k, name in enumerate(robot.joint_names):
        twin = twin_name(name)
        if twin not in robot.joint_names:
            continue
        m = robot.joint_names.index(twin)
        bodies = [body_of(robot, k), body_of(robot, m)]
        R = robot.frames(zero, bodies)[:, :3, :3]
        axes = [R[0] @ robot.model.jnt_axis[k], R[1] @ robot.model.jnt_axis[m]]
        turn = (
            -1 if int(robot.model.jnt_type[k]) == HINGE else 1
        )  # a turning axis is no arrow: it flips in a mirror
        sign = np.sign(axes[1] @ (turn * MIRROR @ axes[0]))
        out[..., m] = sign * q[..., k]
    return out


def twin_name(name):
    if "left" in name:
        return name.replace("left", "right")
    if "right" in name:
        return name.replace("right", "left")
    return name[:-2] + {"_L": "_R", "_R": "_L"}.get(name[-2:], "")


def body_of(robot, joint):
    return robot.model.body(int(robot.model.jnt_bodyid[joint])).name


def test_left_and_right_are_mirror_images(robot, random_q):
    if set(robot.arms) != {"left", "right"}:
        pytest.skip(f"{robot.name} does not have two arms")
    if robot.name == "robonaut2":
        pytest.skip("its published figures are one calibrated machine's: the arms differ by 3 mm")
    q = random_q(robot, 20, seed=5)
    m = mirrored_q(robot, q)
    left, right = robot.T_base_wrist(q, "left"), robot.T_base_wrist(m, "right")
    assert np.abs(left[:, :3, 3] @ MIRROR - right[:, :3, 3]).max() < 3e-4
    assert np.abs(MIRROR @ left[:, :3, :3] @ np.diag([-1.0, 1.0, 1.0]) - right[:, :3, :3]).max() < 5e-4
    if robot.hands:
        assert np.abs(robot.fingertips(q, "left") @ MIRROR - robot.fingertips(m, "right")).max() < 2.5e-3


def test_signed_finger_angles_agree_between_the_hands(robot, random_q):
    if set(robot.hands) != {"left", "right"} or set(robot.arms) != {"left", "right"}:
        pytest.skip("needs two hands")
    q = random_q(robot, 1, seed=6)[0]
    m = mirrored_q(robot, q)
    for one, other in zip(robot.hands["left"].fingers, robot.hands["right"].fingers, strict=True):
        assert one.roles == other.roles
        assert np.allclose(one.signs * q[one.joint_idx], other.signs * m[other.joint_idx])


def test_home_is_natural(robot):
    """Inside the limits with room to spare, no part touching another, hands in front of the body."""
    q = robot.home_q
    assert robot.within_limits(q).all()
    arms = np.concatenate([arm.joint_idx for arm in robot.arms.values()] or [np.zeros(0, int)])
    room = np.minimum(q - robot.lower, robot.upper - q)[arms] / (robot.upper - robot.lower)[arms]
    assert np.all(room > 0.04), dict(zip(np.array(robot.joint_names)[arms], room.round(3), strict=True))
    assert robot.self_collisions(q) == []
    for side in robot.arms:
        assert robot.T_base_wrist(q, side)[0, 3] > 0.1


def test_self_collision_is_seen_when_arms_cross(make_robot):
    robot = make_robot("dual_fr3_leap")
    q = robot.home_q.copy()
    q[robot.joint_idx(["left_fr3_joint1", "right_fr3_joint1"])] = -0.6, 0.6
    pairs = robot.self_collisions(q)
    assert any(a.startswith("left") and b.startswith("right") for a, b, _ in pairs)
    assert all(depth < 0 for *_, depth in pairs)


def test_couplings_hold_for_every_q(robot, random_q):
    q = random_q(robot, 10, seed=7)
    assert np.allclose(robot.couple(q), q)
    assert np.allclose(q[:, robot.free_idx] @ robot.coupling_matrix.T + robot.coupling_offset, q)
    for coupling in robot.sheet.couplings:
        if coupling.joint in robot.joint_names and coupling.of in robot.joint_names:
            follower, head = robot.joint_idx([coupling.joint, coupling.of])
            assert np.allclose(q[:, follower], coupling.scale * q[:, head] + coupling.offset)


def test_followers_stay_in_range_while_their_leaders_do(robot, random_q):
    assert robot.within_limits(random_q(robot, 500, seed=8), slack=2e-3).all()

"""Robots to the space and back: exact where the space determines the joints, honest where it does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reenact.actions.errors import BadActions
from reenact.actions.human import encode_human
from reenact.actions.joint_map import JointMap, unitree_g1_inspire_map
from reenact.actions.joint_slots import joint_slots
from reenact.actions.mirror import mirrored
from reenact.actions.robot import RobotSpaceConfig, encode_robot
from reenact.actions.robot_decode import decode_robot
from reenact.actions.slots import UNIFIED, ActionSpec, unified_spec
from reenact.geometry.rotations import random_rotation
from reenact.geometry.transforms import inverse, make_T
from reenact.robots.joint_set import JointSet, finger_groups
from tests import scenes
from tests.actions.conftest import T_BASE_EGO, joint_motion, robot_named, same, spoiled, times

ROBOTS = ("unitree_g1_dex3", "dual_fr3_leap", "unitree_g1_inspire")


@pytest.mark.parametrize("name", ROBOTS)
def test_space_to_joints_to_space_is_exact_for_what_the_robot_can_do(name):
    robot, t_ns = robot_named(name), times(24)
    q = joint_motion(robot, t_ns, seed=1)
    vector = encode_robot(robot, q, t_ns, T_BASE_EGO)
    found = decode_robot(robot, vector, T_BASE_EGO, q[0])
    assert same(encode_robot(robot, found.q, t_ns, T_BASE_EGO), vector, atol=1e-6)
    assert robot.within_limits(found.q).all()
    assert np.array_equal(found.q, robot.couple(found.q))
    assert found.known.all()
    assert found.wrist_error.max() < 1e-6
    assert found.tip_error.max() < 1e-6


@pytest.mark.parametrize("name", ROBOTS)
def test_from_a_state_nearby_joints_stay_nearby(name):
    robot, t_ns = robot_named(name), times(40)
    q = joint_motion(robot, t_ns, seed=2)
    near = q + np.random.default_rng(0).normal(size=q.shape) * 0.02
    vector = encode_robot(robot, q, t_ns, T_BASE_EGO)
    found = decode_robot(robot, vector, T_BASE_EGO, near)
    assert found.wrist_error.max() < 1e-6
    assert np.abs(found.q - near).max() < 0.25
    same_start = decode_robot(robot, vector, T_BASE_EGO, q)
    assert np.abs(same_start.q - q).max() < 1e-9


# Measured on `scenes.waving_scene`: wrists are reached; tips are as far off as the hand's shape and joints make them.
PLACES = {
    "unitree_g1_dex3": (0.35, 0.10, 0.031),
    "unitree_g1_inspire": (0.35, 0.10, 0.045),
    "dual_fr3_leap": (0.55, 0.45, 1e-6),
}


@pytest.mark.parametrize("name", ROBOTS)
def test_a_scene_to_a_robot_and_back(name):
    forward, up, tip_limit = PLACES[name]
    robot, scene = robot_named(name), scenes.waving_scene(15)
    T_world_base = make_T(np.diag([-1.0, -1, 1]), np.array([0.62 + forward, 0, -0.35 - up]))
    T_base_ego = inverse(T_world_base) @ scene.camera.T_world_camera
    asked = encode_human(
        scene.hands.joints_world, scene.hands.valid, scene.clip.t_ns, scene.camera.T_world_camera
    )
    found = decode_robot(robot, asked, T_base_ego)
    assert found.wrist_error.max() < 1e-6
    assert found.rotation_error.max() < 1e-5
    assert found.tip_error.max() < tip_limit
    done = encode_robot(robot, found.q, scene.clip.t_ns, T_base_ego, found.known)
    left = [robot.joint_names[j] for j in np.flatnonzero(~found.known[12])]
    assert left == [n for n in robot.joint_names if n.startswith("left")]
    for slot in UNIFIED.slots:
        finger = slot.name.split("_")[-1]
        has = slot.name.startswith("wrist") or finger in robot.hands["left"].finger_names
        assert np.array_equal(
            done.mask[:, UNIFIED.index(slot.name)], scene.hands.valid[:, int("right" in slot.name)] & has
        )
    again = decode_robot(robot, done, T_base_ego, found.q)
    assert same(encode_robot(robot, again.q, scene.clip.t_ns, T_base_ego, again.known), done, atol=1e-9)


def test_the_world_and_the_base_change_nothing_in_ego_slots():
    robot, t_ns = robot_named("unitree_g1_dex3"), times(6)
    q, rng = joint_motion(robot, t_ns, seed=3), np.random.default_rng(1)
    spec = unified_spec(camera=True)
    T_a, T_b = (make_T(random_rotation(rng), rng.normal(size=3)) for _ in "ab")
    a, b = (encode_robot(robot, q, t_ns, T_BASE_EGO, spec=spec, T_world_base=T) for T in (T_a, T_b))
    assert same(a.onto(UNIFIED), b.onto(UNIFIED))
    T_world_ego, known = a.pose("camera")
    assert known.all()
    assert np.abs(T_world_ego - T_a @ T_BASE_EGO).max() < 1e-12


def test_a_mirrored_g1_is_the_mirrored_vector():
    robot, t_ns = robot_named("unitree_g1_dex3"), times(5)
    q = joint_motion(robot, t_ns, seed=4)
    flipped = np.empty_like(q)
    for j, name in enumerate(robot.joint_names):
        other = name.replace("left", "@").replace("right", "left").replace("@", "right")
        k = robot.joint_idx([other])[0]
        turned = np.isclose(robot.lower[j], -robot.upper[k]) and not np.isclose(
            robot.lower[j], robot.lower[k]
        )
        sideways = any(word in name for word in ("roll", "yaw"))
        flipped[:, k] = -q[:, j] if turned or sideways else q[:, j]
    ahead = T_BASE_EGO.copy()
    ahead[1, 3] = 0.0  # the camera in the robot's own plane of symmetry
    seen = encode_robot(robot, flipped, t_ns, ahead)
    assert same(
        seen, mirrored(encode_robot(robot, q, t_ns, ahead)), atol=2e-4
    )  # the sheet's figures are rounded


def test_masks_go_both_ways():
    robot, t_ns = robot_named("unitree_g1_inspire"), times(9)
    q = joint_motion(robot, t_ns, seed=5)
    known = np.ones(q.shape, bool)
    known[
        4,
        robot.joint_idx(
            ["left_elbow_joint", "right_thumb_2_joint", "right_thumb_3_joint", "right_thumb_4_joint"]
        ),
    ] = False
    holes = np.where(known, q, np.nan)
    vector = encode_robot(robot, holes, t_ns, T_BASE_EGO, known)
    hidden = {n for n, ok in zip(vector.spec.names, vector.mask[4], strict=True) if not ok}
    assert hidden == {"wrist_left_position", "wrist_left_rotation", "tip_right_thumb"}
    found, dirty = (decode_robot(robot, v, T_BASE_EGO, q[0]) for v in (vector, spoiled(vector)))
    missing = {robot.joint_names[j] for j in np.flatnonzero(~found.known[4])}
    assert missing == {n for n in robot.joint_names if n.startswith("right_thumb")} | {
        robot.joint_names[j] for j in robot.arms["left"].joint_idx
    }
    assert found.known[[0, 1, 2, 3, 5, 6, 7, 8]].all()
    assert np.array_equal(found.q, dirty.q)
    assert np.abs(found.q[4] - (found.q[3] + found.q[5]) / 2)[~found.known[4]].max() < 1e-12


def test_grippers_are_openings_in_metres():
    robot, t_ns = robot_named("dual_fr3_gripper"), times(6)
    q = joint_motion(robot, t_ns, seed=6)
    gripper = robot.grippers["left"]
    opening = np.linspace(0, gripper.aperture, 6)
    q[:, gripper.joint_idx] = gripper.joints_at(opening)
    spec = unified_spec(grippers=True)
    vector = encode_robot(robot, q, t_ns, T_BASE_EGO, spec=spec)
    assert np.abs(vector.get("gripper_left")[:, 0] - opening).max() < 1e-12
    assert not vector.mask[:, spec.index("tip_left_thumb")].any()
    found = decode_robot(robot, vector, T_BASE_EGO, q[0])
    assert np.abs(found.q[:, gripper.joint_idx] - q[:, gripper.joint_idx]).max() < 1e-12


def test_joint_slots_are_copied_or_ignored_as_asked():
    robot, t_ns = robot_named("unitree_g1_dex3"), times(8)
    q = joint_motion(robot, t_ns, seed=7)
    vector = encode_robot(
        robot, q, t_ns, T_BASE_EGO, spec=unified_spec(joints=joint_slots(robot, hands=True))
    )
    assert np.array_equal(decode_robot(robot, vector, T_BASE_EGO).q, q)
    solved = decode_robot(robot, vector, T_BASE_EGO, config=RobotSpaceConfig(copy_joints=False))
    assert np.abs(solved.q - q).max() > 1e-3  # the elbow is free
    assert solved.wrist_error.max() < 1e-6
    with pytest.raises(BadActions, match="joints"):
        mirrored(vector)


def test_fingers_that_share_joints_are_solved_together():
    apart = finger_groups(robot_named("unitree_g1_inspire"), robot_named("unitree_g1_inspire").hands["left"])
    assert [len(joints.joint_idx) for _, joints in apart] == [2, 1, 1, 1, 1]
    robot = robot_named("unitree_g1_inspire")
    thumb = JointSet(robot, robot.joint_idx(["left_thumb_3_joint"]))
    assert [robot.joint_names[j] for j in thumb.joint_idx] == ["left_thumb_2_joint"]
    lower, upper = thumb.limits
    moved = thumb.put(robot.home_q, np.stack([lower, upper]))
    assert robot.within_limits(moved).all()


def test_arrays_that_do_not_fit_are_named():
    robot = robot_named("unitree_g1_dex3")
    with pytest.raises(BadActions, match="q is"):
        encode_robot(robot, np.zeros((3, 5)), times(3), T_BASE_EGO)
    vector = encode_robot(robot, joint_motion(robot, times(3), 0), times(3), T_BASE_EGO)
    with pytest.raises(BadActions, match="q_start"):
        decode_robot(robot, vector, T_BASE_EGO, np.zeros(5))
    with pytest.raises(BadActions, match="no joints"):
        JointMap(("a",), ("nose_joint",), np.ones(1), np.zeros(1)).to_q(robot, np.zeros((1, 1)))
    with pytest.raises(BadActions, match="way back"):
        JointMap(("a",), ("nose_joint",), np.zeros(1), np.zeros(1))


def _recorded_states(shared_dir) -> np.ndarray:
    pq = pytest.importorskip("pyarrow.parquet")
    folder = shared_dir / "data/robot/g1_inspire_dev"
    names = json.loads((folder / "meta/info.json").read_text())["features"]["observation.state"]["names"][0]
    assert tuple(names) == unitree_g1_inspire_map(robot_named("unitree_g1_inspire")).columns
    table = pq.read_table(folder / "data/chunk-000/episode_000010.parquet", columns=["observation.state"])
    return np.array(table["observation.state"].to_pylist(), float)[::8]


def test_recorded_g1_states_come_back(shared_dir):
    """Twenty-six numbers of a real G1: hands from fingertips alone, arms by their joint slots."""
    states, robot = _recorded_states(shared_dir), robot_named("unitree_g1_inspire")
    joint_map, t_ns = unitree_g1_inspire_map(robot), times(len(states), 3.75)
    q, known = joint_map.to_q(robot, states)
    assert known.all()
    assert robot.within_limits(q).all()
    assert np.abs(joint_map.from_q(robot, q) - states).max() < 1e-15

    arms = unified_spec(joints=joint_slots(robot))
    vector = encode_robot(robot, q, t_ns, T_BASE_EGO, spec=arms)
    back = decode_robot(robot, vector, T_BASE_EGO)
    assert np.abs(back.q - q).max() < 1e-6
    assert np.abs(joint_map.from_q(robot, back.q) - states).max() < 1e-6

    core = vector.onto(ActionSpec(UNIFIED.slots))
    hands = [j for side in ("left", "right") for j in robot.hands[side].joint_idx]
    followed = decode_robot(robot, core, T_BASE_EGO, q[0])
    assert np.abs(followed.q - q)[:, hands].max() < 1e-6  # tips determine all twelve hand motors
    assert followed.wrist_error.max() < 1e-6
    assert (
        1e-4 < np.abs(followed.q - q).max() < 0.2
    )  # 18 numbers do not determine 14 joints: the elbow drifts

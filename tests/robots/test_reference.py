"""Every sheet against published models we did not write (they lie outside the repository; skipped without them)."""

from __future__ import annotations

import functools

import mujoco
import numpy as np
import pytest

from reenact.robots.registry import known_robots, load_robot

LEG = ("hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll")
G1_FROZEN = tuple(
    [f"{side}_{joint}_joint" for side in ("left", "right") for joint in LEG]
    + ["waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint"]
)

FR3 = [("fr3", "fr3_link0", "left_", ""), ("fr3", "fr3_link0", "right_", "")]
LEAP = [("leap_left", "palm", "left_hand_", ""), ("leap_right", "palm", "right_hand_", "")]
ALLEGRO = [("allegro_left", "palm", "left_hand_", ""), ("allegro_right", "palm", "right_hand_", "")]
SHADOW = [("shadow_left", "lh_palm", "left_hand_", "lh_"), ("shadow_right", "rh_palm", "right_hand_", "rh_")]
SHARPA = [
    ("sharpa_left", "left_hand_C_MC", "left_hand_", "left_"),
    ("sharpa_right", "right_hand_C_MC", "right_hand_", "right_"),
]
DEX3 = [("dex3_left", "left_hand_palm_link", "", ""), ("dex3_right", "right_hand_palm_link", "", "")]
GRIPPER = [("panda", "hand", "left_hand_", ""), ("panda", "hand", "right_hand_", "")]
XLE_FROZEN = ("head_pan_joint", "head_tilt_joint")
R2_FROZEN = ("r2/waist/joint0", "r2/neck/joint0", "r2/neck/joint1", "r2/neck/joint2")
WRISTS = tuple(f"{side}_hand_WRJ{k}" for side in ("left", "right") for k in (2, 1))

# robot: joints to unfreeze, then per part: reference file, its root body, prefix of our names, prefix of its names
CASES = {
    "unitree_g1_dex3": (G1_FROZEN, [("g1_dex3", "pelvis", "", ""), ("g1", "pelvis", "", ""), *DEX3]),
    "unitree_g1_inspire": (G1_FROZEN, [("g1_inspire", "pelvis", "", "")]),
    "unitree_g1_shadow": (G1_FROZEN, [("g1", "pelvis", "", ""), *SHADOW]),
    "dual_fr3_leap": ((), [*FR3, *LEAP]),
    "dual_fr3_allegro": ((), [*FR3, *ALLEGRO]),
    "dual_fr3_shadow": (WRISTS, [*FR3, *SHADOW]),
    "dual_fr3_sharpa": ((), [*FR3, *SHARPA]),
    "dual_fr3_gripper": ((), [*FR3, *GRIPPER]),
    "floating_leap": ((), LEAP),
    "floating_allegro": ((), ALLEGRO),
    "floating_shadow": ((), SHADOW),
    "floating_sharpa": ((), SHARPA),
    "xlerobot": (XLE_FROZEN, [("xlerobot", "chassis", "", "")]),
    "robonaut2": (R2_FROZEN, [("robonaut2_r2c5", "r2/waist_center", "", "")]),
    "xarm7_allegro": ((), [("xarm7", "link_base", "", ""), ("allegro_right", "palm", "hand_", "")]),
}
TIGHTER = {"left_hand_thumb_1_joint", "right_hand_thumb_1_joint"}
"""Ranges where two published models disagree and we keep the narrower one (Dex3: the maker's URDF)."""
SO101 = {"Base": "arm_base", "Rotation_Pitch": "shoulder", "Upper_Arm": "upper_arm", "Lower_Arm": "lower_arm",
         "Wrist_Pitch_Roll": "wrist", "Fixed_Jaw": "hand", "Moving_Jaw": "jaw"}  # fmt: skip
XLEROBOT = {old: f"left_{new}" for old, new in SO101.items()} | {
    f"{old}_2": f"right_{new}" for old, new in SO101.items()
}
"""Bodies of the reference that have other names in our sheet."""
PARTS = [(robot, *part) for robot, (_, parts) in CASES.items() for part in parts]


def test_every_robot_is_held_against_a_reference():
    assert set(CASES) == set(known_robots())


@pytest.fixture
def pair(shared_dir, request):
    robot_name, file, root, ours, theirs = request.param
    reference = mujoco.MjModel.from_xml_path(str(shared_dir / "robots" / "slim" / f"{file}.xml"))

    def our_name(name):
        if robot_name == "robonaut2" and "arm/" not in name and "/joint" not in name:
            return name.removeprefix("r2/").replace("/", "_")
        return XLEROBOT.get(name, ours + name.removeprefix(theirs))

    return with_all_joints(robot_name), reference, root, our_name


@functools.cache
def with_all_joints(name):
    return load_robot(name, unfreeze=CASES[name][0])


def hinges(model):
    return [j for j in range(model.njnt) if int(model.jnt_type[j]) in (2, 3)]


@pytest.mark.parametrize("pair", PARTS, indirect=True, ids=lambda p: "-".join(p))
def test_kinematics_equal_the_reference_to_1e5(pair):
    robot, reference, root, our_name = pair
    names = [reference.body(b).name for b in range(1, reference.nbody)]
    names = [n for n in names if our_name(n) in robot.kinematics.frame_names]
    shared = [(j, our_name(reference.joint(j).name)) for j in hinges(reference)]
    shared = [(j, name) for j, name in shared if name in robot.joint_names]
    assert len(shared) >= 2
    columns = robot.joint_idx([name for _, name in shared])
    q = np.random.default_rng(0).uniform(robot.lower, robot.upper, (50, robot.n_q))
    ours = robot.frames(q, [our_name(n) for n in (root, *names)])
    ours = np.linalg.inv(ours[:, :1]) @ ours[:, 1:]
    data = mujoco.MjData(reference)
    for row in range(len(q)):
        for (joint, _), column in zip(shared, columns, strict=True):
            data.qpos[reference.jnt_qposadr[joint]] = q[row, column]
        mujoco.mj_kinematics(reference, data)
        base = reference.body(root).id
        R0, p0 = data.xmat[base].reshape(3, 3), data.xpos[base]
        for k, name in enumerate(names):
            body = reference.body(name).id
            assert np.abs((data.xpos[body] - p0) @ R0 - ours[row, k, :3, 3]).max() < 1e-5, name
            turn = R0.T @ data.xmat[body].reshape(3, 3) @ ours[row, k, :3, :3].T
            assert np.linalg.norm(turn - np.eye(3)) / np.sqrt(2) < 1e-5, name


@pytest.mark.parametrize("pair", PARTS, indirect=True, ids=lambda p: "-".join(p))
def test_limits_equal_the_reference(pair):
    robot, reference, _, our_name = pair
    compared, arm_columns = 0, {k for arm in robot.arms.values() for k in arm.joint_idx}
    for joint in hinges(reference):
        name = our_name(reference.joint(joint).name)
        if name not in robot.joint_names:
            continue
        k = robot.joint_names.index(name)
        lower, upper = reference.jnt_range[joint]
        if upper - lower in (
            0.0,
            8.0,
        ):  # the wheels have no limits there, and Robonaut's fingers a placeholder
            continue
        if name in TIGHTER:
            assert robot.lower[k] >= lower - 1e-5
            assert robot.upper[k] <= upper + 1e-5
        else:
            assert robot.lower[k] == pytest.approx(lower, abs=1e-5)
            assert robot.upper[k] == pytest.approx(upper, abs=1e-5)
        effort = np.abs(reference.jnt_actfrcrange[joint]).max()
        if (
            effort > 0 and k in arm_columns
        ):  # for hands and ankles the published figures contradict each other
            assert robot.effort_limits[k] == pytest.approx(effort)
        compared += 1
    assert compared >= 2


@pytest.mark.parametrize("pair", PARTS, indirect=True, ids=lambda p: "-".join(p))
def test_moving_masses_equal_the_reference(pair):
    """Links onto which we mount another part are left out: some references merge it into them."""
    robot, reference, _, our_name = pair
    ours, theirs = robot.model, reference
    for b in range(1, theirs.nbody):
        name = our_name(theirs.body(b).name)
        if (
            theirs.body_jntnum[b] != 1
            or name not in robot.kinematics.frame_names
            or _carries_a_hand(ours, name, theirs, b)
        ):
            continue
        assert ours.body_mass[ours.body(name).id] == pytest.approx(theirs.body_mass[b], rel=2e-3), name


def _carries_a_hand(ours, name, theirs, b):
    body = ours.body(name).id
    return int((ours.body_parentid == body).sum()) != int((theirs.body_parentid == b).sum())

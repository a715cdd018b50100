"""A user's own MJCF or URDF with a small sheet behaves like a robot of ours; what is wrong with it is said."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from reenact.robots.errors import ModelFileError, SheetError
from reenact.robots.registry import load_robot

SHEET = """
name = "mine"
title = "My arm"
licence = "CC0-1.0"
source = []
model_file = "{file}"
{more}
[arms.right]
joints = ["shoulder", "elbow"]
[wrists.right]
body = "tool"
"""

URDF = """<robot name="arm">
<link name="ground"/><link name="upper">{visual}<collision><origin xyz="0 0 .15"/>
<geometry><box size=".1 .1 .3"/></geometry></collision></link><link name="lower"><inertial>
<mass value="2"/><origin xyz="0 0 .1"/>
<inertia ixx=".1" iyy=".1" izz=".1" ixy="0" ixz="0" iyz="0"/></inertial></link><link name="tool"/><link name="jaw"/>
<joint name="shoulder" type="revolute"><parent link="ground"/><child link="upper"/><origin xyz="0 .1 .2" rpy=".3 0 0"/>
<axis xyz="0 1 0"/><limit lower="-1" upper="2" effort="30" velocity="2.5"/></joint>
<joint name="elbow" type="continuous"><parent link="upper"/><child link="lower"/><origin xyz="0 0 .3"/>
<axis xyz="1 0 0"/></joint>
<joint name="fix" type="fixed"><parent link="lower"/><child link="tool"/><origin xyz="0 0 .25" rpy="0 .5 0"/></joint>
<joint name="grip" type="prismatic"><parent link="tool"/><child link="jaw"/><axis xyz="0 1 0"/>
<limit lower="0" upper=".04" effort="20" velocity=".1"/>
<mimic joint="shoulder" multiplier=".01" offset=".01"/></joint></robot>"""

MJCF = """<mujoco><compiler angle="degree"/><worldbody><geom type="plane" size="1 1 .1"/><light pos="0 0 3"/>
<body name="trunk" pos="0 0 .8" euler="0 0 90"><freejoint/><geom size=".1"/>
<body name="upper" pos="0 .1 .2" euler="17 0 0"><joint name="shoulder" axis="0 1 0" range="-60 120" limited="true"/>
<geom type="capsule" size=".04 .1"/><body name="lower" pos="0 0 .3"><joint name="elbow" axis="1 0 0" pos="0 .01 0"/>
<geom type="capsule" size=".03 .1"/><body name="tool" pos="0 0 .25"/></body></body></body></worldbody>
<actuator><motor joint="elbow"/></actuator><keyframe><key qpos="0 0 1 1 0 0 0 .1 .2"/></keyframe></mujoco>"""


def write(folder, file, text, more=""):
    (folder / file).write_text(text, encoding="utf-8")
    sheet = folder / "mine.toml"
    sheet.write_text(SHEET.format(file=file, more=more), encoding="utf-8")
    return sheet


def test_urdf_limits_speeds_couplings_and_missing_inertias(tmp_path):
    robot = load_robot(write(tmp_path, "arm.urdf", URDF.format(visual="")))
    assert robot.joint_names == ("shoulder", "elbow", "grip")
    assert robot.lower.tolist() == pytest.approx([-1, -2 * np.pi, 0])
    assert robot.velocity_limits.tolist() == [2.5, np.inf, 0.1]
    assert robot.effort_limits.tolist() == [30, 10, 20]
    assert [(c.joint, c.of, c.scale, c.offset) for c in robot.sheet.couplings] == [
        ("grip", "shoulder", 0.01, 0.01)
    ]
    assert robot.model.nu == 2
    assert (robot.model.body_mass[2:] > 0).all()


def test_urdf_kinematics_are_its_own(tmp_path):
    robot = load_robot(write(tmp_path, "arm.urdf", URDF.format(visual="")))
    own = mujoco.MjModel.from_xml_string(
        URDF.format(visual="")
        .replace("<robot name", "<robot name", 1)
        .replace(
            "</robot>",
            '<mujoco><compiler fusestatic="false" boundmass=".01" boundinertia=".01"/></mujoco></robot>',
        )
    )
    data = mujoco.MjData(own)
    for q in np.random.default_rng(0).uniform(-1, 1, (20, 2)):
        data.qpos[:2] = q
        mujoco.mj_kinematics(own, data)
        T = robot.T_base_wrist(robot.couple(np.array([*q, 0.0])), "right")
        assert np.abs(T[:3, 3] - data.xpos[own.body("tool").id]).max() < 1e-12
        assert np.abs(T[:3, :3].ravel() - data.xmat[own.body("tool").id]).max() < 1e-12


def test_mjcf_free_base_floor_and_actuators_are_replaced_by_ours(tmp_path):
    robot = load_robot(write(tmp_path, "arm.xml", MJCF, 'base = "trunk"\nvelocity = { default = 3.0 }'))
    assert robot.joint_names == ("shoulder", "elbow")
    assert [robot.model.actuator(k).name for k in range(robot.model.nu)] == ["shoulder", "elbow"]
    assert robot.velocity_limits.tolist() == [3.0, 3.0]
    own = mujoco.MjModel.from_xml_string(MJCF)
    data = mujoco.MjData(own)
    rng = np.random.default_rng(1)
    for q in rng.uniform(-1, 1, (20, 2)):
        data.qpos[7:] = q
        mujoco.mj_kinematics(own, data)
        trunk, tool = own.body("trunk").id, own.body("tool").id
        place = (data.xpos[tool] - data.xpos[trunk]) @ data.xmat[trunk].reshape(3, 3)
        assert np.abs(robot.T_base_wrist(q, "right")[:3, 3] - place).max() < 1e-12
    assert not any(int(t) == 0 for t in robot.model.geom_type)


def test_frozen_joints_of_a_users_model_stand_at_home(tmp_path):
    more = 'frozen = ["elbow"]\nhome = { elbow = 0.7 }'
    held = load_robot(write(tmp_path, "arm.xml", MJCF, more))
    free = load_robot(write(tmp_path, "arm.xml", MJCF))
    assert held.joint_names == ("shoulder",)
    for q in (-0.5, 0.2, 1.0):
        T = free.T_base_wrist(np.array([q, 0.7]), "right")
        assert np.abs(held.T_base_wrist(np.array([q]), "right") - T).max() < 1e-12


MESH = '<visual><geometry><mesh filename="{}"/></geometry></visual>'
TRIANGLES = "v 0 0 0\nv .1 0 0\nv 0 .1 0\nv 0 0 .1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"


@pytest.mark.parametrize(
    "name", ["package://my_pkg/meshes/u.obj", "my_pkg/meshes/u.obj", "package://my_pkg/meshes/u.dae"]
)
def test_mesh_paths_are_found(tmp_path, name):
    (tmp_path / "my_pkg" / "meshes").mkdir(parents=True)
    (tmp_path / "my_pkg" / "meshes" / "u.obj").write_text(TRIANGLES)
    robot = load_robot(write(tmp_path, "arm.urdf", URDF.format(visual=MESH.format(name))))
    assert robot.model.nmesh == 1


def test_packages_may_lie_anywhere(tmp_path):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "far" / "away" / "u.obj").write_text(TRIANGLES)
    sheet = write(tmp_path, "arm.urdf", URDF.format(visual=MESH.format("package://my_pkg/away/u.obj")),
                  'packages = { my_pkg = "far" }')  # fmt: skip
    assert load_robot(sheet).model.nmesh == 1


def test_missing_meshes_are_named_and_can_be_skipped(tmp_path):
    text = URDF.format(visual=MESH.format("package://my_pkg/u.stl"))
    with pytest.raises(
        ModelFileError,
        match=r"1 mesh files are not there, the first: 'package://my_pkg/u.stl' .*meshes = 'skip'",
    ):
        load_robot(write(tmp_path, "arm.urdf", text))
    assert load_robot(write(tmp_path, "arm.urdf", text, 'meshes = "skip"')).n_q == 3


WRONG = {
    "no file": ("none.xml", "other.xml", MJCF, "", ModelFileError, "model_file 'none.xml' is not there"),
    "not xml": ("a.urdf", "a.urdf", "hello", "", ModelFileError, "a.urdf: not XML"),
    "not a urdf": ("a.urdf", "a.urdf", "<sdf/>", "", ModelFileError, "its root is <sdf>"),
    "broken mjcf": ("a.xml", "a.xml", "<mujoco><worldbod/></mujoco>", "", ModelFileError, "cannot read it"),
    "unknown joint": ("a.xml", "a.xml", MJCF.replace('"elbow"', '"elbw"'), "", SheetError, "no joint 'elbow' .*'elbw'"),
    "unknown base": ("a.xml", "a.xml", MJCF, 'base = "trnk"', SheetError, "base: no body 'trnk' .*'trunk'"),
    "moving base": ("a.xml", "a.xml", MJCF, 'base = "lower"', SheetError, "base = 'lower' is moved by a joint"),
    "end effector": ("a.xml", "a.xml", MJCF.replace('"tool"', '"tip"'), "", SheetError, "body: no body 'tool'"),
    "ball joint": (
        "a.xml", "a.xml", MJCF.replace('axis="1 0 0" pos="0 .01 0"', 'type="ball"').replace('<motor joint="elbow"/>', "")
        .replace("0 0 0 .1 .2", "0 0 0 .1 1 0 0 0"), "", ModelFileError, "'elbow' is a ball joint"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_users_robot_is_said(tmp_path, case):
    said, file, text, more, error, message = WRONG[case]
    write(tmp_path, file, text)
    sheet = tmp_path / "mine.toml"
    sheet.write_text(SHEET.format(file=said, more=more))
    with pytest.raises(error, match=message):
        load_robot(sheet)


def test_a_published_robot_gives_the_same_kinematics_as_our_sheet(tmp_path, shared_dir, make_robot):
    file = shared_dir / "robots" / "unitree_g1" / "g1_with_hands.xml"
    if not file.is_file():
        pytest.skip("full Unitree G1 model not found")
    ours = make_robot("unitree_g1_dex3")
    sheet = tmp_path / "g1.toml"
    sheet.write_text(
        f'name = "g1"\ntitle = "G1"\nlicence = "BSD-3-Clause"\nsource = []\nmodel_file = "{file}"\nbase = "pelvis"\n'
        f"frozen = {list(ours.sheet.frozen)}\nmeshes = 'skip'\n"
        '[arms.left]\njoints = ["left_elbow_joint"]\n[wrists.left]\nbody = "left_wrist_yaw_link"\n'
    )
    theirs = load_robot(sheet)
    assert theirs.joint_names == ours.joint_names
    q = np.random.default_rng(3).uniform(ours.lower, ours.upper, (20, ours.n_q))
    names = ["left_wrist_yaw_link", "right_hand_index_1_link"]
    assert np.abs(ours.frames(q, names) - theirs.frames(q, names)).max() < 1e-5

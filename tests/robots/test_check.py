"""The remarks about a robot: none about ours but what is true of them, the right ones about wrong sheets."""

from __future__ import annotations

import re

import mujoco
import numpy as np
import pytest

from reenact.robots.check import check_robot
from reenact.robots.importer import draft_sheet
from reenact.robots.registry import SHEETS, load_robot


def test_nothing_is_wrong_with_our_own_robots(robot):
    assert [f for f in check_robot(robot) if f.level == "warning"] == []


def test_five_joint_arms_are_noted(make_robot):
    assert [f.what for f in check_robot(make_robot("xlerobot"))] == [
        "the left arm has 5 joints",
        "the right arm has 5 joints",
    ]


WRONG = {
    "wrist turned about": ('quat_wxyz = [1.0, 0.0, 0.0, 0.0]', 'quat_wxyz = [0.0, 0.0, 0.0, 1.0]',
                           "left fingers do not point along +x"),
    "wrist rolled over": ('quat_wxyz = [1.0, 0.0, 0.0, 0.0]', 'quat_wxyz = [0.0, 1.0, 0.0, 0.0]',
                          "z of the left wrist frame does not go from middle to index"),
    "bend the wrong way": ('index_0_joint", role = "bend", sign = -1', 'index_0_joint", role = "bend"',
                           "left_hand_index_0_joint bends away from the palm"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_hand_is_noticed(tmp_path, case):
    old, new, what = WRONG[case]
    for name in ("unitree_g1_dex3", "parts/dex3_left", "parts/dex3_right", "parts/unitree_g1_body"):
        text = (SHEETS / f"{name}.toml").read_text()
        changed = text.replace(old, new) if name == "parts/dex3_left" else text
        assert changed != text or name != "parts/dex3_left"
        (tmp_path / f"{name.split('/')[-1]}.toml").write_text(changed)
    robot = load_robot(tmp_path / "unitree_g1_dex3.toml")
    assert any(what in f.what for f in check_robot(robot))


def test_a_home_that_overlaps_is_noticed(tmp_path):
    for path in ("unitree_g1_dex3", "parts/dex3_left", "parts/dex3_right", "parts/unitree_g1_body"):
        text = (SHEETS / f"{path}.toml").read_text()
        text = re.sub(r"left_shoulder_roll_joint = 0.25", "left_shoulder_roll_joint = -0.9", text)
        (tmp_path / f"{path.split('/')[-1]}.toml").write_text(text)
    findings = check_robot(load_robot(tmp_path / "unitree_g1_dex3.toml"))
    assert any("overlap by" in f.what and "torso_link" in f.what for f in findings)


@pytest.mark.parametrize("name", ["fr3", "g1", "xarm7", "allegro_right"])
def test_a_drafted_sheet_has_the_files_kinematics(tmp_path, shared_dir, name):
    file = shared_dir / "robots" / "slim" / f"{name}.xml"
    reference = mujoco.MjModel.from_xml_path(str(file))
    sheet = tmp_path / f"{name}.toml"
    sheet.write_text(draft_sheet(file))
    robot = load_robot(sheet)
    data = mujoco.MjData(reference)
    rng, last = np.random.default_rng(0), reference.body(reference.nbody - 1).name
    q = rng.uniform(robot.lower, robot.upper, (20, robot.n_q))
    T = robot.frames(q, [last])[:, 0]
    for row, pose in zip(q, T, strict=True):
        for joint, value in zip(robot.joint_names, row, strict=True):
            data.qpos[reference.joint(joint).qposadr[0]] = value
        mujoco.mj_kinematics(reference, data)
        root = reference.body(1)
        own = data.xmat[root.id].reshape(3, 3).T @ (data.xpos[reference.body(last).id] - data.xpos[root.id])
        base = robot.frames(row, [root.name])[0]
        assert np.abs(base[:3, :3].T @ (pose[:3, 3] - base[:3, 3]) - own).max() < 1e-5

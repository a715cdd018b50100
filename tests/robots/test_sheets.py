"""A wrong sheet is refused with a message that names the file, the place, the value and what would be right."""

from __future__ import annotations

import dataclasses

import pytest

from reenact.robots.errors import SheetError, UnknownRobotError
from reenact.robots.registry import known_robots, load_robot

GOOD = """
name = "stick"
title = "A stick"
licence = "CC0-1.0"
source = []
frozen = ["hip"]
excludes = [["foot", "tip"]]
home = { elbow = 0.5 }
[colors]
grey = [0.5, 0.5, 0.5]
[arms.right]
joints = ["shoulder", "elbow"]
[wrists.right]
body = "tip"
pos = [0.1, 0, 0]
[[body]]
name = "foot"
joint = { name = "hip", axis = [0, 0, 1], range = [-1, 1], effort = 10, velocity = 2 }
inertia = { mass = 1.0, moments = [0.1, 0.1, 0.1] }
[[body]]
name = "upper"
parent = "foot"
pos = [0, 0, 0.5]
joint = { name = "shoulder", axis = [0, 1, 0], range = [-1, 2], effort = 10, velocity = 2 }
inertia = { mass = 1.0 }
shapes = [{ kind = "capsule", radius = 0.05, start = [0, 0, 0], end = [0.3, 0, 0], color = "grey" }]
[[body]]
name = "tip"
parent = "upper"
pos = [0.4, 0, 0]
joint = { name = "elbow", axis = [0, 1, 0], range = [0, 2.5], effort = 5, velocity = 2 }
inertia = { mass = 0.5 }
"""

BROKEN = {
    "unknown key": ('title = "A stick"', 'titel = "A stick"', r"unknown key 'titel' \(did you mean 'title'"),
    "missing key": ('licence = "CC0-1.0"\n', "", r"stick.toml: key 'licence' is missing \(it is a text"),
    "wrong type": ("mass = 0.5", 'mass = "heavy"', r"body 2 \(tip\): inertia: mass: got 'heavy' \(it must be number"),
    "wrong length": ("pos = [0.4, 0, 0]", "pos = [0.4, 0]", r"body 2 \(tip\): pos: got \[0.4, 0\] .*list of 3 numbers"),
    "limits reversed": ("range = [0, 2.5]", "range = [2.5, 0]", r"joint: .*range \[2.5, 0.0\] is empty: lower must be"),
    "no axis": ("axis = [0, 0, 1]", "axis = [0, 0, 0]", r"body 0 \(foot\): joint.*axis \[0.0, 0.0, 0.0\] has no dir"),
    "no effort": ("effort = 5,", "effort = 0,", r"joint effort 0.0 must be above 0"),
    "negative mass": ("mass = 0.5", "mass = -0.5", r"mass -0.5 must be above 0"),
    "impossible inertia": ("[0.1, 0.1, 0.1]", "[0.1, 0.1, 0.5]", r"moments \[0.1, 0.1, 0.5\] are no rigid body's"),
    "unknown shape": ('"capsule"', '"banana"', r"shapes 0: kind: got 'banana' \(it must be one of 'sphere'"),
    "shape lacks": ("radius = 0.05, ", "", r"a capsule needs 'radius'"),
    "shape has too much": ("radius = 0.05,", "radius = 0.05, size = [1, 1, 1],", r"a capsule has no 'size'"),
    "unknown colour": ('color = "grey"', 'color = "gray"', r"body 'upper': colour 'gray' is not in colors .*'grey'"),
    "parent below": ('parent = "foot"', 'parent = "tip"', r"body 'upper': parent 'tip' is no body above it"),
    "twice the same body": ('name = "upper"', 'name = "foot"', r"two bodies are called 'foot'"),
    "twice the same joint": ('name = "elbow"', 'name = "hip"', r"two joints are called 'hip'"),
    "arm joint unknown": ('"shoulder", "elbow"]', '"shoulder", "elbo"]', r"joints: no joint 'elbo' .*elbow"),
    "frozen unknown": ('frozen = ["hip"]', 'frozen = ["hips"]', r"frozen: no joint 'hips' .*did you mean 'hip'"),
    "wrist body unknown": ('body = "tip"', 'body = "hand"', r"wrists.right.body: no body 'hand'"),
    "end effector missing": ("[wrists.right]", "[wrists.left]", r"right side has an arm or a hand but no wrist"),
    "no such side": ("[arms.right]", "[arms.middle]", r"arms.middle: no such side"),
    "home out of range": ("elbow = 0.5", "elbow = -0.5", r"home.elbow = -0.5 is outside its range \[0.0, 2.5\]"),
    "exclude unknown": ('["foot", "tip"]', '["foot", "toe"]', r"excludes: no body 'toe'"),
    "not toml": ("[colors]", "[colors", r"stick.toml: not a TOML file"),
    "mount unknown": ("[colors]", '[[mount]]\nsheet = "nohand"\n[colors]', r"mount of 'nohand': no nohand.toml beside"),
    "follower of itself": ("[colors]", '[[coupling]]\njoint = "elbow"\nof = "elbow"\n[colors]', r"follows exactly one"),
    "unknown finger": (
        "[colors]", '[hands.right.fingers.toe]\ntip = { body = "tip" }\njoints = []\n[colors]', r"fingers.toe: no such"
    ),
}  # fmt: skip


def write(folder, text):
    path = folder / "stick.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_good_sheet_is_good(tmp_path):
    robot = load_robot(write(tmp_path, GOOD))
    assert robot.joint_names == ("shoulder", "elbow")
    assert robot.home_q.tolist() == [0.0, 0.5]
    assert robot.velocity_limits.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_sheet_says_what_is_wrong(tmp_path, case):
    old, new, message = BROKEN[case]
    assert GOOD.count(old) >= 1, f"the case {case!r} does not touch the sheet"
    with pytest.raises(SheetError, match=message):
        load_robot(write(tmp_path, GOOD.replace(old, new, 1)))


def test_freezing_holds_a_joint_at_home_and_unfreezing_gives_it_back(tmp_path):
    path = write(tmp_path, GOOD.replace("home = { elbow", "home = { hip = 0.3, elbow"))
    held, loose = load_robot(path), load_robot(path, unfreeze=("hip",))
    assert held.n_q == loose.n_q - 1
    assert (
        abs(held.T_base_wrist(held.home_q, "right") - loose.T_base_wrist(loose.home_q, "right")).max() < 1e-12
    )
    with pytest.raises(SheetError, match=r"unfreeze: 'elbow' is not a frozen joint .*frozen: hip"):
        load_robot(path, unfreeze=("elbow",))


def test_unknown_robots_are_listed_with_the_closest():
    with pytest.raises(
        UnknownRobotError, match=r"no robot called 'dual_fr3_lep' \(did you mean 'dual_fr3_leap'\? known"
    ):
        load_robot("dual_fr3_lep")
    with pytest.raises(UnknownRobotError, match="is a model file, not a robot sheet"):
        load_robot("robot.urdf")


def test_the_hash_knows_a_changed_figure(tmp_path):
    first = load_robot(write(tmp_path, GOOD)).sheet_hash
    assert load_robot(write(tmp_path, GOOD)).sheet_hash == first
    assert load_robot(write(tmp_path, GOOD.replace("0.4, 0, 0", "0.41, 0, 0"))).sheet_hash != first


def test_every_sheet_names_its_sources_and_licence(make_robot):
    for name in known_robots():
        sheet = make_robot(name).sheet
        assert sheet.licence
        assert sheet.sources, name
        for source in sheet.sources:
            assert source.url.startswith("https://")
            assert source.licence in sheet.licence, (name, source)


def test_sheets_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_robot("dual_fr3_leap").sheet.name = "other"

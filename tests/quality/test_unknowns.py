"""What is not known is said; what is known is not doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.quality.unknowns import scene_unknowns
from reenact.scene import CameraPath
from tests import scenes
from tests.reframe.made import with_box


def test_each_assumption_is_named() -> None:
    scene = scenes.waving_scene()
    known = scene_unknowns(scene)
    assert any(
        "left hand is unknown in 17 % of the frames: 0.3-0.5 s" in line.replace("17%", "17 %")
        for line in known
    )
    assert not any("focal" in line or "up is" in line or "camera moves" in line for line in known)
    camera = replace(
        scene.camera, intrinsics_source="prior", focal_sigma=0.2, motion="moving", valid=np.zeros(30, bool),
        gravity_source="prior", gravity_sigma=0.3,
    )  # fmt: skip
    hands = replace(scene.hands, hand_length_source="adult_prior", valid=scene.hands.valid & [False, True])
    text = " ".join(scene_unknowns(replace(scene, camera=camera, hands=hands)))
    for words in (
        "camera moves",
        "20%",
        "17 degrees",
        "18.9 cm",
        "left hand was never found",
        "Objects were not",
    ):
        assert words in text


def test_a_path_says_how_sure_its_metres_are_and_where_it_ends() -> None:
    scene = scenes.waving_scene()
    valid = np.arange(30) < 27
    camera = replace(scene.camera, motion="moving", valid=valid)
    account = CameraPath(
        method="sfm", scale_source="hands", scale_sigma=0.11, turn_sigma=0.02, place_sigma=0.01, placed=0.9, licence="none",
        points_world=np.zeros((4, 3)),
    )  # fmt: skip
    text = " ".join(scene_unknowns(replace(scene, camera=camera, camera_path=account)))
    assert "unknown in 10% of the frames" in text
    assert "one sigma 11%" in text
    assert "path is not known" not in text


def test_objects_say_where_they_are_not_known_and_what_was_not_worked_out() -> None:
    scene = with_box(scenes.waving_scene(40, 10.0))
    lines = scene_unknowns(scene)
    assert "The place of box is unknown in 25% of the frames: 3.0-3.9 s." in lines
    raw = scene_unknowns(replace(scene, objects=None, objects_raw=scene.objects, contacts=None, states=None))
    assert any("nothing refined them" in line for line in raw)
    assert any("was not worked out" in line for line in raw)
    assert scene.states is not None
    state = scene.states.state.copy()
    state[:10] = 0
    blind = replace(scene, states=replace(scene.states, state=state))
    assert "What box does is unknown in 25% of the frames: 0.0-0.9 s." in scene_unknowns(blind)

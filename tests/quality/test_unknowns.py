"""What is not known is said; what is known is not doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.quality.unknowns import scene_unknowns
from tests import scenes


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

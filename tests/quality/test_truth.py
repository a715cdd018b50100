"""A scene is at distance zero from itself in any world frame, and a planted error is found as planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.quality.truth import NoSuchTruth, measure_scene
from tests import scenes


def moved(scene, R: np.ndarray, t: np.ndarray):
    """The same scene in another world frame."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, t
    camera = replace(scene.camera, T_world_camera=T @ scene.camera.T_world_camera)
    hands = replace(scene.hands, joints_world=scene.hands.joints_world @ R.T + t)
    return replace(scene, camera=camera, hands=hands, hands_raw=hands)


def test_the_same_scene_in_another_world_has_no_error() -> None:
    truth = scenes.waving_scene()
    scene = moved(truth, so3_exp(np.array([0.0, 0.0, 1.1])), np.array([1.0, -2.0, 0.5]))
    errors = measure_scene(scene, truth)
    assert errors.refined.joints_absolute_mm < 1e-6
    assert (errors.found_share, errors.false_hands) == (1.0, 0)
    assert errors.gravity_error_deg == pytest.approx(0.0, abs=1e-5)
    assert errors.focal_error_percent == 0.0


def test_a_planted_tilt_focal_and_offset_are_found() -> None:
    truth = scenes.waving_scene()
    tilted = moved(truth, so3_exp(np.array([np.deg2rad(5.0), 0.0, 0.0])), np.zeros(3))
    assert measure_scene(tilted, truth).gravity_error_deg == pytest.approx(5.0, abs=1e-6)
    camera = replace(truth.camera, params=truth.camera.params * [1.1, 1.1, 1, 1])
    assert measure_scene(replace(truth, camera=camera), truth).focal_error_percent == pytest.approx(10.0)
    forward = truth.camera.T_world_camera[0, :3, 2]
    hands = replace(truth.hands, joints_world=truth.hands.joints_world + 0.02 * forward)
    errors = measure_scene(replace(truth, hands=hands), truth)
    assert errors.refined.wrist_depth_cm == pytest.approx(2.0, abs=1e-6)
    assert errors.refined.wrist_lateral_cm == pytest.approx(0.0, abs=1e-6)


def test_truth_of_other_frames_is_refused() -> None:
    with pytest.raises(NoSuchTruth, match="20 frames"):
        measure_scene(scenes.waving_scene(30), scenes.waving_scene(20))

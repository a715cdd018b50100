"""Objects against truth: truth itself is perfect, known errors come out as what they are, strangers are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.quality.objects.against_truth import objects_against_truth
from reenact.scene import Scene
from tests import scenes
from tests.reframe.made import turned, with_box


@pytest.fixture(scope="module")
def truth() -> Scene:
    """The box rides on the right wrist for a while, then lies still."""
    scene = with_box(scenes.waving_scene(30))
    assert scene.objects is not None
    assert scene.hands is not None
    T = scene.objects.T_world_object.copy()
    T[:, 0, :3, 3] += scene.hands.joints_world[:, 1, 0] - scene.hands.joints_world[0, 1, 0]
    return replace(scene, objects=replace(scene.objects, T_world_object=T, valid=np.ones((30, 1), bool)))


def test_truth_has_no_errors(truth: Scene) -> None:
    (match,) = objects_against_truth(truth, truth)
    e = match.errors
    assert e.middle_cm < 1e-9
    assert e.turn_deg < 1e-4
    assert (e.add_s_auc, e.temporal_stability) == (pytest.approx(1), pytest.approx(1))
    assert (e.vsd_auc, e.failure_rate) == (pytest.approx(1), 0)
    assert e.contact_precision == e.contact_recall == 1
    assert e.largest_jump_cm is not None
    assert e.largest_jump_cm < 1e-9


def test_the_world_a_scene_is_in_does_not_matter(truth: Scene) -> None:
    (match,) = objects_against_truth(
        turned(truth, make_T(so3_exp(np.array([0.0, 0.0, 1.2])), np.array([2.0, 1.0, 0.5]))), truth
    )
    assert match.errors.middle_cm < 1e-9
    assert match.errors.turn_deg < 1e-4


def test_another_frame_of_the_object_is_no_error_and_a_shift_is(truth: Scene) -> None:
    assert truth.objects is not None
    own = make_T(so3_exp(np.array([0.3, -0.5, 0.9])), np.array([0.02, 0.05, -0.03]))
    vertices = apply(inverse(own), truth.objects.mesh_vertices)
    shift = make_T(np.eye(3), np.array([0.0, 0.03, 0.0]))
    fitted = replace(
        truth.objects, T_world_object=shift @ truth.objects.T_world_object @ own, mesh_vertices=vertices
    )
    (match,) = objects_against_truth(replace(truth, objects=fitted), truth)
    assert match.errors.turn_deg < 1e-4
    assert match.errors.temporal_stability == pytest.approx(1)
    assert (
        2 < match.errors.middle_cm < 6
    )  # 3 cm, and what the fitted box's middle is off for its turned edges


def test_what_is_not_known_counts_and_what_is_elsewhere_is_no_match(truth: Scene) -> None:
    assert truth.objects is not None
    half = truth.objects.valid.copy()
    half[15:] = False
    (match,) = objects_against_truth(
        replace(truth, objects=replace(truth.objects, valid=half), states=None), truth
    )
    assert (match.errors.known, match.errors.add_s_auc) == (0.5, pytest.approx(0.5))
    assert match.errors.state_f1 is None
    far = truth.objects.T_world_object.copy()
    far[..., 0, 3] += 1.0
    assert (
        objects_against_truth(replace(truth, objects=replace(truth.objects, T_world_object=far)), truth) == []
    )

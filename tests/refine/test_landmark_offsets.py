"""Landmarks that lie beside the joints: derivatives, mirror symmetry, and hands put where they are in spite of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.geometry.rotations import random_rotation, so3_exp
from reenact.hands.joints import wrist_frame
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands import reconstruct_hands
from reenact.refine.hands.kinematics import FingerPlanes, posed_joints_and_jacobian
from reenact.refine.hands.offsets import LandmarkOffsets, offsets_of

from .synthetic_hands import LENS, camera_track, landmarks_of, moving_hand, times_ns

NET = "mediapipe-hands-full-0.10.21/litert"


@pytest.mark.parametrize("side", [0, 1])
def test_jacobian_of_landmarks_equals_finite_differences(side):
    rng, n, h = np.random.default_rng(2), 3, 1e-6
    skeleton = HandSkeleton.adult(side, 0.2)
    planes = FingerPlanes(skeleton)
    beside = LandmarkOffsets(skeleton, 0.01 * rng.normal(size=(2, 21, 3)) * [[[1.0]], [[0.0]]])
    R, t, angles = random_rotation(rng, n), rng.normal(size=(n, 3)), 0.5 * rng.normal(size=(n, 20))
    _, jacobian = posed_joints_and_jacobian(planes, R, t, angles, beside)
    for k in range(26):
        step = np.zeros(26)
        step[k] = h
        plus, minus = (
            posed_joints_and_jacobian(
                planes, so3_exp(s * step[3:6]) @ R, t + s * step[:3], angles + s * step[6:], beside
            )[0]
            for s in (1, -1)
        )
        np.testing.assert_allclose(jacobian[..., k], (plus - minus) / (2 * h), atol=1e-8)


def test_offsets_go_with_the_bones_and_both_hands_are_mirror_images():
    rng = np.random.default_rng(0)
    angles, both = 0.4 * rng.normal(size=(4, 20)), rng.normal(size=(2, 21, 3))
    way = np.array([-1.0, -0.3, 0.0, 0.8])
    left, right = (
        LandmarkOffsets(HandSkeleton.adult(s), both).with_derivatives(angles, way)[0] for s in (0, 1)
    )
    np.testing.assert_allclose(left, right * [-1, 1, 1], atol=1e-12)
    bones = HandSkeleton.adult(1).bone_transforms(angles)[:, 1:, :3, :3].reshape(4, 5, 3, 3, 3)
    seen = np.einsum("nfkji,nfkj->nfki", bones, right[:, 1:].reshape(4, 5, 4, 3)[:, :, 1:])
    told = both[0] + way[:, None, None] * both[1]
    np.testing.assert_allclose(seen, told[:, 1:].reshape(4, 5, 4, 3)[:, :, 1:] * [1, 1, -1], atol=1e-12)


@pytest.mark.parametrize("side", [0, 1])
def test_which_way_the_hand_points(side):
    """A hand straight ahead: fingers to the camera 1, away from it -1, broadside 0, whichever side."""
    skeleton = HandSkeleton.adult(side)
    beside, t = LandmarkOffsets(skeleton, np.zeros((2, 21, 3))), np.array([[0.0, 0.0, 0.7]])
    fingers = skeleton.rest_joints_wrist[9] / np.linalg.norm(skeleton.rest_joints_wrist[9])
    for direction, told in (([0, 0, -1.0], 1.0), ([0, 0, 1.0], -1.0), ([1.0, 0, 0], 0.0)):
        x = np.array(direction)
        y = np.array([0.0, 1.0, 0.0])
        R = np.stack([x, y, np.cross(x, y)], axis=1) @ np.stack(
            [fingers, [0, 1, 0], np.cross(fingers, [0, 1, 0])]
        )
        np.testing.assert_allclose(beside.toward(R[None], t), told, atol=0.2)


def test_only_nets_whose_habits_were_measured_have_offsets():
    assert not offsets_of("truth/projection").any()
    assert offsets_of(NET)[0, 9, 1] > 0.005  # the knuckles are on the back of the hand


@pytest.mark.parametrize("side", [0, 1])
def test_a_net_with_the_measured_habit_does_not_put_hands_nearer(side):
    """The picture of joint + offset, fingers to the camera: read as joints, the hand comes out 2 % too near or more."""
    t_ns = times_ns(0.4, 30)
    joints = moving_hand(t_ns)
    joints = (joints - joints[:, :1]) @ so3_exp(np.array([-0.9, 0.0, 0.0])).T + joints[:, :1]
    joints = joints * [-1 if side == 0 else 1, 1, 1]
    skeleton, R = HandSkeleton.adult(side), wrist_frame(joints, side)
    angles = skeleton.fit_angles((joints - joints[:, :1]) @ R)
    beside = LandmarkOffsets(skeleton, offsets_of(NET))
    off, _ = beside.with_derivatives(angles, beside.toward(R, joints[:, 0]))
    marks = landmarks_of(joints + off @ np.swapaxes(R, -1, -2), side)
    scale = {}
    for backend in (NET, "joints"):
        made = reconstruct_hands(
            dataclasses.replace(marks, backend=backend), camera_track(len(t_ns), LENS), t_ns
        ).refined
        scale[backend] = np.median(made.joints_world[:, side, 0, 2] / joints[:, 0, 2])
        if backend == NET:
            assert np.abs(made.joints_world[:, side] - joints).max() < 0.02
            assert np.median(made.reprojection[:, side]) < 0.005
    assert scale["joints"] < 0.98
    assert scale[NET] == pytest.approx(1.0, abs=0.01)

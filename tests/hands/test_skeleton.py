"""Laws of joints and skeleton: frames point where the conventions say, angles and joints are inverse."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.rotations import random_rotation
from reenact.hands.joints import (
    BONES_21,
    LEFT,
    MCPS,
    RIGHT,
    bone_lengths,
    hand_length,
    wrist_frame,
    wrist_transform,
)
from reenact.hands.skeleton import ANGLE_NAMES, HandSkeleton

SIDES = (LEFT, RIGHT)


def random_angles(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    angles = rng.uniform(-0.2, 1.5, (n, 20))
    angles[:, 1::4] = rng.uniform(-0.4, 0.4, (n, 5))
    return angles


@pytest.mark.parametrize("side", SIDES)
def test_the_flat_hand_lies_in_its_own_frame(side: int) -> None:
    rest = HandSkeleton.adult(side).rest_joints_wrist
    np.testing.assert_allclose(wrist_frame(rest, side), np.eye(3), atol=1e-12)
    assert hand_length(rest) == pytest.approx(0.189)


@pytest.mark.parametrize("side", SIDES)
def test_axes_point_as_metis_says(side: int) -> None:
    """Palm down, fingers forward (+X), up +Z: y is up, z to the thumb, x to the tips (left) or the elbow (right)."""
    hand = HandSkeleton.adult(side)
    flat = hand.rest_joints_wrist
    assert np.sign(flat[12, 0]) == (1 if side == LEFT else -1)
    assert flat[4, 2] > 0.04
    assert (flat[17, 2] < flat[5, 2]).all()
    fist = hand.joints_wrist(np.where(["flexion" in n for n in ANGLE_NAMES], 1.2, 0.0))
    assert (fist[[8, 12, 16, 20], 1] < -0.02).all()


@pytest.mark.parametrize("side", SIDES)
def test_the_frame_turns_with_the_hand(side: int) -> None:
    R = random_rotation(np.random.default_rng(3), 20)
    joints = HandSkeleton.adult(side).joints_wrist(random_angles(20))
    moved = np.einsum("nij,nkj->nki", R, joints) + 0.3
    np.testing.assert_allclose(wrist_frame(moved, side), R @ wrist_frame(joints, side), atol=1e-9)
    T = wrist_transform(moved, side)
    np.testing.assert_allclose(T[:, :3, 3], moved[:, 0])


@pytest.mark.parametrize("side", SIDES)
def test_angles_and_joints_are_inverse(side: int) -> None:
    hand = HandSkeleton.adult(side, hand_length=0.17)
    angles = random_angles(200)
    np.testing.assert_allclose(hand.fit_angles(hand.joints_wrist(angles)), angles, atol=1e-9)


def test_left_is_the_mirror_of_right() -> None:
    angles = random_angles(30)
    left, right = (HandSkeleton.adult(side).joints_wrist(angles) for side in SIDES)
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-12)


def test_bones_keep_their_length_in_every_pose_and_scale_with_the_hand() -> None:
    small, big = (HandSkeleton.adult(RIGHT, length).joints_wrist(random_angles(50)) for length in (0.16, 0.2))
    assert bone_lengths(small).std(axis=0).max() < 1e-12
    np.testing.assert_allclose(bone_lengths(big), bone_lengths(small) * 0.2 / 0.16)


def test_the_knuckles_do_not_move_with_the_fingers() -> None:
    joints = HandSkeleton.adult(RIGHT).joints_wrist(random_angles(50))
    assert joints[:, list(MCPS)].std(axis=0).max() < 1e-12


@pytest.mark.parametrize("side", SIDES)
def test_bone_frames_lie_along_their_bones(side: int) -> None:
    hand = HandSkeleton.adult(side)
    angles = random_angles(10)
    T, joints = hand.bone_transforms(angles), hand.joints_wrist(angles)
    np.testing.assert_allclose(np.linalg.det(T[..., :3, :3]), 1.0, atol=1e-9)
    for bone in range(1, 16):
        finger, k = divmod(bone - 1, 3)
        parent, child = BONES_21[4 * finger + 1 + k]
        along = joints[:, child] - joints[:, parent]
        along = along / np.linalg.norm(along, axis=-1, keepdims=True)
        np.testing.assert_allclose(T[:, bone, :3, 0], along, atol=1e-9)

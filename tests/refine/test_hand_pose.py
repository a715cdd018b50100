"""The single-frame fit: derivatives, recovery of known hands, scale laws, any lens, honest covariance."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera
from reenact.geometry.rotations import random_rotation, so3_exp
from reenact.hands.joints import bone_lengths
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands.kinematics import FingerPlanes, posed_joints, posed_joints_and_jacobian
from reenact.refine.hands.levenberg import LevenbergConfig, minimise
from reenact.refine.hands.limits import JointLimitsConfig, beyond_limits, limit_angles
from reenact.refine.hands.pose import PoseConfig, fit_hand_poses
from reenact.refine.hands.rigid import solve_rigid

from .synthetic_hands import LENS, landmarks_of, random_hands


def fit(joints, side=1, lens=LENS, length=0.189, config=None, **noise):
    marks = landmarks_of(joints, side, lens, **noise)
    rays = lens.unproject(marks.landmarks_px[:, side])
    skeleton = HandSkeleton.adult(side, length)
    poses = fit_hand_poses(skeleton, rays, marks.landmarks_rel[:, side], config)
    return posed_joints(skeleton, poses.R_camera_wrist, poses.t_camera, poses.angles), poses


@pytest.mark.parametrize("side", [0, 1])
def test_joints_equal_the_skeletons_own(side):
    angles = np.random.default_rng(1).normal(size=(20, 20))
    skeleton = HandSkeleton.adult(side, 0.175)
    np.testing.assert_allclose(
        FingerPlanes(skeleton).joints(angles), skeleton.joints_wrist(angles), atol=1e-14
    )


@pytest.mark.parametrize("side", [0, 1])
def test_jacobian_equals_finite_differences(side):
    rng, n, h = np.random.default_rng(2), 5, 1e-6
    skeleton = HandSkeleton.adult(side)
    R, t, angles = random_rotation(rng, n), rng.normal(size=(n, 3)), 0.5 * rng.normal(size=(n, 20))
    _, jacobian = posed_joints_and_jacobian(FingerPlanes(skeleton), R, t, angles)
    for k in range(26):
        step = np.zeros(26)
        step[k] = h
        plus = posed_joints(skeleton, so3_exp(step[3:6]) @ R, t + step[:3], angles + step[6:])
        minus = posed_joints(skeleton, so3_exp(-step[3:6]) @ R, t - step[:3], angles - step[6:])
        np.testing.assert_allclose(jacobian[..., k], (plus - minus) / (2 * h), atol=1e-8)


def test_levenberg_solves_every_row_and_never_worsens():
    rng = np.random.default_rng(3)
    target, start = rng.uniform(0.5, 3, (50, 2)), rng.uniform(0.2, 4, (50, 2))

    def evaluate(state, rows):
        (x,) = state
        residual = np.stack([x[:, 0] ** 2, x[:, 0] * x[:, 1]], 1) - np.stack(
            [target[rows, 0] ** 2, target[rows, 0] * target[rows, 1]], 1
        )
        J = np.zeros((len(rows), 2, 2))
        J[:, 0, 0], J[:, 1, 0], J[:, 1, 1] = 2 * x[:, 0], x[:, 1], x[:, 0]
        Jt = np.swapaxes(J, 1, 2)
        return (residual**2).sum(1), (Jt @ residual[..., None])[..., 0], Jt @ J

    first, _, _ = evaluate((start,), np.arange(50))
    (x,), cost, _ = minimise((start,), evaluate, lambda s, d: (s[0] + d,), LevenbergConfig(tolerance=1e-12))
    assert np.all(cost <= first)
    np.testing.assert_allclose(x, target, rtol=1e-4)


def test_rigid_fit_recovers_the_pose_of_a_known_shape():
    joints = random_hands(40, seed=4)
    rays = LENS.unproject(LENS.project(joints))
    turned = (joints - joints[:, :1]) @ so3_exp(np.array([0.2, -0.3, 0.25]))
    np.testing.assert_allclose(solve_rigid(turned, rays), joints, atol=2e-4)


@pytest.mark.parametrize("side", [0, 1])
def test_clean_hands_are_recovered(side):
    """Without noise only the weak priors pull: depth within 1.5 %, sideways within 2 mm, 21 joints within 5 mm."""
    joints = random_hands(60, side, seed=5)
    found, _ = fit(joints, side)
    off = np.abs(found[:, 0] - joints[:, 0])
    assert np.median(off[:, 2] / joints[:, 0, 2]) < 0.005
    assert np.percentile(off[:, 2] / joints[:, 0, 2], 95) < 0.02
    assert np.percentile(off[:, :2], 95) < 0.003
    assert np.median(np.linalg.norm(found - joints, axis=-1).mean(-1)) < 0.005


def test_noisy_hands_are_recovered_within_the_targets():
    """1 % pixel noise and bones turned by 20 deg: median depth error under 2.5 %, sideways under 5 mm."""
    joints = random_hands(150, seed=6)
    found, _ = fit(joints, noise_box=0.01, turn_rad=np.deg2rad(20))
    off = np.abs(found[:, 0] - joints[:, 0])
    assert np.median(off[:, 2] / joints[:, 0, 2]) < 0.025
    assert np.median(np.linalg.norm(off[:, :2], axis=-1)) < 0.005
    ratio = found[:, 0, 2] / joints[:, 0, 2]
    assert abs(np.median(ratio) - 1) < 0.02


def test_articulated_fit_beats_rigid_fits_when_the_nets_shape_is_bad():
    """The reason for the whole room: turned bones ruin a rigid fit's depth, not ours."""
    joints = random_hands(100, seed=7)
    marks = landmarks_of(joints, noise_box=0.005, turn_rad=np.deg2rad(25))
    rays = LENS.unproject(marks.landmarks_px[:, 1])
    rel = marks.landmarks_rel[:, 1] / 0.8
    rigid = np.abs(solve_rigid(rel, rays)[:, 0, 2] / joints[:, 0, 2] - 1)
    found, _ = fit(joints, noise_box=0.005, turn_rad=np.deg2rad(25))
    ours = np.abs(found[:, 0, 2] / joints[:, 0, 2] - 1)
    assert np.median(ours) < 0.4 * np.median(rigid)


def test_moving_the_hand_moves_the_estimate():
    joints = random_hands(40, seed=8)
    joints = joints - joints[:, :1] + [0.0, 0.0, 0.7]
    before, _ = fit(joints)
    after, _ = fit(joints + [0.08, -0.05, 0.0])
    moved = after[:, 0] - before[:, 0]
    np.testing.assert_allclose(np.median(moved, axis=0), [0.08, -0.05, 0.0], atol=0.003)


def test_depth_goes_with_hand_length_exactly():
    joints = random_hands(30, seed=9)
    small, _ = fit(joints, noise_box=0.01)
    large, _ = fit(joints, noise_box=0.01, length=0.189 * 1.1)
    np.testing.assert_allclose(large, 1.1 * small, rtol=2e-3, atol=1e-4)


def test_depth_goes_with_assumed_focal_length_and_sideways_metres_stay():
    joints = random_hands(60, seed=10)
    marks = landmarks_of(joints)
    skeleton, found = HandSkeleton.adult(1), []
    for factor in (1.0, 1.1):
        lens = PinholeCamera(
            LENS.fx * factor, LENS.fy * factor, LENS.cx, LENS.cy, LENS.width_px, LENS.height_px
        )
        poses = fit_hand_poses(skeleton, lens.unproject(marks.landmarks_px[:, 1]), marks.landmarks_rel[:, 1])
        found.append(poses.t_camera)
    assert np.median(found[1][:, 2] / found[0][:, 2]) == pytest.approx(1.1, abs=0.01)
    assert np.median(np.abs(found[1][:, :2] - found[0][:, :2])) < 0.003


def test_fisheye_equals_pinhole_on_the_same_rays():
    joints = random_hands(30, seed=11)
    fisheye = FisheyeCamera(400.0, 400.0, 640.0, 360.0, 1280, 720, 0.02, -0.004, 0.001, 0.0)
    by_pinhole, _ = fit(joints)
    by_fisheye, _ = fit(joints, lens=fisheye)
    np.testing.assert_allclose(by_fisheye, by_pinhole, atol=5e-4)


def test_bone_lengths_are_the_skeletons():
    joints = random_hands(20, seed=12)
    found, _ = fit(joints, noise_box=0.03, turn_rad=0.4)
    want = bone_lengths(HandSkeleton.adult(1).rest_joints_wrist)
    np.testing.assert_allclose(bone_lengths(found), np.tile(want, (20, 1)), rtol=1e-10)


def test_covariance_is_honest_when_noise_is_as_assumed():
    """Wrist errors over their one-sigma have unit size (0.7 to 1.4) in every direction, and depth is the worst."""
    joints = random_hands(300, seed=13)
    config = PoseConfig()
    found, poses = fit(
        joints, noise_box=config.landmark_sigma, turn_rad=config.direction_sigma / 2, config=config
    )
    sigma = np.sqrt(np.diagonal(poses.covariance, axis1=1, axis2=2)[:, :3])
    z = (found[:, 0] - joints[:, 0]) / sigma
    spread = np.sqrt(np.median(z**2, axis=0) / 0.455)
    assert np.all((spread > 0.7) & (spread < 1.4)), spread
    assert np.all(np.median(sigma[:, 2]) > 3 * np.median(sigma[:, :2], axis=0))


def test_no_hands_is_no_error():
    poses = fit_hand_poses(HandSkeleton.adult(0), np.zeros((0, 21, 3)), np.zeros((0, 21, 3)))
    assert poses.t_camera.shape == (0, 3)
    assert poses.covariance.shape == (0, 26, 26)


def test_limits_clamp_once_and_leave_ordinary_hands_alone():
    rng = np.random.default_rng(14)
    wild = rng.uniform(-3, 3, (200, 20))
    once = limit_angles(wild)
    np.testing.assert_array_equal(limit_angles(once), once)
    assert beyond_limits(once).max() == 0.0
    lower, upper = JointLimitsConfig().bounds()
    assert np.all(once >= lower)
    assert np.all(once <= upper)
    flat, relaxed = np.zeros(20), np.deg2rad(np.tile([25.0, 0.0, 30.0, 20.0], 5))
    assert beyond_limits(flat) == 0.0
    assert beyond_limits(relaxed) == 0.0


def test_bent_knuckles_spread_less():
    angles = np.zeros((2, 20))
    angles[:, 4], angles[:, 5] = np.deg2rad([0.0, 90.0]), np.deg2rad(25.0)
    limited = limit_angles(angles)
    assert limited[0, 5] == pytest.approx(np.deg2rad(25.0))
    assert limited[1, 5] == pytest.approx(np.deg2rad(12.5))


def test_impossible_fingers_come_back_inside_the_limits():
    """Fingers bent 60 deg backward in the landmarks: the fit gives in by little more than the softness."""
    angles = np.zeros((1, 20))
    angles[0, [6, 10, 14, 18]] = np.deg2rad(-60)
    skeleton = HandSkeleton.adult(1)
    facing = np.array([[-1.0, 0, 0], [0, 0, -1.0], [0, -1.0, 0]]).T
    joints = posed_joints(skeleton, facing[None], np.array([[0.0, 0.0, 0.7]]), angles)
    _, poses = fit(joints)
    assert np.rad2deg(beyond_limits(poses.angles)).max() < 25

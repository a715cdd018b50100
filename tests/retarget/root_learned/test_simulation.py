"""Simulated clips: possible for the robot, seen from everywhere, and with a truth that no augmentation moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import inverse
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.augment import draw_cameras, seen_by_cameras
from reenact.retarget.root.learned.config import AugmentConfig, WindowConfig
from reenact.retarget.root.learned.errors import NothingToTrain
from reenact.retarget.root.learned.motions import Motions, MotionSource
from reenact.retarget.root.learned.windows import Windows
from tests.retarget.root_learned.conftest import SMALL

CLEAN = AugmentConfig(
    noise_position=0.0, noise_rotation=0.0, noise_depth=0.0, jumps=0.0, occlusion=0.0, one_handed=0.0, short=0.0,
    gravity_noise=0.0, gravity_dropout=0.0,
)  # fmt: skip


def test_motions_are_the_robots_own(motions: Motions, g1_arms: RobotArms) -> None:
    for side, chain in enumerate(g1_arms.chains):
        q = motions.q[side]
        assert chain is not None
        assert q is not None
        assert (q >= chain.lower).all()
        assert (q <= chain.upper).all()
        np.testing.assert_allclose(chain.fk(q), motions.T_base_wrist[:, :, side], atol=1e-12)


def test_motions_are_smooth_apart_and_all_different(motions: Motions) -> None:
    p = motions.T_base_wrist[..., :3, 3]
    bends, steps = (np.linalg.norm(np.diff(p, k, axis=1), axis=-1) for k in (2, 1))
    assert np.sqrt((bends**2).mean()) < 0.8 * np.sqrt((steps**2).mean())  # white noise would give sqrt(3)
    assert np.quantile(bends, 0.99) < 0.08  # m per token squared (8 m/s^2): no jumps
    assert np.linalg.norm(p[:, :, 0] - p[:, :, 1], axis=2).min() >= 0.07
    assert len(np.unique(p[:, 0, 0, 0])) == len(p)
    spans = np.ptp(p, axis=1).max(axis=(1, 2))
    assert np.median(spans) > 0.03


def test_the_same_seed_gives_the_same_motions_and_another_one_others(source: MotionSource) -> None:
    one, same, other = (source.draw(4, np.random.default_rng(s)).T_base_wrist for s in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_a_robot_without_arms_is_refused() -> None:
    with pytest.raises(NothingToTrain, match="no arm"):
        MotionSource(RobotArms((None, None), (None, None)), SMALL, WindowConfig(), seed=0)


def test_without_faults_a_camera_sees_exactly_the_motion(motions: Motions) -> None:
    windows, T = seen_by_cameras(motions, CLEAN, WindowConfig(), np.random.default_rng(0))
    assert windows.valid.all()
    back = inverse(T)[:, None, None] @ windows.T_world_wrist
    np.testing.assert_allclose(back, motions.T_base_wrist, atol=1e-9)
    np.testing.assert_allclose(windows.up, T[:, :3, 2], atol=1e-12)


FAULTS = {
    "noise": {"noise_position": 0.01, "noise_rotation": 0.05, "noise_depth": 0.03},
    "jumps": {"jumps": 1.0},
    "occlusion": {"occlusion": 1.0},
    "one hand": {"one_handed": 1.0},
    "short": {"short": 1.0},
    "gravity": {"gravity_noise": 0.1, "gravity_dropout": 0.5},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_change_what_is_seen_and_never_the_truth(motions: Motions, fault: str) -> None:
    config = replace(CLEAN, **FAULTS[fault])
    windows, T = seen_by_cameras(motions, config, WindowConfig(), np.random.default_rng(7))
    error = inverse(T)[:, None, None] @ windows.T_world_wrist - motions.T_base_wrist
    off = np.linalg.norm(np.where(windows.valid[..., None, None], error, 0.0)[..., :3, 3], axis=-1)
    assert not windows.T_world_wrist[~windows.valid].any()  # what is not seen is zero
    assert windows.valid.any(axis=(1, 2)).all()  # and something is always seen
    if fault == "noise":
        assert 0.005 < np.sqrt((off**2).mean()) < 0.06
    elif fault == "jumps":
        assert 0.0 < (off > 1e-9).mean() < 0.25
        assert off.max() <= 0.15 + 1e-9
    else:
        np.testing.assert_allclose(off, 0.0, atol=1e-9)
    if fault == "occlusion":
        lost = (~windows.valid).sum(axis=1)
        assert (lost.min(axis=1) == 0).all()  # one hand only
        assert (lost.max(axis=1) >= 1).all()
        assert lost.max() <= 10
    if fault == "one hand":
        assert (windows.valid.all(axis=1).sum(axis=1) == 1).all()
    if fault == "short":
        assert (~windows.valid[:, -1]).all()
    if fault == "gravity":
        given = windows.up.any(axis=1)
        assert 0.2 < given.mean() < 0.8
        assert (np.arccos(np.clip((windows.up * T[:, :3, 2]).sum(axis=1)[given], -1, 1)) <= 0.1 + 1e-6).all()


def test_cameras_stand_all_around_and_look_at_the_hands() -> None:
    centre = np.tile([0.3, 0.0, 0.1], (4000, 1))
    T = draw_cameras(centre, AugmentConfig(), np.random.default_rng(0))
    away = T[:, :3, 3] - centre
    np.testing.assert_allclose(away / np.linalg.norm(away, axis=1, keepdims=True), -T[:, :3, 2], atol=1e-9)
    azimuth = np.arctan2(away[:, 1], away[:, 0])
    rear = np.abs(azimuth) > AugmentConfig().azimuth
    assert 0.12 < rear.mean() < 0.18
    assert 0.4 < (azimuth[rear] > 0).mean() < 0.6  # both sides: the published code knows one
    roll = rotation_angle(T[:-1, :3, :3], T[1:, :3, :3])
    assert roll.std() > 0.3


def test_the_centre_and_the_frame_of_noise_move_with_the_clip(seen: tuple[Windows, np.ndarray]) -> None:
    from tests.retarget.motions import yaw
    from tests.retarget.root_learned.conftest import turned

    windows = seen[0]
    G = yaw(0.7, 1.0, -2.0, 0.5)
    G[:3, :3] = G[:3, :3] @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    moved = turned(windows, G)
    np.testing.assert_allclose(moved.centre(), windows.centre() @ G[:3, :3].T + G[:3, 3], atol=1e-9)
    np.testing.assert_allclose(moved.reference(), G[:3, :3] @ windows.reference(), atol=1e-9)
    R = windows.reference()
    np.testing.assert_allclose(R @ np.swapaxes(R, 1, 2), np.broadcast_to(np.eye(3), R.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(R), 1.0, atol=1e-9)

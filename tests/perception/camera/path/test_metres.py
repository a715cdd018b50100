"""Resting and touching hands give a map its metres; no hands, no metres. Up and the world frame follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.perception.camera.path import rooms

from reenact.geometry.transforms import apply, inverse
from reenact.perception.camera.path.assemble import with_path
from reenact.perception.camera.path.config import ScaleConfig
from reenact.perception.camera.path.judge import PathTrust
from reenact.perception.camera.path.level import UpSights, level_up
from reenact.perception.camera.path.metres import SeenHands, map_scale
from reenact.perception.camera.path.register import FramePoses
from reenact.perception.camera.path.solve import SolvedPath
from reenact.scene import CameraTrack, Clip, Source

FRAMES = 60
T_S = np.arange(FRAMES) / 15
UNIT = 0.04
"""Metres per unit of the map."""


def hand_world(path: np.ndarray) -> np.ndarray:
    """21 joints about 10 cm above the table, moved along a path."""
    joints = np.random.default_rng(3).uniform(-0.06, 0.06, (21, 3)) + [0.0, 0.0, 0.08]
    return joints + path[:, None]


def in_map(truth: np.ndarray, unit: float = UNIT) -> np.ndarray:
    """Poses in the first camera's axes and the map's unit."""
    T = inverse(truth[0]) @ truth
    T[:, :3, 3] /= unit
    return T


def hands_of(truth: np.ndarray, path: np.ndarray) -> SeenHands:
    joints = apply(inverse(truth), hand_world(path))
    both = np.stack([joints, joints], axis=1)
    valid = np.zeros((FRAMES, 2), dtype=bool)
    valid[:, 1] = True
    return SeenHands(both, valid, np.tile([0.005, 0.005, 0.04], (FRAMES, 2, 1)))


def points_in_map(truth: np.ndarray, unit: float = UNIT) -> np.ndarray:
    points = rooms.room_points(200, np.random.default_rng(1))
    return apply(inverse(truth[0]), points) / unit


def resting_then_working() -> np.ndarray:
    """At rest for half of the time, then away by 0.3 m and back."""
    path = np.zeros((FRAMES, 3))
    path[30:, 0] = 0.3 * np.sin(np.linspace(0, np.pi, FRAMES - 30))
    return path


TRUTH = rooms.orbit(FRAMES, 30.0)
ALL = np.ones(FRAMES, dtype=bool)


def test_a_hand_that_rests_gives_the_unit() -> None:
    hands = hands_of(TRUTH, resting_then_working())
    scale = map_scale(in_map(TRUTH), ALL, points_in_map(TRUTH), hands, T_S, 0.02, ScaleConfig())
    assert scale.metres == pytest.approx(UNIT, rel=0.05)
    assert scale.sigma < 0.12
    assert scale.rest_sigma < 0.1


@pytest.mark.parametrize("unit", [0.01, 1.0, 30.0])
def test_the_answer_follows_the_unit(unit: float) -> None:
    hands = hands_of(TRUTH, resting_then_working())
    one = map_scale(in_map(TRUTH), ALL, points_in_map(TRUTH), hands, T_S, 0.02, ScaleConfig())
    other = map_scale(in_map(TRUTH, unit), ALL, points_in_map(TRUTH, unit), hands, T_S, 0.02, ScaleConfig())
    assert other.metres / one.metres == pytest.approx(unit / UNIT, rel=1e-6)
    assert other.sigma == pytest.approx(one.sigma)


def test_a_camera_that_hardly_moves_leaves_touch_alone() -> None:
    still = rooms.orbit(FRAMES, 0.2)
    hands = hands_of(still, resting_then_working())
    scale = map_scale(in_map(still), ALL, points_in_map(still), hands, T_S, 0.02, ScaleConfig())
    assert scale.metres == pytest.approx(scale.touch, rel=0.1)
    assert scale.sigma > 0.15


def test_hands_that_travel_with_the_camera_give_no_metres() -> None:
    """In the camera's view they hardly move, as if the camera stood still; before the room they are far from touching."""
    walk = np.repeat(TRUTH[:1], FRAMES, axis=0)
    walk[:, :3, 3] += np.linspace(0, 3.0, FRAMES)[:, None] * [1.0, 0.0, 0.0]
    start = hands_of(TRUTH, np.zeros((FRAMES, 3))).joints_camera[:1]
    sway = 0.002 * np.sin(np.arange(FRAMES))[:, None, None, None]
    hands = hands_of(TRUTH, np.zeros((FRAMES, 3)))
    carried = replace(hands, joints_camera=np.repeat(start, FRAMES, axis=0) + sway)
    points = np.concatenate([points_in_map(walk) + [k / UNIT, 0, 0] for k in np.linspace(0, 3, 6)])
    scale = map_scale(in_map(walk), ALL, points, carried, T_S, 0.02, ScaleConfig())
    assert scale.sigma == np.inf
    assert "no metres" in scale.reason


def test_a_bent_path_makes_its_metres_unsure() -> None:
    hands = hands_of(TRUTH, resting_then_working())
    straight, bent = (
        map_scale(in_map(TRUTH), ALL, points_in_map(TRUTH), hands, T_S, s, ScaleConfig()) for s in (0.02, 0.2)
    )
    assert bent.metres == straight.metres
    assert bent.sigma > 0.2 > straight.sigma


def test_without_hands_there_are_no_metres() -> None:
    hands = hands_of(TRUTH, resting_then_working())
    none = replace(hands, valid=np.zeros_like(hands.valid))
    assert map_scale(in_map(TRUTH), ALL, points_in_map(TRUTH), none, T_S, 0.02, ScaleConfig()).sigma == np.inf


def test_up_seen_in_single_pictures_is_carried_along_the_path() -> None:
    frames = np.array([3, 20, 50])
    ups = TRUTH[frames, :3, :3].transpose(0, 2, 1) @ [0.0, 0.0, 1.0]
    t_ns = (T_S * 1e9).astype(np.int64)
    up, sigma = level_up(UpSights(t_ns[frames], ups, 0.02, "lines"), TRUTH, t_ns)
    np.testing.assert_allclose(up, [0, 0, 1], atol=1e-9)
    assert sigma == 0.02
    tilted = ups + np.array([[0.3, 0, 0], [-0.3, 0, 0], [0, 0, 0]])
    tilted /= np.linalg.norm(tilted, axis=1, keepdims=True)
    assert level_up(UpSights(t_ns[frames], tilted, 0.02, "lines"), TRUTH, t_ns)[1] > 0.1


def test_the_track_is_the_true_one_in_a_level_world_that_starts_at_the_first_camera() -> None:
    known = ALL.copy()
    known[-3:] = False
    poses = FramePoses(in_map(TRUTH), known, np.zeros(FRAMES, dtype=bool))
    trust = PathTrust(True, "", 0.01, 0.02, 0.2, 0.95, 200, 0.3)
    path = SolvedPath(poses, points_in_map(TRUTH), 20.0, trust, None)
    t_ns = (T_S * 1e9).astype(np.int64)
    hands = hands_of(TRUTH, resting_then_working())
    scale = map_scale(in_map(TRUTH), known, path.points_map, hands, T_S, 0.02, ScaleConfig())
    scale = replace(scale, metres=UNIT)
    up = TRUTH[0, :3, :3].T @ [0.0, 0.0, 1.0]
    track, account = with_path(
        camera0(), clip(t_ns), path, scale, UpSights(t_ns[:1], up[None], 0.05, "lines")
    )
    apart = np.linalg.norm(np.diff(track.T_world_camera[known][:, :3, 3], axis=0), axis=1)
    np.testing.assert_allclose(
        apart, np.linalg.norm(np.diff(TRUTH[known][:, :3, 3], axis=0), axis=1), atol=1e-9
    )
    np.testing.assert_allclose(track.T_world_camera[0, :3, 3], 0, atol=1e-12)
    np.testing.assert_allclose(track.T_world_camera[0, :3, :3] @ up, [0, 0, 1], atol=1e-9)
    assert track.world_frame == "world"
    assert (track.valid == known).all()
    assert (track.source[~known] == Source.UNKNOWN).all()
    height = rooms.room_points(200, np.random.default_rng(1))[:, 2]
    assert np.ptp(account.points_world[:, 2] - height) < 1e-9
    np.testing.assert_array_equal(track.view_known, known)
    np.testing.assert_array_equal(track.scene_T_camera()[-1], track.T_world_camera[np.flatnonzero(known)[-1]])


def clip(t_ns: np.ndarray) -> Clip:
    return Clip(
        clip_id="c", source_name="c.mp4", source_sha256="0" * 64, width_px=640, height_px=480, rotation_deg=0,
        nominal_fps_hz=15.0, t_ns=t_ns, end_ns=int(t_ns[-1]) + 1, source_frame_idx=np.arange(len(t_ns)),
    )  # fmt: skip


def camera0() -> CameraTrack:
    return CameraTrack(
        model="pinhole", params=np.array([520.0, 520, 319.5, 239.5]), width_px=640, height_px=480,
        intrinsics_source="user", focal_sigma=0.01, T_world_camera=np.tile(np.eye(4), (FRAMES, 1, 1)),
        valid=np.zeros(FRAMES, bool), confidence=np.zeros(FRAMES), source=np.zeros(FRAMES, np.uint8),
        motion="moving", motion_heights_per_s=0.2, world_frame="camera0", gravity_source="unknown",
        gravity_sigma=3.0,
    )  # fmt: skip

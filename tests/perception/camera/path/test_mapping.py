"""The path of a known camera is recovered from its sightings; what cannot be known is not believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.perception.camera.path import rooms

import reenact.perception.camera.path.mapping as mapping
from reenact.geometry.alignment import umeyama
from reenact.geometry.rotations import rotation_angle, rotation_mean
from reenact.perception.camera.path.config import PathConfig
from reenact.perception.camera.path.judge import judge_path, solve_parts
from reenact.perception.camera.path.mapping import NoMapper, map_keyframes
from reenact.perception.camera.path.register import place_frames
from reenact.perception.camera.path.selfcal import lens_from_motion

pytest.importorskip("pycolmap")
CONFIG = PathConfig()


@pytest.fixture(scope="module")
def seen():
    rng = np.random.default_rng(0)
    truth = rooms.orbit(31, 30.0)
    return truth, rooms.sightings(rooms.room_points(160, rng), truth, rng, wrong=0.15)


@pytest.fixture(scope="module")
def solved(seen):
    parts = solve_parts(seen[1], rooms.LENS, CONFIG)
    poses = place_frames(parts.whole, seen[1], rooms.LENS, np.arange(31) / 10, CONFIG)
    return parts, poses


def errors(T_map_camera: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Largest turn (degrees) and largest distance of places (m) after the best similarity."""
    turn = rotation_mean(truth[:, :3, :3] @ T_map_camera[:, :3, :3].transpose(0, 2, 1))
    off = rotation_angle(turn @ T_map_camera[:, :3, :3], truth[:, :3, :3])
    scale, T = umeyama(T_map_camera[:, :3, 3], truth[:, :3, 3])
    placed = scale * T_map_camera[:, :3, 3] @ T[:3, :3].T + T[:3, 3]
    return float(np.rad2deg(off.max())), float(np.linalg.norm(placed - truth[:, :3, 3], axis=1).max())


def test_every_frame_of_an_orbit_is_placed(seen, solved) -> None:
    truth, _ = seen
    _, poses = solved
    assert poses.placed.all()
    turn_deg, place = errors(poses.T_map_camera, truth)
    assert turn_deg < 0.3
    assert place < 0.004


def test_points_have_the_shape_of_the_room(seen, solved) -> None:
    points = rooms.room_points(160, np.random.default_rng(0))
    found = solved[0].whole
    scale, T = umeyama(found.points_map, points[found.track])
    off = np.linalg.norm(scale * found.points_map @ T[:3, :3].T + T[:3, 3] - points[found.track], axis=1)
    assert len(found.track) > 100
    assert np.median(off) < 0.01


def test_stated_sigmas_hold_and_the_path_is_believed(seen, solved) -> None:
    parts, poses = solved
    trust = judge_path(parts.whole, parts.halves, poses, CONFIG.judge)
    assert trust.believed, trust.reason
    turn_deg, _ = errors(poses.T_map_camera, seen[0])
    assert turn_deg < 4 * np.rad2deg(trust.turn_sigma) + 0.1
    assert 0.0 < trust.turn_sigma < np.deg2rad(1.0)


def test_the_same_tracks_give_the_same_map(seen, solved) -> None:
    again = map_keyframes(seen[1], rooms.LENS, CONFIG.mapping, CONFIG.seed)
    np.testing.assert_array_equal(again.T_map_camera, solved[0].whole.T_map_camera)


def test_tracks_without_a_common_motion_are_not_believed() -> None:
    rng = np.random.default_rng(1)
    tracks = rooms.sightings(rooms.room_points(50, rng), rooms.orbit(6, 20.0), rng, wrong=1.0, every=1)
    parts = solve_parts(tracks, rooms.LENS, CONFIG)
    if parts.whole is not None and len(parts.whole.points_map):
        poses = place_frames(parts.whole, tracks, rooms.LENS, np.arange(6) / 10, CONFIG)
        assert not judge_path(parts.whole, parts.halves, poses, CONFIG.judge).believed


def test_a_wrong_focal_length_is_corrected_by_a_rich_motion() -> None:
    rng = np.random.default_rng(2)
    truth = rooms.orbit(36, 80.0)
    tracks = rooms.sightings(rooms.room_points(200, rng), truth, rng)
    guess = replace(rooms.LENS, focal_px=rooms.LENS.focal_px * 0.85)
    parts = solve_parts(tracks, guess, CONFIG, refine_lens=True)
    found, why = lens_from_motion(parts, guess, 0.25, len(tracks.keyframes), CONFIG.lens)
    assert found is not None, why
    assert found.applied(guess).focal_px == pytest.approx(rooms.LENS.focal_px, rel=3 * found.sigma)


def test_a_short_hole_is_bridged_and_a_long_one_is_not(seen, solved) -> None:
    _, tracks = seen
    hole = (tracks.frame == 4) | ((tracks.frame >= 13) & (tracks.frame <= 20))
    part = rooms.CornerTracks(
        tracks.track[~hole], tracks.frame[~hole], tracks.xy_px[~hole], tracks.keyframes, tracks.frames
    )
    whole = solved[0].whole
    kept = ~np.isin(whole.frames, [15, 18])
    found = replace(whole, frames=whole.frames[kept], T_map_camera=whole.T_map_camera[kept])
    poses = place_frames(found, part, rooms.LENS, np.arange(31) / 10, CONFIG)
    assert poses.bridged[4]
    assert not poses.placed[13:21].any()
    assert not poses.bridged[13:21].any()
    turn = rotation_angle(poses.T_map_camera[4, :3, :3], whole.T_map_camera[1, :3, :3])
    assert turn < np.deg2rad(3.0)


def test_without_the_mapper_the_error_names_it(monkeypatch, seen) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pycolmap", None)
    with pytest.raises(NoMapper, match="pycolmap"):
        mapping.map_keyframes(seen[1], rooms.LENS, CONFIG.mapping, 0)

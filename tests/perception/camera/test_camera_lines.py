"""Focal length and gravity from lines: recovered where the lines tell, refused with a reason where they do not."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from reenact.geometry.cameras import FisheyeCamera, PinholeCamera
from reenact.perception.camera.gravity import gravity_from_lines
from reenact.perception.camera.ladder import LadderConfig, climb
from reenact.perception.camera.lines import LinesConfig, focal_from_lines, focal_with_prior
from reenact.perception.camera.manhattan import ManhattanConfig, on_sphere
from reenact.perception.camera.segments import Picture, Segments, find_segments
from reenact.perception.camera.up_vote import GravityConfig, Proposals, distinct, vote

from .rooms import angle_deg, draw_room, look, up_in_camera

VIEWS = [(-15.0, 2.0, 20.0), (-25.0, -4.0, 35.0), (-8.0, 0.0, 50.0), (-30.0, 3.0, 28.0), (-18.0, -2.0, 62.0)]
"""Pitch, roll, yaw in degrees."""


def _segments(camera, views=VIEWS) -> tuple[list[Segments], list[np.ndarray]]:
    return [_lines(camera, *v, seed=i) for i, v in enumerate(views)], [up_in_camera(look(*v)) for v in views]


@functools.cache
def _lines(camera, pitch_deg: float, roll_deg: float, yaw_deg: float, seed: int) -> Segments:
    drawn = draw_room(camera, look(pitch_deg, roll_deg, yaw_deg), np.array([0.3, 0.0, 0.2]), seed=seed)
    return find_segments(Picture.of(drawn))


@pytest.mark.parametrize("fov_deg", [50.0, 65.0, 95.0])
def test_focal_of_a_drawn_room_within_three_percent(fov_deg):
    camera = PinholeCamera.from_fov(math.radians(fov_deg), 960, 540)
    segments, _ = _segments(camera)
    found = focal_from_lines(climb(segments, 960, 540, LadderConfig(), 0), LinesConfig(), moving=True)
    assert found.trusted, found.reason
    assert found.focal_px == pytest.approx(camera.fx, rel=0.03)
    assert abs(np.log(found.focal_px / camera.fx)) < 3 * found.sigma


def test_a_centre_off_the_middle_is_found_too():
    camera = PinholeCamera(620.0, 620.0, 492.0, 247.0, 960, 540)
    segments, _ = _segments(camera)
    found = focal_from_lines(climb(segments, 960, 540, LadderConfig(), 0), LinesConfig(), moving=True)
    assert found.focal_px == pytest.approx(620.0, rel=0.03)
    assert abs(found.centre_px[1] - 247.0) < 10
    assert abs(found.centre_px[1] - 247.0) < 3 * found.centre_sigma_px


def test_gravity_through_a_known_lens_within_one_degree():
    camera = PinholeCamera.from_fov(math.radians(65), 960, 540)
    segments, up = _segments(camera)
    found = gravity_from_lines(
        segments, camera, 0.005, ManhattanConfig(), GravityConfig(), centre_sigma_px=0, still=False, seed=0
    )
    assert found.trusted, found.reason
    errors = [angle_deg(a, b) for a, b in zip(found.up_camera, up, strict=True)]
    assert max(errors) < 1.0
    assert np.median(errors) < 0.3
    assert found.sigma < np.deg2rad(1.5)


def test_gravity_through_a_fisheye_within_one_degree():
    camera = FisheyeCamera.from_fov(math.radians(150), 800, 800)
    segments, up = _segments(camera)
    found = gravity_from_lines(
        segments, camera, 0.005, ManhattanConfig(), GravityConfig(), centre_sigma_px=0, still=False, seed=0
    )
    assert found.trusted, found.reason
    assert max(angle_deg(a, b) for a, b in zip(found.up_camera, up, strict=True)) < 1.0


def test_a_still_camera_gets_one_gravity_for_all_frames():
    camera = PinholeCamera.from_fov(math.radians(65), 960, 540)
    segments, up = _segments(camera, views=[VIEWS[1]] * 4)
    found = gravity_from_lines(
        segments, camera, 0.005, ManhattanConfig(), GravityConfig(), centre_sigma_px=0, still=True, seed=0
    )
    np.testing.assert_array_equal(found.up_camera, np.repeat(found.up_camera[:1], 4, axis=0))
    assert angle_deg(found.up_camera[0], up[0]) < 0.5


def test_a_wrong_focal_length_that_is_said_to_be_unsure_does_not_spoil_gravity():
    camera = PinholeCamera.from_fov(math.radians(65), 960, 540)
    segments, up = _segments(camera, views=[VIEWS[3]] * 2)
    wrong = PinholeCamera(camera.fx * 1.2, camera.fx * 1.2, camera.cx, camera.cy, 960, 540)
    sure, unsure = (
        gravity_from_lines(
            segments, wrong, sigma, ManhattanConfig(), GravityConfig(), centre_sigma_px=14, still=True, seed=0
        )
        for sigma in (0.001, 0.25)
    )
    off = np.deg2rad(angle_deg(unsure.up_camera[0], up[0]))
    assert off < np.deg2rad(0.5)
    assert off < unsure.sigma
    assert np.deg2rad(angle_deg(sure.up_camera[0], up[0])) > 3 * off


def test_random_lines_are_not_believed():
    rng = np.random.default_rng(3)
    frames = []
    for _ in range(5):
        start = rng.uniform([0, 0], [960, 540], size=(100, 2))
        turn = rng.uniform(0, 2 * np.pi, 100)
        ends = start + rng.uniform(35, 120, (100, 1)) * np.stack([np.cos(turn), np.sin(turn)], 1)
        frames.append(Segments(np.stack([start, ends], 1), 1.0))
    for moving in (False, True):
        found = focal_from_lines(climb(frames, 960, 540, LadderConfig(), 0), LinesConfig(), moving=moving)
        assert not found.trusted
        assert found.reason
    camera = PinholeCamera.from_fov(1.1, 960, 540)
    gravity = gravity_from_lines(
        frames, camera, 0.01, ManhattanConfig(), GravityConfig(), centre_sigma_px=0, still=False, seed=0
    )
    assert not gravity.trusted
    assert gravity.fit < 0.36


def test_a_wall_seen_square_on_does_not_tell_the_focal_length():
    camera = PinholeCamera.from_fov(math.radians(65), 960, 540)
    grid = [[[80.0 * k, 20.0], [80.0 * k, 520.0]] for k in range(1, 12)]
    grid += [[[20.0, 60.0 * k], [940.0, 60.0 * k]] for k in range(1, 9)]
    wall = [Segments(np.array(grid), 1.0)] * 5
    found = focal_from_lines(climb(wall, 960, 540, LadderConfig(), 0), LinesConfig(), moving=False)
    assert not found.trusted
    up = gravity_from_lines(
        wall, camera, 0.25, ManhattanConfig(), GravityConfig(), centre_sigma_px=0, still=True, seed=0
    )
    assert up.trusted, up.reason  # up needs no focal length here
    assert angle_deg(up.up_camera[0], np.array([0.0, -1.0, 0.0])) < 0.5


@pytest.mark.parametrize("segments", [[], [Segments(np.zeros((0, 2, 2)), 1.0)] * 3])
def test_no_lines_no_belief(segments):
    found = focal_from_lines(climb(segments, 960, 540, LadderConfig(), 0), LinesConfig(), moving=True)
    assert not found.trusted
    assert "none of" in found.reason
    camera = PinholeCamera.from_fov(1.1, 960, 540)
    up = gravity_from_lines(
        segments, camera, 0.1, ManhattanConfig(), GravityConfig(), centre_sigma_px=0, still=False, seed=0
    )
    assert not up.trusted


def test_the_same_seed_gives_the_same_numbers():
    camera = PinholeCamera.from_fov(math.radians(65), 960, 540)
    segments, _ = _segments(camera, views=VIEWS[:3])
    first, second = (
        focal_from_lines(climb(segments, 960, 540, LadderConfig(), 4), LinesConfig(), moving=True)
        for _ in range(2)
    )
    assert first == second


def test_segments_do_not_depend_on_the_size_of_the_picture():
    camera = PinholeCamera.from_fov(math.radians(65), 1920, 1080)
    big = draw_room(camera, look(*VIEWS[0]), np.zeros(3))
    segments = find_segments(Picture.of(big))
    assert segments.pixel_px == 2.0
    fit = on_sphere(segments, camera, 0.7).fit(look(*VIEWS[0]), 2.0)
    assert fit > 0.6  # the world's own axes explain the lines


def _proposals(R_world_camera: np.ndarray, config: GravityConfig) -> Proposals:
    return distinct(R_world_camera[None], np.zeros(1), np.ones(1), config)


def test_cameras_that_look_down_are_likelier_than_ones_that_look_up():
    config, looking_down = GravityConfig(), look(-35.0, 4.0, 20.0)
    best, probability, doubt = vote([_proposals(looking_down, config)], config)
    assert best == [0]
    assert angle_deg(_proposals(looking_down, config).up_camera[0], up_in_camera(looking_down)) < 1e-6
    assert probability[0] > 0.9
    assert doubt[0] < np.deg2rad(30)


def test_up_outside_the_cone_is_never_proposed():
    overhead = _proposals(look(-90.0, 0.0, 0.0), GravityConfig())
    assert max(angle_deg(u, np.array([0.0, -1.0, 0.0])) for u in overhead.up_camera) <= 60.0
    assert len(_proposals(look(-45.0, 45.0, 0.0), GravityConfig(cone_deg=20.0)).log_p) == 0


def test_the_clip_outvotes_a_frame():
    config = GravityConfig()
    usual = [look(-30.0, 0.0, 10.0 * k) for k in range(6)]
    steep = look(-55.0, 3.0, 0.0)  # alone, the direction ahead would be nearly as likely
    clip = [_proposals(R, config) for R in (*usual, steep)]
    alone, in_clip = vote(clip[-1:], config), vote(clip, config)
    assert angle_deg(clip[-1].up_camera[in_clip[0][-1]], up_in_camera(steep)) < 1e-6
    assert in_clip[1][-1] > alone[1][0]


def test_two_equal_proposals_make_the_sigma_as_wide_as_their_distance():
    config = GravityConfig()
    both = np.stack([look(-10.0, 0.0, 0.0), look(-30.0, 0.0, 0.0)])  # equally far from the usual pitch
    _, probability, doubt = vote([distinct(both, np.zeros(2), np.ones(2), config)], config)
    assert probability[0] == pytest.approx(0.5, abs=0.02)
    assert np.rad2deg(doubt[0]) == pytest.approx(20 * np.sqrt(0.5), abs=1.5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_lines_sharpen_a_prior_that_is_off(seed):
    camera = PinholeCamera.from_fov(math.radians(58), 960, 540)
    segments, _ = _segments(camera, views=[VIEWS[seed]])  # one view alone does not pass the gate
    ladder = climb(segments * 4, 960, 540, LadderConfig(), seed)
    prior = PinholeCamera.from_fov(math.radians(65), 960, 540).fx
    found = focal_with_prior(ladder, LinesConfig(), prior, 0.25)
    assert found.trusted, found.reason
    assert abs(np.log(found.focal_px / camera.fx)) < 0.5 * abs(np.log(prior / camera.fx))
    assert abs(np.log(found.focal_px / camera.fx)) < 2 * found.sigma
    assert found.sigma < 0.25


def test_lines_that_tell_nothing_leave_the_prior_alone():
    grid = [[[80.0 * k, 20.0], [80.0 * k, 520.0]] for k in range(1, 12)]
    grid += [[[20.0, 60.0 * k], [940.0, 60.0 * k]] for k in range(1, 9)]
    ladder = climb([Segments(np.array(grid), 1.0)] * 3, 960, 540, LadderConfig(), 0)
    found = focal_with_prior(ladder, LinesConfig(), 750.0, 0.25)
    assert not found.trusted
    assert "hardly better" in found.reason

"""The whole camera role: user values win, lines go through their gate, priors say that they are priors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.transforms import apply, rotation_of
from reenact.perception.camera.classical import ClassicalCamera, ClassicalCameraConfig
from reenact.perception.camera.contract import BadCameraFrame, CameraBackend, NoCameraFrames
from reenact.perception.camera.prior import PriorConfig
from reenact.perception.camera.truth import CameraNoiseConfig, TruthCamera, TruthDoesNotFit
from reenact.perception.camera.user import BadUserCamera, UserCamera
from reenact.perception.camera.world import world_from_up
from reenact.scene import CameraTrack, Source

from .rooms import angle_deg, draw_room, look, make_clip, up_in_camera

LENS = PinholeCamera.from_fov(math.radians(72), 960, 540)
TURNED = look(-22.0, 3.0, 33.0)


@pytest.fixture(scope="module")
def room() -> list[np.ndarray]:
    place = np.array([0.3, 0.0, 0.2])
    return [draw_room(LENS, TURNED, place, seed=0, clutter=20) for _ in range(1)]


def _still(room: list[np.ndarray], count: int = 6) -> list[tuple[int, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [
        (k * 200_000_000, np.clip(room[0] + rng.normal(scale=2, size=room[0].shape), 0, 255).astype(np.uint8))
        for k in range(count)
    ]


def _estimate(
    frames, config: ClassicalCameraConfig | None = None, size=(960, 540)
) -> tuple[CameraTrack, dict]:
    backend = ClassicalCamera(config)
    assert isinstance(backend, CameraBackend)
    track = backend.estimate(iter(frames), make_clip(1.2, 30.0, *size))
    return track, dict(backend.diagnostics)


def test_still_room_gives_lens_gravity_and_one_pose(room):
    track, said = _estimate(_still(room))
    assert (track.motion, track.intrinsics_source, track.gravity_source) == ("still", "lines", "lines"), said
    assert track.params[0] == pytest.approx(LENS.fx, rel=0.03)
    assert track.world_frame == "world"
    assert track.valid.all()
    assert (track.source == Source.OBSERVED).all()
    assert len(track.valid) == 36  # every frame of the clip, though only six were looked at
    np.testing.assert_array_equal(track.T_world_camera, np.repeat(track.T_world_camera[:1], 36, axis=0))
    up = rotation_of(track.T_world_camera[0]).T @ [0.0, 0.0, 1.0]
    assert angle_deg(up, up_in_camera(TURNED)) < 1.0
    assert 0 < track.focal_sigma < 0.1


def test_frames_at_half_size_give_the_camera_of_the_full_clip(room):
    track, _ = _estimate(_still(room), size=(1920, 1080))
    assert (track.width_px, track.height_px) == (1920, 1080)
    assert track.params[0] == pytest.approx(2 * LENS.fx, rel=0.03)
    assert track.params[2] == pytest.approx((1920 - 1) / 2, abs=40)


def test_textureless_clip_falls_back_to_priors_and_says_so():
    frames = [(k * 200_000_000, np.full((540, 960, 3), 128, np.uint8)) for k in range(6)]
    track, said = _estimate(frames)
    assert track.intrinsics_source == "prior"
    assert 60 <= math.degrees(track.camera().horizontal_fov) <= 70
    assert track.focal_sigma >= 0.2
    assert track.motion == "unknown"
    assert not track.valid.any()
    assert "none of 6 frames" in said["intrinsics"]["reason"]
    assert "no frame has" in said["gravity"]["reason"]
    assert said["gravity"]["source"] == "prior"


def test_still_clip_without_straight_lines_assumes_up_with_a_large_sigma():
    rng = np.random.default_rng(2)
    blobs = np.kron(rng.integers(0, 255, (27, 48)), np.ones((20, 20)))
    import cv2

    smooth = cv2.GaussianBlur(blobs.astype(np.float32), (0, 0), 9)
    rgb = np.repeat(np.clip((smooth - 128) * 3 + 128, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    track, _ = _estimate([(k * 200_000_000, rgb) for k in range(6)])
    assert track.motion == "still"
    assert track.gravity_source == "prior"
    assert track.gravity_sigma > math.radians(20)
    up = rotation_of(track.T_world_camera[0]).T @ [0.0, 0.0, 1.0]
    assert up[0] == pytest.approx(0.0, abs=1e-12)  # no roll
    assert math.degrees(math.asin(up[2])) == pytest.approx(PriorConfig().pitch_deg)


def test_moving_camera_claims_no_pose(room):
    place = np.array([0.3, 0.0, 0.2])
    frames = [
        (k * 200_000_000, draw_room(LENS, look(-22.0, 3.0, 33.0 + 2.0 * k), place, seed=k)) for k in range(6)
    ]
    backend, clip = ClassicalCamera(), make_clip(1.2, 30.0, 960, 540)
    track, said = backend.estimate(iter(frames), clip), dict(backend.diagnostics)
    assert track.motion == "moving"
    assert track.world_frame == "camera0"
    assert track.gravity_source == "unknown"
    assert not track.valid.any()
    assert not track.confidence.any()
    assert (track.source == Source.UNKNOWN).all()
    np.testing.assert_array_equal(track.T_world_camera, np.repeat(np.eye(4)[None], 36, axis=0))
    assert track.params[0] == pytest.approx(LENS.fx, rel=0.03)
    for k, up in enumerate(said["gravity"]["up_camera"]):  # known per frame, kept for later
        assert angle_deg(np.array(up), up_in_camera(look(-22.0, 3.0, 33.0 + 2.0 * k))) < 1.0
    exact = replace(track, params=LENS.params, focal_sigma=0.005)
    sights = backend.sights_through(exact, clip)  # the same pictures through a lens known better by now
    assert sights.source == "lines"
    assert sights.sigma < said["gravity"]["sigma"]
    for k, up in enumerate(sights.up_camera):
        assert angle_deg(up, up_in_camera(look(-22.0, 3.0, 33.0 + 2.0 * k))) < 1.0
    assert dict(backend.diagnostics) == said


def test_user_intrinsics_win_over_lines(room):
    user = UserCamera(fx=700.0, fy=705.0, cx=470.0, cy=280.0)
    track, _ = _estimate(_still(room), ClassicalCameraConfig(user=user))
    assert track.intrinsics_source == "user"
    np.testing.assert_array_equal(track.params, [700.0, 705.0, 470.0, 280.0])
    assert track.focal_sigma == 0.005


def test_user_field_of_view_and_pose(room):
    user = UserCamera(horizontal_fov_deg=72.0, pitch_deg=-22.0, roll_deg=3.0)
    track, _ = _estimate(_still(room), ClassicalCameraConfig(user=user))
    assert math.degrees(track.camera().horizontal_fov) == pytest.approx(72.0)
    assert track.gravity_source == "user"
    up = rotation_of(track.T_world_camera[0]).T @ [0.0, 0.0, 1.0]
    assert angle_deg(up, up_in_camera(TURNED)) < 1e-6


def test_user_fisheye_keeps_its_coefficients():
    user = UserCamera(horizontal_fov_deg=140.0, kb4=(0.02, -0.01, 0.001, 0.0))
    camera, _ = user.lens(800, 600)
    assert camera.model == "fisheye_kb4"
    assert math.degrees(camera.horizontal_fov) == pytest.approx(140.0, abs=1e-6)
    np.testing.assert_array_equal(camera.params[4:], [0.02, -0.01, 0.001, 0.0])


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"fx": 500.0, "horizontal_fov_deg": 60.0}, "both fx and horizontal_fov_deg"),
        ({"fy": 500.0}, "without fx"),
        ({"kb4": (0.0, 0.0, 0.0, 0.0)}, "without fx"),
        ({"pitch_deg": 120.0}, "pitch_deg is 120"),
    ],
)
def test_user_values_that_do_not_fit_are_refused(values, match):
    with pytest.raises(BadUserCamera, match=match):
        UserCamera(**values)
    with pytest.raises(BadUserCamera, match="between 0 and 180"):
        UserCamera(horizontal_fov_deg=190.0).lens(640, 480)


def test_world_has_z_up_and_x_where_the_camera_looks():
    for R in (TURNED, look(-60.0, -10.0, 200.0), look(30.0, 0.0, 0.0)):
        T = world_from_up(up_in_camera(R))
        up, ahead = apply(T, np.stack([up_in_camera(R), [0.0, 0.0, 1.0]]))
        np.testing.assert_allclose(up, [0, 0, 1], atol=1e-12)
        assert ahead[0] > 0
        assert abs(ahead[1]) < 1e-12
    straight_down = world_from_up(np.array([0.0, 0.0, -1.0]))
    np.testing.assert_allclose(apply(straight_down, np.array([[0.0, -1.0, 0.0]])), [[1, 0, 0]], atol=1e-12)


@pytest.mark.usefixtures("unchecked")
def test_bad_frames_are_named():
    clip = make_clip(1.0, 30.0, 64, 48)
    good = np.zeros((48, 64, 3), np.uint8)
    for frames, match in [
        ([(0, good.astype(np.float32))], "float32"),
        ([(0, good), (0, good)], "times must rise"),
        ([(0, good), (10**8, np.zeros((24, 32, 3), np.uint8))], "one size per clip"),
        ([(0, np.zeros((48, 48, 3), np.uint8))], "without cropping"),
    ]:
        with pytest.raises(BadCameraFrame, match=match):
            ClassicalCamera().estimate(frames, clip)
    with pytest.raises(NoCameraFrames):
        ClassicalCamera().estimate([], clip)


def _truth(count: int = 30) -> CameraTrack:
    T = world_from_up(up_in_camera(TURNED))
    return CameraTrack(
        model="pinhole",
        params=LENS.params,
        width_px=960,
        height_px=540,
        intrinsics_source="truth",
        focal_sigma=0.0,
        T_world_camera=np.repeat(T[None], count, axis=0),
        valid=np.ones(count, bool),
        confidence=np.ones(count),
        source=np.full(count, Source.TRUTH, np.uint8),
        motion="still",
        motion_heights_per_s=0.0,
        world_frame="world",
        gravity_source="truth",
        gravity_sigma=0.0,
    )


def test_truth_without_noise_is_the_truth_and_with_noise_off_by_what_was_asked():
    clip, truth = make_clip(1.0, 30.0, 960, 540), _truth()
    exact = TruthCamera(truth).estimate([], clip)
    np.testing.assert_array_equal(exact.params, truth.params)
    np.testing.assert_allclose(exact.T_world_camera, truth.T_world_camera, atol=1e-15)
    noise = CameraNoiseConfig(
        focal_bias=0.05, gravity_tilt_deg=3.0, position_jitter=0.01, rotation_jitter_deg=0.5
    )
    off = TruthCamera(truth, noise, seed=3).estimate([], clip)
    assert off.params[0] == pytest.approx(1.05 * truth.params[0])
    assert off.focal_sigma == pytest.approx(0.05)
    tilt = [angle_deg(T[2, :3], truth.T_world_camera[0, 2, :3]) for T in off.T_world_camera]
    assert np.mean(tilt) == pytest.approx(3.0, abs=0.5)
    assert np.std(off.T_world_camera[:, :3, 3]) == pytest.approx(0.01, rel=0.3)
    again = TruthCamera(truth, noise, seed=3).estimate([], clip)
    np.testing.assert_array_equal(off.T_world_camera, again.T_world_camera)
    other = TruthCamera(truth, noise, seed=4).estimate([], clip)
    assert np.abs(off.T_world_camera - other.T_world_camera).max() > 1e-3


def test_truth_of_another_clip_is_refused():
    with pytest.raises(TruthDoesNotFit, match=r"\(30, 960, 540\), the clip \(15, 960, 540\)"):
        TruthCamera(_truth()).estimate([], make_clip(0.5, 30.0, 960, 540))

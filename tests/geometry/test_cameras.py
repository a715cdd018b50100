"""Cameras: project and unproject undo each other, masks tell what cannot be seen, resizing keeps geometry."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from reenact.geometry.cameras import BadCamera, FisheyeCamera, PinholeCamera, camera_from_params

PINHOLE = PinholeCamera(520.0, 530.0, 310.5, 244.0, 640, 480)
FISHEYE = FisheyeCamera(221.0, 222.0, 257.3, 258.9, 516, 516, -0.021, 0.0034, -0.0011, 0.00012)
WIDE = FisheyeCamera.from_fov(math.radians(220), 800, 800)
CAMERAS = [PINHOLE, FISHEYE, WIDE]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _pixels(camera, rng: np.random.Generator, n: int = 500) -> np.ndarray:
    pixels = rng.uniform([-0.5, -0.5], [camera.width_px - 0.5, camera.height_px - 0.5], size=(n, 2))
    return pixels[camera.in_image(pixels)]


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.model)
def test_projecting_an_unprojected_pixel_gives_it_back(camera, rng):
    pixels = _pixels(camera, rng)
    rays = camera.unproject(pixels)
    assert len(pixels) > 300
    np.testing.assert_allclose(np.linalg.norm(rays, axis=-1), 1.0)
    depths = rng.uniform(0.2, 10, size=(len(rays), 1))
    np.testing.assert_allclose(camera.project(rays * depths), pixels, atol=1e-8)
    assert camera.in_front(rays * depths).all()


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.model)
def test_unprojecting_a_projected_point_gives_its_direction(camera, rng):
    points = rng.normal(size=(2000, 3))
    points = points[camera.in_front(points)]
    pixels = camera.project(points)
    seen = camera.in_image(pixels)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(camera.unproject(pixels)[seen], unit[seen], atol=1e-9)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.model)
def test_points_that_cannot_be_seen_are_masked_and_never_nan(camera):
    points = np.array(
        [[0.0, 0.0, -1.0], [0.0, 0.0, 0.0], [1e-3, 0.0, -2.0], [0.0, 0.0, 1.0], [0.1, 0.1, 1.0]]
    )
    np.testing.assert_array_equal(camera.in_front(points), [False, False, False, True, True])
    assert np.isfinite(camera.project(points)).all()


def test_fisheye_sees_behind_ninety_degrees_and_pinhole_does_not():
    sideways = np.array([1.0, 0.0, -0.1])
    assert WIDE.in_front(sideways)
    assert WIDE.in_image(WIDE.project(sideways))
    assert not PINHOLE.in_front(sideways)


def test_fisheye_agrees_with_opencv(rng):
    cv2 = pytest.importorskip("cv2")
    points = rng.normal(size=(100, 3)) * [0.5, 0.5, 0.2] + [0, 0, 1.5]
    k = FISHEYE.params[4:]
    theirs, _ = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), FISHEYE.K, k)
    np.testing.assert_allclose(FISHEYE.project(points), theirs[:, 0], atol=1e-9)


def test_pinhole_agrees_with_its_matrix(rng):
    points = rng.normal(size=(3, 10, 3)) + [0, 0, 4]
    homogeneous = points @ PINHOLE.K.T
    np.testing.assert_allclose(
        PINHOLE.project(points), homogeneous[..., :2] / homogeneous[..., 2:], atol=1e-10
    )


def test_pixels_beyond_the_lens_circle_are_not_in_image_and_still_finite():
    folded = FisheyeCamera(200, 200, 255.5, 255.5, 512, 512, k1=-0.15)
    corner = np.array([[0.0, 0.0], [255.5, 255.5]])
    assert folded.theta_max < math.pi / 2 + 0.2
    np.testing.assert_array_equal(folded.in_image(corner), [False, True])
    assert np.isfinite(folded.unproject(corner)).all()
    assert folded._slope(np.linspace(0, folded.theta_max - 1e-9, 500)).min() >= -1e-9


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda c: c.model)
@pytest.mark.parametrize(("sx", "sy"), [(0.5, 0.5), (2.0, 2.0), (0.5, 0.25)])
def test_resizing_maps_pixel_edges_onto_pixel_edges(camera, rng, sx, sy):
    small = camera.scaled(sx, sy)
    points = camera.unproject(_pixels(camera, rng, 50))
    factor = np.array([sx, sy])
    np.testing.assert_allclose(
        small.project(points), (camera.project(points) + 0.5) * factor - 0.5, atol=1e-9
    )
    assert small.horizontal_fov == pytest.approx(camera.horizontal_fov, abs=2e-3)
    assert type(small) is type(camera)


def test_resizing_is_what_cv2_does_to_an_image():
    cv2 = pytest.importorskip("cv2")
    x, y = np.meshgrid(np.arange(640.0), np.arange(480.0))
    blob = np.exp(-((x - 200.3) ** 2 + (y - 100.7) ** 2) / (2 * 12**2))
    small = cv2.resize(blob, (160, 120), interpolation=cv2.INTER_AREA)
    xs, ys = np.meshgrid(np.arange(160.0), np.arange(120.0))
    centre = np.array([(small * xs).sum(), (small * ys).sum()]) / small.sum()
    np.testing.assert_allclose(centre, (np.array([200.3, 100.7]) + 0.5) / 4 - 0.5, atol=0.01)


@pytest.mark.parametrize("degrees", [20, 60, 120])
@pytest.mark.parametrize("model", [PinholeCamera, FisheyeCamera])
def test_field_of_view_round_trip(model, degrees):
    camera = model.from_fov(math.radians(degrees), 1280, 720)
    assert camera.horizontal_fov == pytest.approx(math.radians(degrees), abs=1e-9)
    edge = camera.unproject(np.array([-0.5, camera.cy]))
    assert math.atan2(-edge[0], edge[2]) == pytest.approx(math.radians(degrees / 2), abs=1e-9)


def test_records_round_trip_through_params():
    for camera in CAMERAS:
        assert camera_from_params(camera.model, camera.params, camera.width_px, camera.height_px) == camera


def test_cameras_cannot_be_changed_or_be_wrong():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PINHOLE.fx = 3.0  # type: ignore[misc]
    with pytest.raises(BadCamera, match="focal"):
        PinholeCamera(0.0, 1.0, 0, 0, 10, 10)
    with pytest.raises(BadCamera, match="focal"):
        PinholeCamera(float("nan"), 1.0, 0, 0, 10, 10)
    with pytest.raises(BadCamera, match="image size"):
        PinholeCamera(1.0, 1.0, 0, 0, 0, 10)
    with pytest.raises(BadCamera, match="field of view"):
        PinholeCamera.from_fov(math.pi, 10, 10)
    with pytest.raises(BadCamera, match="known models: pinhole, fisheye_kb4"):
        camera_from_params("radial", np.ones(4), 10, 10)
    with pytest.raises(BadCamera, match="it has 8"):
        camera_from_params("fisheye_kb4", np.ones(4), 10, 10)


def test_torch_gives_the_same_numbers_as_numpy(rng):
    torch = pytest.importorskip("torch")
    for camera in CAMERAS:
        points, pixels = rng.normal(size=(4, 6, 3)), _pixels(camera, rng, 40)
        there = torch.tensor(points, requires_grad=True)
        projected = camera.project(there)
        np.testing.assert_allclose(projected.detach().numpy(), camera.project(points), atol=1e-9)
        np.testing.assert_array_equal(camera.in_front(there).numpy(), camera.in_front(points))
        np.testing.assert_allclose(
            camera.unproject(torch.tensor(pixels)).numpy(), camera.unproject(pixels), atol=1e-12
        )
        projected.sum().backward()
        assert torch.isfinite(there.grad).all()

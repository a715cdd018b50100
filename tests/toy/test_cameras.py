from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.transforms import is_transform
from reenact.toy.cameras import camera_path, make_camera
from reenact.toy.config import MOTIONS, VIEWS, ToyConfig

T = np.arange(0, 5, 1 / 30)
WORKPLACE = np.array([[x, y, z] for x in (-0.15, 0.2) for y in (-0.12, 0.1) for z in (0.75, 0.88)])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("motion", MOTIONS)
def test_the_workplace_stays_in_view_at_a_human_distance(view, motion):
    config = ToyConfig(view=view, camera_motion=motion)
    camera = make_camera(config)
    for seed in range(4):
        path = camera_path(config, np.random.default_rng(seed), T)
        assert is_transform(path, 1e-9).all()
        local = (WORKPLACE - path[:, None, :3, 3]) @ path[:, :3, :3]
        pixels = camera.project(local)
        assert camera.in_image(pixels).mean() > 0.9
        distance = np.linalg.norm(local, axis=-1)
        assert distance.min() > 0.4
        assert distance.max() < 1.1
        assert (path[:, 2, 1] < -0.3).all(), "the image's down is the world's down"
        step = np.linalg.norm(np.diff(path[:, :3, 3], axis=0), axis=1).max()
        assert step == 0 if motion == "static" else 0 < step < 0.01


def test_the_middle_of_the_image_is_the_principal_point():
    camera = make_camera(ToyConfig(width_px=640, height_px=480, fov_y_deg=46.0))
    assert (camera.cx, camera.cy) == (319.5, 239.5)
    np.testing.assert_allclose(camera.fy, 240 / np.tan(np.deg2rad(23)))
    assert camera.fx == pytest.approx(camera.fy)

"""Where following begins: tries cover all turns, one bad mask does not decide, filming faster changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.geometry.rotations import random_rotation, rotation_angle, so3_exp
from reenact.geometry.transforms import make_T
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import Sighting
from reenact.perception.pose.initial import even_rotations
from reenact.perception.pose.model import ObjectModel
from reenact.perception.pose.refine import PoseRefiner
from reenact.perception.pose.start import clearest, find_starts
from reenact.perception.pose.symmetry import Symmetry, turn_between
from reenact.rendering.gl import NoGlError, choose_backend
from reenact.rendering.mesh_depth import MeshDepthRenderer, View
from tests.perception.pose.solids import box, drawn_sightings

CAMERA = PinholeCamera(260.0, 260.0, 119.5, 89.5, 240, 180)
VIEW = View(np.asarray(CAMERA.K), 240, 180)
CONFIG = PoseConfig(search_rotations=72, search_keep=6, search_finish=2)
CRATE = box(0.22, 0.14, 0.1)
MODEL = ObjectModel.of(*CRATE, symmetry=Symmetry(np.zeros(3), np.array([2, 2, 2])))


@pytest.fixture(scope="module")
def refiner() -> Iterator[PoseRefiner]:
    try:
        choose_backend()
    except NoGlError as error:
        pytest.skip(str(error))
    size = CONFIG.window_px
    with MeshDepthRenderer(View(np.eye(3), size, size), [CRATE], near=0.05, far=10) as renderer:
        yield PoseRefiner(MODEL, renderer, 0, CAMERA, CONFIG)


def _turning(t_seconds: np.ndarray) -> np.ndarray:
    """A crate that is swung about the upright; where it is depends on the time alone."""
    look_down = so3_exp(np.array([np.deg2rad(120.0), 0.0, 0.0]))
    yaw = 0.6 + 0.8 * np.sin(1.5 * t_seconds)
    R = look_down @ so3_exp(np.stack([0 * yaw, 0 * yaw, yaw], 1))
    return make_T(R, np.stack([0.02 * t_seconds, 0 * yaw, 0.7 + 0 * yaw], 1))


def _film(fps_hz: float, seconds: float) -> tuple[list[Sighting], np.ndarray]:
    T = _turning(np.arange(round(seconds * fps_hz)) / fps_hz)
    return drawn_sightings(CRATE, T, VIEW, depth_sigma=None, fps_hz=fps_hz), T


def test_rotations_of_the_search_cover_all_turns_evenly() -> None:
    tries = even_rotations(144)
    wanted = random_rotation(np.random.default_rng(0), 300)
    nearest = rotation_angle(tries[None], wanted[:, None]).min(1)
    assert np.rad2deg(nearest.max()) < 45, "no turn is far from all tries"
    alone = rotation_angle(tries[None], tries[:, None]) + 10 * np.eye(len(tries))
    assert np.rad2deg(alone.min()) > 15, "no two tries are nearly the same"


def test_the_same_instants_are_looked_at_whatever_the_frame_rate() -> None:
    slow, fast = _film(15.0, 2.0)[0], _film(30.0, 2.0)[0]
    at = [[film[k].t_seconds for k in sorted(clearest(film, CONFIG))] for film in (slow, fast)]
    assert len(at[0]) == len(at[1]) == 24
    assert np.abs(np.subtract(*at)).max() < 1 / 15 + 1e-9


def test_a_mask_that_leaks_in_the_clearest_frame_does_not_swap_the_sides_of_a_box(
    refiner: PoseRefiner,
) -> None:
    film, T = _film(8.0, 1.6)
    for k in (5, 6, 7):  # the largest mask is the wrong one: a wedge of the table belongs to it
        rows, columns = np.nonzero(film[k].label)
        label = film[k].label.copy()
        label[rows.min() : rows.min() + 25, columns.min() : columns.max() - 20] = 16
        film[k] = replace(film[k], label=label)
    found = find_starts(refiner, film, CONFIG)[0]
    turn = turn_between(found.T_world_object[:3, :3], T[found.frame, :3, :3], MODEL.symmetry)
    assert np.rad2deg(turn) < 8
    assert np.linalg.norm(found.T_world_object[:3, 3] - T[found.frame, :3, 3]) < 0.03

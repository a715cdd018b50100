"""Laws of the virtual camera: level, above, looking at the hands, calm, without lag, the same in any frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.rotations import rotation_between, so3_exp
from reenact.geometry.transforms import make_T
from reenact.reframe.eyes import EgoConfig, EgoView, NoHandsToFollow, look_from, place_ego_camera
from reenact.reframe.heading import facing
from reenact.reframe.measures import path_motion
from reenact.scene import Scene, SupportPlane
from tests import scenes
from tests.reframe.made import backwards, turned, with_box

UP = np.array([0.0, 0.0, 1.0])


@pytest.fixture(scope="module")
def scene() -> Scene:
    return with_box(scenes.waving_scene(60))


@pytest.fixture(scope="module")
def view(scene: Scene) -> EgoView:
    return place_ego_camera(scene)


def only(scene: Scene, valid: np.ndarray) -> Scene:
    """The scene with other frames known."""
    assert scene.hands is not None
    return replace(scene, hands=replace(scene.hands, valid=valid), hands_raw=None)


def test_it_is_level_and_above_and_sees_the_hands(view: EgoView) -> None:
    R = view.camera.T_world_camera[:, :3, :3]
    assert np.abs(R[:, 2, 0]).max() < 1e-12  # the picture's x axis is horizontal
    assert (R[:, 2, 1] < 0).all()  # and its down points down
    assert view.measures.joints_in_view >= 0.99
    assert view.measures.least_height > 0.12
    assert view.measures.least_depth > 0.12
    assert (view.camera.intrinsics_source, view.up_from) == ("virtual", "gravity")
    assert view.camera.valid.all()


def test_it_stands_where_the_person_is(scene: Scene, view: EgoView) -> None:
    """The drawn hands point along -x, toward the real camera: the person faces it, and the eyes are at larger x."""
    assert scene.hands is not None
    forward, agreement = facing(scene.hands.joints_world, scene.hands.valid, UP, scene.clip.t_seconds, 8.0)
    assert np.rad2deg(np.arccos(-forward[:, 0])).max() < 10
    assert agreement.min() > 0.8
    assert (view.camera.T_world_camera[:, 0, 3] > scene.hands.joints_world[..., 0].mean()).all()
    assert view.source_view == "exo"


def test_a_head_camera_is_told_from_one_across_the_table(scene: Scene, view: EgoView) -> None:
    worn = replace(scene.camera, T_world_camera=view.camera.T_world_camera)
    assert place_ego_camera(replace(scene, camera=worn)).source_view == "ego"


def test_it_does_not_depend_on_the_frame_of_the_scene(scene: Scene, view: EgoView) -> None:
    T = make_T(so3_exp(np.array([0.0, 0.0, 2.1])), np.array([3.0, -4.0, 1.0]))
    other = place_ego_camera(turned(scene, T)).camera.T_world_camera
    assert np.abs(other - T @ view.camera.T_world_camera).max() < 1e-9


def test_time_has_no_direction_so_nothing_lags(scene: Scene, view: EgoView) -> None:
    back = place_ego_camera(backwards(scene)).camera.T_world_camera[::-1]
    assert np.abs(back - view.camera.T_world_camera).max() < 1e-7


def test_it_keeps_its_speed_limits(scene: Scene, view: EgoView) -> None:
    config = EgoConfig(max_speed=0.1, max_acceleration=0.1)
    slow = place_ego_camera(scene, config)
    motion = path_motion(slow.camera.T_world_camera, scene.clip.t_seconds)
    assert motion.speed <= 0.1
    assert motion.acceleration <= 0.1
    assert slow.cutoff_s > view.cutoff_s
    assert motion == slow.measures.motion


def test_losing_a_hand_moves_nothing_at_once(scene: Scene, view: EgoView) -> None:
    valid = np.ones((60, 2), bool)
    valid[30:, 0] = False
    gone = place_ego_camera(only(scene, valid))
    step = np.linalg.norm(np.diff(gone.camera.T_world_camera[:, :3, 3], axis=0), axis=1)
    assert step.max() < 0.5 / 30  # half a metre per second
    assert (
        gone.camera.T_world_camera[-1, 1, 3] > view.camera.T_world_camera[-1, 1, 3] + 0.02
    )  # to the hand that is left


def test_one_hand_and_gaps_are_enough(scene: Scene) -> None:
    valid = np.zeros((60, 2), bool)
    valid[20:25, 1] = True
    lone = place_ego_camera(only(scene, valid))
    assert lone.measures.joints_in_view > 0.99
    assert lone.camera.confidence[22] == 1
    assert lone.camera.confidence[59] < 0.4
    assert (lone.camera.source[:20] == 2).all()  # filled
    with pytest.raises(NoHandsToFollow, match="waving"):
        place_ego_camera(only(scene, np.zeros((60, 2), bool)))


def test_a_single_frame_will_do() -> None:
    one = scenes.waving_scene(1)
    assert place_ego_camera(one).measures.motion.speed == 0


def test_hands_far_apart_push_it_back(scene: Scene, view: EgoView) -> None:
    assert scene.hands is not None
    joints = scene.hands.joints_world.copy()
    joints[:, 0, :, 1] += 0.35 * np.sign(joints[:, 0, :1, 1])
    joints[:, 1, :, 1] += 0.35 * np.sign(joints[:, 1, :1, 1])
    wide = place_ego_camera(replace(scene, hands=replace(scene.hands, joints_world=joints), hands_raw=None))
    assert wide.stand_off > view.stand_off
    assert wide.measures.joints_in_view >= 0.99


def test_without_gravity_the_support_says_up_or_the_camera_is_believed(scene: Scene) -> None:
    tilt = make_T(rotation_between(UP, np.array([0.0, -0.6, 0.8])), np.zeros(3))
    lying = turned(scene, tilt)
    assert lying.hands is not None
    lying = replace(
        lying,
        camera=replace(lying.camera, world_frame="camera0", gravity_source="unknown", gravity_sigma=np.pi),
        hands=replace(lying.hands, world_frame="camera0"),
        landmarks=None,
    )
    assert place_ego_camera(lying).up_from == "camera"
    plane = SupportPlane(valid=True, normal_world=tilt[:3, 2], offset=-0.5, sigma_offset=0.01, sigma_normal=0.02,
                         confidence=0.9, origin="objects")  # fmt: skip
    found = place_ego_camera(replace(lying, support=plane))
    assert found.up_from == "support"
    assert (
        np.abs(found.camera.T_world_camera - tilt @ place_ego_camera(scene).camera.T_world_camera).max()
        < 1e-9
    )


def test_straight_down_still_has_an_up() -> None:
    eye, target = np.array([[0.0, 0, 1.0]]), np.zeros((1, 3))
    for behind in (0.0, -0.2):  # the target is below, or even behind
        T = look_from(eye, target + [0, behind, 0], np.array([[0.0, 1, 0]]), UP)
        assert np.abs(T[0, :3, 0] - [1, 0, 0]).max() < 1e-9
        assert T[0, 2, 2] < -0.9

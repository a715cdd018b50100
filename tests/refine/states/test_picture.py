"""Motion of a thing in the picture, and whether a hand goes with it, from points followed on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, inverse, make_T
from reenact.refine.interaction.results import refine_interaction
from reenact.refine.states.picture import PictureConfig, PictureMotion, picture_motion
from reenact.scene import CameraTrack, InteractionState, PointTracks, PoseCovariance, Source
from tests.refine.interaction.played import FACES, RIGHT, Played, corners, play

CONFIG = PictureConfig()


def followed(played: Played, noise_px: float = 0.1, seed: int = 0) -> PointTracks:
    """Points on the block's faces as its camera sees them, with white noise."""
    triangles = corners()[FACES]
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(3), (2, len(triangles)))
    on_block = np.einsum("ktc,tcx->ktx", share, triangles).reshape(-1, 3)
    view = inverse(played.camera.scene_T_camera()) @ played.objects.T_world_object[:, 0]
    pixels = played.camera.camera().project(apply(view, on_block))
    shape = pixels.shape[:2]
    return PointTracks(
        object_idx=np.zeros(shape[1], np.int64), points_px=pixels + rng.normal(0, noise_px, pixels.shape),
        valid=np.ones(shape, bool), confidence=np.ones(shape),
        source=np.full(shape, Source.OBSERVED, np.uint8), points_world=np.zeros((*shape, 3)),
        valid_world=np.zeros(shape, bool), sigma_world=np.zeros(shape), depth_source="none", backend="test",
        licence="Apache-2.0",
    )  # fmt: skip


def motion(played: Played, points: PointTracks, distance_error: float = 1.0) -> PictureMotion:
    eye = played.camera.scene_T_camera()[:, :3, 3]
    far = np.linalg.norm(played.objects.T_world_object[:, 0, :3, 3] - eye, axis=1) * distance_error
    return picture_motion(points, 0, played.camera, played.hands, far, played.t, CONFIG)


def walking(played: Played) -> CameraTrack:
    """The same camera carried sideways and turned, its path known."""
    u = played.t / played.t[-1]
    turn = so3_exp(np.stack([0 * u, 0 * u, 0.3 * np.sin(3 * u)], axis=1))
    T = make_T(turn, np.stack([0 * u, 0.2 * u, 0.05 * u], axis=1)) @ played.camera.T_world_camera
    return replace(played.camera, T_world_camera=T, motion="moving")


@pytest.mark.parametrize("walks", [False, True])
def test_rest_and_motion_are_told_whatever_the_camera_does(walks: bool):
    played = play(30.0)
    if walks:
        played = replace(played, camera=walking(played))
    t, moves = played.t, motion(played, followed(played), 1.05).moves
    assert moves[(t > 1.25) & (t < 1.95)].min() > 0.5
    rest = (t < 0.95) | (t > 2.25)
    assert np.quantile(moves[rest], 0.95) < 0.2
    assert moves.sum() > 30


def test_nothing_is_said_where_the_path_of_a_moving_camera_is_unknown():
    played = play(15.0)
    unknown = replace(played.camera, motion="moving", valid=np.zeros(len(played.t), bool))
    played = replace(played, camera=unknown)
    assert (motion(played, followed(played)).moves == 0).all()


def test_odds_add_up_to_the_same_at_any_frame_rate():
    sums = {fps: motion(play(fps), followed(play(fps))).moves.clip(0).sum() for fps in (15.0, 60.0)}
    assert abs(sums[15.0] / sums[60.0] - 1) < 0.15


def test_points_that_a_hand_drags_along_do_not_move_a_thing():
    played = play(30.0)
    points = followed(played)
    dragged = points.points_px.copy()
    dragged[:, : points.valid.shape[1] // 3, 0] += 60 * np.sin(2 * played.t)[:, None]
    moves = motion(played, replace(points, points_px=dragged)).moves
    assert np.quantile(moves[played.t < 0.95], 0.95) < 0.2


def test_the_hand_that_carries_goes_along_and_the_one_that_reaches_does_not():
    played = play(30.0)
    t, along = played.t, motion(played, followed(played)).with_hand
    assert (along[:, 1 - RIGHT] == 0).all(), "it is not seen"
    assert along[(t > 1.3) & (t < 1.9), RIGHT].min() > 0.1
    assert along[(t > 0.45) & (t < 0.75), RIGHT].max() < -0.5
    assert abs(along[(t > 0.97) & (t < 1.03), RIGHT]).max() < 0.1, "both at rest: nothing is said"


def test_a_thing_that_turns_in_the_hand_s_own_turn_goes_along():
    played = play(30.0)
    turn = np.where(played.held, np.sin(np.pi * np.clip(played.t - 1.1, 0, 1)), 0.0)
    pivot = played.objects.T_world_object[:, 0, :3, 3]
    R = so3_exp(turn[:, None] * played.camera.T_world_camera[:, :3, 2])
    T = played.objects.T_world_object.copy()
    T[:, 0, :3, :3] = R @ T[:, 0, :3, :3]
    joints = np.einsum("tij,tskj->tski", R, played.hands.joints_world - pivot[:, None, None])
    hands = replace(
        played.hands,
        joints_world=np.where(played.hands.valid[..., None, None], joints + pivot[:, None, None], 0),
    )
    turned = replace(played, objects=replace(played.objects, T_world_object=T), hands=hands)
    along = motion(turned, followed(turned)).with_hand
    assert np.median(along[(played.t > 1.3) & (played.t < 1.9), RIGHT]) > 0.1


def test_motion_that_slow_errors_of_the_pose_hide_is_told_by_its_points():
    played = play(15.0)
    count = len(played.t)
    blind = replace(played.hands, valid=np.zeros((count, 2), bool))
    T = played.objects.T_world_object.copy()
    T[:, 0, :3, 3] += 0.03 * np.sin(3 * played.t)[:, None] * [0.0, 1.0, 0.0]
    stated = np.diag([0.03**2] * 3 + [0.1**2] * 3)
    sure = PoseCovariance(
        object_ids=("block",), covariance=np.tile(stated, (count, 1, 1, 1)), valid=np.ones((count, 1), bool)
    )
    want = np.where((played.t > 1.15) & (played.t < 2.05), InteractionState.MOVING, InteractionState.STATIC)

    def right(points: PointTracks | None) -> float:
        wandering = replace(played.objects, T_world_object=T)
        found = refine_interaction(
            wandering, blind, played.camera, None, played.t_ns, covariance=sure, points=points
        )
        return float((found.states.state[:, 0] == want).mean())

    assert right(followed(played)) > 0.85 > right(None)

"""Laws of the point role: points stay on their thing, end when it is hidden, and lift to where the depth says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reenact.geometry.cameras import PinholeCamera
from reenact.hands.joints import JOINT_NAMES_21
from reenact.perception.masks.contract import ObjectMasks
from reenact.perception.points.contract import LabelsDoNotFit, PointBackend
from reenact.perception.points.lift import lift_points
from reenact.perception.points.lucas_kanade import LucasKanade
from reenact.scene import CameraTrack, HandTracks, MaskLabel, MaskTracks, Source, SupportPlane
from tests.perception.objects import drawn


def true_masks(clip) -> ObjectMasks:
    area = np.stack([(clip.labels == 16 + o).sum(axis=(1, 2)) for o in (0, 1)], axis=1).astype(np.float64)
    tracks = MaskTracks(
        object_ids=("box", "still"), valid=area > 20, confidence=np.ones(area.shape),
        source=np.full(area.shape, np.uint8(Source.TRUTH)), area_px=area, occluded_share=np.zeros(area.shape),
        width_px=drawn.WIDTH, height_px=drawn.HEIGHT, backend="drawn", licence="none",
    )  # fmt: skip
    return ObjectMasks(clip.labels.copy(), tracks)


@pytest.fixture(scope="module")
def tracks(clip):
    backend = LucasKanade()
    assert isinstance(backend, PointBackend)
    return backend.track(clip.frames(), clip.clip, true_masks(clip))


def camera(frames: int = drawn.FRAMES) -> CameraTrack:
    """One metre above the table, looking straight down."""
    T = np.tile(np.diag([1.0, -1.0, -1.0, 1.0]), (frames, 1, 1))
    T[:, 2, 3] = 1.0
    return CameraTrack(
        model="pinhole", params=np.array([200.0, 200.0, 119.5, 79.5]), width_px=drawn.WIDTH,
        height_px=drawn.HEIGHT, intrinsics_source="truth", focal_sigma=0.0, T_world_camera=T,
        valid=np.ones(frames, bool), confidence=np.ones(frames), source=np.full(frames, np.uint8(Source.TRUTH)),
        motion="still", motion_heights_per_s=0.0, world_frame="world", gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip


def test_points_ride_on_the_object(clip, tracks) -> None:
    mine = tracks.object_idx == 0
    errors = []
    for p in np.flatnonzero(mine):
        at = np.flatnonzero(tracks.valid[:, p])
        local = tracks.points_px[at, p] - clip.centre[at]
        errors.append(np.linalg.norm(local - np.median(local, axis=0), axis=-1))
    error = np.concatenate(errors)
    assert mine.sum() > 15
    assert np.median(error) < 0.3
    assert np.quantile(error, 0.95) < 2.0


def test_background_points_stay(tracks) -> None:
    for p in np.flatnonzero(tracks.object_idx == -1):
        at = tracks.points_px[tracks.valid[:, p], p]
        assert np.abs(at - np.median(at, axis=0)).max() < 2.0


def test_no_point_of_an_object_lies_under_the_hand(clip, tracks) -> None:
    deep = 0
    for frame, p in zip(*np.nonzero(tracks.valid & (tracks.object_idx >= 0)[None]), strict=True):
        x, y = np.rint(tracks.points_px[frame, p]).astype(int)
        window = clip.labels[frame, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        deep += not (window == MaskLabel.FIRST_OBJECT + tracks.object_idx[p]).any()
    assert deep <= 0.01 * tracks.valid.sum()


def test_the_object_has_points_before_and_after(tracks) -> None:
    seen = tracks.valid[:, tracks.object_idx == 0].sum(axis=1)
    assert seen[:8].min() >= 8
    assert seen[-8:].min() >= 8


def test_labels_of_another_clip_are_refused(clip) -> None:
    masks = true_masks(clip)
    with pytest.raises(LabelsDoNotFit, match="35 frames"):
        LucasKanade().track(clip.frames(), clip.clip, ObjectMasks(masks.labels[:-1], masks.tracks))


def test_depth_lifts_to_the_surface(tracks) -> None:
    lifted = lift_points(tracks, camera(), depth=lambda frame: (np.full((80, 120), 1.0, np.float32), 0.02))
    assert (lifted.valid_world == tracks.valid).all()
    assert lifted.depth_source == "depth_metric"
    at = lifted.points_world[lifted.valid_world]
    assert np.abs(at[:, 2]).max() < 1e-6
    back = PinholeCamera(200.0, 200.0, 119.5, 79.5, drawn.WIDTH, drawn.HEIGHT).project(
        np.stack([at[:, 0], -at[:, 1], np.ones(len(at))], axis=-1)
    )
    assert np.abs(back - tracks.points_px[tracks.valid]).max() < 1e-6
    assert 0.02 <= lifted.sigma_world[lifted.valid_world].min() < 0.03


def test_a_depth_edge_is_not_lifted(tracks) -> None:
    step = np.ones((160, 240), np.float32)
    step[:, 120:] = 2.0
    lifted = lift_points(tracks, camera(), depth=lambda frame: (step, 0.0))
    near_edge = tracks.valid & (np.abs(tracks.points_px[..., 0] - 119.5) < 0.9)
    assert not lifted.valid_world[near_edge].any()


def test_the_support_plane_lifts_what_no_hand_is_near(tracks) -> None:
    plane = SupportPlane(
        valid=True, normal_world=np.array([0.0, 0.0, 1.0]), offset=0.0, sigma_offset=0.01, sigma_normal=0.0,
        confidence=1.0, origin="truth",
    )  # fmt: skip
    lifted = lift_points(tracks, camera(), support=plane)
    assert lifted.depth_source == "support"
    assert np.abs(lifted.points_world[lifted.valid_world][:, 2]).max() < 1e-9
    on_object = lifted.valid_world & (tracks.object_idx >= 0)
    assert lifted.sigma_world[on_object].min() > lifted.sigma_world[lifted.valid_world].min()


def test_a_hand_lends_its_depth_to_what_it_holds(clip, tracks) -> None:
    px, z = clip.landmarks.landmarks_px[:, 1], 0.8
    joints = np.zeros((drawn.FRAMES, 2, 21, 3))
    joints[:, 1, :, 0] = (px[..., 0] - 119.5) / 200 * z
    joints[:, 1, :, 1] = -(px[..., 1] - 79.5) / 200 * z
    joints[:, 1, :, 2] = 1.0 - z
    valid = clip.landmarks.valid
    hands = HandTracks(
        joints_world=joints, valid=valid, confidence=valid.astype(np.float64), source=clip.landmarks.source,
        sigma_camera=np.full((drawn.FRAMES, 2, 3), 0.02), reprojection=np.zeros((drawn.FRAMES, 2)),
        hand_length=np.full(2, 0.19), hand_length_source="adult_prior", world_frame="world",
        joint_names=JOINT_NAMES_21,
    )  # fmt: skip
    lifted = lift_points(tracks, camera(), hands=hands)
    assert lifted.depth_source == "hand"
    assert lifted.valid_world[12:22].any()
    assert not lifted.valid_world[0].any()  # the hand is still far away
    assert not lifted.valid_world[:, tracks.object_idx != 0].any()
    at = lifted.points_world[lifted.valid_world]
    assert np.abs(at[:, 2] - 0.2).max() < 1e-6
    assert lifted.sigma_world[lifted.valid_world].min() > 0.03


def test_an_invalid_camera_lifts_nothing(tracks) -> None:
    blind = dataclasses.replace(camera(), valid=np.zeros(drawn.FRAMES, bool))
    lifted = lift_points(tracks, blind, depth=lambda frame: (np.ones((160, 240), np.float32), 0.02))
    assert not lifted.valid_world.any()
    assert lifted.depth_source == "none"

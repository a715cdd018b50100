"""A thing that moves is carried by something; poses under which it flies, or mostly does not fit, are not believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.perception.pose.carried import carried_share, fitting_share
from reenact.perception.pose.evidence import ClipEvidence
from reenact.scene import CameraTrack, HandTracks, MaskTracks

FRAMES, FOCAL = 45, 300.0
BOX = np.array([[x, y, z] for x in (-0.03, 0.03) for y in (-0.03, 0.03) for z in (-0.03, 0.03)])
MOVING = np.concatenate([np.zeros(15), np.linspace(0, 0.4, 15), np.full(15, 0.4)])
ALL = np.ones(FRAMES, bool)


def evidence(right_x: np.ndarray, *, motion: str = "still", hidden: float = 0.0) -> ClipEvidence:
    """A still camera at the origin; the left hand lies at x = 0.2 m, the right wrist is at `right_x` [t]; all 1 m away."""
    ones = np.ones((FRAMES, 1))
    camera = CameraTrack(
        model="pinhole", params=np.array([FOCAL, FOCAL, 79.5, 59.5]), width_px=160, height_px=120,
        intrinsics_source="truth", focal_sigma=0.0, T_world_camera=np.tile(np.eye(4), (FRAMES, 1, 1)),
        valid=ALL, confidence=ones[:, 0], source=ones[:, 0].astype(np.uint8), motion=motion,
        motion_heights_per_s=0.0, world_frame="world", gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip
    masks = MaskTracks(
        object_ids=("a",), valid=ones > 0, confidence=ones, source=ones.astype(np.uint8), area_px=ones,
        occluded_share=hidden * ones, width_px=160, height_px=120, backend="truth", licence="none",
    )  # fmt: skip
    joints = np.zeros((FRAMES, 2, 21, 3))
    joints[..., 2], joints[:, 0, :, 0], joints[:, 1, :, 0] = 1.0, 0.2, right_x[:, None]
    two = np.ones((FRAMES, 2))
    hands = HandTracks(
        joints_world=joints, valid=two > 0, confidence=two, source=two.astype(np.uint8),
        sigma_camera=np.full((FRAMES, 2, 3), 0.01), reprojection=0 * two, hand_length=np.full(2, 0.189),
        hand_length_source="adult_prior", world_frame="world", joint_names=tuple(str(i) for i in range(21)),
    )  # fmt: skip
    label = np.zeros((120, 160), np.uint8)
    return ClipEvidence(camera, np.arange(FRAMES) / 15.0, masks, lambda k: label, None, None, hands)


def poses(x: np.ndarray) -> np.ndarray:
    T = np.tile(np.eye(4), (FRAMES, 1, 1))
    T[:, 0, 3], T[:, 2, 3] = x, 1.0
    return T


def test_a_thing_that_goes_with_a_hand_is_carried_however_wrong_the_hands_depth() -> None:
    seen = evidence(MOVING + 0.05)
    assert carried_share(poses(MOVING), ALL, BOX, 0, seen, 0.05) == 1.0
    assert seen.hands is not None
    joints = seen.hands.joints_world * 1.3  # the same picture
    far = ClipEvidence(
        **{**seen.__dict__, "hands": HandTracks(**{**seen.hands.__dict__, "joints_world": joints})}
    )
    assert carried_share(poses(MOVING), ALL, BOX, 0, far, 0.05) == 1.0


@pytest.mark.parametrize("right", [MOVING + 0.2, np.full(FRAMES, 0.2)])
def test_a_thing_that_moves_with_no_moving_hand_at_it_flies(right) -> None:
    """Neither a hand that goes along far off, nor one that lies where the thing passes, carries it."""
    share = carried_share(poses(MOVING), ALL, BOX, 0, evidence(right), 0.05)
    assert share is not None
    assert share < 0.3


def test_nothing_is_said_of_what_rests_of_few_frames_and_on_an_unknown_path() -> None:
    seen = evidence(np.full(FRAMES, 0.2))
    assert carried_share(poses(0 * MOVING), ALL, BOX, 0, seen, 0.05) is None
    assert carried_share(poses(MOVING), ALL & (np.arange(FRAMES) < 17), BOX, 0, seen, 0.05) is None
    lost = evidence(MOVING + 0.2, motion="moving")
    nowhere = replace(lost, camera=replace(lost.camera, valid=~ALL))
    assert carried_share(poses(MOVING), ALL, BOX, 0, nowhere, 0.05) is None


def test_on_a_known_path_only_motion_in_the_room_counts() -> None:
    """The camera goes along with the thing that flies, so that it stays in the picture's middle; then with one that lies."""
    T = np.tile(np.eye(4), (FRAMES, 1, 1))
    T[:, 0, 3] = MOVING
    for thing, expected in ((MOVING, 0.0), (0 * MOVING, None)):
        seen = evidence(np.full(FRAMES, 0.2), motion="moving")
        seen = replace(seen, camera=replace(seen.camera, T_world_camera=T))
        assert carried_share(poses(thing), ALL, BOX, 0, seen, 0.05) == expected


def test_a_hand_that_was_not_found_may_carry_it() -> None:
    seen = evidence(MOVING + 0.2)
    assert seen.hands is not None
    one = HandTracks(**{**seen.hands.__dict__, "valid": np.tile([True, False], (FRAMES, 1))})
    unseen = ClipEvidence(**{**seen.__dict__, "hands": one})
    assert carried_share(poses(MOVING), ALL, BOX, 0, unseen, 0.05) is None


def test_only_frames_that_plainly_show_a_thing_count_for_how_often_its_mesh_fits() -> None:
    valid = np.arange(FRAMES) < 9
    assert fitting_share(valid, 0, evidence(MOVING)) == pytest.approx(0.2)
    assert fitting_share(valid, 0, evidence(MOVING, hidden=0.9)) is None

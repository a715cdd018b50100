"""Things rest where nothing that moves with them holds them; what a hand holds still from the start does not rest."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.evidence import ClipEvidence
from reenact.perception.pose.rest import Rest
from reenact.scene import CameraTrack, HandTracks, MaskTracks

FRAMES, FOCAL = 45, 300.0
T_SECONDS = np.arange(FRAMES) / 15.0


def rest_of(thing_px: np.ndarray, right_px: np.ndarray, at: tuple[list[int], list[int]]) -> Rest:
    """A square of 20 pixels at `thing_px` [t]; the left wrist lies still, the right one is at `right_px` [t]; `at`: frames
    in which the left and right fingers are at the mask."""
    ones = np.ones((FRAMES, 1))
    camera = CameraTrack(
        model="pinhole", params=np.array([FOCAL, FOCAL, 79.5, 59.5]), width_px=160, height_px=120,
        intrinsics_source="truth", focal_sigma=0.0, T_world_camera=np.tile(np.eye(4), (FRAMES, 1, 1)),
        valid=ones[:, 0] > 0, confidence=ones[:, 0], source=ones[:, 0].astype(np.uint8), motion="still",
        motion_heights_per_s=0.0, world_frame="world", gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip
    masks = MaskTracks(
        object_ids=("a",), valid=ones > 0, confidence=ones, source=ones.astype(np.uint8), area_px=ones,
        occluded_share=0 * ones, width_px=160, height_px=120, backend="truth", licence="none",
    )  # fmt: skip
    joints = np.zeros((FRAMES, 2, 21, 3))
    joints[..., 2] = 1.0
    joints[:, 1, :, 0] = (right_px[:, None] - 79.5) / FOCAL
    two = np.ones((FRAMES, 2))
    hands = HandTracks(
        joints_world=joints, valid=two > 0, confidence=two, source=two.astype(np.uint8),
        sigma_camera=np.full((FRAMES, 2, 3), 0.01), reprojection=0 * two, hand_length=np.full(2, 0.189),
        hand_length_source="adult_prior", world_frame="world", joint_names=tuple(str(i) for i in range(21)),
    )  # fmt: skip

    def label(frame: int) -> np.ndarray:
        out = np.zeros((120, 160), np.uint8)
        x = int(thing_px[frame])
        out[50:70, x - 10 : x + 10] = 16
        return out

    evidence = ClipEvidence(camera, T_SECONDS, masks, label, None, None, hands)
    sides = [tuple(side for side in (0, 1) if k in at[side]) for k in range(FRAMES)]
    return Rest(evidence, 0, PoseConfig(), lambda k: sides[k])


def _taken() -> np.ndarray:
    """Stands for a second, then goes to the right."""
    return 40.0 + 3.0 * np.maximum(np.arange(FRAMES) - 15, 0)


def test_a_thing_stands_until_it_is_taken_although_the_other_hand_lies_before_it() -> None:
    reaching = np.minimum(100 - 4.0 * np.arange(FRAMES), 1e9)
    right = np.where(np.arange(FRAMES) < 15, reaching, _taken())
    rest = rest_of(_taken(), right, (list(range(FRAMES)), list(range(12, FRAMES))))
    assert rest.holders.tolist() == [False, True]
    assert rest.resting[:12].all()
    assert not rest.resting[22:40].any()
    moved: Bool[np.ndarray, " t"] = rest.held_and_moving
    assert moved[25:].all()
    assert not moved[:15].any()


def test_a_thing_held_still_from_the_start_does_not_rest() -> None:
    rest = rest_of(_taken(), _taken() + 12, ([], list(range(FRAMES))))
    assert rest.holders.tolist() == [False, True]
    assert rest.still[:10].all()
    assert not rest.resting[:40].any()
    assert not rest.held_and_moving.any(), "nothing says where it would stand"

"""Before a camera on a known path, what stands in the room stands, and what is moved moves, as before a still one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.transforms import apply, inverse, make_T
from reenact.perception.pose.all_objects import with_scale
from reenact.perception.pose.config import PoseConfig
from reenact.perception.pose.contract import ObjectPoses
from reenact.perception.pose.evidence import ClipEvidence
from reenact.perception.pose.floor import room_floor
from reenact.perception.pose.rest import Rest
from reenact.perception.shape.user import StatedSize, shape_from_size
from reenact.refine.calibration.support import SupportConfig
from reenact.scene import CameraPath, CameraTrack, HandTracks, MaskTracks
from reenact.stages.support import find_support

FRAMES, FOCAL, DROP = 45, 300.0, 0.5
T_SECONDS = np.arange(FRAMES) / 15.0
TAKEN = 20
"""Frame from which the hand moves the thing."""


def orbit(unit: float) -> CameraTrack:
    """Goes 0.4 m (times the unit of its map) along a table, looking down at one place on it."""
    eyes = np.stack([-0.9 + 0 * T_SECONDS, np.linspace(-0.2, 0.2, FRAMES), 0 * T_SECONDS], 1)
    ahead = np.array([0, 0, -DROP]) - eyes
    z = ahead / np.linalg.norm(ahead, axis=1, keepdims=True)
    x = np.cross(z, [0, 0, 1.0])
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    ones = np.ones(FRAMES)
    return CameraTrack(
        model="pinhole", params=np.array([FOCAL, FOCAL, 159.5, 119.5]), width_px=320, height_px=240,
        intrinsics_source="truth", focal_sigma=0.0, T_world_camera=make_T(np.stack([x, np.cross(z, x), z], 2), unit * eyes),
        valid=ones > 0, confidence=ones, source=ones.astype(np.uint8), motion="moving", motion_heights_per_s=0.2,
        world_frame="world", gravity_source="truth", gravity_sigma=0.0,
    )  # fmt: skip


def clip(unit: float, taken: int = TAKEN) -> ClipEvidence:
    """A box of 6 cm stands on the table; from `taken` on the right hand, which is at it before, moves it by 20 cm in a
    second. Hands are metric, path and points of the room are in their unit."""
    true, camera = orbit(1.0), orbit(unit)
    at = np.zeros((FRAMES, 3))
    at[:, 1] = 0.2 * np.maximum(T_SECONDS - taken / 15.0, 0)
    at[:, 2] = -DROP + 0.03 + 0.5 * at[:, 1]
    corners = 0.03 * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    boxes = [
        true.camera().project(apply(inverse(true.T_world_camera[k]), at[k] + corners)) for k in range(FRAMES)
    ]
    ones, two = np.ones((FRAMES, 1)), np.ones((FRAMES, 2))
    masks = MaskTracks(
        object_ids=("a",), valid=ones > 0, confidence=ones, source=ones.astype(np.uint8), area_px=ones,
        occluded_share=0 * ones, width_px=320, height_px=240, backend="truth", licence="none",
    )  # fmt: skip
    wrists = np.stack([at + [0, 0.4, 0.1], at + [-0.05, 0, 0.06]], 1)
    wrists[:, 0] = wrists[0, 0]
    joints_camera = apply(inverse(true.T_world_camera), wrists)
    hands = HandTracks(
        joints_world=np.repeat(apply(camera.T_world_camera, joints_camera)[:, :, None], 21, axis=2), valid=two > 0,
        confidence=two, source=two.astype(np.uint8), sigma_camera=np.full((FRAMES, 2, 3), 0.01), reprojection=0 * two,
        hand_length=np.full(2, 0.189), hand_length_source="adult_prior", world_frame="world",
        joint_names=tuple(str(i) for i in range(21)),
    )  # fmt: skip

    def label(frame: int) -> np.ndarray:
        out = np.zeros((240, 320), np.uint8)
        (x0, y0), (x1, y1) = boxes[frame].min(0).round().astype(int), boxes[frame].max(0).round().astype(int)
        out[max(y0, 0) : y1, max(x0, 0) : x1] = 16
        return out

    return ClipEvidence(camera, T_SECONDS, masks, label, None, None, hands, room=room(unit))


def room(unit: float, noise: float = 0.008) -> CameraPath:
    """Corners of a table, of things up to 15 cm high on it, and of a wall and the ground."""
    rng = np.random.default_rng(2)
    table = np.concatenate([rng.uniform([-0.5, -0.5], [0.4, 0.5], (60, 2)), np.full((60, 1), -DROP)], 1)
    things = table[:25] + rng.uniform(0, 0.15, (25, 1)) * [0, 0, 1.0]
    far = rng.uniform([1.5, -2, -1.3], [2.0, 2, 0.5], (40, 3))
    points = np.concatenate([table, things, far]) + rng.normal(0, noise, (125, 3))
    return CameraPath(
        method="sfm", licence="none", scale_source="hands", scale_sigma=0.08, turn_sigma=0.01, place_sigma=0.02,
        placed=1.0, points_world=unit * points,
    )  # fmt: skip


def rest_of(evidence: ClipEvidence) -> Rest:
    return Rest(evidence, 0, PoseConfig(), lambda k: (1,) if k >= 8 else ())


@pytest.mark.parametrize("unit", [1.0, 0.8, 1.25])
def test_a_thing_rests_in_the_room_until_it_is_taken_whatever_the_unit_of_the_path(unit: float) -> None:
    rest = rest_of(clip(unit))
    assert rest.holders.tolist() == [False, True]
    assert rest.still[: TAKEN - 6].all()
    assert rest.resting[: TAKEN - 6].all()
    assert not rest.still[TAKEN + 6 :].any()
    assert not rest.resting[TAKEN + 6 :].any()
    assert rest.held_and_moving[TAKEN + 12 :].all()
    assert not rest.held_and_moving[:TAKEN].any()


def test_what_is_never_moved_rests_all_the_time() -> None:
    rest = rest_of(clip(1.0, taken=10**6))
    assert rest.resting.all()
    assert rest.unmoved.all()
    assert not rest.held_and_moving.any()


def test_without_the_path_nothing_is_told() -> None:
    known = clip(1.0)
    evidence = replace(known, camera=replace(known.camera, valid=np.zeros(FRAMES, bool)), room=None)
    assert not evidence.camera.path_known
    rest = rest_of(evidence)
    assert rest.still.all()
    assert not rest.unmoved.any()
    assert not rest.held_and_moving.any()


@pytest.mark.parametrize("unit", [1.0, 0.8, 1.25])
def test_the_floor_is_the_table_and_not_the_things_on_it(unit: float) -> None:
    evidence = clip(unit)
    floor = room_floor(room(unit), evidence.camera, evidence.hands)
    assert floor is not None
    assert abs(floor.height + unit * DROP) < 2.5 * floor.own_sigma
    assert floor.own_sigma < 0.03
    assert floor.drop == pytest.approx(unit * DROP, abs=0.05)
    nowhere = replace(room(unit), points_world=room(unit).points_world + [0, 3.0, 0])
    assert room_floor(nowhere, evidence.camera, evidence.hands) is None


def test_the_room_tells_the_height_of_the_table_with_what_it_shares_with_the_hands() -> None:
    evidence = clip(1.0)
    with_room, notes = find_support(evidence, SupportConfig())
    alone, _ = find_support(replace(evidence, room=None), SupportConfig())
    assert with_room.valid
    assert with_room.origin == "room"
    assert abs(with_room.offset + DROP) < 2.5 * with_room.sigma_offset
    assert not alone.valid or alone.sigma_offset > with_room.sigma_offset
    clue = next(c for c in notes["clues"] if c["what"] == "room")
    whole = np.hypot(clue["sigma"], clue["shared"])
    assert clue["shared"] >= 0.06 * 0.9 * DROP, "the hands' size is in the unit of the path"
    assert whole == pytest.approx(np.hypot(0.08 * DROP, 0.02), rel=0.15)


def test_an_object_at_rest_is_as_unsure_as_the_unit_and_the_turns_of_the_path_make_it() -> None:
    evidence = clip(1.0)
    T = np.tile(make_T(np.eye(3), np.array([0, 0, -DROP])), (FRAMES, 1, 1))
    pose = ObjectPoses(
        T, np.ones(FRAMES, bool), np.ones(FRAMES), np.tile(1e-6 * np.eye(6), (FRAMES, 1, 1)), {}
    )
    shape = shape_from_size(StatedSize((0.06, 0.06, 0.06), "box"))
    with_path, without = (
        with_scale(pose, shape, evidence),
        with_scale(pose, shape, replace(evidence, room=None)),
    )
    more = np.sqrt(np.einsum("tii->t", (with_path - without)[:, :3, :3]))
    eyes = np.array([[0.9, 0.2, DROP], [0.9, 0.0, DROP]])
    turns = 0.01 * np.sqrt(3) * np.linalg.norm(eyes, axis=1)
    assert more[0] == pytest.approx(np.hypot(0.08 * 0.2, turns[0]), rel=0.05), "20 cm from its way's middle"
    assert more[FRAMES // 2] == pytest.approx(turns[1], rel=0.05)

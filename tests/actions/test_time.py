"""Resampling, joining, chunks and relative actions: nothing shifts, nothing masked leaks."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.actions.chunks import ChunkConfig, make_chunks, to_absolute, to_relative
from reenact.actions.errors import BadActions, CameraUnknown
from reenact.actions.human import encode_human
from reenact.actions.slots import CAMERA, UNIFIED, ActionSpec, gripper_slot
from reenact.actions.timing import TimingConfig, delay_between, join, resample
from reenact.actions.vector import ActionVector
from reenact.errors import RecordError
from reenact.geometry.rotations import rotation_angle
from reenact.geometry.transforms import inverse
from reenact.records import load_record, save_record
from tests import scenes
from tests.actions.conftest import moving_camera, same, spoiled, times


def swaying(frames: int, fps_hz: float, late_s: float = 0.0) -> ActionVector:
    """Both hands known throughout, in a still camera, `late_s` behind."""
    t = np.arange(frames) / fps_hz - late_s
    base = scenes.hands(1).joints_world[0]
    sway = np.stack([0.1 * np.sin(3 * t), 0.05 * np.cos(5 * t + 1), 0.04 * np.sin(7 * t)], axis=1)
    joints = base[None] + sway[:, None, None]
    return encode_human(joints, np.ones((frames, 2), bool), times(frames, fps_hz))


def test_60_hz_joints_meet_30_hz_images_sample_for_sample():
    fast = swaying(121, 60.0)
    slow = resample(fast, fast.t_ns[::2])
    assert same(slow, fast.rows(np.arange(0, 121, 2)), atol=1e-15)


def test_resampling_shifts_nothing_in_time():
    fast, truth = swaying(240, 60.0), swaying(110, 30.0)
    off_grid = truth.t_ns + 7_000_000
    there = resample(fast, off_grid)
    assert abs(delay_between(truth, there, "wrist_left_position", 0.3)) < 0.5e6
    expected = swaying(110, 30.0, late_s=-0.007)
    error = there.get("wrist_right_position") - expected.get("wrist_right_position")
    assert np.abs(error).max() < 1.2e-4  # chord against arc at 60 Hz
    assert np.abs(error.mean(axis=0)).max() < 2e-5


def test_a_known_delay_is_found_and_taken_out():
    image_clock, late = swaying(120, 30.0), swaying(240, 60.0, late_s=0.041)
    delay = delay_between(image_clock, late, "wrist_left_position", 0.3)
    assert abs(delay - 41e6) < 2e6
    aligned = resample(late, image_clock.t_ns[:100], delay_ns=delay)
    error = aligned.get("wrist_left_position") - image_clock.rows(slice(0, 100)).get("wrist_left_position")
    assert np.abs(error).max() < 2e-3


def test_rotations_go_the_shortest_way_at_constant_speed(person):
    T, known = person.pose("wrist_right")
    middle = resample(person, (person.t_ns[2:3] + person.t_ns[3:4]) // 2)
    T_mid, ok = middle.pose("wrist_right")
    assert ok[0]
    assert known[2:4].all()
    halves = [rotation_angle(T[k, :3, :3], T_mid[0, :3, :3]) for k in (2, 3)]
    assert halves[0] == pytest.approx(halves[1], rel=1e-3)
    assert sum(halves) == pytest.approx(rotation_angle(T[2, :3, :3], T[3, :3, :3]), rel=1e-6)


def test_masks_pass_through_resampling(person):
    t = person.t_ns
    there = resample(person, np.sort(np.concatenate([t[9:16], (t[9:15] + t[10:16]) // 2, t[-1:] + 1])))
    known = there.mask[:, there.spec.index("tip_left_thumb")]
    assert known.tolist() == [
        True,
        *[False] * 11,
        True,
        False,
    ]  # between known and lost is not known; nor is beyond the end
    assert not there.mask[:, there.spec.index("gripper_left")].any()
    assert same(resample(spoiled(person), there.t_ns), there)
    holes = person.rows(np.r_[0:5, 12:30])
    between = resample(holes, np.array([(t[4] + t[12]) // 2]), TimingConfig(max_gap_s=0.1))
    assert not between.mask.any()


def test_streams_of_two_rates_are_joined(person):
    jaws = ActionSpec((gripper_slot("left"),))
    opening = 0.04 + 0.02 * np.sin(np.arange(70) / 60.0)[:, None]
    fast = ActionVector.assemble(jaws, times(70, 60.0), {"gripper_left": (opening, np.ones(70, bool))})
    both = join(person.t_ns, person.onto(UNIFIED), fast)
    assert same(both.onto(UNIFIED), person.onto(UNIFIED))
    assert np.abs(both.get("gripper_left") - opening[:60:2]).max() < 1e-9
    with pytest.raises(BadActions, match="two streams"):
        join(person.t_ns, person, fast)


def test_chunks_are_the_steps_that_follow_in_the_camera_of_their_start(person, tmp_path):
    chunks = make_chunks(person, ChunkConfig(horizon=8))
    camera, tracks = moving_camera(30), scenes.hands(30)
    columns = person.spec.columns("wrist_right_position")
    k = person.spec.index("wrist_right_position")
    for n, h in ((0, 0), (3, 7), (11, 4)):
        world = tracks.joints_world[n + 1 + h, 1, 0]
        ego = inverse(camera[n])[:3] @ [*world, 1.0]
        assert chunks.mask[n, h, k]
        assert np.abs(chunks.values[n, h, columns] - ego).max() < 1e-12
    assert not chunks.mask[29].any()
    assert not chunks.mask[25, 4:].any()
    assert not chunks.mask[20, :, k].any()
    assert not chunks.mask[18, 1:3, k].any()
    save_record(chunks, tmp_path, "chunks")
    assert np.array_equal(load_record(type(chunks), tmp_path, "chunks").values, chunks.values)


def test_a_moving_camera_that_is_not_known_is_refused(person):
    blind = person.onto(UNIFIED)
    with pytest.raises(CameraUnknown, match="camera slots"):
        make_chunks(blind, ChunkConfig(horizon=4))
    own = make_chunks(blind, ChunkConfig(horizon=4, frame="each"))
    k = blind.spec.columns("wrist_right_position")
    assert np.array_equal(own.values[0, 2, k], blind.values[3, k])
    with pytest.raises(BadActions, match="own camera"):
        to_relative(own)
    still = make_chunks(blind, ChunkConfig(horizon=4, still_camera=True))
    assert np.array_equal(still.values, own.values)


@pytest.mark.parametrize("reference", ["wrist", "ego"])
def test_relative_and_absolute_mirror_each_other(person, reference):
    chunks = make_chunks(person, ChunkConfig(horizon=6))
    relative = to_relative(chunks, reference)
    back = to_absolute(relative)
    assert np.array_equal(back.mask, relative.mask)
    lost = chunks.mask & ~back.mask
    assert not lost[chunks.state_mask.all(axis=1)].any()
    gap = np.where(back.mask_columns, back.values - chunks.values, 0.0)
    assert np.abs(gap).max() < 1e-12
    with pytest.raises(BadActions, match="already"):
        to_relative(relative, reference)


def test_wrist_deltas_know_neither_world_nor_camera():
    tracks = scenes.hands(30)
    everywhere = np.ones((30, 2), bool)
    config = ChunkConfig(horizon=5)
    spec = ActionSpec(UNIFIED.slots)
    seen = []
    for seed in (0, 1):
        vector = encode_human(
            tracks.joints_world, everywhere, times(30), moving_camera(30, seed),
            spec=ActionSpec(spec.slots + CAMERA),
        )  # fmt: skip
        seen.append(to_relative(make_chunks(vector, config), "wrist"))
    a, b = (c.values[..., : spec.width] for c in seen)
    known = seen[0].mask_columns[..., : spec.width]
    assert np.abs(a - b)[known].max() < 1e-12


def test_standing_still_is_the_identity_in_every_relative_space():
    joints = np.repeat(scenes.hands(1).joints_world, 5, axis=0)
    vector = encode_human(joints, np.ones((5, 2), bool), times(5))
    for reference in ("wrist", "ego"):
        chunks = to_relative(make_chunks(vector, ChunkConfig(horizon=2, still_camera=True)), reference)
        first = chunks.values[0, 0]
        assert np.abs(first[:9] - [0, 0, 0, 1, 0, 0, 0, 1, 0]).max() < 1e-12
        assert np.abs(first[18:]).max() < 1e-12


def test_masked_numbers_reach_no_chunk(person):
    dirty = spoiled(person)
    clean = to_relative(make_chunks(person, ChunkConfig(horizon=6)), "wrist")
    soiled = to_relative(make_chunks(dirty, ChunkConfig(horizon=6)), "wrist")
    assert np.array_equal(clean.mask, soiled.mask)
    assert np.array_equal(clean.values, soiled.values)
    no_state = ~clean.state_mask[:, clean.spec.index("tip_left_thumb")]
    assert no_state.any()
    assert not clean.mask[no_state][:, :, clean.spec.index("tip_left_thumb")].any()


def test_instants_must_rise(person):
    with pytest.raises(RecordError, match="rise"):
        person.rows(np.array([3, 2]))

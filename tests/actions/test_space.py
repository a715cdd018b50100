"""The declaration, the record, and the pair human <-> space."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.actions.errors import BadActions, MaskedSlot, UnknownSlot
from reenact.actions.human import decode_human, encode_human
from reenact.actions.mirror import mirrored
from reenact.actions.slots import FINGERTIPS, UNIFIED, WRISTS, ActionSpec, tip_slot, unified_spec, wrist_slots
from reenact.actions.vector import ActionVector, pose_known
from reenact.errors import RecordError
from reenact.geometry.rotations import random_rotation
from reenact.geometry.transforms import apply, make_T
from reenact.hands.joints import TIPS, wrist_transform
from reenact.records import load_record, save_record
from tests import scenes
from tests.actions.conftest import moving_camera, same, spoiled, times
from tests.actions.real_hands import crackerbox, hot3d, taco


def test_the_core_has_18_wrist_and_30_finger_numbers_in_one_order():
    assert ActionSpec(WRISTS).width == 18
    assert ActionSpec(FINGERTIPS).width == 30
    assert UNIFIED.width == 48
    assert UNIFIED.component_names[:9] == (
        *(f"wrist_left_position.{c}" for c in "xyz"),
        *(f"wrist_left_rotation.r{c}" for c in ("00", "10", "20", "01", "11", "21")),
    )
    assert UNIFIED.component_names[18] == "tip_left_thumb.x"
    assert UNIFIED.component_names[-1] == "tip_right_pinky.z"
    for name in UNIFIED.names:
        assert set(UNIFIED.component_names[UNIFIED.columns(name)]) == {
            f"{name}.{c}" for c in UNIFIED.slot(name).components
        }


def test_rot6d_is_first_column_then_second():
    R = np.array([[0.0, -1, 0], [0.6, 0, -0.8], [0.8, 0, 0.6]])  # columns (0 .6 .8) (-1 0 0) (0 -.8 .6)
    known = pose_known("wrist_left", make_T(R, np.array([0.1, 0.2, 0.3]))[None], np.ones(1, bool))
    vector = ActionVector.assemble(UNIFIED, times(1), known)
    assert vector.values[0, :9].tolist() == [0.1, 0.2, 0.3, 0.0, 0.6, 0.8, -1.0, 0.0, 0.0]
    T, ok = vector.pose("wrist_left")
    assert ok.all()
    assert np.abs(T[0, :3, :3] - R).max() < 1e-15


def test_a_spec_that_contradicts_itself_cannot_be():
    with pytest.raises(BadActions, match="twice"):
        ActionSpec((tip_slot("left", "thumb"), tip_slot("left", "thumb")))
    with pytest.raises(BadActions, match="rotation is absent"):
        ActionSpec(wrist_slots("left")[:1])
    with pytest.raises(UnknownSlot, match="tip_left_toe"):
        UNIFIED.columns("tip_left_toe")
    assert ActionSpec.from_rows(unified_spec(camera=True, gaze=True).to_rows()) == unified_spec(
        camera=True, gaze=True
    )


def test_masked_slots_refuse_to_be_read_and_are_not_zero(person):
    with pytest.raises(MaskedSlot, match=r"7 of 30 rows, first in row 10"):
        person.get("wrist_left_position")
    with pytest.raises(MaskedSlot):
        person.get("gripper_left")
    assert person.get("tip_right_thumb").shape == (30, 3)
    hidden = person.values[~person.mask_columns]
    assert np.isfinite(hidden).all()
    assert hidden.size > 0
    assert (
        np.abs(
            person.values[~person.mask[:, UNIFIED.index("tip_left_index")]][
                :, UNIFIED.columns("tip_left_index")
            ]
        ).min()
        > 0
    )
    mean = np.arange(person.spec.width, dtype=float)
    assert np.array_equal(person.filled(mean)[12, :9], mean[:9])


def test_the_record_survives_its_file_and_refuses_nonsense(person, tmp_path):
    save_record(person, tmp_path, "actions")
    again = load_record(ActionVector, tmp_path, "actions")
    assert again.spec == person.spec
    assert np.array_equal(again.values, person.values)
    bad = person.values.copy()
    bad[0, 3:9] *= 1.1
    with pytest.raises(RecordError, match="not orthonormal"):
        ActionVector.of(person.spec, person.t_ns, bad, person.mask)
    mended = ActionVector.of(person.spec, person.t_ns, bad, person.mask, orthonormalize=True)
    assert same(mended, person)
    with pytest.raises(RecordError, match="columns"):
        ActionVector.of(UNIFIED, person.t_ns, person.values, person.mask)


def test_human_to_space_and_back_is_exact(person):
    tracks, camera = scenes.hands(30), moving_camera(30)
    out = decode_human(person)
    for s in (0, 1):
        known = out.valid_wrist[:, s]
        assert known.sum() == (23 if s == 0 else 28)
        T = camera @ out.T_camera_wrist[:, s]
        assert np.abs(T - wrist_transform(tracks.joints_world[:, s], s))[known].max() < 1e-12
        tips = apply(camera, out.tips_camera[:, s])
        assert np.abs(tips - tracks.joints_world[:, s, list(TIPS)])[known].max() < 1e-12
        assert np.array_equal(out.valid_tips[:, s].all(axis=1), known)


def test_moving_the_world_changes_nothing_in_ego_and_wrist_slots(person):
    tracks, camera = scenes.hands(30), moving_camera(30)
    rng = np.random.default_rng(4)
    T = make_T(random_rotation(rng), rng.normal(size=3))
    placed = person.mask[:, person.spec.index("camera_position")]
    moved = encode_human(
        apply(T, tracks.joints_world.reshape(-1, 3)).reshape(tracks.joints_world.shape),
        tracks.valid, times(30), T @ camera, placed, person.spec,
    )  # fmt: skip
    assert same(moved.onto(UNIFIED), person.onto(UNIFIED))
    assert not same(moved, person, atol=0.1)


def test_a_mirrored_person_is_the_mirrored_vector(person):
    tracks, camera = scenes.hands(30), moving_camera(30)
    flip = np.diag([-1.0, 1, 1, 1])
    placed = person.mask[:, person.spec.index("camera_position")]
    seen = encode_human(
        tracks.joints_world[:, ::-1] * [-1, 1, 1], tracks.valid[:, ::-1], times(30),
        flip @ camera @ flip, placed, person.spec,
    )  # fmt: skip
    assert same(seen, mirrored(person))
    assert same(mirrored(mirrored(person)), person)
    assert not same(mirrored(person), person, atol=0.05)


def test_invalid_keypoints_are_never_looked_at(person):
    tracks = scenes.hands(30)
    joints, camera = tracks.joints_world.copy(), moving_camera(30)
    joints[~tracks.valid] = np.nan
    camera[20:22] = np.nan
    placed = np.isfinite(camera).all(axis=(1, 2))
    again = encode_human(joints, tracks.valid, times(30), camera, placed, person.spec)
    assert np.array_equal(again.values, person.values)
    a, b = decode_human(person), decode_human(spoiled(person))
    assert np.array_equal(a.tips_camera[a.valid_tips], b.tips_camera[a.valid_tips])
    assert same(mirrored(spoiled(person)), mirrored(person))


def test_spaces_of_different_meaning_do_not_mix(person):
    other = ActionSpec((tip_slot("left", "thumb"),))
    assert person.onto(other).values.shape == (30, 3)
    rows = list(UNIFIED.to_rows())
    rows[4] = (*rows[4][:2], "ego", *rows[4][3:])
    with pytest.raises(BadActions, match="differs"):
        person.onto(ActionSpec.from_rows(tuple(rows)))


def _round_trip(joints: np.ndarray, valid: np.ndarray, camera: np.ndarray | None) -> float:
    """Largest error of wrists and tips (m) after human -> space -> keypoints."""
    out = decode_human(encode_human(joints, valid, times(len(joints)), camera))
    T = out.T_camera_wrist if camera is None else camera[:, None] @ out.T_camera_wrist
    tips = out.tips_camera if camera is None else apply(camera[:, None], out.tips_camera)
    errors = [T[..., :3, 3] - joints[:, :, 0], (tips - joints[:, :, list(TIPS)]).reshape(*valid.shape, -1)]
    return float(max(np.abs(e[valid]).max() for e in errors))


@pytest.mark.parametrize("read", [crackerbox, taco])
def test_motion_capture_comes_back_within_a_micrometre(shared_dir, read):
    right = read(shared_dir)
    joints, valid = np.zeros((len(right), 2, 21, 3)), np.tile([False, True], (len(right), 1))
    joints[:, 1] = right
    assert _round_trip(joints, valid, None) < 1e-6
    assert _round_trip(joints, valid, moving_camera(len(right), 2)) < 1e-6


def test_hot3d_comes_back_within_a_micrometre(shared_dir):
    joints, camera, _ = hot3d(shared_dir)
    assert _round_trip(joints, np.ones(joints.shape[:2], bool), camera) < 1e-6
    vector = encode_human(joints, np.ones(joints.shape[:2], bool), times(len(joints)), camera)
    for side in ("left", "right"):
        assert vector.get(f"wrist_{side}_position")[:, 2].min() > 0.1  # hands are before the headset
        assert vector.get(f"tip_{side}_thumb")[:, 2].min() > vector.get(f"tip_{side}_pinky")[:, 2].max()

"""The whole chain on moving hands with known truth: time, gaps, gates, frames, uncertainty."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from reenact.geometry.filters import time_shift
from reenact.geometry.rotations import so3_exp
from reenact.geometry.transforms import apply, make_T
from reenact.hands.joints import bone_lengths, wrist_frame
from reenact.hands.skeleton import HandSkeleton
from reenact.refine.hands import HandReconstructionConfig, reconstruct_hands
from reenact.refine.hands.fill import bracket_gaps
from reenact.refine.hands.gate import GateReason
from reenact.refine.hands.limits import beyond_limits
from reenact.refine.hands.reconstruct import TracksDisagree
from reenact.refine.hands.smooth import SmoothConfig, _pieces
from reenact.scene import Source

from .synthetic_hands import LENS, camera_track, landmarks_of, moving_hand, times_ns

NOISE = {"noise_box": 0.008, "turn_rad": np.deg2rad(12)}


def chain(joints, t_ns, config=None, camera=None, **noise):
    marks = landmarks_of(joints, **noise)
    return reconstruct_hands(marks, camera or camera_track(len(joints)), t_ns, config)


@pytest.mark.parametrize("fps_hz", [15, 20, 30, 60])
def test_refined_motion_has_no_time_shift_at_any_rate(fps_hz):
    t_ns = times_ns(4.0, fps_hz)
    truth = moving_hand(t_ns)
    found = chain(truth, t_ns, **NOISE).refined.joints_world[:, 1]
    for part in (slice(0, 2), slice(2, 3)):  # sideways, depth
        shift = time_shift(truth[:, 0, part], found[:, 0, part], t_ns * 1e-9)
        assert abs(shift) < 0.012, f"{shift * 1e3:.1f} ms at {fps_hz} Hz"
    curl = (
        np.linalg.norm(truth[:, 12] - truth[:, 9], axis=-1),
        np.linalg.norm(found[:, 12] - found[:, 9], axis=-1),
    )
    assert abs(time_shift(*curl, t_ns * 1e-9)) < 0.02


def test_refinement_lowers_noise_and_keeps_the_motion():
    """Depth noise at least halves; the swing of the true motion is kept within 5 % sideways and 10 % in depth."""
    t_ns = times_ns(5.0, 30)
    truth = moving_hand(t_ns, seed=3)
    result = chain(truth, t_ns, **NOISE, seed=5)
    raw, refined = (tracks.joints_world[:, 1, 0] for tracks in (result.raw, result.refined))

    def rough(path):
        return np.std(np.diff(path - truth[:, 0], n=2, axis=0)[:, 2])

    assert rough(refined) < 0.5 * rough(raw)
    assert np.median(np.abs(refined - truth[:, 0])[:, 2]) < np.median(np.abs(raw - truth[:, 0])[:, 2])
    swing = np.ptp(refined, axis=0) / np.ptp(truth[:, 0], axis=0)
    np.testing.assert_allclose(swing[:2], 1.0, atol=0.05)
    assert abs(swing[2] - 1) < 0.10


def test_accuracy_of_the_chain():
    """Targets of the project on noise of the size that a net has: depth 5 %, sideways 1 cm (medians)."""
    t_ns = times_ns(4.0, 30)
    for side in (0, 1):
        truth = moving_hand(t_ns, side, seed=side)
        found = chain(truth, t_ns, side=side, **NOISE).refined.joints_world[:, side]
        off = np.abs(found[:, 0] - truth[:, 0])
        assert np.median(off[:, 2] / truth[:, 0, 2]) < 0.02
        assert np.median(np.linalg.norm(off[:, :2], axis=-1)) < 0.004
        assert np.median(np.linalg.norm(found - truth, axis=-1).mean(-1)) < 0.015


def test_bones_are_constant_and_joints_human():
    t_ns = times_ns(3.0, 30)
    result = chain(moving_hand(t_ns), t_ns, noise_box=0.02, turn_rad=0.5)
    for tracks in (result.raw, result.refined):
        lengths = bone_lengths(tracks.joints_world[tracks.valid])
        np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), rtol=1e-9)
    joints = result.refined.joints_world[result.refined.valid]
    skeleton = HandSkeleton.adult(1)
    local = (joints - joints[:, :1]) @ wrist_frame(joints, 1)
    assert beyond_limits(skeleton.fit_angles(local)).max() < 1e-6


def test_short_gaps_are_filled_and_marked_long_ones_stay_unknown():
    t_ns = times_ns(4.0, 30)
    truth = moving_hand(t_ns)
    valid = np.ones(len(t_ns), dtype=bool)
    valid[30:38] = False  # 0.3 s
    valid[60:90] = False  # 1 s
    valid[:4] = False
    result = chain(truth, t_ns, valid=valid, **NOISE)
    refined = result.refined
    assert np.all(refined.source[30:38, 1] == Source.FILLED)
    assert np.all(refined.valid[30:38, 1])
    assert not refined.valid[60:90, 1].any()
    assert not refined.valid[:4, 1].any()
    assert np.all(refined.source[60:90, 1] == Source.UNKNOWN)
    assert np.all(refined.source[40:60, 1] == Source.SMOOTHED)
    assert not result.raw.valid[30:38, 1].any()
    confidence = refined.confidence[:, 1]
    assert confidence[33] < confidence[30] < confidence[29]
    assert refined.sigma_camera[33, 1, 0] > refined.sigma_camera[30, 1, 0] > refined.sigma_camera[29, 1, 0]
    assert np.linalg.norm(refined.joints_world[30:38, 1] - truth[30:38], axis=-1).mean() < 0.05
    assert result.diagnostics["filled_frames"] == {"left": 0, "right": 8}
    assert not refined.valid[:, 0].any()


def test_bracket_gaps_names_the_frames_around_each_short_gap():
    valid = np.array([0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0], dtype=bool)
    before, after, inside = bracket_gaps(valid, np.arange(11) * 0.1, max_gap_s=0.31)
    assert inside.tolist() == [2, 3]
    assert before.tolist() == [1, 1]
    assert after.tolist() == [4, 4]


def test_bad_frames_are_gated_with_their_reason_and_counted():
    t_ns = times_ns(3.0, 30)
    truth = moving_hand(t_ns)
    marks = landmarks_of(truth, **NOISE)
    px = marks.landmarks_px.copy()
    rng = np.random.default_rng(0)
    px[20, 1] = px[20, 1].mean(axis=0) + rng.uniform(-60, 60, (21, 2))  # no hand at all
    px[40, 1] += [220.0, 0.0]  # the right shape in the wrong place
    px[60, 1] = px[60, 1].mean(axis=0) + 0.012 * (px[60, 1] - px[60, 1].mean(axis=0))  # 20 m away
    bad = dataclasses.replace(marks, landmarks_px=px)
    result = reconstruct_hands(bad, camera_track(len(t_ns)), t_ns)
    assert result.reasons[20, 1] == GateReason.REPROJECTION
    assert result.reasons[40, 1] == GateReason.JUMP
    assert result.reasons[60, 1] == GateReason.DEPTH
    counts = result.diagnostics["reasons"]["right"]
    assert counts["reprojection"] == counts["jump"] == counts["depth"] == 1
    assert sum(counts.values()) == len(t_ns)
    assert result.raw.valid[[20, 40, 60], 1].all()
    for frame in (20, 40, 60):
        off = result.refined.joints_world[frame, 1, 0] - truth[frame, 0]
        assert np.linalg.norm(off) < 0.05


def test_a_frame_that_contradicts_its_neighbours_is_dropped_and_the_fit_repeated():
    """A good hand 7 cm beside its path is no gross jump, but the whole-clip fit cannot follow it."""
    t_ns = times_ns(2.0, 30)
    truth = moving_hand(t_ns)
    marks = landmarks_of(truth, **NOISE)
    px = marks.landmarks_px.copy()
    px[30, 1] += [0.0, 110.0]
    odd = dataclasses.replace(marks, landmarks_px=px)
    result = reconstruct_hands(odd, camera_track(len(t_ns)), t_ns)
    assert result.reasons[30, 1] == GateReason.INCONSISTENT
    assert (result.reasons[:, 1] == GateReason.KEPT).sum() == len(t_ns) - 1
    assert result.refined.source[30, 1] == Source.FILLED
    assert np.linalg.norm(result.refined.joints_world[30, 1, 0] - truth[30, 0]) < 0.02


def test_confidence_falls_with_misfit():
    t_ns = times_ns(2.0, 30)
    truth = moving_hand(t_ns)
    marks = landmarks_of(truth, **NOISE)
    rng, px = np.random.default_rng(1), marks.landmarks_px.copy()
    px[20, 1] += rng.normal(size=(21, 2)) * 0.04 * np.ptp(px[20, 1], axis=0).max()
    result = reconstruct_hands(dataclasses.replace(marks, landmarks_px=px), camera_track(len(t_ns)), t_ns)
    for tracks in (result.raw, result.refined):
        others = np.delete(tracks.confidence[:, 1], 20)
        assert tracks.confidence[20, 1] < others.min()


def test_fast_clean_motion_is_no_jump():
    """A reach of 2 m/s peak is motion, not an outlier."""
    t_ns = times_ns(3.0, 30)
    truth = moving_hand(t_ns)
    truth = truth + 0.25 * np.sin(2 * np.pi * 1.3 * t_ns * 1e-9)[:, None, None] * [1.0, 0.2, 0.0]
    result = chain(truth, t_ns, **NOISE)
    assert (result.reasons[:, 1] == GateReason.JUMP).sum() == 0


def test_two_labels_on_one_hand_leave_one():
    t_ns = times_ns(1.0, 30)
    truth = moving_hand(t_ns)
    marks = landmarks_of(truth, **NOISE)
    px, rel, valid = marks.landmarks_px.copy(), marks.landmarks_rel.copy(), marks.valid.copy()
    px[:, 0], rel[:, 0], valid[:, 0] = px[:, 1] + 2.0, rel[:, 1], True
    double = dataclasses.replace(
        marks, landmarks_px=px, landmarks_rel=rel, valid=valid, confidence=np.full(valid.shape, 0.9)
    )
    result = reconstruct_hands(double, camera_track(len(t_ns)), t_ns)
    kept = (result.reasons == GateReason.KEPT).sum(axis=1)
    assert kept.max() == 1
    assert (result.reasons == GateReason.DUPLICATE).any()


def test_known_camera_motion_is_taken_out():
    """The same hand in the world, seen by a still and by a swaying camera: same world track."""
    t_ns = times_ns(3.0, 30)
    world = moving_hand(t_ns)
    t = t_ns[:, None] * 1e-9
    sway = make_T(
        so3_exp(0.15 * np.sin(2 * np.pi * 0.7 * t) * [0.3, 1.0, 0.2]), 0.05 * np.sin(3 * t) * [1.0, 0.5, 0.3]
    )
    seen = apply(np.linalg.inv(sway), world)
    camera = camera_track(len(t_ns), T_world_camera=sway)
    result = chain(seen, t_ns, camera=camera, **NOISE)
    assert result.refined.world_frame == "world"
    off = result.refined.joints_world[:, 1, 0] - world[:, 0]
    assert np.median(np.linalg.norm(off, axis=-1)) < 0.02
    assert result.refined.reprojection[:, 1].max() < 0.04


def test_unknown_camera_motion_stays_in_the_camera_and_says_so():
    t_ns = times_ns(1.0, 30)
    truth = moving_hand(t_ns)
    camera = camera_track(len(t_ns), known=False)
    result = chain(truth, t_ns, camera=camera, **NOISE)
    assert result.refined.world_frame == "camera0"
    assert np.median(np.abs(result.refined.joints_world[:, 1] - truth)) < 0.02


def test_given_hand_length_scales_depth_and_is_recorded():
    t_ns = times_ns(1.0, 30)
    truth = moving_hand(t_ns)
    prior = chain(truth, t_ns, **NOISE)
    user = chain(truth, t_ns, HandReconstructionConfig(hand_length=0.189 * 1.1), **NOISE)
    ratio = user.refined.joints_world[:, 1, 0, 2] / prior.refined.joints_world[:, 1, 0, 2]
    np.testing.assert_allclose(ratio, 1.1, atol=0.01)
    assert prior.refined.hand_length_source == "adult_prior"
    assert user.refined.hand_length_source == "user"
    np.testing.assert_allclose(user.refined.hand_length, 0.2079)
    assert np.all(user.refined.sigma_camera[:, 1, 2] < prior.refined.sigma_camera[:, 1, 2])


def test_sigma_covers_hand_size_and_focal_length():
    """Hands of 6 % spread and a focal length off by 10 %: errors over the stated one-sigma have about unit size."""
    rng, z = np.random.default_rng(7), []
    t_ns = times_ns(0.3, 30)
    for seed in range(40):
        truth = moving_hand(t_ns, hand_length=0.189 * (1 + 0.06 * rng.normal()), seed=seed)
        marks = landmarks_of(truth, noise_box=0.01, turn_rad=0.2, seed=seed)
        f = LENS.fx * (1 + 0.1 * rng.normal())
        lens = dataclasses.replace(LENS, fx=f, fy=f)
        refined = reconstruct_hands(marks, camera_track(len(t_ns), lens, focal_sigma=0.1), t_ns).refined
        z.append(((refined.joints_world[:, 1, 0] - truth[:, 0]) / refined.sigma_camera[:, 1])[4])
    spread = np.sqrt(np.mean(np.square(z), axis=0))
    assert 0.6 < spread[2] < 1.5, spread
    assert np.all(spread[:2] < 1.6), spread


def test_long_stretches_are_solved_in_pieces_without_seams():
    t_ns = times_ns(8.0, 30)
    truth = moving_hand(t_ns)
    whole = chain(truth, t_ns, **NOISE)
    pieces = chain(truth, t_ns, HandReconstructionConfig(smooth=SmoothConfig(chunk_s=2.5)), **NOISE)
    np.testing.assert_allclose(pieces.refined.joints_world, whole.refined.joints_world, atol=1e-3)
    cores = [core for _, core in _pieces(slice(3, 240), t_ns * 1e-9, SmoothConfig(chunk_s=2.5))]
    assert cores[0].start == 3
    assert cores[-1].stop == 240
    assert all(a.stop == b.start for a, b in itertools.pairwise(cores))


def test_same_input_same_output():
    t_ns = times_ns(1.0, 30)
    a, b = (chain(moving_hand(t_ns), t_ns, **NOISE).refined.joints_world for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_single_frames_and_empty_clips_pass():
    t_ns = times_ns(1.0, 30)
    truth = moving_hand(t_ns)
    only = np.zeros(len(t_ns), dtype=bool)
    only[10] = True
    result = chain(truth, t_ns, valid=only)
    assert result.refined.valid[:, 1].sum() == 1
    nothing = chain(truth, t_ns, valid=np.zeros(len(t_ns), dtype=bool))
    assert not nothing.refined.valid.any()


def test_inputs_of_different_clips_are_refused():
    t_ns = times_ns(1.0, 30)
    marks = landmarks_of(moving_hand(t_ns))
    with pytest.raises(TracksDisagree, match="30 frames of landmarks, 29 of camera"):
        reconstruct_hands(marks, camera_track(29), t_ns)
    with pytest.raises(TracksDisagree, match=r"hand length 18\.9"):
        reconstruct_hands(marks, camera_track(30), t_ns, HandReconstructionConfig(hand_length=18.9))
    with pytest.raises(TracksDisagree, match="rise"):
        reconstruct_hands(marks, camera_track(30), t_ns[::-1].copy())

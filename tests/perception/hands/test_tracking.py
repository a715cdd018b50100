"""Laws of the two-hand tracker, on simulated hands whose identity is known."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from reenact.perception.hands.config import MediaPipeHandsConfig
from reenact.perception.hands.cuts import CutConfig, cut_tracklets
from reenact.perception.hands.detection import HandDetection
from reenact.perception.hands.roi import Roi
from reenact.perception.hands.tracklet import Tracklet
from reenact.scene import HandLandmarks, Source

from .simulated import REL, WIDTH, SimHand, SimWorld, line, two_hands

LEFT, RIGHT = 0, 1


def truth_px(world: SimWorld, side: int) -> np.ndarray:
    hand = next(hand for hand in world.hands if hand.right == bool(side))
    return np.stack([hand.landmarks(t) for t in range(len(hand.centres))])


def assert_identity(result: HandLandmarks, world: SimWorld, side: int) -> None:
    """Wherever the slot is valid it holds the true hand of that side."""
    rows = result.valid[:, side]
    np.testing.assert_allclose(result.landmarks_px[rows, side], truth_px(world, side)[rows], atol=1e-9)


def test_two_clear_hands_fill_both_slots_of_every_frame() -> None:
    world = two_hands()
    result, account = world.detect()
    assert result.valid.all()
    assert_identity(result, world, LEFT)
    assert_identity(result, world, RIGHT)
    assert (result.source == Source.OBSERVED).all()
    assert account["frames_with_two_hands"] == 90
    assert account["tracklets"] == 2


def test_a_mirrored_net_reading_swaps_the_slots() -> None:
    plain, _ = two_hands().detect()
    world = two_hands()
    world.mirrored = True
    mirrored, _ = world.detect()
    np.testing.assert_array_equal(plain.landmarks_px, mirrored.landmarks_px[:, ::-1])


def test_mirroring_the_world_mirrors_the_result() -> None:
    world = two_hands()
    flipped = SimWorld(
        [
            SimHand(
                centres=np.array([WIDTH - 1, 0]) + hand.centres * [-1, 1],
                p_right=1 - hand.p_right,
                right=not hand.right,
            )
            for hand in world.hands
        ]
    )
    plain, mirrored = world.detect()[0], flipped.detect()[0]
    back = np.array([WIDTH - 1, 0]) + mirrored.landmarks_px[:, ::-1] * [-1, 1]
    np.testing.assert_allclose(plain.landmarks_px, back, atol=1e-6)


def test_a_hand_the_palm_net_finds_late_is_tracked_back_to_its_start() -> None:
    late = np.arange(90) >= 20
    world = two_hands(left={"palm_visible": late})
    result, account = world.detect()
    assert result.valid.all()
    assert 20 <= account["backfilled_frames"] <= 23
    assert_identity(result, world, LEFT)


def test_tracking_back_reaches_no_further_than_the_kept_second() -> None:
    world = two_hands(left={"palm_visible": np.arange(90) >= 60})
    result, _ = world.detect()
    first = int(np.argmax(result.valid[:, LEFT]))
    assert 28 <= first <= 30


def test_a_dropout_is_a_gap_and_the_hand_keeps_its_slot() -> None:
    seen = np.ones(90, bool)
    seen[40:52] = False
    world = two_hands(right={"visible": seen})
    result, _ = world.detect()
    np.testing.assert_array_equal(result.valid[:, RIGHT], seen)
    assert result.valid[:, LEFT].all()
    assert_identity(result, world, RIGHT)


def test_a_followed_hand_seen_along_its_edge_stays_one_but_is_not_believed_as_much() -> None:
    """The palm net does not find such a hand again, so giving it up would cost all that follows."""
    t = np.arange(90)
    edge = (t >= 30) & (t < 36)
    hand = {"palm_share": np.where(edge, 0.2, 1.0), "palm_visible": t < 30}
    result, _ = two_hands(right=hand).detect()
    assert result.valid.all()
    assert result.confidence[edge, RIGHT].max() < 0.7 < result.confidence[~edge, RIGHT].min()
    nothing = {"palm_share": np.full(90, 0.2)}
    assert not two_hands(right=nothing).detect()[0].valid[:, RIGHT].any(), "none begins like that"


@pytest.mark.parametrize("gap", [0, 8])
def test_crossing_hands_keep_their_identity(gap: int) -> None:
    """They pass 50 px apart (0.8 hand sizes); with a gap the right one is hidden while they cross."""
    count = 90
    seen = np.abs(np.arange(count) - 45) >= gap / 2
    world = two_hands(
        left={"centres": line((520, 150), (120, 150), count)},
        right={"centres": line((120, 200), (520, 200), count), "visible": seen},
    )
    result, _ = world.detect()
    assert result.valid.sum() >= 2 * count - gap - 6
    assert_identity(result, world, LEFT)
    assert_identity(result, world, RIGHT)


def test_a_second_of_the_same_label_does_not_move_a_hand() -> None:
    """For a second the net calls both hands right: the steady order of the hands decides."""
    p = np.full(120, 0.05)
    p[60:90] = 0.9
    world = two_hands(120, left={"p_right": p})
    result, account = world.detect()
    assert account["same_label_frames_before"] == 30
    assert result.valid.all()
    assert_identity(result, world, LEFT)
    assert_identity(result, world, RIGHT)


def test_noisy_labels_are_outvoted() -> None:
    rng = np.random.default_rng(3)
    flips = [np.where(rng.random(90) < 0.3, 0.9, 0.1), np.where(rng.random(90) < 0.3, 0.1, 0.9)]
    world = two_hands(left={"p_right": flips[0]}, right={"p_right": flips[1]})
    result, _ = world.detect()
    assert result.valid.all()
    assert_identity(result, world, LEFT)
    assert_identity(result, world, RIGHT)


@pytest.mark.parametrize("leap_px", [30.0, 50.0])
def test_a_track_that_silently_passes_to_the_other_hand_is_cut(leap_px: float) -> None:
    """One region, but the hand in it is the left one at first and the right one later (a leap within the reach)."""
    count = 90
    first, second = np.arange(count) < 45, np.arange(count) >= 45
    world = two_hands(
        left={"centres": np.tile([300.0, 200.0], (count, 1)), "visible": first},
        right={"centres": np.tile([300.0 + leap_px, 200.0], (count, 1)), "visible": second},
    )
    result, account = world.detect()
    assert account["tracklets"] == 1
    assert account["cuts"] == 1
    np.testing.assert_array_equal(result.valid[:, LEFT], first)
    np.testing.assert_array_equal(result.valid[:, RIGHT], second)


def test_after_a_long_gap_the_usual_order_decides_against_wrong_labels() -> None:
    """Both hands come back elsewhere, and the net now finds the left one more right than the right one."""
    count, back = 180, np.arange(180) >= 120
    seen = (np.arange(count) < 60) | back
    away = {
        side: np.where(back[:, None], [x, 60.0], [x, 250.0])
        for side, x in (("left", 460.0), ("right", 180.0))
    }
    world = two_hands(
        count,
        left={"centres": away["left"], "visible": seen, "p_right": np.where(back, 0.9, 0.05)},
        right={"centres": away["right"], "visible": seen, "p_right": np.where(back, 0.7, 0.95)},
    )
    result, _ = world.detect()
    np.testing.assert_array_equal(result.valid, np.stack([seen, seen], axis=1))
    assert_identity(result, world, LEFT)
    assert_identity(result, world, RIGHT)


def test_a_hand_lost_for_a_moment_keeps_its_slot_though_the_net_now_doubts_it() -> None:
    seen = np.ones(60, bool)
    seen[44:47] = False
    doubt = np.where(np.arange(60) >= 47, 0.35, 0.95)
    world = two_hands(60, right={"visible": seen, "p_right": doubt}, left={"visible": np.zeros(60, bool)})
    result, account = world.detect()
    assert account["tracklets"] == 2
    np.testing.assert_array_equal(result.valid[:, RIGHT], seen)
    assert not result.valid[:, LEFT].any()


def test_three_right_hands_never_share_a_slot() -> None:
    count = 60
    hands = [
        SimHand(np.tile([x, 200.0], (count, 1)), np.full(count, 0.95), right=True)
        for x in (120.0, 320.0, 520.0)
    ]
    result, account = SimWorld(hands).detect()
    assert result.valid.sum(axis=1).max() <= 2
    assert account["unassigned_frames"] == count
    boxes = result.landmarks_px.mean(axis=2)
    assert (np.abs(boxes[:, 0, 0] - boxes[:, 1, 0]) > 100).all()


def test_a_hand_of_doubtful_side_goes_to_the_slot_that_was_near() -> None:
    """Both are lost; one comes back 1.6 sizes from the right hand's last place and 3 from the left one's."""
    count, back = 63, np.arange(63) >= 48
    centres = np.where(back[:, None], [276.0, 200.0], [180.0, 200.0])
    world = two_hands(
        count,
        left={"centres": np.tile([460.0, 200.0], (count, 1)), "visible": np.arange(count) < 45},
        right={
            "centres": centres,
            "visible": (np.arange(count) < 45) | back,
            "p_right": np.where(back, 0.45, 0.95),
        },
    )
    result, _ = world.detect()
    assert result.valid[48:, RIGHT].all()
    assert not result.valid[48:, LEFT].any()


def test_a_leap_cuts_a_tracklet_at_any_label() -> None:
    world = two_hands(20)
    hands = [world.hands[1].landmarks(0) + [(60.0 if t >= 8 else 0.0), 0.0] for t in range(20)]
    detections = [HandDetection(px, REL, 0.9, 0.5, Roi(0.0, 0.0, 120.0, 0.0)) for px in hands]
    counts: Counter[str] = Counter()
    pieces = cut_tracklets([Tracklet(0, 100, detections)], 1 / 30, CutConfig(), counts)
    assert [(piece.start, piece.stop) for piece in pieces] == [(100, 108), (108, 120)]
    assert {piece.parent_id for piece in pieces} == {0}
    assert counts["cuts"] == 1


def test_pieces_that_overlap_for_long_never_share_a_slot() -> None:
    """A second right hand that outlives the first may not be appended to it."""
    count = 90
    spans = [(0, 90, 460.0, 0.05), (0, 60, 120.0, 0.95), (20, 90, 290.0, 0.95)]
    hands = [
        SimHand(
            np.tile([x, 200.0], (count, 1)),
            np.full(count, p),
            right=p > 0.5,
            visible=(np.arange(count) >= first) & (np.arange(count) < last),
        )
        for first, last, x, p in spans
    ]
    config = MediaPipeHandsConfig()
    eager = replace(config, tracker=replace(config.tracker, recheck_every_s=0.0))
    result, _ = SimWorld(hands).detect(eager)
    x = result.landmarks_px[:, RIGHT, :, 0].mean(axis=1)[result.valid[:, RIGHT]]
    assert (np.abs(np.diff(x)) < 1.0).all(), "the right slot leapt from one hand to another"


def test_a_short_false_hand_is_removed_and_counted() -> None:
    blink = (np.arange(90) >= 30) & (np.arange(90) < 35)
    world = two_hands(left={"visible": blink})
    result, account = world.detect()
    assert not result.valid[:, LEFT].any()
    assert result.valid[:, RIGHT].all()
    assert account["removed_short_runs"] == 1
    assert account["removed_short_run_frames"] == 5


def test_an_unsure_hand_is_removed_and_counted() -> None:
    result, account = two_hands(left={"presence": 0.55}).detect()
    assert not result.valid[:, LEFT].any()
    assert account["removed_unsure_runs"] == 1


def test_a_hand_too_small_to_be_one_is_rejected_and_counted() -> None:
    result, account = two_hands(left={"size": 3.0}).detect()
    assert not result.valid[:, LEFT].any()
    assert account["rejected_size"] > 0


def test_hands_that_merge_into_one_leave_one_track() -> None:
    """The left hand moves behind the right one and stays hidden: its track must not live on in the other."""
    count = 90
    world = two_hands(
        left={"centres": line((460, 200), (175, 180), count), "visible": np.arange(count) < 70},
        right={"centres": np.tile([200.0, 180.0], (count, 1))},
    )
    result, account = world.detect()
    assert account["duplicates_ended"] == 1
    assert result.valid[:, RIGHT].all()
    assert not result.valid[70:, LEFT].any()
    assert_identity(result, world, LEFT)
    assert_identity(result, world, RIGHT)


@pytest.mark.parametrize("fps_hz", [10.0, 30.0, 60.0])
def test_the_result_does_not_depend_on_the_frame_rate(fps_hz: float) -> None:
    count = int(3 * fps_hz)
    p = np.full(count, 0.05)
    p[count // 2 : count // 2 + count // 6] = 0.9
    world = two_hands(count, left={"p_right": p})
    result, _ = world.detect(fps_hz=fps_hz)
    assert result.valid.all()
    assert_identity(result, world, LEFT)


def test_twice_the_same_input_gives_the_same_result() -> None:
    first, second = two_hands().detect(), two_hands().detect()
    np.testing.assert_array_equal(first[0].landmarks_px, second[0].landmarks_px)
    assert first[1] == second[1]


def test_an_empty_scene_is_an_empty_record() -> None:
    world = two_hands(left={"visible": np.zeros(90, bool)}, right={"visible": np.zeros(90, bool)})
    result, account = world.detect()
    assert not result.valid.any()
    assert account["tracklets"] == 0
    assert result.landmarks_px.shape == (90, 2, 21, 2)

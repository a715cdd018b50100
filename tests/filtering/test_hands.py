from __future__ import annotations

import numpy as np
import pytest

from reenact.filtering.hands import hand_numbers, hand_speeds, look_for_hands, present_runs

from .scenes import HEIGHT, WIDTH, hand_at

BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
S = 1_000_000_000


def look(t_s, *hands, rgb=BLACK, scale=1.0):
    joints = np.array([hand_at(*hand) for hand in hands]).reshape(-1, 21, 2) * rgb.shape[0] / HEIGHT
    return look_for_hands(round(t_s * S), rgb, lambda picture: joints, scale)


def test_boxes_are_in_image_heights_whatever_the_size():
    for factor in (1, 3):
        rgb = np.zeros((HEIGHT * factor, WIDTH * factor, 3), np.uint8)
        (hand,) = look(0, (0.5, 0.5, 0.2), rgb=rgb).hands
        assert [hand.x0, hand.y0, hand.x1, hand.y1] == pytest.approx([0.4, 0.4, 0.6, 0.6], abs=0.005)
        assert look(0, (0.5, 0.5, 0.2), rgb=rgb).areas() == pytest.approx([0.04 * 144 / 256], rel=0.03)


def test_the_box_scale_widens_about_the_centre_and_stops_at_the_border():
    (hand,) = look(0, (0.5, 0.5, 0.2), scale=1.5).hands
    assert [hand.x0, hand.x1] == pytest.approx([0.35, 0.65], abs=0.005)
    (hand,) = look(0, (0.05, 0.5, 0.2), scale=1.5).hands
    assert hand.x0 == 0


@pytest.mark.parametrize(
    ("x", "y", "cut"),
    [(0.5, 0.5, False), (0.1, 0.5, True), (1.68, 0.5, True), (0.5, 0.1, True), (0.5, 0.9, True)],
)
def test_truncation_is_seen_at_all_four_borders(x, y, cut):
    assert look(0, (x, y, 0.2)).is_truncated(5 / 360) is cut


def test_speed_is_in_heights_per_second_whatever_the_pause():
    for pause in (0.2, 0.5):
        looks = [look(pause * i, (0.2 + 0.3 * pause * i, 0.5, 0.2)) for i in range(4)]
        assert hand_speeds(looks, 1.0) == pytest.approx([0.3] * 3, rel=1e-6)


def test_two_hands_found_in_turns_are_not_one_fast_hand():
    looks = [look(i / 3, (0.3 if i % 2 else 1.4, 0.5, 0.2)) for i in range(6)]
    assert hand_speeds(looks, 1.0) == []
    both = [look(i / 3, (0.3, 0.5, 0.2), (1.4, 0.5, 0.2)) for i in range(3)]
    assert hand_speeds(both, 1.0) == pytest.approx([0] * 4, abs=1e-9)


def test_numbers_are_shares_of_all_looks():
    looks = [look(0), look(1), look(2, (0.5, 0.5, 0.2)), look(3, (0.5, 0.5, 0.2), (0.05, 0.5, 0.2))]
    numbers = hand_numbers(looks, 5 / 360, 1.5)
    assert (numbers.looks, numbers.hand_ratio, numbers.both_ratio, numbers.truncated_ratio) == (
        4,
        0.5,
        0.25,
        0.25,
    )
    nothing = hand_numbers([], 5 / 360, 1.5)
    assert nothing.hand_ratio == 0
    assert nothing.mean_area is None
    assert nothing.median_speed is None


def seen(pattern, rate=2):
    return [look(i / rate, (0.5, 0.5, 0.2)) if c == "x" else look(i / rate) for i, c in enumerate(pattern)]


@pytest.mark.parametrize(
    ("pattern", "runs"),
    [
        ("xxxx", [(0, 2)]),
        ("....", []),
        ("..xx..xx", [(0.75, 4)]),
        ("xx......xx", [(0, 0.75), (3.75, 5)]),
        ("....x....", [(1.75, 2.25)]),
    ],
)
def test_runs_bridge_short_gaps_and_stay_within_the_shot(pattern, runs):
    found = present_runs(seen(pattern), 0, round(len(pattern) / 2 * S), 1.6)
    assert np.array(found).reshape(-1, 2) / S == pytest.approx(np.array(runs).reshape(-1, 2), abs=1e-6)

"""Laws of a user's box around a thin tool that a hand holds from the first frame to the last."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from reenact.perception.masks.boxed import bridged, cut_from_box
from reenact.perception.masks.change import change_within
from reenact.perception.masks.classical import ClassicalMasks
from reenact.perception.masks.seed import SeedConfig, box_of
from reenact.perception.masks.views import Views
from reenact.perception.pictures.hands import HandRegions
from reenact.perception.pictures.stack import read_stack
from reenact.scene import FoundObjects, HandLandmarks, MaskLabel, Source
from tests.perception.objects import drawn

BLADE, HANDLE, BOARD = (128, 130, 134), (16, 16, 18), (168, 170, 166)
FRAMES, DOWN = 20, 10
"""How many, and one in which the tool is down on the board."""
CODE = int(MaskLabel.FIRST_OBJECT)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)


def draw_tool(seed: int = 0) -> drawn.Drawn:
    """The right hand holds a knife all the time: above the table, then over a board of the blade's grey, then back. Its
    black handle shows between the fingers; the left hand lies on the table."""
    rng = np.random.default_rng(seed)
    table = np.full((drawn.HEIGHT, drawn.WIDTH, 3), (150, 112, 74), np.float64)
    table += cv2.GaussianBlur(rng.normal(size=table.shape[:2]), (0, 0), 3)[..., None] * 50
    table[100:, 20:110] = BOARD
    u = np.clip(np.minimum(np.arange(FRAMES) - 3, 17 - np.arange(FRAMES)) / 5, 0, 1)
    right = np.array([150.0, 40.0]) + u[:, None] * np.array([-40.0, 34.0])
    left = np.tile([200.0, 110.0], (FRAMES, 1))
    rgb = np.empty((FRAMES, drawn.HEIGHT, drawn.WIDTH, 3), np.uint8)
    labels = np.zeros(rgb.shape[:3], np.uint8)
    blade = np.array([[-8, 6], [-3, 12], [-40, 50], [-44, 52], [-46, 46]])
    handle = np.array([[-10, 2], [2, -8], [8, 0], [-3, 12]])
    for i in range(FRAMES):
        picture, label = table.copy(), labels[i]
        for side, at in enumerate((left[i], right[i])):
            cover = drawn._hand_mask(at) > 0
            picture[cover] = np.array(drawn.SKIN) + rng.normal(size=(int(cover.sum()), 1)) * 5
            label[cover] = MaskLabel.HAND_LEFT + side
        for part, colour in ((blade, BLADE), (handle, HANDLE)):
            shape = np.zeros(label.shape, np.uint8)
            cv2.fillPoly(shape, [np.rint(part + right[i]).astype(np.int32)], 1)
            picture[shape > 0], label[shape > 0] = colour, CODE
        rgb[i] = (picture + rng.normal(size=picture.shape) * 2).clip(0, 255).astype(np.uint8)
    both = np.ones((FRAMES, 2), bool)
    landmarks = HandLandmarks(
        landmarks_px=np.stack([drawn.HAND + left[:, None], drawn.HAND + right[:, None]], axis=1),
        landmarks_rel=np.zeros((FRAMES, 2, 21, 3)), valid=both, confidence=both.astype(np.float64),
        source=both.astype(np.uint8) * np.uint8(Source.OBSERVED), backend="drawn", licence="none",
    )  # fmt: skip
    whole = drawn._clip()
    clip = dataclasses.replace(
        whole,
        t_ns=whole.t_ns[:FRAMES],
        end_ns=int(whole.t_ns[FRAMES]),
        source_frame_idx=np.arange(FRAMES, dtype=np.int64),
    )
    return drawn.Drawn(clip, rgb, labels, landmarks, right)


@pytest.fixture(scope="module")
def tool() -> drawn.Drawn:
    return draw_tool()


@pytest.fixture(scope="module")
def views(tool) -> Views:
    stack = read_stack(tool.frames(), tool.clip)
    return Views(stack, HandRegions(stack, tool.landmarks))


def boxed(frame: int, box: np.ndarray) -> FoundObjects:
    return FoundObjects(
        object_ids=("tool",), names=("tool",), roles=("unknown",), seed_frame=np.array([frame]),
        seed_box_px=box[None], confidence=np.ones(1), sources=("user_box",), reasons=("drawn",), backend="drawn",
        licence="none",
    )  # fmt: skip


def test_what_one_hand_holds_all_the_time_is_not_skin(tool, views) -> None:
    for frame in (0, DOWN):
        hands = views.hands[frame] > 0
        assert hands[tool.labels[frame] == CODE].mean() < 0.1
        true = (tool.labels[frame] == MaskLabel.HAND_LEFT) | (tool.labels[frame] == MaskLabel.HAND_RIGHT)
        assert hands[true].mean() > 0.75


@pytest.mark.parametrize("frame", [0, DOWN])
def test_a_thin_tool_is_cut_out_of_its_box(tool, views, frame) -> None:
    true = tool.labels[frame] == CODE
    cut = cut_from_box(views, frame, box_of(true), SeedConfig())
    assert iou(cut.mask, true) > 0.75
    assert cut.trust > 0.9


def test_a_held_tool_is_followed_over_things_of_its_colour(tool) -> None:
    box = box_of(tool.labels[0] == CODE)
    made = ClassicalMasks().segment(tool.frames(), tool.clip, tool.landmarks, boxed(0, box))
    scores = [iou(made.labels[k] == CODE, tool.labels[k] == CODE) for k in range(FRAMES)]
    assert made.tracks.valid.all()
    assert np.mean(scores) > 0.8
    assert min(scores) > 0.6


def test_a_box_that_is_too_wide_is_trusted_less(tool, views) -> None:
    box = box_of(tool.labels[DOWN] == CODE)
    wide = box + np.array([-20.0, -15.0, 15.0, 15.0])
    assert (
        cut_from_box(views, DOWN, wide, SeedConfig()).trust
        < cut_from_box(views, DOWN, box, SeedConfig()).trust
    )


def test_change_tells_a_moved_thing_from_what_lies_behind_and_a_still_one_nothing(tool, views) -> None:
    frame, window = 0, (slice(0, drawn.HEIGHT), slice(0, drawn.WIDTH))
    true, free = tool.labels[frame] == CODE, views.hands[frame] == 0
    inside = np.zeros(true.shape, bool)
    x0, y0, x1, y1 = box_of(true).astype(int)
    inside[y0 : y1 + 1, x0 : x1 + 1] = True
    said = change_within(views, frame, window, inside & free, ~inside & free)
    assert said is not None
    assert said[true & free].mean() > 0.4
    assert said[inside & free & ~true].mean() < -0.3
    still = np.zeros(true.shape, bool)
    still[10:50, 20:60] = True
    assert change_within(views, frame, window, still & free, ~still & free) is None


def test_pieces_of_one_thing_are_joined_by_a_strip_as_wide_as_they_are() -> None:
    line = np.zeros((40, 80), bool)
    line[18:23, 5:75] = True
    broken = line.copy()
    broken[:, 30:44] = False
    assert iou(bridged(broken), line) > 0.9
    assert np.array_equal(bridged(line), line)

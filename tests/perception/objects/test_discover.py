"""Laws of the discover role: what a hand moves is found, what stays is not, what the user says is taken."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from reenact.perception.discover.automatic import AutomaticFinder, AutomaticFinderConfig
from reenact.perception.discover.contract import ObjectFinder
from reenact.perception.discover.hints import BadObjectHint, ObjectBox, ObjectClick
from reenact.perception.discover.names import colour_name, match_labels
from reenact.perception.discover.targets import TargetConfig, came_near
from reenact.perception.discover.trial import TrialConfig
from reenact.scene import MaskLabel
from tests.perception.objects import drawn
from tests.perception.objects.test_points import camera


def covers(found, o: int, true: np.ndarray) -> bool:
    x0, y0, x1, y1 = np.rint(found.seed_box_px[o]).astype(int)
    box = np.zeros(true.shape, bool)
    box[max(0, y0) : y1 + 1, max(0, x0) : x1 + 1] = True
    return bool((box & true).sum() > 0.5 * (box | true).sum())


@pytest.fixture(scope="module")
def finder() -> AutomaticFinder:
    made = AutomaticFinder(AutomaticFinderConfig(max_trials=3))
    assert isinstance(made, ObjectFinder)
    return made


def test_what_the_hand_moves_is_found(clip, finder) -> None:
    found = finder.find(clip.frames(), clip.clip, clip.landmarks, camera())
    assert found.roles[0] == "manipulated"
    frame = int(found.seed_frame[0])
    assert covers(found, 0, clip.labels[frame] == MaskLabel.FIRST_OBJECT)
    assert found.names[0] == "blue object"
    assert "travels" in found.reasons[0]
    assert 0.5 < found.confidence[0] < 1
    still = [r for o, r in enumerate(found.roles) if covers(found, o, clip.labels[0] == 17)]
    assert "manipulated" not in still


def test_it_is_found_before_a_camera_that_may_move(clip, finder) -> None:
    found = finder.find(clip.frames(), clip.clip, clip.landmarks)
    assert found.roles[:1] == ("manipulated",)
    assert covers(found, 0, clip.labels[int(found.seed_frame[0])] == MaskLabel.FIRST_OBJECT)
    assert 0.5 < found.confidence[0] <= 0.8
    assert "no_targets" in finder.diagnostics


def test_a_shadow_that_goes_with_the_hand_is_no_object_before_a_camera_that_may_move() -> None:
    finder = AutomaticFinder(AutomaticFinderConfig(max_trials=1))
    clip = drawn.draw(moves=False)
    rgb = clip.rgb.copy()
    for i, (x, y) in enumerate(drawn.box_path()[1]):
        spot = np.zeros(rgb.shape[1:3], np.uint8)
        cv2.ellipse(spot, (int(x) - 26, int(y) - 8), (22, 13), 0, 0, 360, 1, -1)
        spot[clip.labels[i] > 0] = 0
        rgb[i] = np.where(spot[..., None] > 0, rgb[i] * 0.5, rgb[i]).astype(np.uint8)
    found = finder.find(dataclasses.replace(clip, rgb=rgb).frames(), clip.clip, clip.landmarks)
    assert found.object_ids == ()
    verdicts = [row["verdict"] for row in finder.diagnostics["candidates"]]
    assert any("shadow" in verdict for verdict in verdicts)
    assert "believed" not in verdicts


def test_leaving_a_thing_is_no_coming_to_it() -> None:
    times, config = np.arange(12) * 0.1, TargetConfig()
    comes = np.linspace(2.0, 0.0, 12)
    assert came_near(comes, times, config)
    assert not came_near(comes[::-1].copy(), times, config)
    assert not came_near(comes + 0.4, times, config)


def test_what_is_cut_badly_or_hardly_seen_is_refused_with_the_reason(clip) -> None:
    for trial, words in (
        (TrialConfig(min_trust=1.1), "trusted"),
        (TrialConfig(min_share=1.1), "of all, only"),
    ):
        strict = AutomaticFinder(AutomaticFinderConfig(max_trials=1, trial=trial))
        assert strict.find(clip.frames(), clip.clip, clip.landmarks, camera()).object_ids == ()
        assert any(words in row["verdict"] for row in strict.diagnostics["candidates"])


def test_a_hand_that_moves_nothing_finds_nothing(finder) -> None:
    clip = drawn.draw(moves=False)
    found = finder.find(clip.frames(), clip.clip, clip.landmarks, camera())
    assert "manipulated" not in found.roles
    assert finder.diagnostics["why_none"]


def test_without_hands_nothing_is_claimed(clip, finder) -> None:
    nobody = dataclasses.replace(clip.landmarks, valid=np.zeros_like(clip.landmarks.valid))
    found = finder.find(clip.frames(), clip.clip, nobody)
    assert found.object_ids == ()
    assert "No hand" in finder.diagnostics["why_none"]


def test_a_users_box_is_taken_as_it_is(clip) -> None:
    box = ObjectBox(0, 50, 84, 90, 116, "letter box")
    found = AutomaticFinder(AutomaticFinderConfig(boxes=(box,))).find(
        clip.frames(), clip.clip, clip.landmarks
    )
    assert found.seed_box_px.tolist() == [[50, 84, 90, 116]]
    assert (found.names, found.sources) == (("letter box",), ("user_box",))


def test_a_click_grows_to_the_thing(clip) -> None:
    click = ObjectClick(0, drawn.STILL[0] + 3.0, drawn.STILL[1] - 2.0)
    found = AutomaticFinder(AutomaticFinderConfig(clicks=(click,))).find(
        clip.frames(), clip.clip, clip.landmarks
    )
    assert covers(found, 0, clip.labels[0] == MaskLabel.FIRST_OBJECT + 1)
    assert found.names == ("green object",)
    assert found.sources == ("user_click",)


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (ObjectBox(0, 10, 10, 300, 50), "240 x 160"),
        (ObjectBox(99, 10, 10, 30, 50), "frames 0 to 35"),
        (ObjectBox(0, 30, 10, 10, 50), "X0 < X1"),
        (ObjectBox(0, 30, 10, 30.5, 11), "too small"),
    ],
)
def test_a_box_that_is_not_in_the_clip_is_refused(clip, box, words) -> None:
    with pytest.raises(BadObjectHint, match=words):
        AutomaticFinder(AutomaticFinderConfig(boxes=(box,))).find(clip.frames(), clip.clip, clip.landmarks)


def test_hints_are_read_from_text() -> None:
    assert ObjectBox.parse("12,300,180,420.5,330,red cup, big") == ObjectBox(
        12, 300, 180, 420.5, 330, "red cup, big"
    )
    assert ObjectClick.parse("-1,5,6") == ObjectClick(-1, 5, 6)
    for bad in ("1,2,3", "a,1,2,3,4", "1,2,3,4,nan", ""):
        with pytest.raises(BadObjectHint, match="FRAME"):
            ObjectBox.parse(bad)


def test_labels_go_to_the_colours_they_name() -> None:
    assert colour_name(np.tile(np.array([[210, 20, 30]], np.uint8), (5, 1))) == "red"
    assert colour_name(np.tile(np.array([[128, 128, 126]], np.uint8), (5, 1))) == "grey"
    got = match_labels(["red object", "blue object"], ["red", "blue"], ("blue mug", "can"))
    assert got == ("can", "blue mug")

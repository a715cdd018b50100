"""Laws of identity: of things that look alike, one that was out of sight is unknown unless it can be followed back."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from reenact.perception.masks.classical import ClassicalMasks
from reenact.perception.masks.crowd import RivalConfig, look_alikes
from reenact.perception.masks.follower import FollowerConfig, ObjectFollower
from reenact.perception.masks.identity import Chain, IdentityConfig
from reenact.perception.pictures.colour import colour_bins, histogram
from reenact.perception.pictures.stack import read_stack
from reenact.scene import MaskLabel
from tests.perception.objects import drawn

HOME = np.zeros((40, 60), bool)
HOME[10:20, 10:24] = True
APART = (np.inf, np.inf)


def followed() -> ObjectFollower:
    return ObjectFollower(
        HOME, np.zeros(HOME.shape, np.int32), np.zeros(HOME.shape, np.uint8), FollowerConfig()
    )


def hidden_for(steps: int, loose_gap: float, back: np.ndarray | None) -> tuple[Chain, bool]:
    """A thing in sight, hidden for some steps of 0.1 s beside a look-alike, in sight again; what is then believed.

    `loose_gap`: how near a look-alike is that has not stayed where it was.
    """
    thing = followed()
    chain = Chain(IdentityConfig(), 0, HOME, float(HOME.sum()))
    assert chain.look(1, 0.1, thing, APART, lambda a, b: None)
    thing.valid = False
    for step in range(2, 2 + steps):
        assert not chain.look(step, 0.1, thing, (0.2, loose_gap), lambda a, b: None)
    thing.valid = True
    return chain, chain.look(2 + steps, 0.1, thing, APART, lambda a, b: back)


def test_a_thing_is_itself_when_it_shows_again_while_its_look_alikes_stay_where_they_are() -> None:
    assert hidden_for(3, np.inf, None)[1]


@pytest.mark.parametrize(
    ("back", "believed"), [(HOME, True), (np.roll(HOME, 20, axis=1), False), (None, False)]
)
def test_beside_a_look_alike_it_must_be_followed_back_to_where_it_was(back, believed) -> None:
    chain, got = hidden_for(3, 0.2, back)
    assert got == believed
    assert chain.broken != believed
    assert ("look-alike" in chain.why) != believed


def test_a_look_alike_has_stayed_only_if_it_is_in_sight_where_it_was() -> None:
    thing = followed()
    assert thing.stayed(0.5, 0.6)
    thing.hidden_share = 0.7
    assert not thing.stayed(0.5, 0.6)
    thing.hidden_share, thing.whole = 0.0, np.roll(HOME, 8, axis=1).astype(np.float32)
    assert not thing.stayed(0.5, 0.6)


def test_after_a_long_doubt_following_back_proves_nothing() -> None:
    chain, got = hidden_for(9, 0.2, HOME)
    assert not got
    assert "too long" in chain.why
    assert not chain.look(20, 0.1, followed(), APART, lambda a, b: HOME)


def test_the_sure_area_is_renewed_alike_at_any_frame_rate() -> None:
    areas = []
    for rate_hz in (15, 30):
        chain = Chain(IdentityConfig(), 0, HOME, 2.0 * HOME.sum())
        for step in range(2 * rate_hz):
            assert chain.look(step, 1 / rate_hz, followed(), APART, lambda a, b: None)
        areas.append(chain.area / HOME.sum())
    assert areas[0] == pytest.approx(areas[1], rel=1e-6)
    assert areas[0] == pytest.approx(1 + np.exp(-2.0 / IdentityConfig().area_s), rel=1e-6)


def two_boxes(*, twins: bool) -> np.ndarray:
    """Two boxes that vanish for a second and stand elsewhere afterwards; equal ones, or one blue and one green."""
    rng = np.random.default_rng(1)
    rgb = np.empty((drawn.FRAMES, drawn.HEIGHT, drawn.WIDTH, 3), np.uint8)
    for i in range(drawn.FRAMES):
        picture = np.full((drawn.HEIGHT, drawn.WIDTH, 3), (120, 110, 90), np.uint8)
        moved = 0 if i < 10 else 34
        if not 10 <= i < 25:
            cv2.rectangle(picture, (40 + moved, 60), (70 + moved, 86), (40, 60, 190), -1)
            other = (40, 60, 190) if twins else (60, 170, 80)
            cv2.rectangle(picture, (130 + moved, 60), (160 + moved, 86), other, -1)
        rgb[i] = (picture + rng.normal(size=picture.shape) * 2).clip(0, 255).astype(np.uint8)
    return rgb


def outlined(clip: drawn.Drawn, rgb: np.ndarray) -> np.ndarray:
    """In which frames the first box is said to be seen; no hands."""
    one = drawn.found()
    boxes = np.array([[38.0, 58.0, 72.0, 88.0], [5.0, 5.0, 20.0, 20.0]])
    found = dataclasses.replace(one, seed_box_px=boxes)
    nobody = dataclasses.replace(clip.landmarks, valid=np.zeros_like(clip.landmarks.valid))
    frames = zip(clip.clip.t_ns.tolist(), rgb, strict=True)
    made = ClassicalMasks().segment(frames, clip.clip, nobody, found)
    return (made.labels == MaskLabel.FIRST_OBJECT).any(axis=(1, 2)) & made.tracks.valid[:, 0]


def test_only_one_of_a_kind_is_found_again_elsewhere(clip) -> None:
    unlike, alike = (outlined(clip, two_boxes(twins=twins)) for twins in (False, True))
    assert unlike[:10].all()
    assert alike[:10].all()
    assert not unlike[11:25].any()
    assert unlike[30:].all()
    assert not alike[11:].any()


def test_look_alikes_have_its_colours_and_about_its_size() -> None:
    rgb = two_boxes(twins=True)[0]
    cv2.rectangle(rgb, (100, 120), (106, 126), (40, 60, 190), -1)
    cv2.rectangle(rgb, (40, 120), (70, 146), (200, 60, 40), -1)
    bins = colour_bins(rgb)
    mask = np.zeros(bins.shape, bool)
    mask[60:87, 40:71] = True
    regions = look_alikes(bins, ~mask, histogram(bins[mask]), float(mask.sum()), RivalConfig())
    assert len(regions) == 1
    assert regions[0][73, 145]


def test_every_nth_frame_keeps_its_place_in_the_clip(clip) -> None:
    stack = read_stack(clip.frames(), clip.clip, every=3)
    assert stack.frame_idx.tolist() == list(range(0, drawn.FRAMES, 3))
    assert np.array_equal(stack.t_ns, clip.clip.t_ns[::3])
    assert np.array_equal(stack.rgb[4], clip.rgb[12])

"""What lies behind a thing: lit or in shade it is not the thing's; what nobody has seen says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.perception.masks.backdrop import Backdrop, BackdropConfig, soft, stands_still
from tests.perception.objects import drawn

WOOD, PAINT = np.array([170, 120, 70]), np.array([40, 60, 190])
SIZE = (60, 80)
THING = np.zeros(SIZE, bool)
THING[20:34, 20:40] = True
NO_HANDS = np.zeros(SIZE, np.uint8)
ALL = (slice(None), slice(None))
CONFIG = BackdropConfig()


def picture(
    at: np.ndarray | None, paint: np.ndarray = PAINT, light: float = 1.0, seed: int = 0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rgb = np.tile(WOOD * light, (*SIZE, 1)).astype(float)
    rgb[::7] *= 0.93  # the wood's grain
    if at is not None:
        rgb[at] = paint
    return soft((rgb + rng.normal(size=rgb.shape)).clip(0, 255).astype(np.uint8))


def inner(mask: np.ndarray) -> np.ndarray:
    out = mask.copy()
    for axis in (0, 1):
        for step in (1, -1, 2, -2):
            out &= np.roll(mask, step, axis)
    return out


def test_a_shadow_on_what_lies_behind_is_not_the_thing_and_the_thing_is_not_a_shadow() -> None:
    backdrop = Backdrop(picture(THING), THING, NO_HANDS, CONFIG)
    moved = np.roll(THING, (12, 30), axis=(0, 1))
    dark = picture(None, light=0.55, seed=1)
    now = picture(moved, seed=1)
    shadow = np.roll(THING, (-14, 30), axis=(0, 1))
    now[shadow] = dark[shadow]
    odds = backdrop.against(now, ALL)
    assert (odds[inner(shadow)] == CONFIG.shaded).mean() > 0.95
    assert odds[inner(moved)].max() == 0
    beside = ~(THING | moved | shadow)
    assert np.median(odds[beside]) == CONFIG.same


def test_where_the_thing_was_nothing_is_known_until_it_has_left() -> None:
    backdrop = Backdrop(picture(THING), THING, NO_HANDS, CONFIG)
    empty = picture(None, light=0.6, seed=2)
    assert backdrop.against(empty, ALL)[inner(THING)].max() == 0
    away = np.roll(THING, 35, axis=1)
    backdrop.learn(picture(away), away, NO_HANDS)
    assert np.median(backdrop.against(empty, ALL)[inner(THING)]) == CONFIG.shaded
    assert backdrop.against(picture(THING, seed=3), ALL)[inner(THING)].max() == 0, "back at home"


def test_a_hand_hides_what_lies_behind() -> None:
    hands = NO_HANDS.copy()
    hands[:, 50:] = 2
    backdrop = Backdrop(picture(THING), THING, hands, CONFIG)
    assert backdrop.against(picture(THING, light=0.6), ALL)[:, 50:].max() == 0


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_a_thing_of_its_surroundings_colour_is_not_taken_for_their_shadow(share: float) -> None:
    paint = WOOD * share
    backdrop = Backdrop(picture(THING, paint), THING, NO_HANDS, CONFIG)
    moved = np.roll(THING, 35, axis=1)
    assert backdrop.against(picture(moved, paint, seed=4), ALL)[inner(moved)].max() == 0


def test_a_moving_camera_gives_no_backdrop() -> None:
    clip = drawn.draw()
    hands = np.zeros(clip.rgb.shape[:3], np.uint8)
    assert stands_still(clip.rgb, hands, CONFIG)
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 255, (clip.rgb.shape[1] // 10, clip.rgb.shape[2] // 10, 3)).astype(np.uint8)
    world = tiles.repeat(10, axis=0).repeat(10, axis=1)
    swept = np.stack([np.roll(world, 9 * i, axis=1) for i in range(len(clip.rgb))])
    assert not stands_still(swept, hands, CONFIG)

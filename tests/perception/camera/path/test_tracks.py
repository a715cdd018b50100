"""Corners are followed to a tenth of a pixel, never on hands, and not kept where hands may carry them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reenact.perception.camera.path.blocked import HandPixels, hand_pixels
from reenact.perception.camera.path.tracks import CornerFollower

SIZE = (240, 320)


def texture(seed: int = 0) -> np.ndarray:
    """Blobs of a few pixels, larger than the picture."""
    noise = np.random.default_rng(seed).integers(0, 255, (400, 480)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)


def shifted(frame: int) -> np.ndarray:
    """The texture moved by 1.7 and 0.9 px per frame."""
    M = np.array([[1, 0, -40 - 1.7 * frame], [0, 1, -40 - 0.9 * frame]])
    return cv2.warpAffine(texture(), M, SIZE[::-1], flags=cv2.INTER_CUBIC)


def nothing() -> np.ndarray:
    return np.zeros(SIZE, dtype=bool)


def follow(hands) -> object:
    follower = CornerFollower()
    for frame in range(20):
        follower.add(shifted(frame), hands, frame / 30)
    return follower.result()


@pytest.fixture(scope="module")
def free():
    return follow(HandPixels(nothing(), nothing()))


def test_tracks_do_not_slide(free) -> None:
    first = np.searchsorted(free.track, free.track)
    moved = free.xy_px - free.xy_px[first]
    want = -np.array([1.7, 0.9]) * (free.frame - free.frame[first])[:, None]
    off = np.linalg.norm(moved - want, axis=1)
    assert len(np.unique(free.track)) > 60
    assert np.quantile(off, 0.95) < 0.15


def test_rows_are_sorted_and_the_first_picture_is_a_keyframe(free) -> None:
    assert (np.diff(free.track) >= 0).all()
    assert free.keyframes[0] == 0
    assert free.frames == 20
    assert np.bincount(free.track)[free.track].min() > 1


def test_nothing_is_followed_on_hands() -> None:
    covered = nothing()
    covered[60:160, 100:220] = True
    tracks = follow(HandPixels(covered, nothing()))
    at = tracks.xy_px.round().astype(int)
    assert not covered[at[:, 1], at[:, 0]].any()


def long_at_the_left(tracks) -> int:
    """Tracks of half a second that never leave the left half."""
    long = np.bincount(tracks.track) > 15
    return sum(
        long[track] and (tracks.xy_px[tracks.track == track, 0] < 150).all()
        for track in np.unique(tracks.track)
    )


def test_what_stays_around_a_hand_is_no_room_and_what_passes_is(free) -> None:
    near = nothing()
    near[:, :160] = True
    tracks = follow(HandPixels(nothing(), near))
    assert long_at_the_left(free) > 10
    assert long_at_the_left(tracks) == 0


def test_a_hand_covers_itself_and_its_forearm() -> None:
    hand = np.zeros((2, 21, 2))
    hand[1] = np.column_stack([np.linspace(150, 190, 21), np.linspace(120, 150, 21)])
    hand[1, 0], hand[1, 9] = (190, 150), (165, 130)
    pixels = hand_pixels(hand, np.array([False, True]), 320, 240, 1.5)
    assert pixels.covered[150, 190]
    assert pixels.covered[165, 209]
    assert not pixels.covered[20, 20]
    assert pixels.near[100, 150]
    assert not hand_pixels(hand, np.array([False, False]), 320, 240, 1.5).near.any()

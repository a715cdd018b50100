"""Points that are followed go where the picture went; those on what changed do not come home."""

from __future__ import annotations

import cv2
import numpy as np

from reenact.perception.pictures.follow import follow, there_and_back
from reenact.perception.pictures.outline import fill_widened, palm_px


def texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(160, 200)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def test_a_shift_is_found_and_what_was_replaced_does_not_come_home() -> None:
    a, shift = texture(0), np.array([3.25, -1.5])
    b = cv2.warpAffine(a, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (200, 160))
    b[:, 120:] = texture(1)[:, 120:]
    x, y = np.meshgrid(np.arange(30, 180, 12.0), np.arange(30, 130, 12.0))
    points = np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32)
    found, ok, error = there_and_back(a, b, points, 15, 3)
    same, gone = points[:, 0] < 100, points[:, 0] > 140
    assert (ok & (error < 0.1))[same].all()
    assert np.abs(found - points - shift)[same].max() < 0.1
    assert (error[gone & ok] > 0.6).mean() > 0.9
    np.testing.assert_allclose(
        follow(a, b, points[same], 15, 0, found[same])[0], found[same], atol=0.05
    )  # a guess that is right needs no pyramid


def test_an_outline_grows_by_half_its_stroke() -> None:
    square = np.array([[30, 30], [70, 30], [70, 70], [30, 70]], np.int32)[:, None]
    bare, wide, fine = np.zeros((3, 100, 100), np.uint8)
    fill_widened(bare, square, 0)
    fill_widened(wide, square, 20)
    fill_widened(fine, square * 16, 20, 4)
    assert bare.sum() == 41**2
    assert wide[50].sum() == 41 + 20
    assert (wide == fine).mean() > 0.99
    hand = np.zeros((2, 21, 2))
    hand[:, 9] = [3.0, 4.0]
    assert palm_px(hand).tolist() == [5.0, 5.0]

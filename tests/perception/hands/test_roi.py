"""Laws of the rotated regions: exact round trips, fingers up, and moving with the hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reenact.perception.hands.detection import box_iou
from reenact.perception.hands.landmarks import placed
from reenact.perception.hands.nets import RawHand
from reenact.perception.hands.roi import (
    A_crop_image,
    A_image_crop,
    Roi,
    apply_affine,
    cut_out,
    roi_from_landmarks,
    roi_from_palm,
    upright_rotation,
)

from .simulated import REL, TEMPLATE

RNG = np.random.default_rng(1)


def turned(points: np.ndarray, angle: float) -> np.ndarray:
    """About the origin, x towards y (clockwise on the screen)."""
    R = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points @ R.T


@pytest.mark.parametrize("seed", range(20))
def test_image_to_crop_and_back_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    roi = Roi(*rng.uniform(-100, 2000, 2), float(rng.uniform(5, 900)), float(rng.uniform(-np.pi, np.pi)))
    points = rng.uniform(-200, 2200, (50, 2))
    there = apply_affine(A_crop_image(roi, 224), points)
    np.testing.assert_allclose(apply_affine(A_image_crop(roi, 224), there), points, atol=1e-8)


def test_the_crop_is_cut_where_the_map_says() -> None:
    """Blobs in a picture are found in the crop within 0.5 crop pixels of their mapped places."""
    ys, xs = np.mgrid[:400, :600]
    roi = Roi(300.0, 200.0, 180.0, 0.7)
    for spot in ([300.0, 200.0], [340.0, 180.0], [260.0, 235.0]):
        blob = 255 * np.exp(-((xs - spot[0]) ** 2 + (ys - spot[1]) ** 2) / (2 * 4.0**2))
        crop = cut_out(np.repeat(blob[..., None], 3, axis=2).astype(np.uint8), roi, 224)[..., 0].astype(float)
        v, u = np.mgrid[:224, :224]
        centroid = np.array([(u * crop).sum(), (v * crop).sum()]) / crop.sum()
        np.testing.assert_allclose(
            centroid, apply_affine(A_crop_image(roi, 224), np.array([spot]))[0], atol=0.5
        )


@pytest.mark.parametrize("angle", np.linspace(-3, 3, 9))
def test_fingers_point_up_in_the_crop(angle: float) -> None:
    points = turned(TEMPLATE * 80, angle) + [400, 300]
    roi = roi_from_landmarks(points)
    crop = apply_affine(A_crop_image(roi, 224), points)
    knuckles = crop[9] / 2 + (crop[5] + crop[13]) / 4
    assert abs(knuckles[0] - crop[0, 0]) < 1e-6
    assert knuckles[1] < crop[0, 1]
    assert ((crop > 0) & (crop < 224)).all(), "the whole hand lies inside its region"


@pytest.mark.parametrize("angle", [0.3, -1.1, 2.9])
def test_regions_turn_move_and_grow_with_the_hand(angle: float) -> None:
    plain = roi_from_landmarks(TEMPLATE * 50)
    roi = roi_from_landmarks(turned(TEMPLATE * 50, angle) * 2.0 + [500, 400])
    difference = roi.rotation - plain.rotation - angle
    assert abs(math.atan2(math.sin(difference), math.cos(difference))) < 1e-9
    assert roi.size_px == pytest.approx(2 * plain.size_px)
    expected = turned(np.array([[plain.x_px, plain.y_px]]), angle)[0] * 2 + [500, 400]
    np.testing.assert_allclose([roi.x_px, roi.y_px], expected, atol=1e-9)


def test_the_palm_region_has_the_published_shift_and_scale() -> None:
    """Upright palm of side 100 about (300, 200): 2.6 times as large, half a side further to the fingers."""
    keypoints = np.zeros((7, 2))
    keypoints[0], keypoints[2] = [300, 250], [300, 160]
    roi = roi_from_palm(np.array([250.0, 150, 350, 250]), keypoints)
    assert roi == Roi(300.0, 150.0, 260.0, 0.0)


def test_rotation_of_the_four_directions() -> None:
    origin = np.zeros(2)
    heads = {0.0: [0, -1], math.pi / 2: [1, 0], -math.pi / 2: [-1, 0]}
    for expected, head in heads.items():
        assert upright_rotation(origin, np.array(head, float)) == pytest.approx(expected)
    assert abs(upright_rotation(origin, np.array([0.0, 1.0]))) == pytest.approx(math.pi)


def test_landmarks_return_to_the_image_and_the_relative_ones_to_camera_axes() -> None:
    image_points = turned(TEMPLATE * 90, 0.8) + [250, 260]
    roi = roi_from_landmarks(image_points)
    crop = apply_affine(A_crop_image(roi, 224), image_points)
    rel_camera = np.concatenate([turned(REL[:, :2], 0.8), REL[:, 2:]], axis=1)
    rel_crop = np.concatenate([turned(rel_camera[:, :2], -roi.rotation), REL[:, 2:]], axis=1)
    raw = RawHand(np.concatenate([crop, np.zeros((21, 1))], axis=1), 0.9, 0.8, rel_crop)
    hand = placed(raw, roi, mirrored=False)
    assert np.abs(hand.landmarks_px - image_points).max() < 0.01
    np.testing.assert_allclose(hand.landmarks_rel, rel_camera, atol=1e-12)
    assert hand.p_right == pytest.approx(0.8)
    assert placed(raw, roi, mirrored=True).p_right == pytest.approx(0.2)


def test_box_overlap() -> None:
    a = np.array([0.0, 0, 2, 2])
    assert box_iou(a, a) == pytest.approx(1.0)
    assert box_iou(a, np.array([1.0, 0, 3, 2])) == pytest.approx(1 / 3)
    assert box_iou(a, np.array([5.0, 5, 6, 6])) == 0.0

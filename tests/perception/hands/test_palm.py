"""Laws of the palm net's anchors, decoding, weighted suppression and windows."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.perception.hands.palm import (
    INPUT_PX,
    PalmFinder,
    anchors_px,
    decode,
    iou_with,
    letterbox,
    weighted_nms,
)


def test_there_are_2016_anchors_in_two_grids() -> None:
    anchors = anchors_px()
    assert anchors.shape == (2016, 2)
    fine, coarse = anchors[:1152], anchors[1152:]
    values, counts = np.unique(fine, axis=0, return_counts=True)
    assert len(values) == 24 * 24
    assert (counts == 2).all()
    values, counts = np.unique(coarse, axis=0, return_counts=True)
    assert len(values) == 12 * 12
    assert (counts == 6).all()


def test_anchors_are_symmetric_and_run_row_by_row() -> None:
    anchors = anchors_px()
    flipped = np.unique(INPUT_PX - anchors, axis=0)
    np.testing.assert_array_equal(flipped, np.unique(anchors, axis=0))
    np.testing.assert_array_equal(anchors[[0, 1, 2, 48]], [[4, 4], [4, 4], [12, 4], [4, 12]])


def test_decoding_places_box_and_keypoints_about_the_anchor() -> None:
    raw, logits = np.zeros((2016, 18), np.float32), np.full(2016, -9.0, np.float32)
    raw[1300] = [3, -2, 20, 30, *range(14)]
    logits[1300] = 2.0
    boxes, keypoints, scores = decode(raw, logits, 0.5)
    x, y = anchors_px()[1300]
    np.testing.assert_allclose(boxes, [[x + 3 - 10, y - 2 - 15, x + 3 + 10, y - 2 + 15]])
    np.testing.assert_allclose(keypoints[0], np.arange(14).reshape(7, 2) + [x, y])
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2.0))])


def some_boxes(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    corner, size = rng.uniform(0, 150, (count, 2)), rng.uniform(10, 40, (count, 2))
    boxes = np.concatenate([corner, corner + size], axis=1)
    return boxes, rng.uniform(0, 192, (count, 7, 2)), rng.uniform(0.5, 1.0, count)


def test_iou_of_known_boxes() -> None:
    box = np.array([0.0, 0.0, 10.0, 10.0])
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(iou_with(box, others), [1.0, 50 / 150, 0.0])


def test_suppression_is_the_score_weighted_mean_of_what_overlaps() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [100, 100, 120, 120]], float)
    keypoints = np.stack([np.full((7, 2), v) for v in (0.0, 1.0, 5.0)])
    palms = weighted_nms(boxes, keypoints, np.array([0.9, 0.6, 0.7]), 0.3)
    assert [palm.score for palm in palms] == [0.9, 0.7]
    np.testing.assert_allclose(palms[0].box_px, [0.4, 0, 10.4, 10])
    np.testing.assert_allclose(palms[0].keypoints_px, np.full((7, 2), 0.4))
    np.testing.assert_allclose(palms[1].box_px, boxes[2])


def test_suppression_keeps_lone_boxes_and_ignores_the_input_order() -> None:
    rng = np.random.default_rng(0)
    boxes, keypoints, scores = some_boxes(rng, 60)
    plain = weighted_nms(boxes, keypoints, scores, 0.3)
    order = rng.permutation(60)
    shuffled = weighted_nms(boxes[order], keypoints[order], scores[order], 0.3)
    np.testing.assert_allclose([p.box_px for p in plain], [p.box_px for p in shuffled])
    assert [p.score for p in plain] == sorted((p.score for p in plain), reverse=True)
    assert len(weighted_nms(boxes, keypoints, scores, 1.0)) == 60
    assert weighted_nms(boxes[:0], keypoints[:0], scores[:0], 0.3) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (360, 640), (192, 192), (100, 30)])
def test_letterbox_maps_image_to_square_and_back(width: int, height: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    x, y = width // 3, height // 2
    reach = max(width, height) // 40
    image[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1] = 255
    square, scale, pad = letterbox(image)
    assert square.shape == (INPUT_PX, INPUT_PX, 3)
    rows, columns = np.nonzero(square[..., 0] > 127)
    back = (np.array([columns.mean(), rows.mean()]) + 0.5 - pad) / scale - 0.5
    np.testing.assert_allclose(back, [x, y], atol=0.8 / scale)


@pytest.mark.parametrize("window", [None, (400, 100, 1000, 700), (-288, -568, 1568, 1288)])
def test_a_palm_is_returned_in_image_pixels(window: tuple[int, int, int, int] | None) -> None:
    """A net that reports the brightest spot as a palm of 8 input pixels: the finder must undo box and window."""

    def net(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = np.nonzero(image[..., 0] > 127)
        spot = np.array([columns.mean() + 0.5, rows.mean() + 0.5])
        raw, logits = np.zeros((2016, 18)), np.full(2016, -9.0)
        best = int(np.argmin(np.linalg.norm(anchors_px() - spot, axis=1)))
        raw[best] = [*(spot - anchors_px()[best]), 8, 8, *np.tile(spot - anchors_px()[best], 7)]
        logits[best] = 3.0
        return raw, logits

    image = np.zeros((720, 1280, 3), np.uint8)
    image[280:321, 580:621] = 255
    finder = PalmFinder(net, min_score=0.5, min_iou=0.3)
    (palm,) = finder.find(image, window)
    np.testing.assert_allclose(palm.centre_px, [600.5, 300.5], atol=5.0)
    np.testing.assert_allclose(palm.keypoints_px, np.tile(palm.centre_px, (7, 1)), atol=1e-9)
    side = 1280 if window is None else window[2] - window[0]
    np.testing.assert_allclose(palm.size_px, 8 * side / INPUT_PX)
    assert finder.runs == 1

"""Palm boxes from the palm net's raw numbers: anchors, decoding, weighted non-maximum suppression.

Constants are those of MediaPipe's published graph ``palm_detection_cpu`` (Apache-2.0); own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from reenact.perception.hands.nets import PalmNet

INPUT_PX = 192
_LAYERS = ((8, 2), (16, 6))
"""(stride in pixels, anchors per cell): one layer of stride 8 and three of stride 16, two anchors each."""


@dataclass(frozen=True, eq=False)
class Palm:
    """One palm in image pixels."""

    score: float
    box_px: Float[np.ndarray, "4"]
    """x0, y0, x1, y1"""
    keypoints_px: Float[np.ndarray, "7 2"]
    """0 wrist, 1 index, 2 middle, 3 ring, 4 little knuckle, 5 and 6 thumb."""

    @property
    def centre_px(self) -> Float[np.ndarray, "2"]:
        """Middle of the box."""
        return (self.box_px[:2] + self.box_px[2:]) / 2

    @property
    def size_px(self) -> float:
        """Longer side of the box."""
        return float((self.box_px[2:] - self.box_px[:2]).max())


@lru_cache(maxsize=1)
def anchors_px() -> Float[np.ndarray, "2016 2"]:
    """Centres x, y of the net's 2016 anchors in input pixels; rows first, then columns, then anchors."""
    parts = []
    for stride, per_cell in _LAYERS:
        centres = (np.arange(INPUT_PX // stride) + 0.5) * stride
        y, x = np.meshgrid(centres, centres, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), per_cell, axis=0))
    result = np.concatenate(parts)
    result.setflags(write=False)
    return result


def decode(
    raw: Float[np.ndarray, "2016 18"], logits: Float[np.ndarray, "2016"], min_score: float
) -> tuple[Float[np.ndarray, "n 4"], Float[np.ndarray, "n 7 2"], Float[np.ndarray, " n"]]:
    """Boxes, keypoints (input pixels) and scores of the anchors whose score is at least ``min_score``."""
    keep = logits >= np.log(min_score / (1.0 - min_score))
    chosen, centres = raw[keep].astype(np.float64), anchors_px()[keep]
    middle = chosen[:, :2] + centres
    half = chosen[:, 2:4] / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1)
    keypoints = chosen[:, 4:].reshape(-1, 7, 2) + centres[:, None]
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[keep].astype(np.float64), -100.0, 100.0)))
    return boxes, keypoints, scores


def iou_with(box: Float[np.ndarray, "4"], boxes: Float[np.ndarray, "n 4"]) -> Float[np.ndarray, " n"]:
    """Intersection over union of one box with many."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    overlap = np.prod(np.maximum(high - low, 0.0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2]) - overlap
    return overlap / np.maximum(areas, 1e-12)


def weighted_nms(
    boxes: Float[np.ndarray, "n 4"],
    keypoints: Float[np.ndarray, "n 7 2"],
    scores: Float[np.ndarray, " n"],
    min_iou: float,
) -> list[Palm]:
    """Best first: each palm is the score-weighted mean of the best box left and all that overlap it.

    The palm keeps the best box's score. A box joins exactly one palm.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, keypoints, scores = boxes[order], keypoints[order], scores[order]
    left: Bool[np.ndarray, " n"] = np.ones(len(scores), dtype=bool)
    palms = []
    while left.any():
        best = int(np.argmax(left))
        joined = left & (iou_with(boxes[best], boxes) > min_iou)
        joined[best] = True
        weights = scores[joined] / scores[joined].sum()
        palms.append(
            Palm(
                float(scores[best]),
                np.einsum("n,nk->k", weights, boxes[joined]),
                np.einsum("n,njk->jk", weights, keypoints[joined]),
            )
        )
        left &= ~joined
    return palms


@runtime_checkable
class PalmSource(Protocol):
    """Finds palms in an image or a window of it, and counts how often it was asked."""

    runs: int

    def find(
        self, image: UInt8[np.ndarray, "h w 3"], window: tuple[int, int, int, int] | None = None
    ) -> list[Palm]:
        """Palms in image pixels, best first."""


class PalmFinder:
    """Runs the palm net on a whole image or on a part of it."""

    def __init__(self, net: PalmNet, *, min_score: float, min_iou: float) -> None:
        self._net, self._min_score, self._min_iou = net, min_score, min_iou
        self.runs = 0

    def find(
        self, image: UInt8[np.ndarray, "h w 3"], window: tuple[int, int, int, int] | None = None
    ) -> list[Palm]:
        """Palms in image pixels, best first. ``window`` = (x0, y0, x1, y1) looks at this part only; it may reach
        beyond the image, where it is black."""
        height, width = image.shape[:2]
        x0, y0, x1, y1 = window or (0, 0, width, height)
        square, scale, pad = letterbox(part_of(image, (x0, y0, x1, y1)))
        raw, logits = self._net(square)
        self.runs += 1
        boxes, keypoints, scores = decode(raw, logits, self._min_score)
        offset = np.array([x0, y0], dtype=np.float64)
        boxes = (boxes - np.tile(pad, 2)) / scale + np.tile(offset, 2)
        keypoints = (keypoints - pad) / scale + offset
        return weighted_nms(boxes, keypoints, scores, self._min_iou)


def part_of(
    image: UInt8[np.ndarray, "h w 3"], window: tuple[int, int, int, int]
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The window's part of the image (a view where it lies inside), black where there is no image."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = window
    inside = image[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    if x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
        return inside
    margins = max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0)
    return cv2.copyMakeBorder(inside, *margins, cv2.BORDER_CONSTANT)


def letterbox(
    image: UInt8[np.ndarray, "h w 3"],
) -> tuple[UInt8[np.ndarray, "192 192 3"], float, Float[np.ndarray, "2"]]:
    """Fit the image in the net's square with black bars; returns it, the scale and the bars' x, y in pixels."""
    height, width = image.shape[:2]
    scale = INPUT_PX / max(height, width)
    w, h = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (INPUT_PX - w) // 2, (INPUT_PX - h) // 2
    square = np.zeros((INPUT_PX, INPUT_PX, 3), dtype=np.uint8)
    square[top : top + h, left : left + w] = small
    return square, scale, np.array([left, top], dtype=np.float64)
